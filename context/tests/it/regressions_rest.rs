//! More of `regressions`: what was measured or wished for at comparable libraries.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Waker};
use std::thread;
use std::time::{Duration, Instant};

use context::{Context, ContextError};

use crate::memory::counted;
use crate::support::{CountingWaker, FnWaker, HOUR, block_on, poll};

/// cancellation-token: a cancellation recurses, and overflows the stack at a depth of 100,000.
/// (Others: tests in `deep`.)
#[test]
fn cancellation_token_a_deep_chain_overflows_in_cancel() {
    let deep = || {
        let (root, handle) = Context::background().with_cancel();
        let leaf = (0..100_000).fold(root, |ctx, _| ctx.with_cancel().0);
        handle.cancel();
        assert_eq!(leaf.err(), Some(ContextError::Canceled));
    };
    thread::Builder::new().stack_size(64 * 1024).spawn(deep).unwrap().join().unwrap();
}

/// go-lib's background allocates a channel, and can be cancelled inside; goish's allocates.
#[test]
fn go_lib_the_background_can_be_cancelled() {
    let (counts, background) = counted(|| (Context::background(), Context::todo()));
    assert_eq!(counts.allocations, 0);
    assert!(!background.0.is_cancellable() && !background.1.is_cancellable());
}

/// goish starts a task for each registered callback; Go does with contexts of one's own (#61672).
#[test]
fn goish_each_callback_has_a_task_before_it_runs() {
    let (ctx, handle) = Context::background().with_cancel();
    let (counts, stops) = counted(|| (0..1000).map(|_| ctx.after_func(|| {})).collect::<Vec<_>>());
    // A callback and where it waits, and the list; no thread, whose stack alone would be more.
    assert!(counts.bytes < 1000 * 256, "{counts:?}");
    assert!(stops.iter().all(context::StopHandle::stop));
    handle.cancel();
}

/// Go and tokio-util leave the order among siblings open; Go walks a map (#51075).
#[test]
fn go_siblings_end_in_random_order() {
    let (parent, handle) = Context::background().with_cancel();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let children: Vec<_> = (0..50).map(|_| parent.with_cancel().0).collect();
    let mut waiting: Vec<_> = children.iter().map(Context::done).collect();
    for (i, done) in waiting.iter_mut().enumerate().rev() {
        let order = Arc::clone(&order);
        let waker = FnWaker::waker(move || order.lock().unwrap().push(i));
        assert!(poll(done, &waker).is_pending());
    }
    handle.cancel();
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}

/// Go prints values with `%v`, and raced or panicked there (grpc-go #718, etcd #7816).
#[test]
fn go_printing_a_chain_reads_its_values() {
    struct Secret;
    impl fmt::Debug for Secret {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            unreachable!("a value was printed")
        }
    }
    #[derive(PartialEq, Eq)]
    struct Token;
    let ctx = Context::background().with_value(Token, Secret).with_value("password", "hunter2");
    let (printed, debugged) = (ctx.to_string(), format!("{ctx:?}"));
    assert_eq!(printed, "context.Background.WithValue(Token).WithValue(&str)");
    assert!(!debugged.contains("hunter2") && !printed.contains("hunter2"), "{debugged}");
}

/// Go recurses in look-ups (#47292), and takes the time of the whole chain for what is not there.
#[test]
fn go_a_missing_value_costs_the_whole_chain() {
    let deep = || {
        let ctx = (0..100_000_u32).fold(Context::background(), |ctx, i| ctx.with_value(i, i));
        let start = Instant::now();
        for _ in 0..100_000 {
            assert_eq!(std::hint::black_box(&ctx).value::<u32>(&0_u64), None);
        }
        // 100,000 walks of 100,000 nodes would take a minute.
        assert!(start.elapsed() < Duration::from_secs(5));
        assert_eq!(ctx.value::<u32>(&0_u32), Some(&0));
    };
    thread::Builder::new().stack_size(64 * 1024).spawn(deep).unwrap().join().unwrap();
}

/// rs_ctx keeps keys as bytes, so that unequal types collide; and a look-up allocates for each
/// node on its way.
#[test]
fn rs_ctx_keys_with_equal_bytes_collide() {
    let ctx =
        Context::background().with_value(7_u32, "u32").with_value(7_i32, "i32").with_value([7_u8, 0, 0, 0], "bytes");
    let (counts, ()) = counted(|| {
        assert_eq!(ctx.value::<&str>(&7_u32), Some(&"u32"));
        assert_eq!(ctx.value::<&str>(&7_i32), Some(&"i32"));
        assert_eq!(ctx.value::<&str>(&[7_u8, 0, 0, 0]), Some(&"bytes"));
    });
    assert_eq!(counts.allocations, 0);
}

