//! Clean-up on the context that has just ended does not run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use context::{Context, ContextError};

#[derive(Default)]
struct Store {
    flushed: AtomicBool,
}

impl Store {
    async fn flush(&self, ctx: &Context) -> Result<(), ContextError> {
        ctx.run(async { self.flushed.store(true, Ordering::SeqCst) }).await
    }
}

async fn flush_on_the_same(ctx: &Context, store: &Store) -> Result<(), ContextError> {
    ctx.done().await;
    store.flush(ctx).await
}

async fn flush_on_another(ctx: &Context, store: &Store) -> Result<(), ContextError> {
    ctx.done().await;
    let (ctx, cancel) = ctx.without_cancel().with_timeout(Duration::from_secs(5));
    let _guard = cancel.guard();
    store.flush(&ctx).await
}

fn ended() -> Context {
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    ctx
}

#[tokio::test]
async fn nothing_is_flushed_on_a_done_context() {
    let store = Store::default();
    assert_eq!(flush_on_the_same(&ended(), &store).await, Err(ContextError::Canceled));
    assert!(!store.flushed.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_child_of_a_done_context_is_born_done() {
    let (child, cancel) = ended().with_timeout(Duration::from_secs(3600));
    let _guard = cancel.guard();
    assert!(child.is_done());
}

#[tokio::test]
async fn a_detached_and_bounded_context_does_the_work() {
    let store = Store::default();
    assert_eq!(flush_on_another(&ended(), &store).await, Ok(()));
    assert!(store.flushed.load(Ordering::SeqCst));
}
