//! The rows of the table, by subject.

use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Barrier;
use std::task::{self, Waker};
use std::thread;
use std::time::{Duration, Instant};

use context::Context;
use tokio_util::sync::CancellationToken;

use crate::table::{Table, timed};

const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn creation(table: &mut Table) {
    table.row(
        "create a root, drop",
        100_000,
        None,
        "-",
        timed(|| Context::background().with_cancel()),
        Some(&mut timed(CancellationToken::new)),
    );
    table.row(
        "create a root, cancel, drop",
        100_000,
        None,
        "-",
        timed(|| {
            let (ctx, handle) = Context::background().with_cancel();
            handle.cancel();
            ctx
        }),
        Some(&mut timed(|| {
            let token = CancellationToken::new();
            token.cancel();
            token
        })),
    );
    let (parent, _handle) = Context::background().with_cancel();
    let token = CancellationToken::new();
    table.row(
        "create a child, drop",
        100_000,
        None,
        "leaks",
        timed(|| parent.with_cancel()),
        Some(&mut timed(|| token.child_token())),
    );
    table.row(
        "create a child, cancel, drop",
        100_000,
        Some(150.0),
        "209",
        timed(|| {
            let (ctx, handle) = parent.with_cancel();
            handle.cancel();
            ctx
        }),
        Some(&mut timed(|| {
            let child = token.child_token();
            child.cancel();
            child
        })),
    );
    let _siblings: Vec<_> = (0..table.size(100_000)).map(|_| (parent.with_cancel(), token.child_token())).collect();
    table.row(
        "the same, with 100,000 live siblings",
        100_000,
        None,
        "-",
        timed(|| {
            let (ctx, handle) = parent.with_cancel();
            handle.cancel();
            ctx
        }),
        Some(&mut timed(|| {
            let child = token.child_token();
            child.cancel();
            child
        })),
    );
    table.row(
        "clone a context, drop",
        1_000_000,
        None,
        "-",
        timed(|| parent.clone()),
        Some(&mut timed(|| token.clone())),
    );
}

pub(crate) fn reading(table: &mut Table) {
    let (ctx, handle) = Context::background().with_cancel();
    let token = CancellationToken::new();
    table.row(
        "is_done, live",
        1_000_000,
        Some(2.0),
        "2.6",
        timed(|| black_box(&ctx).is_done()),
        Some(&mut timed(|| black_box(&token).is_cancelled())),
    );
    handle.cancel();
    token.cancel();
    table.row(
        "is_done, done",
        1_000_000,
        Some(2.0),
        "23.7",
        timed(|| black_box(&ctx).is_done()),
        Some(&mut timed(|| black_box(&token).is_cancelled())),
    );
    table.row("err, done", 1_000_000, Some(2.0), "23.7", timed(|| black_box(&ctx).err()), None);
    table.row("cause, done", 1_000_000, None, "42", timed(|| black_box(&ctx).cause()), None);
    let mut deep = Context::background().with_value(0_u32, 0_u32);
    for (depth, go) in [(1_u32, "5.4"), (10, "-"), (100, "450-474 (miss)")] {
        while black_box(&deep).value::<u32>(&(depth - 1)).is_none() {
            let next = (0..depth).find(|key| deep.value::<u32>(key).is_none()).unwrap_or(0);
            deep = deep.with_value(next, next);
        }
        table.row(
            &format!("value, at depth {depth}"),
            100_000,
            None,
            go,
            timed(|| black_box(&deep).value::<u32>(&0_u32).copied()),
            None,
        );
    }
    table.row(
        "value, missing among 100 of another type",
        100_000,
        None,
        "450-474",
        timed(|| black_box(&deep).value::<u32>(&0_u64).copied()),
        None,
    );
}

fn poll_once(future: impl Future) -> bool {
    pin!(future).as_mut().poll(&mut task::Context::from_waker(Waker::noop())).is_ready()
}

