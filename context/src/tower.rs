//! One context for each request, as a [`tower`](https://docs.rs/tower) layer.
//!
//! ```
//! use context::Context;
//! use context::tower::RequestContextLayer;
//!
//! let (server, shutdown) = Context::background().with_cancel();
//! let layer = RequestContextLayer::new(server); // for a tower, axum or tonic server
//! # drop((layer, shutdown));
//! ```

mod body;
mod layer;
mod timeout;

pub use self::body::ContextBody;
pub use self::layer::{RequestContext, RequestContextLayer, ResponseFuture};
pub use self::timeout::TimeoutFormat;
