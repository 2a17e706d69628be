//! The guard goes with the spawner, and the task's context with the guard.

use std::time::Duration;

use context::{Context, ContextError};
use tokio::sync::oneshot::{Receiver, channel};

const LIMIT: Duration = Duration::from_secs(30);

fn guard_stays_here(ctx: &Context, work: Receiver<()>) -> Receiver<Result<(), ContextError>> {
    let (report, reported) = channel();
    let (ctx, cancel) = ctx.with_timeout(LIMIT);
    let _guard = cancel.guard();
    tokio::spawn(async move {
        let outcome = ctx.run(work).await;
        let _ = report.send(outcome.map(drop));
    });
    reported
}

fn guard_goes_along(ctx: &Context, work: Receiver<()>) -> Receiver<Result<(), ContextError>> {
    let (report, reported) = channel();
    let (ctx, cancel) = ctx.with_timeout(LIMIT);
    tokio::spawn(async move {
        let _guard = cancel.guard();
        let outcome = ctx.run(work).await;
        let _ = report.send(outcome.map(drop));
    });
    reported
}

async fn bounded<T>(reported: Receiver<T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), reported).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_task_is_cut_as_its_spawner_returns() {
    let (_finish, work) = channel();
    let reported = guard_stays_here(&Context::background(), work);
    assert_eq!(bounded(reported).await, Err(ContextError::Canceled));
}

#[tokio::test]
async fn with_the_guard_inside_the_task_finishes() {
    let (finish, work) = channel();
    let reported = guard_goes_along(&Context::background(), work);
    finish.send(()).unwrap();
    assert_eq!(bounded(reported).await, Ok(()));
}
