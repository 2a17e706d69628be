//! Contexts and tokio-util's tokens, linked both ways.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use context::tokio_util::{ContextExt, LinkedToken};
use context::{Context, ContextError};
use tokio_util::sync::CancellationToken;

use crate::support::{CountingWaker, poll};

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_token_ends_a_context_before_its_cancel_returns() {
    let token = CancellationToken::new();
    let (ctx, _h) = Context::background().with_value("key", 1).with_token(&token);
    let (below, _h) = ctx.with_cancel();
    let (count, waker) = CountingWaker::new();
    let mut done = below.done();
    assert!(poll(&mut done, &waker).is_pending());
    assert!(ctx.to_string().ends_with(".WithToken"));
    token.cancel();
    assert_eq!(below.err(), Some(ContextError::Canceled));
    assert_eq!(count.wakes(), 1);
    assert_eq!(below.value::<i32>(&"key"), Some(&1));
}

#[test]
fn a_parent_token_counts_too() {
    let parent = CancellationToken::new();
    let ctx = Context::from(&parent.child_token());
    parent.cancel();
    assert!(ctx.is_done());
}

#[test]
fn either_end_of_a_linked_context_ends_it() {
    let token = CancellationToken::new();
    let (parent, cancel_parent) = Context::background().with_cancel_cause();
    let (ctx, _h) = parent.with_token(&token);
    let (other, cancel_other) = parent.with_token(&token);
    cancel_other.cancel();
    assert!(other.is_done() && !ctx.is_done() && !token.is_cancelled());
    cancel_parent.cancel("E");
    assert_eq!(ctx.cause().unwrap().to_string(), "E");
    assert!(!token.is_cancelled(), "a context does not cancel the token it was made from");
    token.cancel();
}

#[test]
fn what_is_done_before_is_done_at_once() {
    let token = CancellationToken::new();
    token.cancel();
    assert!(Context::from(&token).is_done());
    let (ctx, handle) = Context::background().with_cancel();
    handle.cancel();
    assert!(CancellationToken::from(&ctx).is_cancelled());
    assert!(LinkedToken::new(&ctx).is_cancelled());
    assert!(ctx.with_token(&CancellationToken::new()).0.is_done());
}

#[test]
fn a_context_cancels_tokens() {
    let (ctx, handle) = Context::background().with_cancel();
    let token = CancellationToken::from(&ctx.with_value("key", 1));
    let linked = LinkedToken::new(&ctx);
    let unlinked = LinkedToken::new(&ctx).clone();
    let child = linked.child_token();
    handle.cancel();
    assert!(token.is_cancelled() && linked.is_cancelled() && child.is_cancelled());
    assert!(!unlinked.is_cancelled(), "its link was dropped");
    assert!(!CancellationToken::from(&Context::background()).is_cancelled());
}

#[test]
fn a_loop_of_links_ends_and_does_not_hang() {
    let token = CancellationToken::new();
    let ctx = Context::from(&token);
    let second = LinkedToken::new(&ctx);
    let third = Context::from(&*second);
    token.cancel();
    assert!(third.is_done());
}

#[test]
fn a_callback_outlives_its_linked_context() {
    let token = CancellationToken::new();
    let (tx, rx) = mpsc::channel();
    let stopped = Context::from(&token).after_func(|| unreachable!());
    Context::from(&token).after_func(move || tx.send(()).unwrap());
    assert!(stopped.stop());
    token.cancel();
    rx.recv_timeout(LONG).unwrap();
}

#[test]
fn links_race_with_cancel_and_drop() {
    for _ in 0..300 {
        let token = CancellationToken::new();
        let (parent, handle) = Context::background().with_cancel();
        let (linked, _h) = thread::scope(|scope| {
            let linked = scope.spawn(|| parent.with_token(&token));
            scope.spawn(|| drop(Context::from(&token)));
            scope.spawn(|| token.cancel());
            scope.spawn(|| handle.cancel());
            linked.join().unwrap()
        });
        assert!(linked.is_done());
        assert_eq!(parent.child_count(), 0);
    }
}
