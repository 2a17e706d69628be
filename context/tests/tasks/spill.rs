//! The pool's overflow into a durable queue.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use context::pool::{Builder, DetachedPool, Message, Outcome, Retry, SendError, Sent, Spill, SubmitError};
use context::{Cause, Context};
use tokio::sync::Semaphore;

use crate::support::{HOUR, SHORT, eventually, in_time};

/// A queue that outlives the pool, and fails when told to.
#[derive(Clone, Default)]
struct Store {
    messages: Arc<Mutex<BTreeMap<u64, Message>>>,
    next: Arc<Mutex<u64>>,
    broken: Arc<AtomicBool>,
}

impl Store {
    fn check(&self) -> Result<(), Cause> {
        if self.broken.load(Ordering::SeqCst) { Err(Cause::from("the disk is full")) } else { Ok(()) }
    }

    fn payloads(&self) -> Vec<Vec<u8>> {
        self.messages.lock().unwrap().values().map(|message| message.payload.clone()).collect()
    }

    fn add(&self, name: &str, payload: &[u8]) {
        self.push(&Message { name: name.into(), payload: payload.into() }).unwrap();
    }
}

impl Spill for Store {
    fn push(&self, message: &Message) -> Result<(), Cause> {
        self.check()?;
        let mut next = self.next.lock().unwrap();
        self.messages.lock().unwrap().insert(*next, message.clone());
        *next += 1;
        Ok(())
    }

    fn next(&self, after: Option<u64>) -> Result<Option<(u64, Message)>, Cause> {
        self.check()?;
        let from = after.map_or(0, |id| id + 1);
        Ok(self.messages.lock().unwrap().range(from..).next().map(|(id, message)| (*id, message.clone())))
    }

    fn remove(&self, id: u64) -> Result<(), Cause> {
        self.check()?;
        self.messages.lock().unwrap().remove(&id);
        Ok(())
    }
}

/// What a handler has handled, and a gate before it.
#[derive(Clone)]
struct Handled {
    payloads: Arc<Mutex<Vec<Vec<u8>>>>,
    gate: Arc<Semaphore>,
}

impl Handled {
    fn new(open: bool) -> Handled {
        Handled { payloads: Arc::default(), gate: Arc::new(Semaphore::new(if open { 1_000 } else { 0 })) }
    }

    fn of(&self, builder: Builder) -> Builder {
        let handled = self.clone();
        builder.handler("mail", Retry::none(), move |_, payload| {
            let handled = handled.clone();
            async move {
                handled.gate.acquire().await.unwrap().forget();
                handled.payloads.lock().unwrap().push(payload);
            }
        })
    }

    fn sorted(&self) -> Vec<Vec<u8>> {
        let mut payloads = self.payloads.lock().unwrap().clone();
        payloads.sort();
        payloads
    }
}

fn payloads(n: u8) -> Vec<Vec<u8>> {
    (0..n).map(|n| vec![n]).collect()
}

async fn send_all(pool: &DetachedPool, n: u8) -> usize {
    let mut spilled = 0;
    for payload in payloads(n) {
        let sent = pool.send(&Context::background(), "mail", payload).await.unwrap();
        spilled += usize::from(matches!(sent, Sent::Spilled));
    }
    spilled
}

#[tokio::test]
async fn the_overflow_is_stored_and_comes_back() {
    let (store, handled) = (Store::default(), Handled::new(false));
    let pool = handled.of(DetachedPool::builder().workers(1).queue(1).timeout(HOUR)).spill(store.clone()).build();
    assert_eq!(send_all(&pool, 5).await, 3);
    assert_eq!(store.payloads().len(), 3);
    handled.gate.add_permits(5);
    eventually("all are handled", || handled.sorted() == payloads(5)).await;
    eventually("all are removed", || store.payloads().is_empty()).await;
    // It goes on after the store was empty.
    let busy: Vec<_> =
        (0..2).map(|_| pool.submit(&Context::background(), "x", |_| std::future::pending::<()>())).collect();
    assert!(matches!(pool.send(&Context::background(), "mail", vec![9]).await.unwrap(), Sent::Spilled));
    for busy in busy {
        busy.unwrap().stop();
    }
    handled.gate.add_permits(1);
    eventually("the late one is handled", || handled.sorted().last() == Some(&vec![9])).await;
}

#[tokio::test]
async fn without_a_store_a_full_queue_refuses() {
    let handled = Handled::new(false);
    let pool = handled.of(DetachedPool::builder().workers(1).queue(0)).build();
    assert!(matches!(pool.send(&Context::background(), "mail", vec![]).await, Ok(Sent::Queued(_))));
    let refused = pool.send(&Context::background(), "mail", vec![]).await;
    assert!(matches!(refused, Err(SendError::Refused(SubmitError::Full))));
    assert!(matches!(pool.send(&Context::background(), "other", vec![]).await, Err(SendError::NoHandler)));
}

