//! Every interleaving of the core's races, by loom:
//! `RUSTFLAGS="--cfg loom" cargo test -p ctxlint-context --release --test loom`.
#![cfg(loom)]
#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{self, Poll, Wake, Waker};

use context::{Context, ContextError, Done};
use loom::thread;

fn model(f: impl Fn() + Sync + Send + 'static) {
    loom::model(f);
}

/// For a model whose interleavings are too many to see them all: those with up to three
/// preemptions, which loom's authors found to be enough for nearly every bug.
fn bounded_model(f: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(f);
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(done: &mut Done, waker: &Waker) -> Poll<ContextError> {
    Pin::new(done).poll(&mut task::Context::from_waker(waker))
}

fn cause(ctx: &Context) -> String {
    ctx.cause().map(|cause| cause.to_string()).unwrap_or_default()
}

/// The models must be able to fail: check, then push in a second step, as go-lib does.
#[test]
#[should_panic(expected = "a child was forgotten")]
fn calibration_check_then_push_is_seen_to_fail() {
    use loom::sync::Mutex;
    use loom::sync::atomic::AtomicBool;
    model(|| {
        let parent = loom::sync::Arc::new((AtomicBool::new(false), Mutex::new(Vec::new())));
        let child = Arc::new(AtomicUsize::new(0));
        let maker = {
            let (parent, child) = (parent.clone(), child.clone());
            thread::spawn(move || {
                if parent.0.load(Ordering::SeqCst) {
                    child.store(1, Ordering::SeqCst);
                } else {
                    parent.1.lock().unwrap().push(child);
                }
            })
        };
        parent.0.store(true, Ordering::SeqCst);
        for child in parent.1.lock().unwrap().drain(..) {
            child.store(1, Ordering::SeqCst);
        }
        maker.join().unwrap();
        assert!(child.load(Ordering::SeqCst) == 1, "a child was forgotten");
    });
}

#[test]
fn create_a_child_against_cancel() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel_cause();
        let maker = {
            let parent = parent.clone();
            thread::spawn(move || parent.with_cancel())
        };
        handle.cancel("E");
        let (child, _handle) = maker.join().unwrap();
        assert_eq!(child.err(), Some(ContextError::Canceled));
        assert_eq!(cause(&child), "E");
        assert_eq!(parent.child_count(), 0);
    });
}

#[test]
fn create_two_children_against_cancel() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let makers = [(); 2].map(|()| {
            let parent = parent.clone();
            thread::spawn(move || parent.with_cancel().0)
        });
        handle.cancel();
        for maker in makers {
            assert!(maker.join().unwrap().is_done());
        }
        assert_eq!(parent.child_count(), 0);
    });
}

#[test]
fn register_against_cancel() {
    model(|| {
        let (ctx, handle) = Context::background().with_cancel();
        let count = Arc::new(Count::default());
        let waiter = {
            let (ctx, waker) = (ctx.clone(), Waker::from(count.clone()));
            thread::spawn(move || {
                let mut done = ctx.done();
                let first = poll(&mut done, &waker).is_pending();
                (done, first)
            })
        };
        handle.cancel();
        let (_done, pending) = waiter.join().unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), usize::from(pending), "woken if and only if it waits");
    });
}

#[test]
fn change_or_drop_a_waiter_against_cancel() {
    model(|| {
        let (ctx, handle) = Context::background().with_cancel();
        let (old, new) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let (mut changes, mut drops) = (ctx.done(), ctx.done());
        assert!(poll(&mut changes, &Waker::from(old.clone())).is_pending());
        assert!(poll(&mut drops, &Waker::from(old.clone())).is_pending());
        let waiter = {
            let waker = Waker::from(new.clone());
            thread::spawn(move || {
                drop(drops);
                let pending = poll(&mut changes, &waker).is_pending();
                (changes, pending)
            })
        };
        handle.cancel();
        let (_changes, pending) = waiter.join().unwrap();
        if pending {
            assert_eq!(new.0.load(Ordering::SeqCst), 1);
        }
        assert_eq!((Arc::strong_count(&old), Arc::strong_count(&new)), (1, 1), "all wakers are gone");
    });
}

#[test]
fn drop_a_child_against_cancel() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let value = Arc::new(());
        let (child, child_handle) = parent.with_value((), value.clone()).with_cancel();
        let dropper = thread::spawn(move || drop((child, child_handle)));
        handle.cancel();
        dropper.join().unwrap();
        assert_eq!(parent.child_count(), 0);
        assert_eq!(Arc::strong_count(&value), 1, "the child is gone");
    });
}

#[test]
fn drop_the_middle_against_cancel() {
    model(|| {
        let (root, handle) = Context::background().with_cancel();
        let (middle, middle_handle) = root.with_cancel();
        let (leaf, leaf_handle) = middle.with_cancel();
        let dropper = thread::spawn(move || drop((middle, middle_handle, leaf_handle)));
        handle.cancel();
        assert!(leaf.is_done());
        dropper.join().unwrap();
    });
}

