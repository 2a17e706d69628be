//! Sagas.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use context::saga::{Failure, Saga, SagaError};
use context::{Context, ContextError};
use tokio::sync::oneshot;

use crate::support::{HOUR, SHORT, eventually, in_time};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// A saga whose steps are logged.
    fn step(&self, saga: Saga<&'static str>, name: &'static str) -> Saga<&'static str> {
        let (act, undo) = (self.clone(), self.clone());
        saga.step(
            name,
            move |_| async move {
                act.add(format!("do {name}"));
                Ok(format!("what {name} made"))
            },
            move |_, made| async move {
                undo.add(format!("undo {made}"));
                Ok(())
            },
        )
    }
}

fn failing(saga: Saga<&'static str>) -> Saga<&'static str> {
    saga.step("fails", |_| async { Err::<(), _>("no") }, |_, ()| async { unreachable!("it was not done") })
}

#[tokio::test]
async fn steps_run_in_order_and_nothing_is_undone() {
    let log = Log::default();
    let saga = log.step(log.step(Saga::new(), "a"), "b");
    assert_eq!(saga.run(&Context::background()).await, Ok(()));
    assert_eq!(log.all(), ["do a", "do b"]);
}

#[tokio::test]
async fn what_was_done_is_undone_in_reverse() {
    let log = Log::default();
    let saga = log.step(failing(log.step(log.step(Saga::new(), "a"), "b")), "never");
    let error = in_time(saga.run(&Context::background())).await.unwrap_err();
    assert_eq!(log.all(), ["do a", "do b", "undo what b made", "undo what a made"]);
    assert_eq!((error.step.as_ref(), &error.failure), ("fails", &Failure::Failed("no")));
    assert_eq!(error.compensated, ["b", "a"]);
    assert!(error.is_undone());
    assert_eq!(error.to_string(), "step `fails`: no");
}

#[tokio::test]
async fn a_step_that_panics_has_failed() {
    let log = Log::default();
    let saga = log.step(Saga::new(), "a");
    let saga = saga.step("bad", |_| async { if true { panic!("boom") } else { Ok(()) } }, |_, ()| async { Ok(()) });
    let error = in_time(saga.run(&Context::background())).await.unwrap_err();
    assert_eq!(error.failure, Failure::Panicked("boom".into()));
    assert_eq!(log.all(), ["do a", "undo what a made"]);
}

#[tokio::test]
async fn compensations_that_fail_are_told_and_keep_no_other_from_running() {
    let log = Log::default();
    let saga = log
        .step(Saga::new(), "a")
        .step("b", |_| async { Ok(()) }, |_, ()| async { Err("stays") })
        .step("c", |_| async { Ok(()) }, |_, ()| async { panic!("boom") })
        .step("d", |_| async { Ok(()) }, |_, ()| std::future::pending())
        .compensation_limit(SHORT);
    let error = in_time(failing(saga).run(&Context::background())).await.unwrap_err();
    let wrong = [("d", Failure::TimedOut), ("c", Failure::Panicked("boom".into())), ("b", Failure::Failed("stays"))];
    assert_eq!(error.uncompensated, wrong.map(|(name, failure)| (name.into(), failure)));
    assert_eq!(error.compensated, ["a"]);
    assert!(!error.is_undone());
    let text =
        "step `fails`: no; not undone: `d`: took too long; not undone: `c`: panicked: boom; not undone: `b`: stays";
    assert_eq!(error.to_string(), text);
    assert_eq!(log.all(), ["do a", "undo what a made"]);
}

#[tokio::test]
async fn compensations_are_detached_and_bounded() {
    let (seen, sees) = oneshot::channel();
    let (request, over) = Context::background().with_value("user", 7).with_timeout(HOUR);
    let saga = Saga::new()
        .step(
            "a",
            |_| async { Ok(()) },
            |ctx, ()| async move {
                seen.send((ctx.err(), ctx.value::<i32>(&"user").copied(), ctx.remaining().unwrap())).unwrap();
                Ok(())
            },
        )
        .step(
            "b",
            |ctx| async move {
                over.cancel();
                ctx.err().map_or(Ok(()), Err)
            },
            |_, ()| async { Ok(()) },
        )
        .compensation_limit(Duration::from_secs(60));
    let error = in_time(saga.run(&request)).await.unwrap_err();
    assert_eq!(error.failure, Failure::Failed(ContextError::Canceled));
    let (err, user, remaining) = sees.await.unwrap();
    assert_eq!((err, user), (None, Some(7)));
    assert!(remaining <= Duration::from_secs(60));
}

#[tokio::test]
async fn a_step_does_not_begin_on_a_context_that_is_done() {
    let log = Log::default();
    let (ctx, handle) = Context::background().with_cancel();
    let saga = log.step(Saga::new(), "a").step(
        "cancels",
        move |_| async move {
            handle.cancel();
            Ok(())
        },
        |_, ()| async { Ok(()) },
    );
    let error = in_time(log.step(saga, "late").run(&ctx)).await.unwrap_err();
    assert_eq!((error.step.as_ref(), error.failure), ("late", Failure::Ended(ContextError::Canceled)));
    assert_eq!(error.compensated, ["cancels", "a"]);
    assert_eq!(log.all(), ["do a", "undo what a made"]);
    let error = log.step(Saga::new(), "none").run(&ctx).await.unwrap_err();
    assert!(error.compensated.is_empty() && error.is_undone());
}

#[tokio::test]
async fn the_end_of_the_context_after_the_last_step_is_no_failure() {
    let (ctx, handle) = Context::background().with_cancel();
    let saga = Saga::<ContextError>::new().step(
        "cancels",
        move |_| async move {
            handle.cancel();
            Ok(())
        },
        |_, ()| async { unreachable!("it succeeded") },
    );
    assert_eq!(in_time(saga.run(&ctx)).await, Ok(()));
}

#[tokio::test]
async fn a_caller_who_goes_away_cancels_and_what_was_done_is_undone() {
    let log = Log::default();
    let (started, starts) = oneshot::channel();
    let told = log.clone();
    let saga = log.step(Saga::new(), "a").step(
        "waits",
        move |ctx| async move {
            started.send(()).unwrap();
            ctx.done().await;
            told.add("canceled");
            Err("canceled")
        },
        |_, ()| async { Ok(()) },
    );
    let ctx = Context::background();
    let caller = tokio::spawn(async move { saga.run(&ctx).await });
    in_time(starts).await.unwrap();
    caller.abort();
    eventually("all is undone", || log.all() == ["do a", "canceled", "undo what a made"]).await;
}

#[test]
fn a_runtime_that_is_shut_down_is_an_error() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let saga = Saga::<&str>::new().step("stuck", |_| std::future::pending::<Result<(), _>>(), |_, ()| async { Ok(()) });
    let background = Context::background();
    let mut run = Box::pin(saga.run(&background));
    {
        let _inside = runtime.enter();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(run.as_mut().poll(&mut cx).is_pending());
    }
    runtime.shutdown_timeout(HOUR);
    let here = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error: SagaError<&str> = here.block_on(run).unwrap_err();
    assert_eq!(error.failure, Failure::Aborted);
    assert!(!error.is_undone());
}
