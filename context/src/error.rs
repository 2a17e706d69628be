use std::error::Error;
use std::fmt;
use std::io;

/// Why a context is done.
///
/// The text of both matches Go's: `context canceled` and `context deadline exceeded`.
///
/// ```
/// use context::{Context, ContextError};
///
/// let (ctx, handle) = Context::background().with_cancel();
/// assert_eq!(ctx.err(), None);
/// handle.cancel();
/// assert_eq!(ctx.err(), Some(ContextError::Canceled));
/// assert_eq!(ContextError::Canceled.to_string(), "context canceled");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContextError {
    /// Somebody cancelled the context or one of its ancestors.
    Canceled,
    /// The deadline of the context or of one of its ancestors passed.
    DeadlineExceeded,
}

impl ContextError {
    /// Whether a deadline ended the context.
    ///
    /// ```
    /// use context::ContextError;
    /// assert!(ContextError::DeadlineExceeded.is_timeout());
    /// assert!(!ContextError::Canceled.is_timeout());
    /// ```
    #[must_use]
    pub fn is_timeout(self) -> bool {
        self == ContextError::DeadlineExceeded
    }

    pub(crate) fn as_static(self) -> &'static (dyn Error + Send + Sync + 'static) {
        match self {
            ContextError::Canceled => &ContextError::Canceled,
            ContextError::DeadlineExceeded => &ContextError::DeadlineExceeded,
        }
    }
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ContextError::Canceled => "context canceled",
            ContextError::DeadlineExceeded => "context deadline exceeded",
        })
    }
}

impl Error for ContextError {}

/// A passed deadline is [`io::ErrorKind::TimedOut`], a cancellation is [`io::ErrorKind::Other`]
/// (never `Interrupted`, which std's readers and writers retry).
///
/// ```
/// let error: std::io::Error = context::ContextError::DeadlineExceeded.into();
/// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
/// ```
impl From<ContextError> for io::Error {
    fn from(error: ContextError) -> io::Error {
        let kind = match error {
            ContextError::Canceled => io::ErrorKind::Other,
            ContextError::DeadlineExceeded => io::ErrorKind::TimedOut,
        };
        io::Error::new(kind, error)
    }
}
