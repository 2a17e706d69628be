//! A callee that starts over is out of its caller's reach.

use std::time::Duration;

use context::{Context, ContextError};

async fn query(ctx: &Context) -> Result<u32, ContextError> {
    ctx.run(async { 5 }).await
}

async fn load_on_its_own() -> Result<u32, ContextError> {
    let (ctx, cancel) = Context::background().with_timeout(Duration::from_secs(30));
    let _guard = cancel.guard();
    query(&ctx).await
}

async fn load_under(ctx: &Context) -> Result<u32, ContextError> {
    let (ctx, cancel) = ctx.with_timeout(Duration::from_secs(30));
    let _guard = cancel.guard();
    query(&ctx).await
}

async fn show_broken(_ctx: &Context) -> Result<u32, ContextError> {
    load_on_its_own().await
}

async fn show_whole(ctx: &Context) -> Result<u32, ContextError> {
    load_under(ctx).await
}

fn ended() -> Context {
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    ctx
}

#[tokio::test]
async fn the_work_runs_although_its_caller_is_cancelled() {
    assert_eq!(show_broken(&ended()).await, Ok(5));
}

#[tokio::test]
async fn the_work_ends_with_its_caller() {
    assert_eq!(show_whole(&ended()).await, Err(ContextError::Canceled));
}
