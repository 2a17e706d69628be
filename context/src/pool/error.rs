use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::Cause;

/// Why a pool did not take work.
///
/// ```
/// use context::pool::SubmitError;
/// fn status(error: SubmitError) -> u16 {
///     match error {
///         SubmitError::Quota => 429,
///         _ => 503,
///     }
/// }
/// assert_eq!(status(SubmitError::Full), 503);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SubmitError {
    /// All workers are busy and the queue is full.
    Full,
    /// The tenant has as much accepted work as it may.
    Quota,
    /// The pool is draining, or has been drained.
    Draining,
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Full => "the pool's queue is full",
            SubmitError::Quota => "the tenant's quota is used up",
            SubmitError::Draining => "the pool is draining",
        })
    }
}

impl Error for SubmitError {}

/// How an operation ended: after its last attempt.
///
/// ```
/// use context::pool::Outcome;
/// assert!(Outcome::Succeeded.is_success());
/// assert_eq!(Outcome::Panicked("boom".into()).to_string(), "panicked: boom");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned nothing, or `Ok`.
    Succeeded,
    /// It returned an error.
    Failed(Cause),
    /// It panicked, with this message.
    Panicked(String),
    /// It took longer than its limit, and was dropped.
    TimedOut,
    /// It was stopped through its handle.
    Stopped,
    /// The pool was cut off at the end of a drain, or the runtime was shut down.
    Cut,
}

impl Outcome {
    /// Whether it succeeded.
    ///
    /// ```
    /// assert!(context::pool::Outcome::Succeeded.is_success());
    /// ```
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Outcome::Succeeded)
    }

    /// Whether another attempt may help.
    pub(super) fn is_retriable(&self) -> bool {
        matches!(self, Outcome::Failed(_) | Outcome::Panicked(_) | Outcome::TimedOut)
    }

    /// A word for metrics.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Outcome::Succeeded => "succeeded",
            Outcome::Failed(_) => "failed",
            Outcome::Panicked(_) => "panicked",
            Outcome::TimedOut => "timed_out",
            Outcome::Stopped => "stopped",
            Outcome::Cut => "cut",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Failed(cause) => write!(f, "failed: {cause}"),
            Outcome::Panicked(message) => write!(f, "panicked: {message}"),
            Outcome::TimedOut => f.write_str("took too long"),
            Outcome::Succeeded | Outcome::Stopped | Outcome::Cut => f.write_str(self.word()),
        }
    }
}

/// An operation that failed for good: accepted, and not done.
///
/// ```
/// # use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// pool.submit(&Context::background(), "mail", |_| async { Err::<(), _>("no route") })?.wait().await;
/// let letter = &pool.recent_failures()[0].letter;
/// assert_eq!((letter.name.as_ref(), letter.attempts), ("mail", 1));
/// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The operation's name.
    pub name: Cow<'static, str>,
    /// Whose it was, if the pool has [quotas](super::Builder::quota).
    pub tenant: Option<String>,
    /// How many attempts were made; 0 if it never began.
    pub attempts: u32,
    /// How the last one ended.
    pub outcome: Outcome,
}

/// How a drain went.
///
/// ```
/// # use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// let report = pool.drain(&Context::background()).await;
/// assert!(report.cut.is_empty() && report.stuck.is_empty());
/// # });
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The names of what had not ended when the patience did.
    pub cut: Vec<Cow<'static, str>>,
    /// The names of what blocks its thread, so that it could not be dropped.
    pub stuck: Vec<Cow<'static, str>>,
}

impl Report {
    /// Whether all that was accepted has ended in time.
    ///
    /// ```
    /// assert!(context::pool::Report::default().is_clean());
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.cut.is_empty()
    }
}
