//! The pool.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use context::pool::{DeadLetter, DetachedPool, Operation, Outcome, Priority, Retry, SubmitError, SubmitHandle};
use context::{Context, ContextError};
use tokio::sync::oneshot;

use crate::support::{HOUR, OnDrop, SHORT, eventually, in_time};

#[derive(PartialEq, Eq)]
struct Tenant;

fn background() -> Context {
    Context::background()
}

fn patience(limit: Duration) -> Context {
    background().with_timeout(limit).0
}

/// An operation that runs until it is let go.
fn held(pool: &DetachedPool, name: &'static str) -> (SubmitHandle, oneshot::Sender<()>) {
    let (release, held) = oneshot::channel::<()>();
    let handle = pool.submit(&background(), name, |_| async { drop(held.await) }).unwrap();
    (handle, release)
}

/// A pool and what comes to its dead letters.
fn with_letters(builder: context::pool::Builder) -> (DetachedPool, Arc<Mutex<Vec<DeadLetter>>>) {
    let letters = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&letters);
    (builder.dead_letters(move |letter| sink.lock().unwrap().push(letter)).build(), letters)
}

async fn never(_: Context) {
    unreachable!("it must not begin");
}

fn assert_send_sync<T: Send + Sync + std::panic::UnwindSafe>(_: &T) {}

#[tokio::test]
async fn work_outlives_its_request_and_keeps_its_values() {
    let pool = DetachedPool::builder().timeout(HOUR).build();
    assert_send_sync(&pool);
    let (request, over) = background().with_value("user", 7).with_timeout(SHORT);
    let (report, seen) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    let handle = pool
        .submit(&request, "audit", |ctx| async move {
            gone.await.unwrap();
            report.send((ctx.err(), ctx.value::<i32>(&"user").copied(), ctx.remaining().unwrap() > SHORT)).unwrap();
        })
        .unwrap();
    assert_send_sync(&handle);
    over.cancel();
    go.send(()).unwrap();
    assert!(in_time(handle.wait()).await.is_success());
    assert_eq!(seen.await.unwrap(), (None, Some(7), true));
    assert!(handle.is_finished());
}

#[tokio::test]
async fn no_more_run_than_there_are_workers_and_a_full_queue_refuses() {
    let pool = DetachedPool::builder().workers(2).queue(1).build();
    let (_a, release_a) = held(&pool, "a");
    let (_b, _release_b) = held(&pool, "b");
    let (c, _release_c) = held(&pool, "c");
    let refused = pool.submit(&background(), "d", never);
    assert_eq!(refused.unwrap_err(), SubmitError::Full);
    eventually("two run", || pool.inflight().len() == 2).await;
    assert_eq!(pool.queued(), 1);
    assert_eq!(pool.submit(&background(), "d", |_| async {}).unwrap_err(), SubmitError::Full);
    release_a.send(()).unwrap();
    eventually("c runs", || pool.inflight().iter().any(|operation| operation.name == "c")).await;
    assert!(!c.is_finished());
    held(&pool, "d");
}

#[tokio::test]
async fn a_queue_of_none_takes_what_a_free_worker_can() {
    let pool = DetachedPool::builder().workers(1).queue(0).build();
    let (a, release) = held(&pool, "a");
    assert_eq!(pool.submit(&background(), "b", |_| async {}).unwrap_err(), SubmitError::Full);
    release.send(()).unwrap();
    in_time(a.wait()).await;
    assert!(in_time(pool.submit(&background(), "b", |_| async {}).unwrap().wait()).await.is_success());
}