pub(crate) fn waiting(table: &mut Table) {
    let (ctx, _handle) = Context::background().with_cancel();
    let token = CancellationToken::new();
    table.row(
        "done(): create, poll, drop",
        100_000,
        None,
        "3.3-4.9 (poll)",
        timed(|| poll_once(ctx.done())),
        Some(&mut timed(|| poll_once(token.cancelled()))),
    );
    table.row(
        "run(ready future)",
        100_000,
        None,
        "-",
        timed(|| poll_once(ctx.run(async { 1 }))),
        Some(&mut timed(|| poll_once(token.run_until_cancelled(async { 1 })))),
    );
    table.row(
        "root with one waiter, cancel",
        100_000,
        None,
        "-",
        timed(|| {
            let (ctx, handle) = Context::background().with_cancel();
            let mut done = pin!(ctx.done());
            let _ = done.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
            handle.cancel();
        }),
        Some(&mut timed(|| {
            let token = CancellationToken::new();
            let mut done = pin!(token.cancelled());
            let _ = done.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
            token.cancel();
        })),
    );
    for (waiters, rounds) in [(10, 1000), (1_000, 20), (100_000, 1)] {
        let waiters = table.size(waiters);
        table.row(
            &format!("wake {waiters} waiters, each"),
            rounds,
            None,
            "-",
            |rounds| {
                let all: Vec<_> = (0..rounds)
                    .map(|_| {
                        let (ctx, handle) = Context::background().with_cancel();
                        (handle, waiting_for(waiters, || ctx.done()))
                    })
                    .collect();
                let start = Instant::now();
                all.iter().for_each(|(handle, _)| handle.cancel());
                start.elapsed() / waiters as u32
            },
            Some(&mut |rounds| {
                let all: Vec<_> = (0..rounds)
                    .map(|_| {
                        let token = CancellationToken::new();
                        let waiting = waiting_for(waiters, || token.clone().cancelled_owned());
                        (token, waiting)
                    })
                    .collect();
                let start = Instant::now();
                all.iter().for_each(|(token, _)| token.cancel());
                start.elapsed() / waiters as u32
            }),
        );
    }
    table.row("after_func, stop", 100_000, None, "253", timed(|| ctx.after_func(|| {}).stop()), None);
}

/// So many futures, each polled once.
fn waiting_for<F: Future>(count: usize, make: impl Fn() -> F) -> Vec<Pin<Box<F>>> {
    let mut cx = task::Context::from_waker(Waker::noop());
    let mut all: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    for waiter in &mut all {
        let _ = waiter.as_mut().poll(&mut cx);
    }
    all
}

pub(crate) fn timers(table: &mut Table) {
    let background = Context::background();
    let (parent, _handle) = Context::background().with_cancel();
    for (live, go) in [(0, "396-480"), (4_000, "396-480"), (400_000, "396-480")] {
        let live = table.size(live);
        let _timers: Vec<_> = (0..live)
            .map(|i| background.with_timeout(HOUR + Duration::from_micros(i as u64 * 7919 % 99_991)))
            .collect();
        table.row(
            &format!("with_timeout, cancel; {live} timers live"),
            100_000,
            Some(300.0),
            go,
            timed(|| {
                let (ctx, handle) = parent.with_timeout(HOUR);
                handle.cancel();
                ctx
            }),
            None,
        );
    }
    table.row("with_timeout, drop", 100_000, None, "-", timed(|| parent.with_timeout(HOUR)), None);
}

pub(crate) fn fan_out(table: &mut Table) {
    for (size, rounds) in [(10, 1000), (1_000, 20), (100_000, 1), (1_000_000, 1)] {
        let size = table.size(size);
        let target = (size == 1_000_000).then_some(60.0);
        let go = if size >= 1_000_000 { "204" } else { "-" };
        table.row(
            &format!("cancel {size} children, each"),
            rounds,
            target,
            go,
            |rounds| {
                (0..rounds)
                    .map(|_| {
                        let (parent, handle) = Context::background().with_cancel();
                        let children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
                        let start = Instant::now();
                        handle.cancel();
                        let time = start.elapsed();
                        drop(children);
                        time
                    })
                    .sum::<Duration>()
                    / size as u32
            },
            Some(&mut |rounds| {
                (0..rounds)
                    .map(|_| {
                        let parent = CancellationToken::new();
                        let children: Vec<_> = (0..size).map(|_| parent.child_token()).collect();
                        let start = Instant::now();
                        parent.cancel();
                        let time = start.elapsed();
                        drop(children);
                        time
                    })
                    .sum::<Duration>()
                    / size as u32
            }),
        );
    }
    let size = table.size(1_000_000);
    // A token can be cancelled; so can a child with its handle, a child alone can not.
    table.row(
        "create 1,000,000 children with handles, each",
        1,
        None,
        "512",
        |_| {
            let (parent, _handle) = Context::background().with_cancel();
            let mut children = Vec::with_capacity(size);
            let start = Instant::now();
            children.extend((0..size).map(|_| parent.with_cancel()));
            start.elapsed() / size as u32
        },
        Some(&mut |_| {
            let parent = CancellationToken::new();
            let mut children = Vec::with_capacity(size);
            let start = Instant::now();
            children.extend((0..size).map(|_| parent.child_token()));
            start.elapsed() / size as u32
        }),
    );
    table.row(
        "create 1,000,000 children, each",
        1,
        None,
        "512",
        |_| {
            let (parent, _handle) = Context::background().with_cancel();
            let mut children = Vec::with_capacity(size);
            let start = Instant::now();
            children.extend((0..size).map(|_| parent.with_cancel().0));
            start.elapsed() / size as u32
        },
        Some(&mut |_| {
            let parent = CancellationToken::new();
            let mut children = Vec::with_capacity(size);
            let start = Instant::now();
            children.extend((0..size).map(|_| parent.child_token()));
            start.elapsed() / size as u32
        }),
    );
    table.row(
        "drop 1,000,000 live children, each",
        1,
        None,
        "leaks",
        |_| {
            let (parent, _handle) = Context::background().with_cancel();
            let children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
            let start = Instant::now();
            drop(children);
            start.elapsed() / size as u32
        },
        Some(&mut |_| {
            let parent = CancellationToken::new();
            let children: Vec<_> = (0..size).map(|_| parent.child_token()).collect();
            let start = Instant::now();
            drop(children);
            start.elapsed() / size as u32
        }),
    );
}

