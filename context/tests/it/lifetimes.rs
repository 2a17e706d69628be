//! Detaching, changing owners, merging.

use std::time::{Duration, Instant};

use context::{Context, ContextError};

use crate::support::{CountingWaker, HOUR, SHORT, cause_text, eventually, poll};

// G25
#[test]
fn a_detached_context_keeps_values_only() {
    let (ctx, handle) = Context::background().with_value("key", 1).with_timeout_cause(HOUR, "T");
    let detached = ctx.without_cancel();
    handle.cancel();
    assert!(!detached.is_cancellable());
    assert_eq!((detached.err(), detached.deadline()), (None, None));
    assert!(detached.cause().is_none());
    assert_eq!(detached.value::<i32>(&"key"), Some(&1));
    let (count, waker) = CountingWaker::new();
    assert!(poll(&mut detached.done(), &waker).is_pending());
    assert_eq!(count.wakes(), 0);
    assert_eq!(detached.wait_timeout(SHORT), None);
}

#[test]
fn what_is_derived_from_a_detached_context_is_a_root_of_its_own() {
    let (ctx, handle) = Context::background().with_cancel();
    let detached = ctx.without_cancel();
    let (child, child_handle) = detached.with_cancel();
    let (grandchild, _h) = child.with_timeout(HOUR);
    handle.cancel();
    assert!(!grandchild.is_done());
    assert_eq!(ctx.child_count(), 0);
    child_handle.cancel();
    assert!(grandchild.is_done());
}

#[test]
fn a_reparented_context_lives_as_its_owner() {
    let (owner, stop) = Context::background().with_value("key", "owner's").with_cancel_cause();
    let (owner, _h) = owner.with_timeout(HOUR);
    let (request, end_request) = Context::background().with_value("key", "request's").with_cancel();
    let job = request.reparent(&owner);
    let (child, _h) = job.with_cancel();
    assert_eq!(job.deadline(), owner.deadline());
    assert_eq!(job.value::<&str>(&"key"), Some(&"request's"));
    end_request.cancel();
    assert!(!job.is_done() && !child.is_done());
    stop.cancel("closing");
    assert_eq!(cause_text(&job).as_deref(), Some("closing"));
    assert_eq!(child.err(), Some(ContextError::Canceled));
    let detached = request.reparent(&Context::background());
    assert!(!detached.is_cancellable() && !detached.is_done());
}

// G46
#[test]
fn a_merged_context_ends_with_either_side() {
    for first in [true, false] {
        let (a, cancel_a) = Context::background().with_value("key", "a").with_cancel_cause();
        let (b, cancel_b) = Context::background().with_value("key", "b").with_cancel_cause();
        let (both, _h) = a.merge(&b);
        let (child, _h) = both.with_cancel();
        assert_eq!((a.child_count(), b.child_count()), (1, 1));
        let (cancel, text) = if first { (&cancel_a, "a ended") } else { (&cancel_b, "b ended") };
        cancel.cancel(text);
        assert_eq!(cause_text(&child).as_deref(), Some(text));
        assert_eq!(both.value::<&str>(&"key"), Some(&"a"));
        assert_eq!((a.child_count(), b.child_count()), (0, 0), "it has left the other side too");
        assert_eq!((a.is_done(), b.is_done()), (first, !first));
    }
}

#[test]
fn cancelling_or_dropping_a_merged_context_leaves_both_sides() {
    let (a, _ha) = Context::background().with_cancel();
    let (b, _hb) = Context::background().with_cancel();
    let (both, handle) = a.merge(&b);
    handle.cancel();
    assert!(both.is_done() && !a.is_done() && !b.is_done());
    assert_eq!((a.child_count(), b.child_count()), (0, 0));
    let merged = a.merge(&b);
    assert_eq!((a.child_count(), b.child_count()), (1, 1));
    drop(merged);
    assert_eq!((a.child_count(), b.child_count()), (0, 0));
}

#[test]
fn merging_with_what_is_done_is_done_at_once() {
    let (done, handle) = Context::background().with_cancel_cause();
    handle.cancel("done");
    let (expired, _h) = Context::background().with_timeout(Duration::ZERO);
    let (live, _h) = Context::background().with_cancel();
    let (left, _h) = done.merge(&live);
    let (right, _h) = live.merge(&done);
    assert_eq!(cause_text(&left).as_deref(), Some("done"));
    assert_eq!(cause_text(&right).as_deref(), Some("done"));
    assert_eq!(live.child_count(), 0);
    assert_eq!(done.merge(&expired).0.err(), Some(ContextError::Canceled), "self comes first");
    assert_eq!(expired.merge(&done).0.err(), Some(ContextError::DeadlineExceeded));
}

#[test]
fn a_merged_context_has_the_earlier_deadline() {
    let now = Instant::now();
    let (early, _h) = Context::background().with_deadline(now + HOUR);
    let (late, _h) = Context::background().with_deadline(now + 2 * HOUR);
    let (free, _h) = Context::background().with_cancel();
    for (a, b) in [(&early, &late), (&late, &early), (&free, &early), (&early, &free)] {
        assert_eq!(a.merge(b).0.deadline(), Some(now + HOUR));
    }
    assert_eq!(free.merge(&free).0.deadline(), None);
    let (soon, _h) = Context::background().with_timeout(SHORT);
    let (merged, _h) = late.merge(&soon);
    assert_eq!(merged.wait(), ContextError::DeadlineExceeded);
}

#[test]
fn odd_merges() {
    let (ctx, handle) = Context::background().with_cancel();
    let (with_itself, _h) = ctx.merge(&ctx);
    let (child, _h) = ctx.with_cancel();
    let (with_child, _h) = ctx.merge(&child);
    let (roots, roots_handle) = Context::background().merge(&Context::todo());
    assert!(roots.is_cancellable() && !roots.is_done());
    handle.cancel();
    assert!(with_itself.is_done() && with_child.is_done() && !roots.is_done());
    roots_handle.cancel();
    assert!(roots.is_done());
    assert_eq!(ctx.child_count(), 0);
}

#[test]
fn a_diamond_of_merges_ends_once() {
    let (root, handle) = Context::background().with_cancel_cause();
    let (a, _h) = root.with_cancel();
    let (b, _h) = root.with_cancel();
    let (ab, _h) = a.merge(&b);
    let (ba, _h) = b.merge(&a);
    let (all, _h) = ab.merge(&ba);
    let (count, waker) = CountingWaker::new();
    let mut done = all.done();
    assert!(poll(&mut done, &waker).is_pending());
    handle.cancel("root");
    assert_eq!(count.wakes(), 1);
    assert_eq!(cause_text(&all).as_deref(), Some("root"));
    eventually("all lists are empty", || [&root, &a, &b, &ab, &ba].iter().all(|ctx| ctx.child_count() == 0));
}
