//! Contexts of [tonic](https://docs.rs/tonic) requests.
//!
//! On the server, [`RequestContextLayer`](crate::tower::RequestContextLayer) as a layer of
//! `tonic::transport::Server` gives each call its context, with the client's `grpc-timeout` as
//! deadline; [`RequestExt::context`] finds it. On the client, [`RequestExt::set_context`] attaches
//! a context to a call, and the [`SendDeadline`] interceptor sends the time that remains.
//!
//! ```
//! use std::time::Duration;
//! use context::Context;
//! use context::tonic::{RequestExt, SendDeadline};
//! use tonic::service::Interceptor;
//!
//! let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(5));
//! let mut call = tonic::Request::new(());
//! call.set_context(&ctx);
//! let sent = SendDeadline::default().call(call).unwrap();
//! assert!(sent.metadata().contains_key("grpc-timeout"));
//! ```

use ::tonic::metadata::MetadataValue;
use ::tonic::service::Interceptor;
use ::tonic::{Request, Status};

use crate::{Context, ContextError, grpc_timeout};

/// Gives and sets the context of a request.
///
/// ```
/// use std::time::Duration;
/// use context::Context;
/// use context::tonic::RequestExt;
///
/// // In a client: the call ends with the context of whoever makes it.
/// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(5));
/// let mut request = tonic::Request::new("message");
/// request.set_context(&ctx);
/// assert!(request.context().deadline().is_some());
/// ```
pub trait RequestExt {
    /// The context stored in the request's extensions; [`Context::todo`] if there is none.
    ///
    /// ```
    /// use context::tonic::RequestExt;
    ///
    /// let request = tonic::Request::new("message");
    /// assert_eq!(request.context().to_string(), "context.TODO");
    /// ```
    fn context(&self) -> Context;

    /// Stores a context in the request's extensions, where [`SendDeadline`] looks for it.
    ///
    /// ```
    /// use context::Context;
    /// use context::tonic::RequestExt;
    ///
    /// let mut request = tonic::Request::new("message");
    /// request.set_context(&Context::background());
    /// assert_eq!(request.context().to_string(), "context.Background");
    /// ```
    fn set_context(&mut self, ctx: &Context);
}

impl<T> RequestExt for Request<T> {
    fn context(&self) -> Context {
        self.extensions().get::<Context>().cloned().unwrap_or_else(Context::todo)
    }

    fn set_context(&mut self, ctx: &Context) {
        self.extensions_mut().insert(ctx.clone());
    }
}

/// Sends the time that remains of a call's context as its `grpc-timeout`, rounded down, unless
/// the call has a shorter one; refuses the call when the context is done.
///
/// The context is the request's own (see [`RequestExt::set_context`]); without one, that of the
/// interceptor.
///
/// ```
/// use std::time::Duration;
/// use context::Context;
/// use context::tonic::{RequestExt, SendDeadline};
/// use tonic::service::Interceptor;
///
/// let (ctx, handle) = Context::background().with_timeout(Duration::from_secs(5));
/// let mut request = tonic::Request::new(());
/// request.set_context(&ctx);
///
/// // With a generated client: Client::with_interceptor(channel, SendDeadline::default())
/// let request = SendDeadline::default().call(request).unwrap();
/// assert!(request.metadata().contains_key("grpc-timeout"));
///
/// handle.cancel();
/// let refused = SendDeadline::new(ctx).call(tonic::Request::new(())).unwrap_err();
/// assert_eq!(refused.code(), tonic::Code::Cancelled);
/// ```
#[derive(Debug, Clone, Default)]
pub struct SendDeadline {
    ctx: Context,
}

impl SendDeadline {
    /// Uses `ctx` for calls that have no context of their own.
    ///
    /// ```
    /// let interceptor = context::tonic::SendDeadline::new(context::background());
    /// # drop(interceptor);
    /// ```
    #[must_use]
    pub fn new(ctx: Context) -> SendDeadline {
        SendDeadline { ctx }
    }
}

impl Interceptor for SendDeadline {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let ctx = request.extensions().get::<Context>().unwrap_or(&self.ctx);
        if let Some(error) = ctx.err() {
            return Err(error.into());
        }
        let Some(left) = ctx.remaining() else { return Ok(request) };
        let asked = request.metadata().get(HEADER).and_then(|value| grpc_timeout::parse(value.to_str().ok()?));
        if asked.is_none_or(|asked| left < asked)
            && let Ok(value) = MetadataValue::try_from(grpc_timeout::format(left))
        {
            request.metadata_mut().insert(HEADER, value);
        }
        Ok(request)
    }
}

const HEADER: &str = "grpc-timeout";

/// `Cancelled` or `DeadlineExceeded`, with the error's text.
///
/// ```
/// let status = tonic::Status::from(context::ContextError::DeadlineExceeded);
/// assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
/// ```
impl From<ContextError> for Status {
    fn from(error: ContextError) -> Status {
        match error {
            ContextError::Canceled => Status::cancelled(error.to_string()),
            ContextError::DeadlineExceeded => Status::deadline_exceeded(error.to_string()),
        }
    }
}
