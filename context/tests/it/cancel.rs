//! Cancelling trees.

use std::task::Waker;

use context::{Context, ContextError};

use crate::support::{CountingWaker, HOUR, cause_text, poll};

const CANCELED: Option<ContextError> = Some(ContextError::Canceled);

// G01
#[test]
fn parent_ends_every_kind_of_child() {
    let (parent, handle) = Context::background().with_cancel();
    let (cancel_child, _h1) = parent.with_cancel();
    let value_child = parent.with_value("key", "value");
    let (timer_child, _h2) = value_child.with_timeout(HOUR);
    let stop = parent.after_func(|| {});
    assert_eq!(parent.child_count(), 3);
    let all = [&parent, &cancel_child, &value_child, &timer_child];
    assert!(all.iter().all(|ctx| !ctx.is_done() && ctx.cause().is_none()));
    handle.cancel();
    assert_eq!(parent.child_count(), 0);
    assert!(all.iter().all(|ctx| ctx.err() == CANCELED));
    assert!(!stop.stop());
    let late = parent.with_value("other", "value");
    assert_eq!(late.err(), CANCELED);
    let (born_done, _h3) = late.with_cancel();
    assert_eq!(born_done.err(), CANCELED);
}

// G02, T06
#[test]
fn a_child_ends_alone() {
    let (cancellable, _handle) = Context::background().with_cancel();
    for parent in [Context::background(), Context::todo(), cancellable] {
        let (child, handle) = parent.with_cancel();
        handle.cancel();
        assert_eq!(child.err(), CANCELED);
        assert_eq!(parent.err(), None);
        assert_eq!(parent.child_count(), 0);
        let (next, _handle) = parent.with_cancel();
        assert_eq!(next.err(), None);
    }
}

// G03
#[test]
fn whatever_ends_leaves_its_parent() {
    let (parent, _handle) = Context::background().with_cancel();
    let (_child, handle) = parent.with_cancel();
    assert_eq!(parent.child_count(), 1);
    handle.cancel();
    assert_eq!(parent.child_count(), 0);
    let (_child, handle) = parent.with_timeout(HOUR);
    assert_eq!(parent.child_count(), 1);
    handle.cancel();
    assert_eq!(parent.child_count(), 0);
    let stop = parent.after_func(|| {});
    assert_eq!(parent.child_count(), 1);
    assert!(stop.stop());
    assert_eq!(parent.child_count(), 0);
}

#[test]
fn whatever_is_dropped_leaves_its_parent() {
    let (parent, _handle) = Context::background().with_cancel();
    let children: Vec<_> = (0..10).map(|_| parent.with_timeout(HOUR)).collect();
    let clone = children[0].0.clone();
    let view = children[1].0.with_value("key", 1);
    assert_eq!(parent.child_count(), 10);
    drop(children);
    assert_eq!(parent.child_count(), 2);
    drop((clone, view));
    assert_eq!(parent.child_count(), 0);
    assert!(!parent.is_done());
}

#[test]
fn cancelling_is_idempotent_and_clones_of_a_handle_are_equal() {
    let (ctx, handle) = Context::background().with_cancel_cause();
    let clone = handle.clone();
    clone.cancel("first");
    handle.cancel("second");
    drop(clone.guard());
    assert_eq!(cause_text(&ctx).as_deref(), Some("first"));
}

#[test]
fn dropping_a_handle_does_not_cancel() {
    let (ctx, handle) = Context::background().with_cancel();
    drop(handle);
    assert!(!ctx.is_done());
    assert!(ctx.is_cancellable());
}

#[test]
fn guards_cancel_unless_disarmed() {
    let (ctx, handle) = Context::background().with_cancel();
    handle.clone().guard().disarm();
    assert!(!ctx.is_done());
    drop(handle.guard());
    assert_eq!(ctx.err(), CANCELED);

    let (ctx, handle) = Context::background().with_cancel_cause();
    drop(handle.guard());
    assert_eq!(cause_text(&ctx).as_deref(), Some("context canceled"));
}

#[test]
fn a_guard_cancels_when_its_scope_panics() {
    let (ctx, handle) = Context::background().with_cancel();
    let result = std::panic::catch_unwind(move || {
        let _guard = handle.guard();
        std::panic::resume_unwind(Box::new("scope"));
    });
    assert!(result.is_err());
    assert!(ctx.is_done());
}

// T05
#[test]
fn a_dropped_middle_node_still_relays() {
    let (root, handle) = Context::background().with_cancel();
    let (middle, middle_handle) = root.with_cancel();
    let (leaf, _leaf_handle) = middle.with_cancel();
    drop((middle, middle_handle));
    handle.cancel();
    assert!(leaf.is_done());
}

