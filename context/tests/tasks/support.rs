//! What several test modules need.

use std::future::Future;
use std::time::{Duration, Instant};

/// Long enough that no test reaches it.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// Short, and what comes after it is waited for, not measured.
pub(crate) const SHORT: Duration = Duration::from_millis(5);

/// Waits until `condition` holds; fails after a time that only a bug takes.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < Duration::from_secs(20), "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Fails when the future takes a time that only a bug takes.
pub(crate) async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("never ended")
}

/// Tells when it is dropped.
pub(crate) struct OnDrop<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