/// tokio-util's L4.
#[test]
fn clones_dropped_at_once() {
    model(|| {
        let value = Arc::new(());
        let (ctx, handle) = Context::background().with_value((), value.clone()).with_cancel();
        let clone = ctx.clone();
        let droppers = [thread::spawn(move || drop(ctx)), thread::spawn(move || drop(handle))];
        drop(clone);
        for dropper in droppers {
            dropper.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&value), 1, "the last one took it along");
    });
}

/// tokio-util's L5, ignored there.
#[test]
fn drop_a_parent_against_its_children() {
    model(|| {
        let value = Arc::new(());
        let (parent, handle) = Context::background().with_value((), value.clone()).with_cancel();
        let children = [parent.with_cancel(), parent.with_cancel()];
        let droppers = children.map(|child| thread::spawn(move || drop(child)));
        drop((parent, handle));
        for dropper in droppers {
            dropper.join().unwrap();
        }
        assert_eq!(Arc::strong_count(&value), 1);
    });
}

/// tokio-util's L6 and L7, ignored there.
#[test]
fn drop_a_parent_against_cancels_of_it_and_its_child() {
    bounded_model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let (child, child_handle) = parent.with_cancel();
        let dropper = thread::spawn(move || drop(parent));
        let canceller = thread::spawn(move || {
            child_handle.cancel();
            assert!(child.is_done());
        });
        handle.cancel();
        dropper.join().unwrap();
        canceller.join().unwrap();
    });
}

/// tokio-util's L3.
#[test]
fn waiters_of_parent_and_child_against_cancel() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let (child, _child_handle) = parent.with_cancel();
        let count = Arc::new(Count::default());
        let waiter = {
            let (child, waker) = (child.clone(), Waker::from(count.clone()));
            thread::spawn(move || {
                let mut done = child.done();
                let pending = poll(&mut done, &waker).is_pending();
                (done, pending)
            })
        };
        let mut done = parent.done();
        assert!(poll(&mut done, &Waker::from(count.clone())).is_pending());
        handle.cancel();
        let (_done, pending) = waiter.join().unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1 + usize::from(pending));
    });
}

/// ctx-thread reads a relaxed flag.
#[test]
fn what_was_written_before_a_cancel_is_seen_after() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let (child, _child_handle) = parent.with_cancel();
        let written = loom::sync::Arc::new(loom::sync::atomic::AtomicUsize::new(0));
        let writer = {
            let written = written.clone();
            thread::spawn(move || {
                written.store(1, Ordering::Relaxed);
                handle.cancel();
            })
        };
        if child.is_done() {
            assert_eq!(written.load(Ordering::Relaxed), 1);
        }
        writer.join().unwrap();
    });
}

/// A reader makes one step, wherever the cancellation is: also while the parent is done and its
/// child is not.
#[test]
fn reading_never_waits_for_a_cancellation() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let (child, _child_handle) = parent.with_cancel();
        let canceller = thread::spawn(move || handle.cancel());
        // Were this to wait for the canceller, loom would have to switch to it here, and in no
        // interleaving could the child be live after the parent was seen to be done.
        let in_between = parent.is_done() && !child.is_done();
        IN_BETWEEN.fetch_or(usize::from(in_between), Ordering::SeqCst);
        canceller.join().unwrap();
        assert!(parent.is_done() && child.is_done());
    });
    assert_eq!(IN_BETWEEN.load(Ordering::SeqCst), 1, "some interleaving shows it");
}

static IN_BETWEEN: AtomicUsize = AtomicUsize::new(0);

#[test]
fn drop_a_live_child_against_its_sibling() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel();
        let (first, second, third) = (parent.with_cancel(), parent.with_cancel(), parent.with_cancel());
        let droppers = [first, second].map(|child| thread::spawn(move || drop(child)));
        for dropper in droppers {
            dropper.join().unwrap();
        }
        assert_eq!(parent.child_count(), 1);
        handle.cancel();
        assert!(third.0.is_done());
    });
}

#[test]
fn cancel_a_child_against_its_parent() {
    model(|| {
        let (parent, handle) = Context::background().with_cancel_cause();
        let (child, child_handle) = parent.with_cancel_cause();
        let (leaf, _leaf_handle) = child.with_cancel();
        let canceller = {
            let leaf = leaf.clone();
            thread::spawn(move || {
                child_handle.cancel("child");
                assert!(leaf.is_done(), "whoever marked it");
            })
        };
        handle.cancel("parent");
        assert!(leaf.is_done() && child.is_done());
        canceller.join().unwrap();
        assert_eq!(cause(&child), cause(&leaf));
        assert!(["child", "parent"].contains(&cause(&leaf).as_str()));
        assert_eq!(cause(&parent), "parent");
    });
}

