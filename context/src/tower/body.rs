use std::pin::Pin;
use std::task::{Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::CancelGuard;

pin_project! {
    /// A response body that ends its request's context: at its end, at an error, or when dropped.
    ///
    /// ```
    /// use context::tower::ContextBody;
    /// let empty = ContextBody::<String>::default();
    /// assert!(http_body::Body::is_end_stream(&empty));
    /// ```
    pub struct ContextBody<B> {
        #[pin]
        inner: B,
        guard: Option<CancelGuard>,
    }
}

impl<B: Body> ContextBody<B> {
    pub(super) fn new(inner: B, guard: Option<CancelGuard>) -> ContextBody<B> {
        let guard = if inner.is_end_stream() { None } else { guard };
        ContextBody { inner, guard }
    }
}

impl<B: Body> Body for ContextBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        // Whoever sees the end announced does not poll again.
        if !matches!(frame, Some(Ok(_))) || this.inner.is_end_stream() {
            drop(this.guard.take());
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B: Default> Default for ContextBody<B> {
    fn default() -> ContextBody<B> {
        ContextBody { inner: B::default(), guard: None }
    }
}

impl<B> std::fmt::Debug for ContextBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContextBody").field("guard", &self.guard).finish_non_exhaustive()
    }
}