pub(crate) fn chains(table: &mut Table) {
    let depth = table.size(1_000_000);
    let chain = || {
        let (mut leaf, handle) = Context::background().with_cancel();
        for _ in 1..depth {
            leaf = leaf.with_cancel().0;
        }
        (leaf, handle)
    };
    table.row(
        "cancel a chain of 1,000,000, each",
        1,
        Some(100.0),
        "1640",
        |_| {
            let (_leaf, handle) = chain();
            let start = Instant::now();
            handle.cancel();
            start.elapsed() / depth as u32
        },
        // The middle tokens have no handle left, so tokio-util has folded them away: keep them.
        Some(&mut |_| {
            let root = CancellationToken::new();
            let mut all = vec![root.clone()];
            for _ in 1..depth {
                let next = all.last().map_or_else(CancellationToken::new, CancellationToken::child_token);
                all.push(next);
            }
            let start = Instant::now();
            root.cancel();
            start.elapsed() / depth as u32
        }),
    );
    table.row(
        "drop a live chain of 1,000,000, each",
        1,
        None,
        "-",
        |_| {
            let (leaf, handle) = chain();
            drop(handle);
            let start = Instant::now();
            drop(leaf);
            start.elapsed() / depth as u32
        },
        None,
    );
    for (depth, go) in [(10, "470"), (100, "440-520"), (1000, "430-567")] {
        let depth = table.size(depth);
        table.row(
            &format!("build a chain of {depth}, cancel, drop; each"),
            200,
            None,
            go,
            |rounds| {
                let start = Instant::now();
                for _ in 0..rounds {
                    let (mut leaf, handle) = Context::background().with_cancel();
                    let mut all = Vec::with_capacity(depth);
                    for _ in 1..depth {
                        let (next, handle) = leaf.with_cancel();
                        all.push(handle);
                        leaf = next;
                    }
                    handle.cancel();
                }
                start.elapsed() / depth as u32
            },
            Some(&mut |rounds| {
                let start = Instant::now();
                for _ in 0..rounds {
                    let root = CancellationToken::new();
                    let mut leaf = root.clone();
                    let mut all = Vec::with_capacity(depth);
                    for _ in 1..depth {
                        let next = leaf.child_token();
                        all.push(leaf);
                        leaf = next;
                    }
                    root.cancel();
                }
                start.elapsed() / depth as u32
            }),
        );
    }
}

pub(crate) fn threads(table: &mut Table) {
    let (parent, _handle) = Context::background().with_cancel();
    let token = CancellationToken::new();
    table.row(
        "two threads, child of one parent, cancel",
        100_000,
        None,
        "394-425",
        |count| {
            on_two_threads(count, || {
                let (ctx, handle) = parent.with_cancel();
                handle.cancel();
                drop(ctx);
            })
        },
        Some(&mut |count| {
            on_two_threads(count, || {
                token.child_token().cancel();
            })
        }),
    );
    table.row(
        "two threads, is_done",
        1_000_000,
        None,
        "1.5",
        |count| {
            on_two_threads(count, || {
                black_box(parent.is_done());
            })
        },
        Some(&mut |count| {
            on_two_threads(count, || {
                black_box(token.is_cancelled());
            })
        }),
    );
}

/// Wall time for each thread to run `op` half the times.
fn on_two_threads(count: u64, op: impl Fn() + Sync) -> Duration {
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        let run = || {
            barrier.wait();
            let start = Instant::now();
            for _ in 0..count / 2 {
                op();
            }
            (start, Instant::now())
        };
        let threads = [scope.spawn(run), scope.spawn(run)];
        let times: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().ok()).collect();
        let start = times.iter().map(|(start, _)| *start).min();
        let end = times.iter().map(|(_, end)| *end).max();
        end.zip(start).map_or(Duration::MAX, |(end, start)| end - start)
    })
}
