//! Every interleaving of the references' races, by loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p ctxlint-context --release --lib`

use loom::alloc::Track;
use loom::cell::UnsafeCell;
use loom::thread;

use super::*;

/// Is read while it is shared, and written when it is dropped: loom tells if the one could
/// happen during the other, and if it is never dropped.
struct Watched {
    cell: UnsafeCell<u32>,
    _dropped: Track<()>,
}

impl Watched {
    fn new() -> Watched {
        Watched { cell: UnsafeCell::new(7), _dropped: Track::new(()) }
    }

    fn read(&self) {
        // SAFETY: loom has seen that nobody writes.
        self.cell.with(|value| assert_eq!(unsafe { *value }, 7));
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: loom has seen that nobody else reads or writes.
        self.cell.with_mut(|value| unsafe { *value = 0 });
    }
}

#[test]
fn what_is_read_anywhere_is_read_before_the_drop() {
    loom::model(|| {
        let (a, b) = Ref::pair(Watched::new());
        let c = a.clone();
        let threads = [a, b].map(|value| {
            thread::spawn(move || {
                value.read();
                drop(value);
            })
        });
        c.read();
        drop(c);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn an_upgrade_against_the_last_drop() {
    loom::model(|| {
        let (a, b, link) = Ref::pair_and_link(Watched::new());
        drop(a);
        let upgrader = thread::spawn(move || {
            if let Some(value) = link.upgrade() {
                value.read();
            }
        });
        b.read();
        drop(b);
        upgrader.join().unwrap();
    });
}

#[test]
fn links_against_the_last_drop() {
    loom::model(|| {
        let (a, b, link) = Ref::pair_and_link(Watched::new());
        let other = link.clone();
        drop(a);
        let threads = [link, other].map(|link| {
            thread::spawn(move || {
                let found = link.upgrade();
                drop(link);
                if let Some(value) = found {
                    value.read();
                }
            })
        });
        drop(b);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// The models must be able to fail: a count lowered without `Release`.
#[test]
#[should_panic(expected = "Causality violation")]
fn calibration_a_relaxed_count_is_seen_to_fail() {
    loom::model(|| {
        let shared = loom::sync::Arc::new((UnsafeCell::new(7), AtomicU32::new(2)));
        let lower = |shared: &(UnsafeCell<u32>, AtomicU32)| {
            // SAFETY: loom watches.
            shared.0.with(|value| assert_ne!(unsafe { *value }, 1));
            if shared.1.fetch_sub(1, Ordering::Relaxed) == 1 {
                // SAFETY: as above.
                shared.0.with_mut(|value| unsafe { *value = 0 });
            }
        };
        let other = shared.clone();
        let thread = thread::spawn(move || lower(&other));
        lower(&shared);
        thread.join().unwrap();
    });
}
