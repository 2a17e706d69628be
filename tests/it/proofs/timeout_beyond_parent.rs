//! The earlier deadline holds, so the longer timeout below it never applies.

use std::time::Duration;

use context::{Context, ContextError};

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

#[test]
fn the_inner_timeout_has_no_effect() {
    let (request, cancel) = Context::background().with_timeout(SHORT);
    let _request = cancel.guard();
    let (query, cancel) = request.with_timeout_cause(LONG, "query");
    let _query = cancel.guard();

    assert_eq!(query.deadline(), request.deadline());
    assert_eq!(query.wait_timeout(Duration::from_secs(10)), Some(ContextError::DeadlineExceeded));
    assert_ne!(query.cause().unwrap().to_string(), "query");
}

#[test]
fn the_shorter_one_has() {
    let (request, cancel) = Context::background().with_timeout(LONG);
    let _request = cancel.guard();
    let (query, cancel) = request.with_timeout_cause(SHORT, "query");
    let _query = cancel.guard();

    assert_eq!(query.wait_timeout(Duration::from_secs(10)), Some(ContextError::DeadlineExceeded));
    assert_eq!(query.cause().unwrap().to_string(), "query");
    assert!(!request.is_done());
}
