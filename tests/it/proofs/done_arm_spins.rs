//! A `done()` arm that stays in its loop fires again at once, without end.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use context::Context;
use tokio::sync::mpsc::{Receiver, channel};

const ENOUGH: u64 = 100_000;

/// Counts a turn and breaks out by force when the loop has shown that it never will on its own.
fn turn(turns: &mut u64) {
    *turns += 1;
    if *turns == ENOUGH {
        resume_unwind(Box::new(()));
    }
}

async fn stays(ctx: &Context, jobs: &mut Receiver<u32>, turns: &mut u64) {
    loop {
        tokio::select! {
            _ = ctx.done() => turn(turns),
            Some(_) = jobs.recv() => {}
        }
    }
}

async fn leaves(ctx: &Context, jobs: &mut Receiver<u32>, turns: &mut u64) {
    loop {
        tokio::select! {
            _ = ctx.done() => {
                turn(turns);
                break;
            }
            Some(_) = jobs.recv() => {}
        }
    }
}

fn turns_after_the_end(serve: impl AsyncFn(&Context, &mut Receiver<u32>, &mut u64)) -> (u64, bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    let (_jobs, mut received) = channel(1);
    let mut turns = 0;
    let left = catch_unwind(AssertUnwindSafe(|| runtime.block_on(serve(&ctx, &mut received, &mut turns)))).is_ok();
    (turns, left)
}

#[test]
fn the_loop_goes_round_without_waiting() {
    assert_eq!(turns_after_the_end(stays), (ENOUGH, false));
}

#[test]
fn the_loop_that_breaks_goes_round_once() {
    assert_eq!(turns_after_the_end(leaves), (1, true));
}
