//! The context of a request as an [axum](https://docs.rs/axum) extractor.
//!
//! ```
//! use axum::{Router, routing::get};
//! use context::Context;
//! use context::axum::RequestContext;
//! use context::tower::RequestContextLayer;
//!
//! async fn hello(RequestContext(ctx): RequestContext) -> String {
//!     format!("{:?} left", ctx.remaining())
//! }
//! let app: Router = Router::new().route("/", get(hello)).layer(RequestContextLayer::new(Context::background()));
//! # drop(app);
//! ```

use std::convert::Infallible;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use crate::Context;
use crate::http::RequestExt;

/// Extracts the request's context, as stored by
/// [`RequestContextLayer`](crate::tower::RequestContextLayer); [`Context::todo`] if there is none.
///
/// ```
/// use context::axum::RequestContext;
///
/// async fn handler(RequestContext(ctx): RequestContext) -> String {
///     format!("time left: {:?}", ctx.deadline())
/// }
/// # let _ = handler;
/// ```
#[derive(Debug, Clone)]
pub struct RequestContext(pub Context);

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<RequestContext, Infallible> {
        Ok(RequestContext(parts.context()))
    }
}

/// `None` where no layer has stored a context.
impl<S: Sync> OptionalFromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<RequestContext>, Infallible> {
        Ok(parts.extensions.get::<Context>().cloned().map(RequestContext))
    }
}