#[tokio::test]
async fn a_store_that_fails_is_an_error_and_is_tried_again_for_what_it_holds() {
    let (store, handled) = (Store::default(), Handled::new(false));
    store.add("mail", &[7]);
    store.broken.store(true, Ordering::SeqCst);
    let pool = handled.of(DetachedPool::builder().workers(1).queue(0)).spill(store.clone()).build();
    assert!(matches!(pool.send(&Context::background(), "mail", vec![1]).await, Ok(Sent::Queued(_))));
    let error = pool.send(&Context::background(), "mail", vec![2]).await.unwrap_err();
    assert_eq!(error.to_string(), "the durable queue has failed: the disk is full");
    handled.gate.add_permits(2);
    store.broken.store(false, Ordering::SeqCst);
    eventually("both are handled", || handled.sorted() == [vec![1], vec![7]]).await;
}

#[tokio::test]
async fn what_a_drain_finds_stored_or_cuts_stays_for_the_next_start() {
    let store = Store::default();
    for payload in payloads(3) {
        store.add("mail", &payload);
    }
    let stuck = Handled::new(false);
    let pool = stuck.of(DetachedPool::builder().workers(1).timeout(HOUR)).spill(store.clone()).build();
    eventually("the first is brought back", || pool.inflight().len() == 1).await;
    let patience = Context::background().with_timeout(SHORT).0;
    assert_eq!(in_time(pool.drain(&patience)).await.cut, ["mail"]);
    let refused = pool.send(&Context::background(), "mail", vec![8]).await;
    assert!(matches!(refused, Err(SendError::Refused(SubmitError::Draining))));
    assert_eq!(store.payloads(), payloads(3));

    let handled = Handled::new(true);
    let pool = handled.of(DetachedPool::builder().workers(2)).spill(store.clone()).build();
    eventually("all are handled", || handled.sorted() == payloads(3)).await;
    assert!(in_time(pool.drain(&Context::background())).await.is_clean());
    assert!(store.payloads().is_empty(), "a drained pool has removed what it has handled");
}

#[tokio::test]
async fn a_stored_message_that_fails_for_good_is_a_dead_letter_and_one_unknown_stays() {
    let store = Store::default();
    store.add("unknown", &[0]);
    store.add("bad", &[1]);
    let letters = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&letters);
    let pool = DetachedPool::builder()
        .handler("bad", Retry::times(2), |_, payload| async move { Err::<(), _>(format!("no {payload:?}")) })
        .dead_letters(move |letter| sink.lock().unwrap().push((letter.attempts, letter.outcome)))
        .spill(store.clone())
        .build();
    eventually("it is dead", || letters.lock().unwrap().len() == 1).await;
    eventually("it is removed", || store.payloads() == [vec![0]]).await;
    let (attempts, Outcome::Failed(cause)) = letters.lock().unwrap().remove(0) else { panic!("it failed") };
    assert_eq!((attempts, cause.to_string().as_str()), (2, "no [1]"));
    drop(pool);
}

#[cfg(feature = "redb")]
mod file {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};

    use context::pool::FileSpill;

    use super::*;

    const PATH: &str = "CONTEXT_TEST_SPILL";

    #[test]
    fn messages_keep_their_order_and_survive_a_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spill.redb");
        let message = |n: u8| Message { name: format!("m{n}"), payload: vec![n; usize::from(n)] };
        let spill = FileSpill::open(&path).unwrap();
        assert!(FileSpill::open(&path).is_err(), "one at a time");
        for n in 0..3 {
            spill.push(&message(n)).unwrap();
        }
        spill.remove(2).unwrap();
        spill.push(&message(3)).unwrap();
        assert_eq!(spill.next(Some(1)).unwrap(), Some((3, message(3))), "ids are not used again");
        spill.remove(77).unwrap();
        drop(spill);
        let spill = FileSpill::open(&path).unwrap();
        assert_eq!(spill.next(None).unwrap(), Some((0, message(0))));
        assert_eq!(spill.next(Some(3)).unwrap(), None);
        drop(spill);
        std::fs::write(&path, b"not a database at all").unwrap();
        assert!(FileSpill::open(&path).is_err());
    }

    /// The process that is killed: not a test of its own.
    #[tokio::test]
    async fn child_that_spills() {
        let Some(path) = std::env::var_os(PATH) else { return };
        let stuck = Handled::new(false);
        let spill = FileSpill::open(path).unwrap();
        let pool = stuck.of(DetachedPool::builder().workers(1).queue(0).timeout(HOUR)).spill(spill).build();
        pool.submit(&Context::background(), "busy", |_| std::future::pending::<()>()).unwrap();
        assert_eq!(send_all(&pool, 20).await, 20);
        println!("all are spilled");
        std::future::pending().await
    }

    #[tokio::test]
    async fn what_was_spilled_survives_a_kill() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("spill.redb");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "spill::file::child_that_spills", "--nocapture"])
            .env(PATH, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("all are spilled")), "the child has told");
        child.kill().unwrap();
        child.wait().unwrap();

        let handled = Handled::new(true);
        let spill = FileSpill::open(&path).unwrap();
        let pool = handled.of(DetachedPool::builder().workers(2)).spill(spill).build();
        eventually("all are handled", || handled.sorted() == payloads(20)).await;
        assert!(in_time(pool.drain(&Context::background())).await.is_clean());
        drop(pool);
        eventually("nothing is left", || FileSpill::open(&path).is_ok_and(|spill| spill.next(None).unwrap().is_none()))
            .await;
    }
}
