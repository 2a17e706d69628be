//! One context for each request, as a [`tower`](https://docs.rs/tower) layer.

mod body;
mod layer;
mod timeout;

pub use self::body::ContextBody;
pub use self::layer::{RequestContext, RequestContextLayer, ResponseFuture};
pub use self::timeout::TimeoutFormat;
