//! Signals and the supervisor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use context::shutdown::{Draining, Report, Signal, Supervisor, signals};
use context::{Context, ContextError};
use tokio::sync::oneshot;

use crate::support::{HOUR, OnDrop, SHORT, eventually, in_time};

fn patience(limit: Duration) -> Context {
    Context::background().with_timeout(limit).0
}

#[cfg(unix)]
fn send(signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, &std::process::id().to_string()]).status().unwrap();
    assert!(sent.success());
}

// One test, because the signals of a process are its tests' all.
#[cfg(unix)]
#[tokio::test]
async fn signals_end_contexts_and_the_second_cuts_the_drain_short() {
    let (stop, now) = signals();
    let again = context::shutdown::signal();
    let supervisor = Supervisor::new().with_grace(HOUR);
    let (told, cut) = oneshot::channel();
    supervisor
        .spawn(&Context::background(), "long", |ctx| async move {
            ctx.done().await;
            told.send(ctx.cause().unwrap().to_string()).unwrap();
        })
        .unwrap();
    assert!(!stop.is_done() && !now.is_done());

    send("-TERM");
    assert_eq!(in_time(stop.done()).await, ContextError::Canceled);
    assert!(again.is_done() && !now.is_done());
    assert_eq!(stop.cause().unwrap().downcast_ref::<Signal>(), Some(&Signal::Terminate));
    assert!(!context::shutdown::signal().is_done(), "of the next signal, not of the last");

    let (limit, _handle) = now.with_timeout(HOUR);
    let insist = async {
        tokio::time::sleep(SHORT).await;
        assert_eq!(supervisor.in_flight(), 1);
        send("-INT");
    };
    let (report, ()) = in_time(async { tokio::join!(supervisor.drain(&limit), insist) }).await;
    assert_eq!(now.cause().unwrap().downcast_ref::<Signal>(), Some(&Signal::Interrupt));
    assert_eq!((report.cut.as_slice(), report.dropped.len()), (&["long".into()][..], 0));
    assert_eq!(in_time(cut).await.unwrap(), "cut off at shutdown: received SIGINT");
}

#[tokio::test]
async fn work_outlives_the_request_that_started_it() {
    let supervisor = Supervisor::new();
    let (request, over) = Context::background().with_value("user", 7).with_cancel();
    let (report, seen) = oneshot::channel();
    let (go, gone) = oneshot::channel::<()>();
    supervisor
        .spawn(&request, "audit", |ctx| async move {
            gone.await.unwrap();
            report.send((ctx.err(), ctx.value::<i32>(&"user").copied())).unwrap();
        })
        .unwrap();
    over.cancel();
    go.send(()).unwrap();
    assert_eq!(in_time(seen).await.unwrap(), (None, Some(7)));
}

#[tokio::test]
async fn a_drain_waits_for_all_work() {
    let supervisor = Supervisor::new();
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    supervisor
        .spawn(&Context::background(), "slow", |_| async move {
            tokio::time::sleep(SHORT).await;
            flag.store(true, Ordering::SeqCst);
        })
        .unwrap();
    let report = in_time(supervisor.drain(&Context::background())).await;
    assert!(report.is_clean());
    assert_eq!(report, Report::default());
    assert!(ended.load(Ordering::SeqCst));
    assert!(!supervisor.context().is_done(), "nothing was cut");
}

#[tokio::test]
async fn nothing_is_accepted_during_a_drain_nor_after() {
    let supervisor = Supervisor::new();
    let (finish, held) = oneshot::channel::<()>();
    let work = |_| async { held.await.unwrap() };
    supervisor.spawn(&Context::background(), "held", work).unwrap();
    let drain = tokio::spawn({
        let supervisor = supervisor.clone();
        async move { supervisor.drain(&Context::background()).await }
    });
    eventually("the drain has begun", || supervisor.is_draining()).await;
    let late = || supervisor.spawn(&Context::background(), "late", |_| async { unreachable!("refused") });
    assert_eq!(late(), Err(Draining));
    finish.send(()).unwrap();
    assert!(in_time(drain).await.unwrap().is_clean());
    assert_eq!(late(), Err(Draining));
}

