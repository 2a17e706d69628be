//! Cancellation, deadlines and request-scoped values in one cheap handle.

mod callback;
mod cause;
mod context;
mod display;
mod done;
mod error;
mod executor;
#[cfg(feature = "tower")]
mod grpc_timeout;
mod handle;
mod heap;
mod key;
mod list;
mod node;
mod reap;
#[cfg(feature = "tokio-util")]
mod source;
mod sync;
mod timer;
mod view;
mod wait;
mod walk;

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "clock")]
pub mod clock;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "serde")]
pub mod serde;
#[cfg(feature = "tokio-util")]
pub mod tokio_util;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;

pub use self::callback::StopHandle;
pub use self::cause::Cause;
pub use self::context::{Context, background, todo};
pub use self::done::Done;
pub use self::error::ContextError;
pub use self::handle::{CancelCauseHandle, CancelGuard, CancelHandle};
pub use self::key::Key;
