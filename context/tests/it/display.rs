//! How chains print.

use std::time::{Duration, Instant};

use context::Context;

use crate::support::HOUR;

#[derive(PartialEq, Eq)]
struct RequestId;

#[derive(PartialEq, Eq)]
struct Typed<T>(Vec<T>);

// G05, G06, G07
#[test]
fn chains_print_as_in_go() {
    assert_eq!(Context::background().to_string(), "context.Background");
    assert_eq!(Context::todo().to_string(), "context.TODO");
    let (ctx, _h) = Context::background().with_cancel();
    assert_eq!(ctx.to_string(), "context.Background.WithCancel");
    let ctx = ctx.with_value(RequestId, "secret").without_cancel();
    assert_eq!(ctx.to_string(), "context.Background.WithCancel.WithValue(RequestId).WithoutCancel");
}

#[test]
fn key_types_lose_their_paths() {
    let ctx = Context::todo().with_value("text", 1).with_value(Typed(vec![RequestId]), 2);
    assert_eq!(ctx.to_string(), "context.TODO.WithValue(&str).WithValue(Typed<RequestId>)");
}

// G08
#[test]
fn deadlines_print_as_the_time_left() {
    let (ctx, _h) = Context::background().with_timeout(HOUR);
    assert!(ctx.to_string().starts_with("context.Background.WithDeadline(in 3"), "{ctx}");
    let (past, _h) = Context::background().with_deadline(Instant::now() - Duration::from_millis(1500));
    assert_eq!(past.to_string(), "context.Background.WithDeadline(1.5s ago)");
}

#[test]
fn owners_print_inside() {
    let (server, _h) = Context::background().with_cancel();
    let request = Context::todo().with_value(RequestId, 1);
    assert_eq!(
        request.reparent(&server).to_string(),
        "context.TODO.WithValue(RequestId).Reparent(context.Background.WithCancel)"
    );
    let (merged, _h) = server.merge(&request.reparent(&server));
    assert_eq!(
        merged.to_string(),
        "context.Background.WithCancel.Merge(context.TODO.WithValue(RequestId).Reparent(context.Background.WithCancel))"
    );
}

#[test]
fn debug_shows_chain_and_error_but_no_values() {
    let (ctx, handle) = Context::background().with_value(RequestId, "secret").with_cancel();
    assert_eq!(format!("{ctx:?}"), "Context { chain: context.Background.WithValue(RequestId).WithCancel, err: None }");
    handle.cancel();
    assert!(format!("{ctx:?}").ends_with("err: Some(Canceled) }"));
    assert!(format!("{handle:?}").contains("Canceled"));
    assert!(!format!("{:?} {:?}", ctx.done(), handle.guard()).is_empty());
}
