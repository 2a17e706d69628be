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
use std::time::{Duration, Instant};

use context::Context;
use tokio_util::sync::CancellationToken;

use crate::table::Table;

pub(crate) const NAME: &str = "longest err() while 1,000,000 are cancelled";
pub(crate) const BYTES: &str = "bytes for each of 1,000,000 children";

pub(crate) fn rows(table: &mut Table) {
    let size = table.size(1_000_000);
    let ours = best_of(size, || {
        let (parent, handle) = Context::background().with_cancel();
        let _children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
        reads(|| parent.err().is_some(), || handle.cancel())
    });
    let theirs = best_of(size, || {
        let parent = CancellationToken::new();
        let _children: Vec<_> = (0..size).map(|_| parent.child_token()).collect();
        reads(|| parent.is_cancelled(), || parent.cancel())
    });
    let floor = best_of(size, || {
        let (parent, handle) = Context::background().with_cancel();
        let _children: Vec<_> = (0..size).map(|_| parent.with_cancel().0).collect();
        let plain = AtomicBool::new(false);
        reads(|| plain.load(Ordering::Acquire), || handle.cancel())
    });
    // What the machine itself takes away from a thread that only reads a bool: no target for a
    // read of a context can be below that.
    table.push("longest read of a bool meanwhile, for scale", floor, None, None, "-");
    table.push(NAME, ours, theirs, Some(floor.unwrap_or(0.0).max(10_000.0)), "150000");
}

pub(crate) fn memory(table: &mut Table) {
    let size = table.size(1_000_000);
    let (parent, _handle) = Context::background().with_cancel();
    let mut children = Vec::with_capacity(size);
    let ours = bytes(|| children.extend((0..size).map(|_| parent.with_cancel().0))) / size as f64;
    let parent = CancellationToken::new();
    let mut children = Vec::with_capacity(size);
    let theirs = bytes(|| children.extend((0..size).map(|_| parent.child_token()))) / size as f64;
    table.push(BYTES, Some(ours), Some(theirs), Some(128.0), "151");
}

/// Of several runs the longest read of the one least disturbed by other work on the machine; `None`
/// when the reader was never there to read.
fn best_of(size: usize, mut run: impl FnMut() -> Reads) -> Option<f64> {
    let (wanted, tries) = if size < 1_000_000 { (1, 1) } else { (5, 25) };
    let watched = (0..tries).map(|_| run()).filter(|reads| size < 1_000_000 || reads.watched());
    watched.take(wanted).map(|reads| reads.longest).min_by(f64::total_cmp)
}

/// What a thread saw that read again and again, in nanoseconds.
struct Reads {
    /// The longest single read, from before the cancellation until after it.
    longest: f64,
    /// The time of all reads during the cancellation.
    reading: f64,
    cancelling: f64,
}

impl Reads {
    /// Whether the reader was on a core for a good part of the cancellation, or waited for it.
    fn watched(&self) -> bool {
        self.reading > self.cancelling / 10.0
    }
}

fn reads(read: impl Fn() -> bool + Sync, cancel: impl FnOnce()) -> Reads {
    let (started, begun, over) = (AtomicBool::new(false), AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut longest, mut reading) = (Duration::ZERO, Duration::ZERO);
            let (mut preemptions, mut last) = (preemptions(), Instant::now());
            started.store(true, Ordering::Release);
            while !over.load(Ordering::Acquire) {
                let during = begun.load(Ordering::Acquire);
                let start = Instant::now();
                std::hint::black_box(read());
                let end = Instant::now();
                let (time, round) = (end - start, end - last);
                last = end;
                if round > LONG {
                    let before = std::mem::replace(&mut preemptions, self::preemptions());
                    // Looking takes long itself.
                    last = Instant::now();
                    if preemptions != before {
                        continue;
                    }
                }
                longest = longest.max(time);
                if during {
                    reading += round;
                }
            }
            (longest.as_nanos() as f64, reading.as_nanos() as f64)
        });
        while !started.load(Ordering::Acquire) {
            thread::yield_now();
        }
        begun.store(true, Ordering::Release);
        let start = Instant::now();
        cancel();
        let cancelling = start.elapsed().as_nanos() as f64;
        over.store(true, Ordering::Release);
        let (longest, reading) = reader.join().unwrap_or((f64::MAX, 0.0));
        Reads { longest, reading, cancelling }
    })
}

/// From here on a round is suspected to have been interrupted.
const LONG: Duration = Duration::from_micros(2);

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
