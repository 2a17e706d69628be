//! A loop that only asks runs as fast as the processor goes.

use std::thread;
use std::time::Duration;

use context::Context;

const LIFE: Duration = Duration::from_millis(50);
const MANY: u64 = 10_000;

fn spins(ctx: &Context) -> u64 {
    let mut turns = 0;
    while ctx.err().is_none() {
        turns += 1;
    }
    turns
}

fn waits(ctx: &Context) -> u64 {
    let mut turns = 0;
    while ctx.wait_timeout(Duration::from_millis(10)).is_none() {
        turns += 1;
    }
    turns
}

fn turns(wait: fn(&Context) -> u64) -> u64 {
    let (ctx, cancel) = Context::background().with_cancel();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| wait(&ctx));
        thread::sleep(LIFE);
        cancel.cancel();
        waiter.join().unwrap()
    })
}

#[test]
fn the_loop_goes_round_all_the_time() {
    assert!(turns(spins) > MANY);
}

#[test]
fn the_waiting_loop_hardly_does() {
    assert!(turns(waits) < MANY);
}
