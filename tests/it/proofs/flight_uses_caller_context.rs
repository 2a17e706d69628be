//! One caller's cancellation takes the shared run down, and all who wait for it.

use std::time::Duration;

use context::flight::Flight;
use context::{Context, ContextError};
use tokio::sync::oneshot::{Receiver, channel};

type Users = Flight<u64, u64, ContextError>;

async fn load(ctx: &Context, ready: Receiver<u64>) -> Result<u64, ContextError> {
    Ok(ctx.run(ready).await?.unwrap_or(0))
}

/// What the second caller gets when the first, whose run it shares, is cancelled before the work is ready.
async fn second_caller(on_the_callers: bool) -> Option<u64> {
    let users = Users::new(Duration::from_secs(30));
    let (first, cancel) = Context::background().with_cancel();
    let (second, stop) = Context::background().with_timeout(Duration::from_secs(10));
    let _stop = stop.guard();
    let (finish, ready) = channel();

    let caller = first.clone();
    let first_call = users.run(&first, 1, move |shared| async move {
        let ctx = if on_the_callers { caller } else { shared };
        load(&ctx, ready).await
    });
    let second_call = users.run(&second, 1, |_| async { Ok(0) });
    let events = async {
        tokio::task::yield_now().await;
        cancel.cancel();
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        let _ = finish.send(5);
    };
    let (_, found, ()) = tokio::join!(biased; first_call, second_call, events);
    found.ok()
}

#[tokio::test]
async fn on_one_callers_context_the_others_fail_with_it() {
    assert_ne!(second_caller(true).await, Some(5));
}

#[tokio::test]
async fn on_the_runs_own_context_they_do_not() {
    assert_eq!(second_caller(false).await, Some(5));
}
