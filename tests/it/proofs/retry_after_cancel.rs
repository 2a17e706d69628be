//! A retry loop that does not look goes on failing after the end.

use std::cell::Cell;

use context::{Context, ContextError};

const ENOUGH: u32 = 1000;

/// Succeeds on a live context only; on a done one it succeeds in the end so that the test does.
async fn fetch(ctx: &Context, attempts: &Cell<u32>) -> Result<u32, ContextError> {
    attempts.set(attempts.get() + 1);
    if attempts.get() == ENOUGH {
        return Ok(0);
    }
    ctx.run(async { 5 }).await
}

async fn insists(ctx: &Context, attempts: &Cell<u32>) -> Option<u32> {
    loop {
        if let Ok(found) = fetch(ctx, attempts).await {
            return Some(found);
        }
    }
}

async fn gives_up(ctx: &Context, attempts: &Cell<u32>) -> Option<u32> {
    loop {
        if let Ok(found) = fetch(ctx, attempts).await {
            return Some(found);
        }
        if ctx.is_done() {
            return None;
        }
    }
}

fn ended() -> Context {
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    ctx
}

#[tokio::test]
async fn every_further_attempt_is_lost() {
    let attempts = Cell::new(0);
    insists(&ended(), &attempts).await;
    assert_eq!(attempts.get(), ENOUGH);
}

#[tokio::test]
async fn one_look_saves_them() {
    let attempts = Cell::new(0);
    assert_eq!(gives_up(&ended(), &attempts).await, None);
    assert_eq!(attempts.get(), 1);
}