// T07
#[test]
fn a_child_of_a_done_parent_is_born_done() {
    let (parent, handle) = Context::background().with_cancel_cause();
    handle.cancel("gone");
    let (child, child_handle) = parent.with_cancel();
    drop((parent, handle));
    assert_eq!(child.err(), CANCELED);
    assert_eq!(cause_text(&child).as_deref(), Some("gone"));
    let mut done = child.done();
    drop((child, child_handle));
    assert!(poll(&mut done, Waker::noop()).is_ready());
}

// T08
#[test]
fn many_children_dropped_in_either_order() {
    let (parent, handle) = Context::background().with_cancel();
    for reverse in [false, true] {
        let mut children: Vec<_> = (0..100).map(|_| parent.with_cancel()).collect();
        if reverse {
            children.reverse();
        }
        for child in children {
            drop(child);
        }
        assert_eq!(parent.child_count(), 0);
        assert!(!parent.is_done());
    }
    handle.cancel();
}

// T09
#[test]
fn a_middle_node_wakes_its_own_subtree_only() {
    let (root, _h) = Context::background().with_cancel();
    let (middle, cancel_middle) = root.with_cancel();
    let (sibling, _h) = root.with_cancel();
    let below: Vec<_> = (0..3).map(|_| middle.with_cancel().0).collect();
    let leaves: Vec<_> = below[..2].iter().map(|ctx| ctx.with_cancel().0).collect();
    let (inside, inside_waker) = CountingWaker::new();
    let (outside, outside_waker) = CountingWaker::new();
    let mut waiting: Vec<_> = std::iter::once(&middle).chain(&below).chain(&leaves).map(Context::done).collect();
    let mut others = [root.done(), sibling.done()];
    assert!(waiting.iter_mut().all(|done| poll(done, &inside_waker).is_pending()));
    assert!(others.iter_mut().all(|done| poll(done, &outside_waker).is_pending()));
    cancel_middle.cancel();
    assert_eq!((inside.wakes(), outside.wakes()), (6, 0));
    assert!(waiting.iter_mut().all(|done| poll(done, &inside_waker).is_ready()));
    assert!(others.iter_mut().all(|done| poll(done, &outside_waker).is_pending()));
    assert_eq!((inside.wakes(), outside.wakes()), (6, 0));
}

// T10
#[test]
fn children_survive_their_parents_handles() {
    let (parent, handle) = Context::background().with_cancel();
    let (child, child_handle) = parent.with_cancel();
    drop((parent, handle));
    assert!(!child.is_done());
    child_handle.cancel();
    assert!(child.is_done());
}

#[test]
fn order_is_parent_first_then_children_as_created() {
    use crate::support::FnWaker;
    use std::sync::{Arc, Mutex};
    let order = Arc::new(Mutex::new(Vec::new()));
    let (root, handle) = Context::background().with_cancel();
    let (a, _h) = root.with_cancel();
    let (b, _h) = root.with_cancel();
    let (a1, _h) = a.with_cancel();
    let (a2, _h) = a.with_cancel();
    let (b1, _h) = b.with_cancel();
    let nodes = [("a2", &a2), ("b1", &b1), ("b", &b), ("a1", &a1), ("root", &root), ("a", &a)];
    let mut waiting = Vec::new();
    for (name, ctx) in nodes {
        for turn in 0..2 {
            let mut done = ctx.done();
            let order = Arc::clone(&order);
            let waker = FnWaker::waker(move || order.lock().unwrap().push(format!("{name}{turn}")));
            assert!(poll(&mut done, &waker).is_pending());
            waiting.push(done);
        }
    }
    handle.cancel();
    let expected = ["root", "a", "a1", "a2", "b", "b1"].map(|name| [format!("{name}0"), format!("{name}1")]).concat();
    assert_eq!(*order.lock().unwrap(), expected);
}

#[test]
fn all_are_done_before_the_first_waker_is_woken() {
    use crate::support::FnWaker;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (root, handle) = Context::background().with_cancel();
    let children: Arc<Vec<_>> = Arc::new((0..100).map(|_| root.with_cancel().0).collect());
    let seen = Arc::new(AtomicUsize::new(0));
    let waker = FnWaker::waker({
        let (children, seen, handle) = (Arc::clone(&children), Arc::clone(&seen), handle.clone());
        move || {
            // Cancelling again from here neither waits nor changes anything.
            handle.cancel();
            seen.fetch_add(children.iter().filter(|child| child.is_done()).count(), Ordering::SeqCst);
        }
    });
    let mut done = root.done();
    assert!(poll(&mut done, &waker).is_pending());
    handle.cancel();
    assert_eq!(seen.load(Ordering::SeqCst), 100);
}
