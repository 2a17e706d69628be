//! Errors and causes.

use std::time::{Duration, Instant};

use context::{Context, ContextError};

use crate::support::{HOUR, cause_text};

const CANCELED: &str = "context canceled";
const DEADLINE: &str = "context deadline exceeded";

#[track_caller]
fn check(ctx: &Context, error: Option<ContextError>, cause: Option<&str>) {
    assert_eq!(ctx.err(), error, "{ctx}");
    assert_eq!(cause_text(ctx).as_deref(), cause, "{ctx}");
    assert_eq!(ctx.is_done(), error.is_some());
    // G52: values in between change nothing.
    let view = ctx.with_value("a", 1).with_value("b", 2);
    assert_eq!((view.err(), cause_text(&view).as_deref()), (error, cause));
}

// G23, in the order of Go's table.
#[test]
fn causes_as_in_go() {
    let canceled = Some(ContextError::Canceled);
    let exceeded = Some(ContextError::DeadlineExceeded);
    let root = Context::background();

    check(&root, None, None);
    check(&Context::todo(), None, None);

    let (ctx, handle) = root.with_cancel();
    handle.cancel();
    check(&ctx, canceled, Some(CANCELED));

    let (ctx, handle) = root.with_cancel_cause();
    handle.cancel("E");
    check(&ctx, canceled, Some("E"));

    let (ctx, handle) = root.with_cancel_cause();
    handle.cancel(ContextError::Canceled);
    check(&ctx, canceled, Some(CANCELED));

    // Parent first, then child.
    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, cancel_child) = parent.with_cancel_cause();
    cancel_parent.cancel("E1");
    cancel_child.cancel("E2");
    check(&parent, canceled, Some("E1"));
    check(&child, canceled, Some("E1"));

    // Child first, then parent.
    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, cancel_child) = parent.with_cancel_cause();
    cancel_child.cancel("E2");
    cancel_parent.cancel("E1");
    check(&parent, canceled, Some("E1"));
    check(&child, canceled, Some("E2"));

    // A plain child after and before its parent.
    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, cancel_child) = parent.with_cancel();
    cancel_parent.cancel("E1");
    cancel_child.cancel();
    check(&child, canceled, Some("E1"));
    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, cancel_child) = parent.with_cancel();
    cancel_child.cancel();
    cancel_parent.cancel("E1");
    check(&child, canceled, Some(CANCELED));

    // A plain parent before and after its child.
    let (parent, cancel_parent) = root.with_cancel();
    let (child, cancel_child) = parent.with_cancel_cause();
    cancel_parent.cancel();
    cancel_child.cancel("E2");
    check(&child, canceled, Some(CANCELED));
    let (parent, cancel_parent) = root.with_cancel();
    let (child, cancel_child) = parent.with_cancel_cause();
    cancel_child.cancel("E2");
    cancel_parent.cancel();
    check(&child, canceled, Some("E2"));

    let (ctx, handle) = root.with_timeout(Duration::ZERO);
    handle.cancel();
    check(&ctx, exceeded, Some(DEADLINE));
    let (ctx, handle) = root.with_timeout(HOUR);
    handle.cancel();
    check(&ctx, canceled, Some(CANCELED));
    let (ctx, _handle) = root.with_timeout_cause(Duration::ZERO, "T");
    check(&ctx, exceeded, Some("T"));
    let (ctx, handle) = root.with_timeout_cause(HOUR, "T");
    handle.cancel();
    check(&ctx, canceled, Some(CANCELED));

    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, _handle) = parent.with_timeout_cause(Duration::ZERO, "T");
    cancel_parent.cancel("E");
    check(&child, exceeded, Some("T"));
    let (parent, cancel_parent) = root.with_cancel_cause();
    let (child, _handle) = parent.with_timeout_cause(HOUR, "T");
    cancel_parent.cancel("E");
    check(&child, canceled, Some("E"));

    check(&root.without_cancel(), None, None);
    let (ctx, handle) = root.with_cancel_cause();
    handle.cancel("E");
    check(&ctx.without_cancel(), None, None);
    let (ctx, _handle) = root.with_timeout_cause(Duration::ZERO, "T");
    check(&ctx.without_cancel(), None, None);
}

// G17
#[test]
fn born_done_with_the_parents_error_and_cause() {
    let (parent, handle) = Context::background().with_cancel_cause();
    handle.cancel("E");
    let (child, _h) = parent.with_cancel_cause();
    check(&child, Some(ContextError::Canceled), Some("E"));
    let (parent, _h) = Context::background().with_timeout_cause(Duration::ZERO, "T");
    let (child, child_handle) = parent.with_cancel_cause();
    child_handle.cancel("late");
    check(&child, Some(ContextError::DeadlineExceeded), Some("T"));
}

// G47
#[test]
fn a_done_parent_beats_a_past_deadline() {
    let (parent, handle) = Context::background().with_cancel_cause();
    handle.cancel("E");
    let (child, _h) = parent.with_deadline_cause(Instant::now(), "T");
    check(&child, Some(ContextError::Canceled), Some("E"));
}

// G24
#[test]
fn the_first_cause_seen_is_the_cause() {
    for _ in 0..100 {
        let (ctx, handle) = Context::background().with_cancel_cause();
        let (child, _h) = ctx.with_cancel();
        std::thread::scope(|scope| {
            for ctx in [&ctx, &child] {
                scope.spawn(move || {
                    loop {
                        if let Some(cause) = ctx.cause() {
                            assert_eq!(cause.to_string(), "E");
                            break;
                        }
                        std::hint::spin_loop();
                    }
                });
            }
            handle.cancel("E");
        });
    }
}

#[test]
fn a_cause_keeps_its_type_through_generations() {
    #[derive(Debug, PartialEq)]
    struct Quota(u32);
    impl std::fmt::Display for Quota {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "quota {}", self.0)
        }
    }
    impl std::error::Error for Quota {}
    let (parent, handle) = Context::background().with_cancel_cause();
    let (child, _h) = parent.with_value("a", 1).with_timeout(HOUR);
    handle.cancel(Quota(7));
    assert_eq!(child.cause().unwrap().downcast_ref::<Quota>(), Some(&Quota(7)));
}
