//! The context of an [`http::Request`].
//!
//! ```
//! use context::Context;
//! use context::http::RequestExt;
//!
//! fn route<B>(request: &http::Request<B>) -> Context {
//!     request.context()
//! }
//! # route(&http::Request::new(()));
//! ```

use crate::Context;

/// Gives the context of a request.
///
/// ```
/// use context::http::RequestExt;
/// let (parts, ()) = http::Request::new(()).into_parts();
/// assert_eq!(parts.context().to_string(), "context.TODO");
/// ```
pub trait RequestExt {
    /// The context stored in the request's extensions, as by
    /// `context::tower::RequestContextLayer`; [`Context::todo`] if there is
    /// none.
    ///
    /// ```
    /// use context::Context;
    /// use context::http::RequestExt;
    ///
    /// let mut request = http::Request::new(());
    /// assert_eq!(request.context().to_string(), "context.TODO");
    ///
    /// let (ctx, handle) = Context::background().with_cancel();
    /// request.extensions_mut().insert(ctx);
    /// handle.cancel();
    /// assert!(request.context().is_done());
    /// ```
    fn context(&self) -> Context;
}

impl<B> RequestExt for ::http::Request<B> {
    fn context(&self) -> Context {
        of_extensions(self.extensions())
    }
}

impl RequestExt for ::http::request::Parts {
    fn context(&self) -> Context {
        of_extensions(&self.extensions)
    }
}

fn of_extensions(extensions: &::http::Extensions) -> Context {
    extensions.get::<Context>().cloned().unwrap_or_else(Context::todo)
}
