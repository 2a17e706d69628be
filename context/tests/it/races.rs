//! Threads against one another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::task::Waker;
use std::thread;

use context::{CancelHandle, Context};

use crate::support::{CountingWaker, HOUR, Rng, cause_text, eventually, poll};

// G13
#[test]
fn every_node_of_a_tree_cancelled_by_its_own_thread() {
    for seed in 1..5 {
        let mut rng = Rng(seed * 0x9e37_79b9);
        let (root, handle) = Context::background().with_cancel();
        let mut nodes = vec![(root, handle)];
        let mut next = 0;
        while nodes.len() < 100 {
            let children: Vec<_> = (0..4).map(|_| nodes[next].0.with_cancel()).collect();
            nodes.extend(children);
            next += 1;
        }
        rng.shuffle(&mut nodes);
        thread::scope(|scope| {
            for (_, handle) in &nodes {
                scope.spawn(|| handle.cancel());
            }
        });
        assert!(nodes.iter().all(|(ctx, _)| ctx.is_done()));
    }
}

// G14
#[test]
fn a_waiter_that_cancels_a_child_interlocks_with_nothing() {
    for _ in 0..50 {
        let (parent, cancel_parent) = Context::background().with_cancel();
        let (child, cancel_child) = parent.with_cancel();
        thread::scope(|scope| {
            scope.spawn(|| {
                parent.wait();
                cancel_child.cancel();
            });
            cancel_parent.cancel();
            child.wait();
        });
    }
}

// G18
#[test]
fn a_child_made_while_the_parent_is_cancelled_has_its_cause() {
    for _ in 0..300 {
        let (parent, handle) = Context::background().with_cancel_cause();
        let barrier = Barrier::new(3);
        let children = thread::scope(|scope| {
            let make = || {
                barrier.wait();
                (parent.with_cancel(), parent.with_timeout(HOUR), parent.merge(&parent))
            };
            let makers = [scope.spawn(make), scope.spawn(make)];
            barrier.wait();
            handle.cancel("E");
            makers.map(|maker| maker.join().unwrap())
        });
        for (a, b, c) in &children {
            for ctx in [&a.0, &b.0, &c.0] {
                assert!(ctx.is_done());
                assert_eq!(cause_text(ctx).as_deref(), Some("E"));
            }
        }
        assert_eq!(parent.child_count(), 0);
    }
}

// G33
#[test]
fn when_err_is_set_done_is_ready() {
    for _ in 0..50 {
        let (ctx, handle) = Context::background().with_cancel();
        let (child, _h) = ctx.with_cancel();
        thread::scope(|scope| {
            scope.spawn(|| handle.cancel());
            for ctx in [&ctx, &child] {
                while ctx.err().is_none() {
                    std::hint::spin_loop();
                }
                assert!(poll(&mut ctx.done(), Waker::noop()).is_ready());
                assert!(ctx.cause().is_some() && ctx.is_done());
            }
        });
    }
}

#[test]
fn a_losing_cancel_returns_after_the_whole_subtree_is_done() {
    for _ in 0..30 {
        let (root, handle) = Context::background().with_cancel();
        let children: Vec<_> = (0..2000).map(|_| root.with_cancel()).collect();
        let leaves: Vec<_> = children.iter().map(|(ctx, _)| ctx.with_cancel().0).collect();
        let barrier = Barrier::new(4);
        let check = |cancel: &CancelHandle, below: &[Context]| {
            barrier.wait();
            cancel.cancel();
            assert!(below.iter().all(Context::is_done));
        };
        thread::scope(|scope| {
            scope.spawn(|| check(&handle, &leaves));
            scope.spawn(|| check(&handle, &leaves));
            scope.spawn(|| check(&children[1999].1, &leaves[1999..]));
            scope.spawn(|| check(&children[1000].1, &leaves[1000..1001]));
        });
    }
}

#[test]
fn losing_cancels_of_merged_graphs_do_not_deadlock() {
    for seed in 1..100 {
        let mut rng = Rng(seed * 0x9e37_79b9_7f4a);
        let roots: Vec<_> = (0..3).map(|_| Context::background().with_cancel()).collect();
        let mut nodes = roots;
        for _ in 0..60 {
            let (a, b) = (rng.below(nodes.len()), rng.below(nodes.len()));
            let node = if rng.below(2) == 0 { nodes[a].0.merge(&nodes[b].0) } else { nodes[a].0.with_cancel() };
            nodes.push(node);
        }
        thread::scope(|scope| {
            for (_, handle) in &nodes[..6] {
                scope.spawn(|| handle.cancel());
            }
        });
        assert!(nodes.iter().all(|(ctx, _)| ctx.is_done()));
        drop(nodes);
    }
}

#[test]
fn waiters_registered_while_cancelling_are_not_forgotten() {
    for _ in 0..300 {
        let (ctx, handle) = Context::background().with_cancel();
        let (count, waker) = CountingWaker::new();
        let pending = thread::scope(|scope| {
            let register = scope.spawn(|| {
                let mut waiting: Vec<_> = (0..4).map(|_| ctx.done()).collect();
                let pending =
                    waiting.iter_mut().map(|done| poll(done, &waker)).filter(std::task::Poll::is_pending).count();
                (waiting, pending)
            });
            handle.cancel();
            register.join().unwrap()
        });
        assert_eq!(count.wakes(), pending.1);
    }
}

#[test]
fn children_come_and_go_while_everything_is_cancelled() {
    for _ in 0..20 {
        let (root, handle) = Context::background().with_cancel();
        let stop = AtomicBool::new(false);
        let made = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let (child, cancel) = root.with_value("key", 1).with_timeout(HOUR);
                        let (grandchild, _h) = child.with_cancel();
                        let mut done = grandchild.done();
                        let _ = poll(&mut done, Waker::noop());
                        if made.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
                            cancel.cancel();
                            assert!(grandchild.is_done());
                        }
                    }
                });
            }
            while made.load(Ordering::Relaxed) < 300 {
                thread::yield_now();
            }
            handle.cancel();
            let before = made.load(Ordering::Relaxed);
            while made.load(Ordering::Relaxed) < before + 50 {
                thread::yield_now();
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(root.child_count(), 0);
    }
}

#[test]
fn callbacks_survive_drops_that_race_with_cancel_and_stop() {
    for round in 0..300 {
        let (root, handle) = Context::background().with_cancel();
        let (middle, _) = root.with_cancel();
        let (leaf, _) = middle.with_timeout(HOUR);
        let ran = Arc::new(AtomicUsize::new(0));
        let stop = leaf.after_func({
            let ran = Arc::clone(&ran);
            move || {
                ran.fetch_add(1, Ordering::SeqCst);
            }
        });
        let stopped = thread::scope(|scope| {
            scope.spawn(move || drop((leaf, middle)));
            let stopper = scope.spawn(|| round % 2 == 0 && stop.stop());
            handle.cancel();
            stopper.join().unwrap()
        });
        if stopped {
            thread::yield_now();
            assert_eq!(ran.load(Ordering::SeqCst), 0);
        } else {
            eventually("the callback ran", || ran.load(Ordering::SeqCst) == 1);
        }
        assert_eq!(root.child_count(), 0);
    }
}
