//! Deadlines, timeouts and budgets.

use std::time::{Duration, Instant};

use context::{Context, ContextError};

use crate::support::{HOUR, SHORT, block_on, cause_text, eventually};

const EXCEEDED: Option<ContextError> = Some(ContextError::DeadlineExceeded);

// G08, G09
#[test]
fn deadlines_end_contexts() {
    let root = Context::background();
    let soon = || Instant::now() + SHORT;
    let (ctx, _h1) = root.with_deadline(soon());
    assert_eq!(ctx.wait(), ContextError::DeadlineExceeded);
    let (ctx, _h2) = root.with_timeout(SHORT);
    assert_eq!(ctx.wait(), ContextError::DeadlineExceeded);
    let (parent, _h3) = root.with_deadline(soon());
    let (child, _h4) = parent.with_value("key", 1).with_deadline(Instant::now() + HOUR);
    assert_eq!(child.wait(), ContextError::DeadlineExceeded);
    let (past, _h5) = root.with_deadline(Instant::now() - Duration::from_millis(1));
    assert_eq!(past.err(), EXCEEDED);
    let (now, _h6) = root.with_deadline(Instant::now());
    assert_eq!(now.err(), EXCEEDED);
}

#[test]
fn a_deadline_never_fires_early() {
    for _ in 0..20 {
        let at = Instant::now() + Duration::from_millis(2);
        let (ctx, _handle) = Context::background().with_deadline(at);
        ctx.wait();
        assert!(Instant::now() >= at);
    }
}

#[test]
fn an_earlier_deadline_set_later_is_not_missed() {
    // The timer thread sleeps for the first one when the second comes.
    let (late, _h1) = Context::background().with_timeout(HOUR);
    std::thread::sleep(SHORT);
    let (early, _h2) = Context::background().with_timeout(SHORT);
    assert_eq!(early.wait(), ContextError::DeadlineExceeded);
    assert!(!late.is_done());
}

// G10
#[test]
fn a_cancelled_timeout_is_cancelled() {
    let (parent, _h) = Context::background().with_timeout(HOUR);
    let (ctx, handle) = parent.with_value("key", 1).with_timeout(HOUR);
    handle.cancel();
    assert_eq!(ctx.err(), Some(ContextError::Canceled));
    assert_eq!(parent.err(), None);
}

// G48
#[test]
fn cancelling_what_was_born_expired_changes_nothing() {
    let (ctx, handle) = Context::background().with_timeout_cause(Duration::ZERO, "T");
    handle.cancel();
    assert_eq!((ctx.err(), cause_text(&ctx).as_deref()), (EXCEEDED, Some("T")));
}

// G51
#[test]
fn the_earlier_deadline_holds() {
    let now = Instant::now();
    let (parent, _h) = Context::background().with_deadline(now + HOUR);
    let (later, _h) = parent.with_deadline(now + 2 * HOUR);
    assert_eq!(later.deadline(), Some(now + HOUR));
    let (earlier, _h) = parent.with_deadline(now + HOUR / 2);
    assert_eq!(earlier.deadline(), Some(now + HOUR / 2));
    let (plain, _h) = earlier.with_value("key", 1).with_cancel();
    assert_eq!(plain.deadline(), Some(now + HOUR / 2));
    let detached = plain.without_cancel();
    assert_eq!(detached.deadline(), None);
    let (again, _h) = detached.with_deadline(now + 3 * HOUR);
    assert_eq!(again.deadline(), Some(now + 3 * HOUR));
}

#[test]
fn a_later_deadline_is_a_plain_cancel() {
    let (parent, _h) = Context::background().with_timeout(HOUR);
    let (child, _h) = parent.with_timeout(2 * HOUR);
    assert!(child.to_string().ends_with(".WithCancel"), "{child}");
}