/// ctx 0.2: any wrapper hides the deadline.
#[test]
fn ctx_a_wrapper_hides_the_deadline() {
    let (timed, _h) = Context::background().with_timeout(HOUR);
    let (cancel, _h) = timed.with_cancel();
    for ctx in [timed.with_value("key", 1), cancel.with_value("key", 1), Context::background().reparent(&cancel)] {
        assert_eq!(ctx.deadline(), timed.deadline(), "{ctx}");
    }
}

/// async-cancellation-token keeps every waker that a waiting task was ever polled with.
#[test]
fn async_cancellation_token_wakers_pile_up() {
    let (ctx, handle) = Context::background().with_cancel();
    let mut done = ctx.done();
    let wakers: Vec<_> = (0..100).map(|_| CountingWaker::new()).collect();
    for (_, waker) in &wakers {
        assert!(poll(&mut done, waker).is_pending());
    }
    for _ in 0..1000 {
        let mut other = ctx.done();
        assert!(poll(&mut other, &wakers[0].1).is_pending());
    }
    handle.cancel();
    let woken: Vec<_> = wakers.iter().map(|(count, _)| count.wakes()).collect();
    assert_eq!((woken.iter().sum::<usize>(), woken[99]), (1, 1), "only the last one is kept");
}

/// async-cancellation-token: registering from inside of a wake-up panics.
#[test]
fn async_cancellation_token_registering_while_woken_panics() {
    let (ctx, handle) = Context::background().with_cancel();
    let seen = Arc::new(AtomicUsize::new(0));
    let waker = FnWaker::waker({
        let (ctx, seen) = (ctx.clone(), Arc::clone(&seen));
        move || {
            ctx.after_func(|| {}).stop();
            let (child, _h) = ctx.with_cancel();
            assert!(child.is_done() && poll(&mut ctx.done(), Waker::noop()).is_ready());
            seen.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut done = ctx.done();
    assert!(poll(&mut done, &waker).is_pending());
    handle.cancel();
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

/// ctx-thread reads a relaxed flag: what was written before the cancellation need not be seen by
/// who sees that. (Every interleaving: a loom model of the same name.)
#[test]
fn ctx_thread_what_was_written_before_a_cancel_is_not_seen_after() {
    for _ in 0..500 {
        let (ctx, handle) = Context::background().with_cancel();
        let written = AtomicUsize::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                written.store(1, Ordering::Relaxed);
                handle.cancel();
            });
            while !ctx.is_done() {
                thread::yield_now();
            }
            assert_eq!(written.load(Ordering::Relaxed), 1);
        });
    }
}

/// tokio-util moves all children up when the last handle of a node in the middle goes: 3 ms for
/// 100,000.
#[test]
fn tokio_util_dropping_a_middle_node_moves_its_children() {
    let (root, handle) = Context::background().with_cancel();
    let (middle, middle_handle) = root.with_cancel();
    let children: Vec<_> = (0..100_000).map(|_| middle.with_cancel().0).collect();
    assert_eq!((root.child_count(), middle.child_count()), (1, 100_000));
    let (counts, ()) = counted(|| drop((middle, middle_handle)));
    assert_eq!((counts.allocations, counts.frees), (0, 0));
    assert_eq!(root.child_count(), 1);
    handle.cancel();
    assert!(children.iter().all(Context::is_done));
}

/// tokio (#5923): waiters that leave one after the other took quadratic time.
#[test]
fn tokio_leaving_waiters_take_quadratic_time() {
    let (ctx, _handle) = Context::background().with_cancel();
    let mut waiting: Vec<_> = (0..200_000).map(|_| ctx.done()).collect();
    for done in &mut waiting {
        assert!(poll(done, Waker::noop()).is_pending());
    }
    let start = Instant::now();
    // From the middle outwards: neither end of the list helps.
    let mut second = waiting.split_off(100_000);
    while let (Some(left), Some(right)) = (waiting.pop(), second.pop()) {
        drop((left, right));
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// tokio-util: a loop over a stream that is always ready. One call never sees the cancellation, the
/// next one does.
#[test]
fn tokio_util_a_loop_that_is_always_ready_never_ends() {
    let (ctx, handle) = Context::background().with_cancel();
    let rounds = block_on(async {
        let mut rounds = 0;
        while ctx.run(async { rounds += 1 }).await.is_ok() {
            if rounds == 3 {
                handle.cancel();
            }
        }
        rounds
    });
    assert_eq!(rounds, 3);
}

/// Kotlin (#3504): a timeout that comes together with the result loses what was acquired.
#[test]
fn kotlin_a_timeout_drops_what_was_acquired() {
    let (ctx, handle) = Context::background().with_cancel();
    let mut running = pin!(ctx.run(async {
        // Cancelled while it runs, and still it has its result.
        handle.cancel();
        Box::new("a lock")
    }));
    let polled = running.as_mut().poll(&mut task::Context::from_waker(Waker::noop()));
    assert!(matches!(polled, task::Poll::Ready(Ok(acquired)) if *acquired == "a lock"));
}
