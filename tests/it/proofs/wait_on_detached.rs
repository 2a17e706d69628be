//! A wait for the end of a context that never ends does not come back.

use std::sync::mpsc;
use std::time::Duration;

use context::{Context, ContextError};

const PATIENCE: Duration = Duration::from_millis(50);

async fn drain_detached(ctx: &Context, mut orders: tokio::sync::mpsc::Receiver<u32>) -> u32 {
    let ctx = ctx.without_cancel();
    drain(&ctx, &mut orders).await
}

async fn drain_bounded(ctx: &Context, mut orders: tokio::sync::mpsc::Receiver<u32>) -> u32 {
    let (ctx, cancel) = ctx.without_cancel().with_timeout(PATIENCE);
    let _guard = cancel.guard();
    drain(&ctx, &mut orders).await
}

async fn drain(ctx: &Context, orders: &mut tokio::sync::mpsc::Receiver<u32>) -> u32 {
    let mut sum = 0;
    loop {
        tokio::select! {
            _ = ctx.done() => return sum,
            order = orders.recv() => match order {
                Some(order) => sum += order,
                None => return sum,
            },
        }
    }
}

#[tokio::test]
async fn the_arm_is_dead() {
    let (ctx, cancel) = Context::background().with_cancel();
    let (sender, orders) = tokio::sync::mpsc::channel(4);
    sender.send(3).await.unwrap();
    cancel.cancel();
    assert!(tokio::time::timeout(PATIENCE, drain_detached(&ctx, orders)).await.is_err());
}

#[tokio::test]
async fn a_bounded_one_comes_back() {
    let (sender, orders) = tokio::sync::mpsc::channel(4);
    sender.send(3).await.unwrap();
    let drained = tokio::time::timeout(Duration::from_secs(10), drain_bounded(&Context::background(), orders)).await;
    assert_eq!(drained, Ok(3));
}

/// What `wait` says in a thread of its own, if it comes back in time.
fn waited(ctx: Context, patience: Duration) -> Option<ContextError> {
    let (report, reported) = mpsc::channel();
    std::thread::spawn(move || report.send(ctx.wait()));
    reported.recv_timeout(patience).ok()
}

#[test]
fn a_thread_is_blocked_for_ever() {
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    assert_eq!(waited(ctx.without_cancel(), PATIENCE), None);
    assert_eq!(waited(Context::background(), PATIENCE), None);
    assert_eq!(waited(ctx, Duration::from_secs(10)), Some(ContextError::Canceled));
}
