//! Detached work without a limit is out of everybody's reach.

use std::time::Duration;

use context::{Context, ContextError};
use tokio::sync::oneshot::{Receiver, channel};

type Outcome = Result<(), ContextError>;

async fn hang(ctx: &Context) -> Outcome {
    ctx.run(std::future::pending()).await
}

fn without_a_limit(ctx: &Context) -> Receiver<Outcome> {
    let (report, reported) = channel();
    let ctx = ctx.without_cancel();
    tokio::spawn(async move { report.send(hang(&ctx).await) });
    reported
}

fn with_a_limit(ctx: &Context, limit: Duration) -> Receiver<Outcome> {
    let (report, reported) = channel();
    let (ctx, cancel) = ctx.without_cancel().with_timeout(limit);
    tokio::spawn(async move {
        let _guard = cancel.guard();
        report.send(hang(&ctx).await)
    });
    reported
}

#[tokio::test]
async fn a_stuck_task_without_a_limit_stays_for_ever() {
    let (ctx, cancel) = Context::background().with_cancel();
    let mut reported = without_a_limit(&ctx);
    cancel.cancel();
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut reported).await.is_err());
}

#[tokio::test]
async fn a_stuck_task_with_a_limit_ends_at_it() {
    let (ctx, cancel) = Context::background().with_cancel();
    let reported = with_a_limit(&ctx, Duration::from_millis(5));
    cancel.cancel();
    let outcome = tokio::time::timeout(Duration::from_secs(10), reported).await.unwrap().unwrap();
    assert_eq!(outcome, Err(ContextError::DeadlineExceeded));
}
