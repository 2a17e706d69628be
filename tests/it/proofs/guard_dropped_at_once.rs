//! A guard that nothing holds cancels in the statement that makes it.

use std::time::Duration;

use context::{Context, ContextError};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

const LIMIT: Duration = Duration::from_secs(3600);

async fn with_an_underscore(parent: &Context) -> Result<u32, ContextError> {
    let (ctx, cancel) = parent.with_timeout(LIMIT);
    let _ = cancel.guard();
    ctx.run(async { 7 }).await
}

async fn with_a_name(parent: &Context) -> Result<u32, ContextError> {
    let (ctx, cancel) = parent.with_timeout(LIMIT);
    let _guard = cancel.guard();
    ctx.run(async { 7 }).await
}

#[tokio::test]
async fn the_context_is_dead_before_its_first_use() {
    assert_eq!(with_an_underscore(&Context::background()).await, Err(ContextError::Canceled));
}

#[tokio::test]
async fn a_name_keeps_it_alive() {
    assert_eq!(with_a_name(&Context::background()).await, Ok(7));
}

#[test]
fn an_underscore_in_a_tuple_drops_it_too() {
    let (parent, cancel) = Context::background().with_cancel();
    let (ctx, _) = (parent, cancel.guard());
    assert!(ctx.is_done());
}

#[test]
fn so_it_is_with_tokens() {
    let token = CancellationToken::new();
    let _ = token.clone().drop_guard();
    assert!(token.is_cancelled());

    let token = CancellationToken::new();
    let _guard = token.clone().drop_guard();
    assert!(!token.is_cancelled());
}

#[tokio::test]
async fn and_with_tasks() {
    let (report, reported) = tokio::sync::oneshot::channel();
    drop(AbortOnDropHandle::new(tokio::spawn(async move { report.send(()) })));
    assert!(reported.await.is_err());

    let (report, reported) = tokio::sync::oneshot::channel();
    let _task = AbortOnDropHandle::new(tokio::spawn(async move { report.send(()) }));
    assert!(reported.await.is_ok());
}
