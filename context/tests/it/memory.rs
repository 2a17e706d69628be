//! Allocations, counted for each thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use context::Context;

use crate::support::{HOUR, poll};

#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub(crate) struct Counts {
    pub(crate) allocations: usize,
    pub(crate) frees: usize,
    pub(crate) bytes: isize,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, frees: 0, bytes: 0 }) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(allocations: usize, frees: usize, bytes: isize) {
    let _ = COUNTS.try_with(|counts| {
        let now = counts.get();
        counts.set(Counts {
            allocations: now.allocations + allocations,
            frees: now.frees + frees,
            bytes: now.bytes + bytes,
        });
    });
}

#[expect(unsafe_code, reason = "an allocator that counts needs it")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 0, layout.size() as isize);
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 1, -(layout.size() as isize));
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

pub(crate) fn counted<T>(f: impl FnOnce() -> T) -> (Counts, T) {
    let before = COUNTS.get();
    let result = f();
    let after = COUNTS.get();
    let counts = Counts {
        allocations: after.allocations - before.allocations,
        frees: after.frees - before.frees,
        bytes: after.bytes - before.bytes,
    };
    (counts, result)
}

fn allocations(f: impl FnOnce()) -> usize {
    counted(f).0.allocations
}

// G12
#[test]
fn allocations_of_each_operation() {
    let (parent, _handle) = Context::background().with_cancel();
    // The second child makes the list; keep one, so that the list stays in use.
    let _kept = (parent.with_cancel(), parent.with_cancel());
    let (timer, _h) = Context::background().with_timeout(HOUR);
    drop(timer.with_timeout(HOUR / 2));

    assert_eq!(allocations(|| drop((Context::background(), Context::todo()))), 0);
    assert_eq!(allocations(|| drop(parent.clone())), 0);
    assert_eq!(allocations(|| drop(parent.with_cancel())), 1);
    assert_eq!(allocations(|| parent.with_cancel().1.cancel()), 1);
    assert_eq!(allocations(|| drop(parent.with_timeout(Duration::ZERO))), 2);
    assert_eq!(allocations(|| parent.with_timeout(HOUR).1.cancel()), 2);
    assert_eq!(allocations(|| drop(parent.with_value((), ()))), 1);
    assert_eq!(allocations(|| assert_eq!(parent.with_value("key", 1).value::<i32>(&"key"), Some(&1))), 2);
    assert_eq!(allocations(|| drop(parent.without_cancel())), 1);
    assert_eq!(allocations(|| drop(parent.reparent(&Context::background()))), 1);
    assert_eq!(allocations(|| drop((parent.err(), parent.cause(), parent.deadline()))), 0);
    let (ctx, handle) = Context::background().with_cancel();
    let mut done = ctx.done();
    assert_eq!(allocations(|| assert!(poll(&mut done, std::task::Waker::noop()).is_pending())), 0);
    assert_eq!(allocations(|| handle.cancel()), 0);
    assert_eq!(allocations(|| drop(ctx.cause())), 0);
    assert_eq!(allocations(|| drop(ctx.with_cancel())), 1);
}

#[test]
fn a_chain_takes_one_allocation_a_link() {
    let (root, handle) = Context::background().with_cancel();
    let (counts, leaf) = counted(|| {
        let mut ctx = root.clone();
        for _ in 0..1000 {
            ctx = ctx.with_cancel().0;
        }
        ctx
    });
    assert_eq!(counts.allocations, 1000);
    handle.cancel();
    assert!(leaf.is_done());
}

#[test]
fn a_child_takes_at_most_128_bytes() {
    let (parent, _handle) = Context::background().with_cancel();
    let mut children = Vec::with_capacity(1 << 17);
    let (counts, ()) = counted(|| children.extend((0..1 << 17).map(|_| parent.with_cancel().0)));
    assert!(counts.bytes / (1 << 17) <= 128, "{} bytes", counts.bytes / (1 << 17));
}

/// Does something on a live parent; afterwards as many bytes are in use as before.
#[track_caller]
fn leaves_nothing(f: impl Fn(&Context)) {
    let (parent, handle) = Context::background().with_cancel();
    // What is kept for reuse is taken beforehand.
    let _kept = (parent.with_cancel(), parent.with_timeout(HOUR));
    f(&parent);
    let (counts, ()) = counted(|| (0..100).for_each(|_| f(&parent)));
    assert_eq!(counts.bytes, 0);
    assert_eq!(counts.allocations, counts.frees);
    handle.cancel();
}

#[test]
fn nothing_stays_behind_on_a_live_parent() {
    leaves_nothing(|parent| drop(parent.with_cancel()));
    leaves_nothing(|parent| parent.with_cancel().1.cancel());
    leaves_nothing(|parent| parent.with_cancel_cause().1.cancel("cause"));
    leaves_nothing(|parent| drop(parent.with_timeout(HOUR)));
    leaves_nothing(|parent| parent.with_timeout(HOUR).1.cancel());
    leaves_nothing(|parent| drop(parent.with_timeout_cause(Duration::ZERO, "cause")));
    leaves_nothing(|parent| drop(parent.with_value("key", vec![1, 2, 3])));
    leaves_nothing(|parent| drop(parent.merge(&parent.with_timeout(HOUR).0)));
    leaves_nothing(|parent| drop(parent.reparent(&parent.without_cancel())));
    leaves_nothing(|parent| assert!(parent.after_func(|| {}).stop()));
    leaves_nothing(|parent| assert!(parent.with_cancel().0.after_func(|| {}).stop()));
    leaves_nothing(|parent| {
        let stop = parent.with_timeout(HOUR).0.after_func(|| {});
        assert!(stop.stop());
    });
    leaves_nothing(|parent| assert!(poll(&mut parent.done(), std::task::Waker::noop()).is_pending()));
    leaves_nothing(|parent| {
        let (child, handle) = parent.with_cancel();
        let grandchildren: Vec<_> = (0..10).map(|_| child.with_timeout(HOUR)).collect();
        handle.cancel();
        drop(grandchildren);
    });
}

#[test]
fn a_tree_that_ends_gives_everything_back() {
    let (counts, ()) = counted(|| {
        let (root, handle) = Context::background().with_cancel();
        let mut level = vec![root.clone()];
        for _ in 0..4 {
            level = level.iter().flat_map(|ctx| (0..5).map(|i| ctx.with_value(i, i).with_cancel().0)).collect();
        }
        root.after_func(|| {}).stop();
        handle.cancel();
    });
    assert_eq!((counts.bytes, counts.allocations), (0, counts.frees));
}

#[test]
fn a_callback_that_nothing_can_fire_is_freed() {
    let (counts, ()) = counted(|| {
        for _ in 0..10 {
            let (root, _handle) = Context::background().with_cancel();
            drop(root.with_cancel().0.with_value("key", 1).after_func(|| unreachable!()));
        }
    });
    assert_eq!((counts.bytes, counts.allocations), (0, counts.frees));
}

#[test]
fn a_list_gives_back_what_a_burst_of_children_took() {
    let (parent, _handle) = Context::background().with_cancel();
    let _kept = (parent.with_cancel(), parent.with_cancel());
    drop(_kept);
    let (counts, ()) = counted(|| drop((0..100_000).map(|_| parent.with_cancel()).collect::<Vec<_>>()));
    assert!(counts.bytes <= 0, "{} bytes", counts.bytes);
}