#[tokio::test]
async fn an_operation_that_takes_too_long_is_dropped() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1).timeout(HOUR));
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    let slow = pool.submit(&background(), Operation::new("slow").timeout(SHORT), |_| async move {
        let _tell = OnDrop(move || flag.store(true, Ordering::SeqCst));
        std::future::pending::<()>().await;
    });
    assert!(matches!(in_time(slow.unwrap().wait()).await, Outcome::TimedOut));
    assert!(dropped.load(Ordering::SeqCst));
    let polite = pool.submit(&background(), Operation::new("polite").timeout(SHORT), |ctx| async move {
        Err::<(), _>(ctx.done().await)
    });
    assert!(matches!(in_time(polite.unwrap().wait()).await, Outcome::TimedOut));
    assert_eq!(letters.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_panic_harms_nobody_else() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1));
    let bad = pool
        .submit(&background(), "bad", |_| async {
            if true {
                panic!("boom")
            }
        })
        .unwrap();
    async fn nothing() {}
    let early =
        pool.submit(&background(), "early", |ctx| if ctx.is_done() { nothing() } else { panic!("early") }).unwrap();
    let in_drop = pool
        .submit(&background(), "drop", |_| async {
            let _bomb = OnDrop(|| panic!("in drop"));
        })
        .unwrap();
    let good = pool.submit(&background(), "good", |_| async {}).unwrap();
    let mut texts = Vec::new();
    for handle in [bad, early, in_drop, good] {
        texts.push(in_time(handle.wait()).await.to_string());
    }
    assert_eq!(texts, ["panicked: boom", "panicked: early", "panicked: in drop", "succeeded"]);
    assert_eq!(letters.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_panicking_sink_is_ignored() {
    let pool = DetachedPool::builder().workers(1).dead_letters(|_| panic!("sink")).build();
    let failed = pool.submit(&background(), "bad", |_| async { Err::<(), _>("no") }).unwrap();
    assert!(matches!(in_time(failed.wait()).await, Outcome::Failed(_)));
    assert!(in_time(pool.submit(&background(), "good", |_| async {}).unwrap().wait()).await.is_success());
    in_time(pool.idle()).await;
}

#[tokio::test]
async fn a_failure_for_good_goes_to_the_dead_letters() {
    let builder = DetachedPool::builder().quota(9, |ctx| ctx.value::<String>(&Tenant).cloned());
    let (pool, letters) = with_letters(builder);
    let acme = background().with_value(Tenant, "acme".to_owned());
    let handle = pool.submit(&acme, "mail", |_| async { Err::<u8, _>(ContextError::Canceled) }).unwrap();
    let Outcome::Failed(cause) = in_time(handle.wait()).await else { panic!("it failed") };
    assert!(cause.downcast_ref::<ContextError>().is_some());
    let letters = letters.lock().unwrap();
    let letter = &letters[0];
    assert_eq!((letter.name.as_ref(), letter.tenant.as_deref(), letter.attempts), ("mail", Some("acme"), 1));
    assert_eq!(letter.outcome.to_string(), "failed: context canceled");
}

#[tokio::test]
async fn failed_work_is_tried_again_and_pauses_without_a_worker() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1).queue(0));
    let attempts = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&attempts);
    let retry = Retry::times(2).backoff(Duration::from_millis(300), HOUR);
    let handle = pool
        .submit_retrying(&background(), "flaky", retry, move |_| {
            let n = count.fetch_add(1, Ordering::SeqCst);
            async move { if n == 0 { Err("once") } else { Ok(()) } }
        })
        .unwrap();
    eventually("the first attempt has failed", || attempts.load(Ordering::SeqCst) == 1 && pool.inflight().is_empty())
        .await;
    assert!(!pool.is_idle() && !handle.is_finished());
    let between = pool.submit(&background(), "between", |_| async {}).unwrap();
    assert!(in_time(between.wait()).await.is_success());
    assert_eq!(attempts.load(Ordering::SeqCst), 1, "the worker was free during the pause");
    assert!(in_time(handle.wait()).await.is_success());
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    assert!(letters.lock().unwrap().is_empty());
}

