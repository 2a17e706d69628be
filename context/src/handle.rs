use std::fmt;

use crate::node::{CancelNode, End};
use crate::refs::Ref;
use crate::{Cause, ContextError, walk};

/// Cancels a context and everything derived from it.
///
/// Cloning is cheap, and any clone may cancel, from any thread, any number of times: the first
/// cancellation counts. Dropping a handle does **not** cancel; for that, turn it into a
/// [`CancelGuard`] with [`guard`](CancelHandle::guard).
///
/// ```
/// let (ctx, handle) = context::background().with_cancel();
/// handle.cancel();
/// assert!(ctx.is_done());
/// ```
#[must_use = "a context whose handle is lost can not be cancelled; call `guard()` to cancel at the end of the scope"]
#[derive(Clone)]
pub struct CancelHandle(Ref<CancelNode>);

impl CancelHandle {
    pub(crate) fn new(node: Ref<CancelNode>) -> CancelHandle {
        CancelHandle(node)
    }

    /// Cancels the context. On return every context derived from it is done too, also when
    /// another thread's cancellation came first.
    ///
    /// Wakers of waiting tasks are called on this thread; callbacks of
    /// [`after_func`](crate::Context::after_func) are not, nor are they waited for.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// let child = ctx.with_value("user", 7);
    /// handle.cancel();
    /// handle.cancel();
    /// assert!(child.is_done());
    /// ```
    pub fn cancel(&self) {
        walk::cancel(&self.0, End::new(ContextError::Canceled, None));
    }

    /// Cancels when the returned guard is dropped: Go's `defer cancel()`.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// {
    ///     let _guard = handle.guard();
    ///     assert!(!ctx.is_done());
    /// }
    /// assert!(ctx.is_done());
    /// ```
    pub fn guard(self) -> CancelGuard {
        CancelGuard(Some(self.0))
    }
}

/// Cancels a context with a cause.
///
/// See [`CancelHandle`] for what cancelling means.
///
/// ```
/// let (ctx, handle) = context::background().with_cancel_cause();
/// handle.cancel("lost the lease");
/// assert_eq!(ctx.cause().unwrap().to_string(), "lost the lease");
/// ```
#[must_use = "a context whose handle is lost can not be cancelled; call `guard()` to cancel at the end of the scope"]
#[derive(Clone)]
pub struct CancelCauseHandle(Ref<CancelNode>);

impl CancelCauseHandle {
    pub(crate) fn new(node: Ref<CancelNode>) -> CancelCauseHandle {
        CancelCauseHandle(node)
    }

    /// Cancels the context and says why. The first cancellation wins: a later one changes
    /// neither the error nor the cause.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel_cause();
    /// handle.cancel("first");
    /// handle.cancel("second");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "first");
    /// ```
    pub fn cancel(&self, cause: impl Into<Cause>) {
        walk::cancel(&self.0, End::new(ContextError::Canceled, Some(cause.into())));
    }

    /// Cancels when the returned guard is dropped, with the cause
    /// [`ContextError::Canceled`](crate::ContextError::Canceled).
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel_cause();
    /// drop(handle.guard());
    /// assert_eq!(ctx.cause().unwrap().to_string(), "context canceled");
    /// ```
    pub fn guard(self) -> CancelGuard {
        CancelGuard(Some(self.0))
    }
}

/// Cancels its context when dropped.
///
/// ```
/// fn work() -> context::Context {
///     let (ctx, handle) = context::background().with_cancel();
///     let _guard = handle.guard();
///     ctx // whichever way the function ends, the context ends with it
/// }
/// assert!(work().is_done());
/// ```
#[must_use = "a guard that is dropped at once cancels at once; bind it to a name: `let _guard = ...`"]
pub struct CancelGuard(Option<Ref<CancelNode>>);

impl CancelGuard {
    /// Lets the context live on.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// handle.guard().disarm();
    /// assert!(!ctx.is_done());
    /// ```
    pub fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if let Some(node) = &self.0 {
            walk::cancel(node, End::new(ContextError::Canceled, None));
        }
    }
}

impl fmt::Debug for CancelHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelHandle").field("err", &self.0.error()).finish()
    }
}

impl fmt::Debug for CancelCauseHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelCauseHandle").field("err", &self.0.error()).finish()
    }
}

impl fmt::Debug for CancelGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelGuard").field("armed", &self.0.is_some()).finish()
    }
}
