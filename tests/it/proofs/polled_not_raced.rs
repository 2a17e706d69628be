//! A wait that is not raced ends when it ends, whatever the context says.

use std::time::Duration;

use context::Context;
use tokio::sync::mpsc::{Receiver, channel};

async fn polls(ctx: &Context, jobs: &mut Receiver<u32>) {
    while !ctx.is_done() {
        if jobs.recv().await.is_none() {
            break;
        }
    }
}

async fn races(ctx: &Context, jobs: &mut Receiver<u32>) {
    while let Ok(Some(_)) = ctx.run(jobs.recv()).await {}
}

/// Whether the loop ends soon after the cancellation, with nothing in the channel to wake it.
async fn ends(serve: impl AsyncFn(&Context, &mut Receiver<u32>), patience: Duration) -> bool {
    let (ctx, cancel) = Context::background().with_cancel();
    let (_jobs, mut received) = channel(1);
    let cancelling = async {
        tokio::task::yield_now().await;
        cancel.cancel();
    };
    let both = async { tokio::join!(biased; serve(&ctx, &mut received), cancelling) };
    tokio::time::timeout(patience, both).await.is_ok()
}

#[tokio::test]
async fn the_polling_loop_hangs_on_after_the_cancellation() {
    assert!(!ends(polls, Duration::from_millis(50)).await);
}

#[tokio::test]
async fn the_racing_loop_ends_with_it() {
    assert!(ends(races, Duration::from_secs(10)).await);
}
