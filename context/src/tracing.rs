//! Contexts in [tracing](https://docs.rs/tracing) spans, and spans in contexts.
//!
//! A span does not follow work that is spawned or detached by itself. A context does, and can
//! carry the span along: [`ContextExt::with_current_span`] stores it as a value, which survives
//! [`Context::without_cancel`] and [`Context::reparent`], and [`ContextExt::in_span`] runs a
//! future inside of it.
//!
//! ```
//! use context::Context;
//! use context::tracing::ContextExt;
//!
//! fn audit(request: &Context) -> impl Future<Output = ()> + Send + 'static {
//!     let ctx = request.detach_with_span();
//!     ctx.in_span(async { tracing::info!("written, in the span of the request") })
//! }
//! # drop(audit(&context::background()));
//! ```

use std::future::Future;

use ::tracing::instrument::{Instrument, Instrumented};
use ::tracing::{Span, field};

use crate::Context;

/// The key of the span in a context.
#[derive(PartialEq, Eq)]
struct SpanKey;

/// Carries spans in contexts.
///
/// ```
/// use context::tracing::ContextExt;
/// let ctx = context::background().with_span(tracing::info_span!("startup"));
/// ctx.span().in_scope(|| tracing::info!("ready"));
/// ```
pub trait ContextExt {
    /// Derives a context that carries the current span. Where there is none, it goes on carrying
    /// what it carries.
    ///
    /// ```
    /// use context::Context;
    /// use context::tracing::ContextExt;
    ///
    /// let ctx = tracing::info_span!("request").in_scope(|| Context::background().with_current_span());
    /// let audit = ctx.without_cancel();
    /// // Wherever the work goes, its events belong to the request:
    /// let work = audit.in_span(async { tracing::info!("written") });
    /// # drop(work);
    /// ```
    #[must_use]
    fn with_current_span(&self) -> Context;

    /// Derives a context that carries `span`.
    ///
    /// ```
    /// use context::tracing::ContextExt;
    /// let startup = tracing::info_span!("startup");
    /// let ctx = context::background().with_span(startup.clone());
    /// assert_eq!(ctx.span().id(), startup.id());
    /// ```
    #[must_use]
    fn with_span(&self, span: Span) -> Context;

    /// The span that the context carries; [`Span::none`] if there is none.
    ///
    /// ```
    /// use context::tracing::ContextExt;
    /// assert!(context::background().span().is_none());
    /// ```
    fn span(&self) -> Span;

    /// `future`, run inside of the span that the context carries.
    ///
    /// ```
    /// use context::tracing::ContextExt;
    /// # async fn work(ctx: context::Context) {
    /// // However the task comes to run, its events belong to the span of the request.
    /// ctx.in_span(async { tracing::info!("written") }).await;
    /// # }
    /// ```
    fn in_span<F: Future>(&self, future: F) -> Instrumented<F>;

    /// [`Context::without_cancel`] with the current span, else with the one that is carried already:
    /// detaches work and keeps it visible.
    ///
    /// ```
    /// use context::tracing::ContextExt;
    /// let (request, handle) = context::background().with_cancel();
    /// let audit = request.detach_with_span();
    /// handle.cancel();
    /// assert!(!audit.is_done());
    /// ```
    #[must_use]
    fn detach_with_span(&self) -> Context;

    /// Records the context in the fields of `span` that are declared: `context.chain`,
    /// `context.remaining_ms`, `context.err` and `context.cause`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::Context;
    /// use context::tracing::ContextExt;
    /// use tracing::field::Empty;
    ///
    /// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(5));
    /// let span = tracing::info_span!("query", context.chain = Empty, context.remaining_ms = Empty);
    /// ctx.record_in(&span);
    /// ```
    fn record_in(&self, span: &Span);
}

impl ContextExt for Context {
    fn with_current_span(&self) -> Context {
        let current = Span::current();
        if current.is_disabled() { self.clone() } else { self.with_span(current) }
    }

    fn with_span(&self, span: Span) -> Context {
        self.with_value(SpanKey, span)
    }

    fn span(&self) -> Span {
        self.value::<Span>(&SpanKey).cloned().unwrap_or_else(Span::none)
    }

    fn in_span<F: Future>(&self, future: F) -> Instrumented<F> {
        future.instrument(self.span())
    }

    fn detach_with_span(&self) -> Context {
        self.with_current_span().without_cancel()
    }

    fn record_in(&self, span: &Span) {
        span.record("context.chain", field::display(self));
        if let Some(left) = self.remaining() {
            span.record("context.remaining_ms", u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some(error) = self.err() {
            span.record("context.err", field::display(error));
        }
        if let Some(cause) = self.cause() {
            span.record("context.cause", field::display(cause));
        }
    }
}
