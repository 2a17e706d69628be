//! Metrics by the name of the operation; nothing without the feature `metrics`.

use std::time::Duration;

use super::error::{Outcome, SubmitError};

#[cfg(feature = "metrics")]
fn wait_for_worker(name: &str, change: f64) {
    metrics::gauge!("context_pool_queued", "operation" => name.to_owned()).increment(change);
}

/// It is in the queue, again.
#[cfg(feature = "metrics")]
pub(super) fn queued(name: &str) {
    wait_for_worker(name, 1.0);
}

/// It has left the queue, other than to a worker.
#[cfg(feature = "metrics")]
pub(super) fn unqueued(name: &str) {
    wait_for_worker(name, -1.0);
}

#[cfg(feature = "metrics")]
pub(super) fn submitted(name: &str) {
    queued(name);
    metrics::counter!("context_pool_submitted_total", "operation" => name.to_owned()).increment(1);
}

#[cfg(feature = "metrics")]
pub(super) fn refused(name: &str, why: SubmitError) {
    let why = match why {
        SubmitError::Full => "full",
        SubmitError::Quota => "quota",
        SubmitError::Draining => "draining",
    };
    metrics::counter!("context_pool_refused_total", "operation" => name.to_owned(), "reason" => why).increment(1);
}

#[cfg(feature = "metrics")]
pub(super) fn began(name: &str) {
    unqueued(name);
    metrics::gauge!("context_pool_inflight", "operation" => name.to_owned()).increment(1.0);
}

/// An attempt has ended.
#[cfg(feature = "metrics")]
pub(super) fn attempted(name: &str, outcome: &Outcome, took: Duration) {
    metrics::gauge!("context_pool_inflight", "operation" => name.to_owned()).decrement(1.0);
    metrics::histogram!(
        "context_pool_attempt_seconds", "operation" => name.to_owned(), "outcome" => outcome.word()
    )
    .record(took);
}

/// An operation has ended.
#[cfg(feature = "metrics")]
pub(super) fn ended(name: &str, outcome: &Outcome) {
    metrics::counter!("context_pool_ended_total", "operation" => name.to_owned(), "outcome" => outcome.word())
        .increment(1);
}

#[cfg(not(feature = "metrics"))]
mod nothing {
    use super::{Duration, Outcome, SubmitError};

    pub(in crate::pool) fn queued(_: &str) {}
    pub(in crate::pool) fn unqueued(_: &str) {}
    pub(in crate::pool) fn submitted(_: &str) {}
    pub(in crate::pool) fn refused(_: &str, _: SubmitError) {}
    pub(in crate::pool) fn began(_: &str) {}
    pub(in crate::pool) fn attempted(_: &str, _: &Outcome, _: Duration) {}
    pub(in crate::pool) fn ended(_: &str, _: &Outcome) {}
}

#[cfg(not(feature = "metrics"))]
pub(super) use self::nothing::{attempted, began, ended, queued, refused, submitted, unqueued};