#[tokio::test]
async fn attempts_that_panic_or_take_too_long_count_and_end() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1));
    let mut n = 0;
    let handle = pool
        .submit_retrying(&background(), Operation::new("bad").timeout(SHORT), Retry::times(3), move |_| {
            n += 1;
            let n = n;
            async move {
                match n {
                    1 => panic!("first"),
                    2 => std::future::pending().await,
                    n => Err::<(), _>(format!("attempt {n}")),
                }
            }
        })
        .unwrap();
    assert_eq!(in_time(handle.wait()).await.to_string(), "failed: attempt 3");
    assert_eq!(letters.lock().unwrap()[0].attempts, 3);
}

#[tokio::test]
async fn a_tenant_has_a_quota_of_its_own() {
    let pool = DetachedPool::builder().workers(1).quota(2, |ctx| ctx.value::<String>(&Tenant).cloned()).build();
    let of = |tenant: &str| background().with_value(Tenant, tenant.to_owned());
    let (release, waits) = oneshot::channel::<()>();
    let first = pool.submit(&of("acme"), "a", |_| async { drop(waits.await) }).unwrap();
    let second = pool.submit(&of("acme"), "b", |_| async {}).unwrap();
    let submit = |ctx: &Context| pool.submit(ctx, "c", |_| async {}).map(drop);
    assert_eq!(submit(&of("acme")), Err(SubmitError::Quota));
    assert_eq!(submit(&of("other")), Ok(()));
    assert_eq!(submit(&background()), Ok(()));
    second.stop();
    assert_eq!(submit(&of("acme")), Ok(()), "a stopped operation is given back");
    release.send(()).unwrap();
    in_time(first.wait()).await;
    assert_eq!(submit(&of("acme")), Ok(()), "an ended operation is given back");
}

#[tokio::test]
async fn the_higher_priority_comes_first_and_equals_in_order() {
    let pool = DetachedPool::builder().workers(1).build();
    let order = Arc::new(Mutex::new(Vec::new()));
    let (_first, release) = held(&pool, "first");
    eventually("it runs", || pool.inflight().len() == 1).await;
    for (name, priority) in
        [("low", Priority::Low), ("n1", Priority::Normal), ("high", Priority::High), ("n2", Priority::Normal)]
    {
        let order = Arc::clone(&order);
        let operation = Operation::new(name).priority(priority);
        pool.submit(&background(), operation, move |_| async move { order.lock().unwrap().push(name) }).unwrap();
    }
    release.send(()).unwrap();
    in_time(pool.idle()).await;
    assert_eq!(*order.lock().unwrap(), ["high", "n1", "n2", "low"]);
}

