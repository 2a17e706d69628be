//! How long a reader can be kept waiting while a million children are cancelled, and the memory
//! that each of them takes.
//!
//! That a read of ours never waits is shown by a test of the crate, which reads while it holds
//! every lock there is, and by a loom model. Here the time is taken. On a machine with other work
//! the scheduler takes the reader off its core now and then, for milliseconds: reads during which
//! it did (Linux says so) do not count. One that had to wait for a lock does.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use context::Context;
use tokio_util::sync::CancellationToken;

use crate::table::Table;

pub(crate) fn rows(table: &mut Table) {
    let size = table.size(1_000_000);
    let ours = best_of(5, || {
        let (parent, handle) = Context::background().with_cancel();
        let _children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
        longest_read(|| parent.err().is_some(), || handle.cancel())
    });
    let theirs = best_of(5, || {
        let parent = CancellationToken::new();
        let _children: Vec<_> = (0..size).map(|_| parent.child_token()).collect();
        longest_read(|| parent.is_cancelled(), || parent.cancel())
    });
    let floor = best_of(5, || {
        let (parent, handle) = Context::background().with_cancel();
        let _children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
        let plain = AtomicBool::new(false);
        longest_read(|| plain.load(Ordering::Acquire), || handle.cancel())
    });
    // What the machine itself takes away from a thread that only reads a bool: no target for a
    // read of a context can be below that.
    table.push("longest read of a bool meanwhile, for scale", Some(floor), None, None, "-");
    table.push(
        "longest err() while 1,000,000 are cancelled",
        Some(ours),
        Some(theirs),
        Some(floor.max(10_000.0)),
        "150000",
    );

    let (parent, _handle) = Context::background().with_cancel();
    let mut children = Vec::with_capacity(size);
    let ours = bytes(|| children.extend((0..size).map(|_| parent.with_cancel().0))) / size as f64;
    let parent = CancellationToken::new();
    let mut children = Vec::with_capacity(size);
    let theirs = bytes(|| children.extend((0..size).map(|_| parent.child_token()))) / size as f64;
    table.push("bytes for each of 1,000,000 children", Some(ours), Some(theirs), Some(128.0), "151");
}

/// Of several runs the one least disturbed by other work on the machine.
fn best_of(runs: usize, mut run: impl FnMut() -> f64) -> f64 {
    (0..runs).map(|_| run()).fold(f64::MAX, f64::min)
}

/// The longest single read, in nanoseconds, from before the cancellation until after it.
fn longest_read(read: impl Fn() -> bool + Sync, cancel: impl FnOnce()) -> f64 {
    let (started, over) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut longest = 0;
            let mut preemptions = preemptions();
            started.store(true, Ordering::Release);
            while !over.load(Ordering::Acquire) {
                let start = Instant::now();
                std::hint::black_box(read());
                let time = start.elapsed().as_nanos();
                // Looking takes long itself, so it is done for those that matter only.
                if time > longest.max(LONG) {
                    let before = std::mem::replace(&mut preemptions, self::preemptions());
                    if preemptions != before {
                        continue;
                    }
                }
                longest = longest.max(time);
            }
            longest as f64
        });
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        cancel();
        over.store(true, Ordering::Release);
        reader.join().unwrap_or(f64::MAX)
    })
}

/// Nanoseconds from which on a read is suspected to have been interrupted.
const LONG: u128 = 1_000;

/// How often the scheduler has taken this thread off its core although it had something to do.
fn preemptions() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

fn bytes(f: impl FnOnce()) -> f64 {
    COUNTING.store(true, Ordering::Relaxed);
    let before = LIVE.load(Ordering::Relaxed);
    f();
    COUNTING.store(false, Ordering::Relaxed);
    (LIVE.load(Ordering::Relaxed) - before) as f64
}

/// Off while times are measured, for both sides.
static COUNTING: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicU64 = AtomicU64::new(1 << 32);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[expect(unsafe_code, reason = "an allocator that counts needs it")]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            LIVE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        }
        // SAFETY: as for this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Ordering::Relaxed) {
            LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        }
        // SAFETY: as for this function.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if COUNTING.load(Ordering::Relaxed) {
            LIVE.fetch_add(size as u64, Ordering::Relaxed);
            LIVE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        }
        // SAFETY: as for this function.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