#[test]
fn two_cancels_return_with_the_subtree_done() {
    model(|| {
        let (root, handle) = Context::background().with_cancel();
        let (child, _child_handle) = root.with_cancel();
        let (leaf, _leaf_handle) = child.with_cancel();
        let other = {
            let (handle, leaf) = (handle.clone(), leaf.clone());
            thread::spawn(move || {
                handle.cancel();
                assert!(leaf.is_done());
            })
        };
        handle.cancel();
        assert!(leaf.is_done());
        other.join().unwrap();
    });
}

#[test]
fn a_merge_against_both_sides() {
    model(|| {
        let (a, cancel_a) = Context::background().with_cancel();
        let (b, cancel_b) = Context::background().with_cancel();
        let (both, _handle) = a.merge(&b);
        let other = {
            let both = both.clone();
            thread::spawn(move || {
                cancel_b.cancel();
                assert!(both.is_done());
            })
        };
        cancel_a.cancel();
        assert!(both.is_done());
        other.join().unwrap();
        assert_eq!((a.child_count(), b.child_count()), (0, 0));
    });
}

#[test]
fn making_a_merge_against_cancel() {
    model(|| {
        let (a, cancel_a) = Context::background().with_cancel();
        let (b, _cancel_b) = Context::background().with_cancel();
        let maker = {
            let (a, b) = (a.clone(), b.clone());
            thread::spawn(move || a.merge(&b))
        };
        cancel_a.cancel();
        let (both, _handle) = maker.join().unwrap();
        assert!(both.is_done());
        assert_eq!((a.child_count(), b.child_count()), (0, 0), "it has left the live side");
    });
}

#[test]
fn crossed_merges_do_not_deadlock() {
    bounded_model(|| {
        let (a, cancel_a) = Context::background().with_cancel();
        let (b, cancel_b) = Context::background().with_cancel();
        let (ab, _h1) = a.merge(&b);
        let (ba, _h2) = b.merge(&a);
        let (leaf, _h3) = ab.merge(&ba);
        let other = thread::spawn(move || cancel_b.cancel());
        cancel_a.cancel();
        assert!(ab.is_done() && ba.is_done() && leaf.is_done());
        other.join().unwrap();
    });
}

#[test]
fn stop_against_fire() {
    model(|| {
        let (ctx, handle) = Context::background().with_cancel();
        let ran = Arc::new(AtomicUsize::new(0));
        let stop = ctx.after_func({
            let ran = ran.clone();
            move || {
                ran.fetch_add(1, Ordering::SeqCst);
            }
        });
        let canceller = thread::spawn(move || handle.cancel());
        let stopped = stop.stop();
        canceller.join().unwrap();
        assert!(!stop.stop());
        if stopped {
            assert_eq!(ran.load(Ordering::SeqCst), 0);
            assert_eq!(Arc::strong_count(&ran), 1, "the closure is gone");
        }
        assert_eq!(ctx.child_count(), 0);
    });
}

#[test]
fn register_a_callback_against_cancel() {
    model(|| {
        let (ctx, handle) = Context::background().with_cancel();
        let canceller = thread::spawn(move || handle.cancel());
        let stop = ctx.after_func(|| {});
        canceller.join().unwrap();
        assert!(!stop.stop(), "it was started");
        assert_eq!(ctx.child_count(), 0);
    });
}

#[test]
fn hand_a_callback_up_against_cancel() {
    model(|| {
        let (root, handle) = Context::background().with_cancel();
        let (child, _) = root.with_cancel();
        let stop = child.after_func(|| {});
        let dropper = thread::spawn(move || drop(child));
        handle.cancel();
        dropper.join().unwrap();
        assert!(!stop.stop(), "it was started");
    });
}

#[test]
fn hand_a_callback_up_against_stop() {
    model(|| {
        let (root, _handle) = Context::background().with_cancel();
        let (child, _) = root.with_cancel();
        let stop = child.after_func(|| {});
        let dropper = thread::spawn(move || drop(child));
        assert!(stop.stop());
        dropper.join().unwrap();
        assert_eq!(root.child_count(), 0, "it left whatever list it was in");
    });
}

#[test]
fn err_done_and_cause_agree_at_every_moment() {
    model(|| {
        let (ctx, handle) = Context::background().with_cancel_cause();
        let reader = {
            let ctx = ctx.clone();
            thread::spawn(move || {
                if ctx.cause().is_some() {
                    assert!(ctx.is_done());
                }
                if ctx.err().is_some() {
                    assert_eq!(cause(&ctx), "E");
                    assert!(poll(&mut ctx.done(), Waker::noop()).is_ready());
                }
            })
        };
        handle.cancel("E");
        reader.join().unwrap();
    });
}