#[tokio::test]
async fn stopping_ends_what_waits_runs_and_pauses() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1));
    let (told, tells) = oneshot::channel();
    let running = pool
        .submit(&background(), "running", |ctx| async move {
            let mut told = Some(told);
            let _tell = OnDrop(move || told.take().unwrap().send(ctx.err()).unwrap());
            std::future::pending::<()>().await;
        })
        .unwrap();
    eventually("it runs", || pool.inflight().len() == 1).await;
    let waiting = pool.submit(&background(), "waiting", never).unwrap();
    waiting.stop();
    assert!(matches!(in_time(waiting.wait()).await, Outcome::Stopped));
    assert_eq!(pool.queued(), 0, "its place is free at once");
    running.stop();
    assert!(matches!(in_time(running.wait()).await, Outcome::Stopped));
    assert_eq!(tells.await.unwrap(), Some(ContextError::Canceled));
    let retry = Retry::times(2).backoff(HOUR, HOUR);
    let pausing = pool.submit_retrying(&background(), "pausing", retry, |_| async { Err::<(), _>("no") }).unwrap();
    eventually("it pauses", || pool.inflight().is_empty() && pool.queued() == 0).await;
    pausing.stop();
    assert!(matches!(in_time(pausing.wait()).await, Outcome::Stopped));
    running.stop();
    in_time(pool.idle()).await;
    assert!(letters.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_drain_waits_refuses_and_does_all_that_was_accepted() {
    let pool = DetachedPool::builder().workers(1).build();
    let (a, release) = held(&pool, "a");
    let b = pool.submit(&background(), "b", |_| async {}).unwrap();
    let retried = pool
        .submit_retrying(&background(), "c", Retry::times(2).backoff(SHORT, SHORT), {
            let mut first = true;
            move |_| {
                let result = if std::mem::take(&mut first) { Err("once") } else { Ok(()) };
                async move { result }
            }
        })
        .unwrap();
    let drain = tokio::spawn({
        let pool = pool.clone();
        async move { pool.drain(&background()).await }
    });
    eventually("the drain has begun", || pool.is_draining()).await;
    assert_eq!(pool.submit(&background(), "late", |_| async {}).unwrap_err(), SubmitError::Draining);
    release.send(()).unwrap();
    assert!(in_time(drain).await.unwrap().is_clean());
    assert!(a.is_finished() && b.is_finished() && retried.is_finished());
    assert!(retried.wait().await.is_success());
    assert_eq!(pool.submit(&background(), "late", |_| async {}).unwrap_err(), SubmitError::Draining);
    assert!(in_time(pool.drain(&background())).await.is_clean());
}

#[tokio::test]
async fn a_drain_whose_deadline_passes_cuts_and_nothing_is_lost_silently() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(1).timeout(HOUR));
    let pausing = pool
        .submit_retrying(&background(), "pausing", Retry::times(2).backoff(HOUR, HOUR), |_| async {
            Err::<(), _>("no")
        })
        .unwrap();
    eventually("it pauses", || pool.inflight().is_empty() && pool.queued() == 0).await;
    let (told, tells) = oneshot::channel();
    let running = pool
        .submit(&background(), "running", |ctx| async move {
            ctx.done().await;
            told.send(ctx.cause().unwrap().to_string()).unwrap();
            std::future::pending::<()>().await;
        })
        .unwrap();
    eventually("it runs", || pool.inflight().len() == 1).await;
    let waiting = pool.submit(&background(), "waiting", never).unwrap();
    let report = in_time(pool.drain(&patience(SHORT))).await;
    let mut cut = report.cut.clone();
    cut.sort();
    assert_eq!(cut, ["pausing", "running", "waiting"]);
    assert!(report.stuck.is_empty() && !report.is_clean());
    for handle in [pausing, running, waiting] {
        assert!(matches!(in_time(handle.wait()).await, Outcome::Cut));
    }
    assert_eq!(tells.await.unwrap(), "the pool was cut off: context deadline exceeded");
    let mut dead: Vec<_> =
        letters.lock().unwrap().iter().map(|letter| (letter.name.to_string(), letter.attempts)).collect();
    dead.sort();
    assert_eq!(dead, [("pausing".into(), 1), ("running".into(), 1), ("waiting".into(), 0)]);
    assert!(pool.is_idle());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_blocks_its_thread_is_reported_and_left_behind() {
    let pool = DetachedPool::builder().workers(1).build();
    let (release, blocks) = std::sync::mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    pool.submit(&background(), "blocking", |_| async move {
        started.send(()).unwrap();
        let _ = blocks.recv();
    })
    .unwrap();
    starts.await.unwrap();
    let report = in_time(pool.drain(&patience(SHORT))).await;
    assert_eq!(report.stuck, ["blocking"]);
    drop(release);
}

#[tokio::test]
async fn a_dropped_drain_cuts_nothing() {
    let pool = DetachedPool::builder().build();
    let (a, release) = held(&pool, "a");
    assert!(tokio::time::timeout(SHORT, pool.drain(&background())).await.is_err());
    assert!(pool.is_draining() && !a.is_finished());
    release.send(()).unwrap();
    assert!(in_time(a.wait()).await.is_success());
}

#[tokio::test]
async fn inflight_says_what_runs_since_when() {
    let pool = DetachedPool::builder().build();
    let before = std::time::Instant::now();
    let (_a, _release) = held(&pool, "a");
    eventually("it runs", || pool.inflight().len() == 1).await;
    let operation = &pool.inflight()[0];
    assert_eq!((operation.name.as_ref(), operation.attempt, operation.tenant.as_deref()), ("a", 1, None));
    assert!(operation.since >= before);
}

