//! A callback on a context that never ends never runs.

use std::sync::Arc;
use std::time::Duration;

use context::{CancelHandle, Context};
use tokio::sync::Semaphore;

fn reserve_detached(ctx: &Context, seats: Arc<Semaphore>) -> Context {
    seats.forget_permits(1);
    let ctx = ctx.without_cancel();
    ctx.after_func(move || seats.add_permits(1));
    ctx
}

fn reserve(ctx: &Context, seats: Arc<Semaphore>) -> Context {
    seats.forget_permits(1);
    ctx.after_func(move || seats.add_permits(1));
    ctx.without_cancel()
}

fn ends() -> (Context, CancelHandle) {
    Context::background().with_cancel()
}

async fn gets_a_seat(seats: &Semaphore, patience: Duration) -> bool {
    tokio::time::timeout(patience, seats.acquire()).await.is_ok()
}

#[tokio::test]
async fn the_seat_is_never_given_back() {
    let (ctx, cancel) = ends();
    let seats = Arc::new(Semaphore::new(1));
    let kept = reserve_detached(&ctx, Arc::clone(&seats));
    cancel.cancel();
    assert!(!gets_a_seat(&seats, Duration::from_millis(50)).await);
    drop((ctx, cancel, kept));
    assert!(!gets_a_seat(&seats, Duration::from_millis(50)).await);
}

#[tokio::test]
async fn on_the_context_that_ends_it_is() {
    let (ctx, cancel) = ends();
    let seats = Arc::new(Semaphore::new(1));
    let _kept = reserve(&ctx, Arc::clone(&seats));
    assert_eq!(seats.available_permits(), 0);
    cancel.cancel();
    assert!(gets_a_seat(&seats, Duration::from_secs(10)).await);
}

#[tokio::test]
async fn on_a_root_it_is_not() {
    let seats = Arc::new(Semaphore::new(1));
    let _kept = reserve(&Context::background(), Arc::clone(&seats));
    assert!(!gets_a_seat(&seats, Duration::from_millis(50)).await);
}