#[test]
fn an_equal_deadline_keeps_its_own_cause() {
    for _ in 0..20 {
        let at = Instant::now() + SHORT;
        let (parent, _h1) = Context::background().with_deadline_cause(at, "parent");
        let (child, _h2) = parent.with_deadline_cause(at, "child");
        let (grandchild, _h3) = child.with_deadline_cause(at, "grandchild");
        grandchild.wait();
        parent.wait();
        child.wait();
        assert_eq!(cause_text(&parent).as_deref(), Some("parent"));
        assert_eq!(cause_text(&child).as_deref(), Some("child"));
        assert_eq!(cause_text(&grandchild).as_deref(), Some("grandchild"));
    }
}

#[test]
fn a_timeout_beyond_the_clock_is_no_deadline() {
    let (ctx, handle) = Context::background().with_timeout(Duration::MAX);
    assert_eq!((ctx.deadline(), ctx.err()), (None, None));
    handle.cancel();
    assert!(ctx.is_done());
    let (budget, _h) = Context::background().with_budget(Duration::MAX, Duration::MAX);
    assert_eq!((budget.deadline(), budget.err()), (None, None));
    assert!(Context::background().with_timeout_cause(Duration::MAX, "T").0.deadline().is_none());
}

#[test]
fn budgets_leave_headroom() {
    let at = Instant::now() + HOUR;
    let (ctx, _h) = Context::background().with_deadline(at);
    let (part, _h) = ctx.with_budget(2 * HOUR, HOUR / 4);
    assert_eq!(part.deadline(), Some(at - HOUR / 4));
    let (short, _h) = ctx.with_budget(HOUR / 2, HOUR / 4);
    assert!(short.deadline().unwrap() <= Instant::now() + HOUR / 2);
    let (none_left, _h) = ctx.with_budget(HOUR, 2 * HOUR);
    assert_eq!(none_left.err(), EXCEEDED);
    let (absurd, _h) = ctx.with_budget(Duration::MAX, Duration::MAX);
    assert_eq!(absurd.err(), EXCEEDED);
    let (free, _h) = Context::background().with_budget(HOUR, 2 * HOUR);
    assert!(free.deadline().is_some() && !free.is_done());
    let (nothing, _h) = Context::background().with_budget(Duration::ZERO, Duration::ZERO);
    assert_eq!(nothing.err(), EXCEEDED);
}

#[test]
fn many_deadlines_fire_in_any_order_of_arming() {
    let now = Instant::now();
    let all: Vec<_> = (0..500_u32)
        .map(|i| Context::background().with_deadline(now + Duration::from_micros(u64::from(i * 7919 % 503) * 40)))
        .collect();
    for (ctx, _handle) in &all {
        assert_eq!(ctx.wait(), ContextError::DeadlineExceeded);
    }
}

#[test]
fn timers_of_dropped_contexts_do_nothing() {
    for _ in 0..1000 {
        drop(Context::background().with_timeout(Duration::from_micros(50)));
    }
    let (parent, _h) = Context::background().with_cancel();
    drop(parent.with_timeout(SHORT));
    assert_eq!(parent.child_count(), 0);
    std::thread::sleep(2 * SHORT);
    assert!(!parent.is_done());
}

#[test]
fn sleep_ends_with_time_or_with_the_context() {
    let (ctx, handle) = Context::background().with_cancel();
    let start = Instant::now();
    assert_eq!(block_on(ctx.sleep(SHORT)), Ok(()));
    assert!(start.elapsed() >= SHORT);
    assert_eq!(block_on(Context::background().sleep(Duration::ZERO)), Ok(()));
    let sleeper = std::thread::spawn({
        let ctx = ctx.clone();
        move || block_on(ctx.sleep(Duration::MAX))
    });
    handle.cancel();
    assert_eq!(sleeper.join().unwrap(), Err(ContextError::Canceled));
    assert_eq!(block_on(ctx.sleep(Duration::ZERO)), Err(ContextError::Canceled));
    let (short, _h) = Context::background().with_timeout(SHORT);
    assert_eq!(block_on(short.sleep(HOUR)), Err(ContextError::DeadlineExceeded));
}

#[test]
fn a_deadline_that_passes_leaves_the_parent() {
    let (parent, _h) = Context::background().with_cancel();
    let (child, _h) = parent.with_timeout(SHORT);
    child.wait();
    eventually("the child left", || parent.child_count() == 0);
    assert!(!parent.is_done());
}
