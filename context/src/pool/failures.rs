use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::error::DeadLetter;

/// How many failures a pool remembers.
const KEPT: usize = 32;

/// A failure that a pool remembers.
///
/// ```
/// # use context::pool::DetachedPool;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// for failure in pool.recent_failures() {
///     println!("{:?}: {} {}", failure.at, failure.letter.name, failure.letter.outcome);
/// }
/// # });
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecentFailure {
    /// When the operation was given up.
    pub at: SystemTime,
    /// What is known of it.
    pub letter: DeadLetter,
}

/// The last failures for good, the oldest first.
#[derive(Default)]
pub(super) struct Failures(Mutex<VecDeque<RecentFailure>>);

impl Failures {
    fn lock(&self) -> MutexGuard<'_, VecDeque<RecentFailure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn remember(&self, letter: DeadLetter) {
        let mut kept = self.lock();
        // The cause in it is foreign code when it is dropped: not before the lock is.
        let forgotten = if kept.len() < KEPT { None } else { kept.pop_front() };
        kept.push_back(RecentFailure { at: SystemTime::now(), letter });
        drop(kept);
        drop(forgotten);
    }

    /// The latest first.
    pub(super) fn latest(&self) -> Vec<RecentFailure> {
        self.lock().iter().rev().cloned().collect()
    }
}