#[tokio::test]
async fn idle_and_resumed_are_told() {
    let pool = DetachedPool::builder().build();
    in_time(pool.idle()).await;
    let resumed = tokio::spawn({
        let pool = pool.clone();
        async move { pool.resumed().await }
    });
    tokio::task::yield_now().await;
    assert!(!resumed.is_finished());
    let (_a, release) = held(&pool, "a");
    in_time(resumed).await.unwrap();
    let idle = tokio::spawn({
        let pool = pool.clone();
        async move { pool.idle().await }
    });
    tokio::task::yield_now().await;
    assert!(!idle.is_finished());
    release.send(()).unwrap();
    in_time(idle).await.unwrap();
}

#[tokio::test]
async fn what_was_accepted_is_done_when_the_pool_is_dropped_and_the_workers_leave() {
    let pool = DetachedPool::builder().workers(3).build();
    let kept = Arc::new(());
    let (_first, release) = held(&pool, "a");
    let in_work = Arc::clone(&kept);
    let retry = Retry::times(2).backoff(SHORT, SHORT);
    let last = pool.submit_retrying(&background(), "b", retry, move |_| {
        let _used = &in_work;
        async { Err::<(), _>("no") }
    });
    let last = last.unwrap();
    drop(pool);
    release.send(()).unwrap();
    assert!(matches!(in_time(last.wait()).await, Outcome::Failed(_)));
    assert_eq!(Arc::strong_count(&kept), 1, "the work is dropped when it has ended");
    let metrics = tokio::runtime::Handle::current().metrics();
    eventually("all workers have left", || metrics.num_alive_tasks() == 0).await;
}

#[test]
fn a_runtime_that_is_shut_down_leaves_nobody_waiting() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    let (pool, letters, handles) = runtime.block_on(async {
        let (pool, letters) = with_letters(DetachedPool::builder().workers(1).timeout(HOUR));
        let running = pool.submit(&background(), "running", |_| std::future::pending::<()>()).unwrap();
        let waiting = pool.submit(&background(), "waiting", |_| async {}).unwrap();
        eventually("it runs", || pool.inflight().len() == 1).await;
        (pool, letters, [running, waiting])
    });
    runtime.shutdown_timeout(HOUR);
    let here = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    here.block_on(async {
        for handle in handles {
            assert!(matches!(in_time(handle.wait()).await, Outcome::Cut));
        }
        assert_eq!(pool.submit(&background(), "late", |_| async {}).unwrap_err(), SubmitError::Draining);
        assert!(in_time(pool.drain(&background())).await.is_clean());
    });
    assert_eq!(letters.lock().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_submitters_stops_and_retries_at_once() {
    let (pool, letters) = with_letters(DetachedPool::builder().workers(4).queue(10_000));
    let handles: Vec<_> = (0..2_000_usize)
        .map(|n| {
            let retry = Retry::times(2).backoff(Duration::from_micros(100), SHORT);
            let work = move |_| async move {
                tokio::task::yield_now().await;
                if n % 3 == 0 { Err("no") } else { Ok(()) }
            };
            let handle = pool.submit_retrying(&background(), "load", retry, work).unwrap();
            if n % 5 == 0 {
                handle.stop();
            }
            handle
        })
        .collect();
    in_time(pool.idle()).await;
    let failed = handles.iter().filter(|handle| !handle.is_finished()).count();
    assert_eq!(failed, 0, "idle means that all have ended");
    let mut dead = 0;
    for handle in &handles {
        dead += usize::from(matches!(handle.wait().await, Outcome::Failed(_)));
    }
    assert_eq!(letters.lock().unwrap().len(), dead);
    assert!(in_time(pool.drain(&background())).await.is_clean());
}
