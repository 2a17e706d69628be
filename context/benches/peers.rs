//! Context and `tokio_util::sync::CancellationToken`, pair by pair: `cargo bench --bench peers`.
//!
//! The table of `--bench targets` has more rows, the targets, and Go's figures beside.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{self, Waker};

use context::Context;
use divan::{Bencher, black_box};
use tokio_util::sync::CancellationToken;

fn main() {
    divan::main();
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> bool {
    future.poll(&mut task::Context::from_waker(Waker::noop())).is_ready()
}

#[divan::bench_group]
mod root_create_drop {
    use super::*;

    #[divan::bench]
    fn ours() {
        drop(black_box(Context::background().with_cancel()));
    }

    #[divan::bench]
    fn tokio_util() {
        drop(black_box(CancellationToken::new()));
    }
}

#[divan::bench_group(threads = [1, 2])]
mod child_create_drop {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let (parent, _handle) = Context::background().with_cancel();
        bencher.bench(|| drop(parent.with_cancel()));
    }

    #[divan::bench]
    fn tokio_util(bencher: Bencher) {
        let parent = CancellationToken::new();
        bencher.bench(|| drop(parent.child_token()));
    }
}

#[divan::bench_group(threads = [1, 2])]
mod child_create_cancel {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let (parent, _handle) = Context::background().with_cancel();
        bencher.bench(|| parent.with_cancel().1.cancel());
    }

    #[divan::bench]
    fn tokio_util(bencher: Bencher) {
        let parent = CancellationToken::new();
        bencher.bench(|| parent.child_token().cancel());
    }
}

/// Both sides with as many operations a sample: divan would guess that from the first operation,
/// which is the slowest.
mod fans {
    use super::*;

    fn cancel_ours(bencher: Bencher, size: usize) {
        let make = || {
            let (parent, handle) = Context::background().with_cancel();
            let children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
            (handle, children)
        };
        bencher.with_inputs(make).bench_refs(|(handle, _children)| handle.cancel());
    }

    fn cancel_theirs(bencher: Bencher, size: usize) {
        let make = || {
            let parent = CancellationToken::new();
            let children: Vec<_> = (0..size).map(|_| parent.child_token()).collect();
            (parent, children)
        };
        bencher.with_inputs(make).bench_refs(|(parent, _children)| parent.cancel());
    }

    fn wake_ours(bencher: Bencher, size: usize) {
        let make = || {
            let (ctx, handle) = Context::background().with_cancel();
            let mut waiting: Vec<_> = (0..size).map(|_| Box::pin(ctx.done())).collect();
            waiting.iter_mut().for_each(|done| assert!(!poll_once(done.as_mut())));
            (handle, waiting)
        };
        bencher.with_inputs(make).bench_refs(|(handle, _waiting)| handle.cancel());
    }

    fn wake_theirs(bencher: Bencher, size: usize) {
        let make = || {
            let token = CancellationToken::new();
            let mut waiting: Vec<_> = (0..size).map(|_| Box::pin(token.clone().cancelled_owned())).collect();
            waiting.iter_mut().for_each(|done| assert!(!poll_once(done.as_mut())));
            (token, waiting)
        };
        bencher.with_inputs(make).bench_refs(|(token, _waiting)| token.cancel());
    }

    macro_rules! group {
        ($name:ident, $sizes:expr, $samples:expr, $ours:ident, $theirs:ident) => {
            #[divan::bench_group(sample_count = 20, sample_size = $samples)]
            mod $name {
                use super::*;

                #[divan::bench(args = $sizes)]
                fn ours(bencher: Bencher, size: usize) {
                    $ours(bencher, size);
                }

                #[divan::bench(args = $sizes)]
                fn tokio_util(bencher: Bencher, size: usize) {
                    $theirs(bencher, size);
                }
            }
        };
    }

    group!(cancel_children, [10, 1_000], 100, cancel_ours, cancel_theirs);
    group!(cancel_many_children, [100_000], 1, cancel_ours, cancel_theirs);
    group!(wake_waiters, [10, 1_000], 100, wake_ours, wake_theirs);
    group!(wake_many_waiters, [100_000], 1, wake_ours, wake_theirs);
}

#[divan::bench_group(threads = [1, 2])]
mod is_done {
    use super::*;

    #[divan::bench(args = [false, true])]
    fn ours(bencher: Bencher, done: bool) {
        let (ctx, handle) = Context::background().with_cancel();
        if done {
            handle.cancel();
        }
        bencher.bench(|| black_box(&ctx).is_done());
    }

    #[divan::bench(args = [false, true])]
    fn tokio_util(bencher: Bencher, done: bool) {
        let token = CancellationToken::new();
        if done {
            token.cancel();
        }
        bencher.bench(|| black_box(&token).is_cancelled());
    }
}

#[divan::bench_group]
mod wait_once_and_leave {
    use super::*;

    #[divan::bench]
    fn ours(bencher: Bencher) {
        let (ctx, _handle) = Context::background().with_cancel();
        bencher.bench(|| poll_once(pin!(ctx.done())));
    }

    #[divan::bench]
    fn tokio_util(bencher: Bencher) {
        let token = CancellationToken::new();
        bencher.bench(|| poll_once(pin!(token.cancelled())));
    }
}

/// Rows without a counterpart in tokio-util.
#[divan::bench_group]
mod ours_alone {
    use super::*;
    use std::time::Duration;

    const HOUR: Duration = Duration::from_secs(3600);

    #[divan::bench(args = [1_u32, 10, 100])]
    fn value_at_depth(bencher: Bencher, depth: u32) {
        let ctx = (0..depth).fold(Context::background(), |ctx, i| ctx.with_value(i, i));
        bencher.bench(|| black_box(&ctx).value::<u32>(&0_u32).copied());
    }

    #[divan::bench]
    fn timeout_armed_and_disarmed(bencher: Bencher) {
        let (parent, _handle) = Context::background().with_cancel();
        bencher.bench(|| parent.with_timeout(HOUR).1.cancel());
    }

    #[divan::bench]
    fn after_func_and_stop(bencher: Bencher) {
        let (ctx, _handle) = Context::background().with_cancel();
        bencher.bench(|| ctx.after_func(|| {}).stop());
    }
}