#[tokio::test]
async fn work_that_hears_the_cut_ends_by_itself() {
    let supervisor = Supervisor::new().with_grace(HOUR);
    let (told, cleaned) = oneshot::channel();
    supervisor
        .spawn(&Context::background(), "polite", |ctx| async move {
            ctx.done().await;
            tokio::time::sleep(SHORT).await;
            told.send(()).unwrap();
        })
        .unwrap();
    let report = in_time(supervisor.drain(&patience(SHORT))).await;
    assert_eq!((report.cut.len(), report.dropped.len()), (1, 0));
    assert!(!report.is_clean());
    in_time(cleaned).await.unwrap();
}

#[tokio::test]
async fn work_that_is_deaf_is_dropped_after_the_grace() {
    let supervisor = Supervisor::new().with_grace(SHORT);
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&dropped);
    supervisor
        .spawn(&Context::background(), "deaf", |_| async move {
            let _tell = OnDrop(move || flag.store(true, Ordering::SeqCst));
            std::future::pending().await
        })
        .unwrap();
    let report = in_time(supervisor.drain(&patience(SHORT))).await;
    assert_eq!((report.cut.as_slice(), report.dropped.as_slice()), (&["deaf".into()][..], &["deaf".into()][..]));
    assert!(report.stuck.is_empty());
    assert!(dropped.load(Ordering::SeqCst));
    assert_eq!(supervisor.in_flight(), 0);
}

#[tokio::test]
async fn a_drain_on_a_context_that_is_done_cuts_at_once() {
    let supervisor = Supervisor::new();
    supervisor
        .spawn(&Context::background(), "polite", |ctx| async move {
            let _ = ctx.done().await;
        })
        .unwrap();
    let report = in_time(supervisor.drain(&patience(Duration::ZERO))).await;
    assert_eq!((report.cut.len(), report.dropped.len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_blocks_its_thread_is_reported_and_not_waited_for() {
    let supervisor = Supervisor::new().with_grace(SHORT);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    supervisor
        .spawn(&Context::background(), "blocking", |_| async move {
            started.send(()).unwrap();
            let _ = held.recv();
        })
        .unwrap();
    starts.await.unwrap();
    let start = Instant::now();
    let report = in_time(supervisor.drain(&patience(SHORT))).await;
    assert!(start.elapsed() < Duration::from_secs(15));
    assert_eq!(report.stuck, ["blocking"]);
    drop(release);
}

#[tokio::test]
async fn a_panic_is_counted_and_harms_nobody_else() {
    let supervisor = Supervisor::new();
    supervisor.spawn(&Context::background(), "bad", |_| async { panic!("boom") }).unwrap();
    async fn nothing() {}
    supervisor
        .spawn(&Context::background(), "early", |ctx| if ctx.is_done() { nothing() } else { panic!("early") })
        .unwrap();
    supervisor.spawn(&Context::background(), "good", |_| async {}).unwrap();
    let report = in_time(supervisor.drain(&Context::background())).await;
    assert_eq!(report.panicked, 2);
    assert!(report.cut.is_empty() && !report.is_clean());
}

#[tokio::test]
async fn a_dropped_drain_cuts_nothing_and_can_be_repeated() {
    let supervisor = Supervisor::new();
    let (finish, held) = oneshot::channel::<()>();
    supervisor.spawn(&Context::background(), "held", |_| async { held.await.unwrap() }).unwrap();
    assert!(tokio::time::timeout(SHORT, supervisor.drain(&Context::background())).await.is_err());
    assert!(!supervisor.context().is_done() && supervisor.is_draining());
    finish.send(()).unwrap();
    let background = Context::background();
    let both = async { tokio::join!(supervisor.drain(&background), supervisor.drain(&background)) };
    let (first, second) = in_time(both).await;
    assert!(first.is_clean() && second.is_clean());
}

#[tokio::test]
async fn dropping_the_supervisor_leaves_the_work_alone() {
    let (told, done) = oneshot::channel();
    let supervisor = Supervisor::new();
    supervisor
        .spawn(&Context::background(), "work", |ctx| async move {
            tokio::time::sleep(SHORT).await;
            told.send(ctx.is_done()).unwrap();
        })
        .unwrap();
    drop(supervisor);
    assert!(!in_time(done).await.unwrap());
}
