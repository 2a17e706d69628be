use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use crate::ContextError;

/// Why a context ended, in the words of whoever ended it.
///
/// Made from anything that converts into a boxed error: error types, `&str`, `String`. A `Cause`
/// is not itself an [`Error`]; it derefs to one, so that callers can downcast, and
/// [`into_error`](Cause::into_error) makes one to return. Cloning is cheap.
///
/// ```
/// use context::{Cause, Context, ContextError};
///
/// let (ctx, handle) = Context::background().with_cancel_cause();
/// handle.cancel("the user closed the tab");
/// assert_eq!(ctx.err(), Some(ContextError::Canceled));
/// assert_eq!(ctx.cause().unwrap().to_string(), "the user closed the tab");
///
/// let cause = Cause::from(std::fmt::Error);
/// assert!(cause.downcast_ref::<std::fmt::Error>().is_some());
/// ```
#[derive(Clone)]
pub struct Cause(Repr);

#[derive(Clone)]
enum Repr {
    Plain(ContextError),
    Custom(Arc<dyn Error + Send + Sync + 'static>),
}

impl Cause {
    /// The cause as an error to return, say with `?`. It prints as the cause does and has the
    /// same source.
    ///
    /// ```
    /// use std::error::Error;
    ///
    /// fn work(ctx: &context::Context) -> Result<(), Box<dyn Error + Send + Sync>> {
    ///     match ctx.cause() {
    ///         Some(cause) => Err(cause.into_error()),
    ///         None => Ok(()),
    ///     }
    /// }
    /// let (ctx, handle) = context::background().with_cancel_cause();
    /// handle.cancel("no more");
    /// assert_eq!(work(&ctx).unwrap_err().to_string(), "no more");
    /// ```
    #[must_use]
    pub fn into_error(self) -> Box<dyn Error + Send + Sync + 'static> {
        Box::new(Returned(self))
    }

    pub(crate) fn plain(error: ContextError) -> Cause {
        Cause(Repr::Plain(error))
    }

    /// The cause as a context error, when it is no more than that.
    pub(crate) fn is_plain(&self, error: ContextError) -> bool {
        matches!(self.0, Repr::Plain(own) if own == error)
    }
}

/// A cause that is an error itself, which [`Cause`] cannot be: it is made from errors.
struct Returned(Cause);

impl fmt::Debug for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Returned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Returned {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl<E: Into<Box<dyn Error + Send + Sync + 'static>>> From<E> for Cause {
    fn from(error: E) -> Cause {
        let boxed = error.into();
        match boxed.downcast_ref::<ContextError>() {
            Some(plain) => Cause::plain(*plain),
            None => Cause(Repr::Custom(Arc::from(boxed))),
        }
    }
}

impl Deref for Cause {
    type Target = dyn Error + Send + Sync + 'static;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Repr::Plain(error) => error.as_static(),
            Repr::Custom(error) => &**error,
        }
    }
}

impl AsRef<dyn Error + Send + Sync + 'static> for Cause {
    fn as_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &**self
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

// The error inside is only ever shared by reference; a panic while it is formatted leaves this
// crate's data whole.
impl UnwindSafe for Cause {}
impl RefUnwindSafe for Cause {}
