//! A handle left behind leaves its context alive for as long as the parent lives.

use std::time::Duration;

use context::{CancelHandle, Context, ContextError};

const LIMIT: Duration = Duration::from_secs(3600);

/// Fails, and remembers the context it was given.
fn fetch(ctx: &Context, seen: &mut Option<Context>) -> Result<u32, ContextError> {
    *seen = Some(ctx.clone());
    Err(ContextError::DeadlineExceeded)
}

fn thrown_away(parent: &Context) -> Context {
    let (ctx, _) = parent.with_timeout(LIMIT);
    ctx
}

fn left_behind(parent: &Context, seen: &mut Option<Context>) -> Result<u32, ContextError> {
    let (ctx, cancel) = parent.with_timeout(LIMIT);
    let row = fetch(&ctx, seen)?;
    cancel.cancel();
    Ok(row)
}

fn guarded(parent: &Context, seen: &mut Option<Context>) -> Result<u32, ContextError> {
    let (ctx, cancel) = parent.with_timeout(LIMIT);
    let _guard = cancel.guard();
    fetch(&ctx, seen)
}

async fn resolves_soon(ctx: &Context) -> bool {
    tokio::time::timeout(Duration::from_millis(50), ctx.done()).await.is_ok()
}

#[tokio::test]
async fn a_dropped_handle_does_not_cancel() {
    let (parent, cancel) = Context::background().with_cancel();
    let child = thrown_away(&parent);
    assert!(!child.is_done());
    assert!(!resolves_soon(&child).await);

    cancel.cancel();
    assert!(child.is_done());
}

#[tokio::test]
async fn a_handle_left_behind_at_a_question_mark_does_not_cancel() {
    let parent = Context::background();
    let mut seen = None;
    assert_eq!(left_behind(&parent, &mut seen), Err(ContextError::DeadlineExceeded));
    assert!(!resolves_soon(&seen.unwrap()).await);
}

#[tokio::test]
async fn a_guard_cancels_at_the_question_mark_too() {
    let parent = Context::background();
    let mut seen = None;
    assert_eq!(guarded(&parent, &mut seen), Err(ContextError::DeadlineExceeded));
    assert_eq!(seen.unwrap().err(), Some(ContextError::Canceled));
}

#[test]
fn forgetting_or_overwriting_does_not_cancel_either() {
    let parent = Context::background();
    let (forgotten, cancel) = parent.with_cancel();
    std::mem::forget(cancel);
    assert!(!forgotten.is_done());

    let (overwritten, first) = parent.with_cancel();
    let (current, second) = parent.with_cancel();
    let mut cancel = first;
    assert!(!overwritten.is_done());
    cancel = replace(cancel, second);
    cancel.cancel();
    assert!(current.is_done());
    assert!(!overwritten.is_done());
}

/// `slot = value`, in words that the compiler does not warn about.
fn replace(_slot: CancelHandle, value: CancelHandle) -> CancelHandle {
    value
}
