//! No time is not no limit.

use std::time::{Duration, Instant};

use context::{Context, ContextError};

async fn work(ctx: &Context) -> Result<u32, ContextError> {
    ctx.run(async { 5 }).await
}

#[tokio::test]
async fn with_a_zero_timeout_no_work_is_done() {
    let (ctx, cancel) = Context::background().with_timeout(Duration::ZERO);
    let _guard = cancel.guard();
    assert_eq!(work(&ctx).await, Err(ContextError::DeadlineExceeded));
}

#[tokio::test]
async fn with_a_deadline_of_now_no_work_is_done() {
    let (ctx, cancel) = Context::background().with_deadline(Instant::now());
    let _guard = cancel.guard();
    assert_eq!(work(&ctx).await, Err(ContextError::DeadlineExceeded));
}

#[tokio::test]
async fn with_some_time_it_is() {
    let (ctx, cancel) = Context::background().with_timeout(Duration::from_secs(10));
    let _guard = cancel.guard();
    assert_eq!(work(&ctx).await, Ok(5));
}
