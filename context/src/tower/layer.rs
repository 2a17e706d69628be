use std::future::Future;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;

use ::http::{HeaderName, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::body::ContextBody;
use super::timeout::{TimeoutFormat, TimeoutSource};
use crate::{CancelGuard, Context};

/// Gives each request a context of its own, derived from a base context.
///
/// The context is stored in the request's extensions, where
/// [`RequestExt::context`](crate::http::RequestExt::context) and the `axum` extractor find it. It
/// is cancelled
/// - when the response future is dropped: the client went away before there was a response;
/// - when the response body is dropped: the client went away in the middle of it;
/// - when the response body has been sent.
///
/// Work that is to go on after the response needs a context of its own:
/// [`Context::without_cancel`], or [`Context::reparent`] to something that lives longer. That
/// includes what happens on an upgraded connection (a WebSocket), whose response has no body.
///
/// The time a client grants in the `grpc-timeout` header becomes the context's deadline; see
/// [`timeout_header`](RequestContextLayer::timeout_header) and
/// [`max_timeout`](RequestContextLayer::max_timeout).
///
/// ```
/// use std::time::Duration;
/// use context::Context;
/// use context::tower::{RequestContextLayer, TimeoutFormat};
///
/// let (server, shutdown) = Context::background().with_cancel();
/// let layer = RequestContextLayer::new(server)
///     .timeout_header(http::HeaderName::from_static("x-timeout-ms"), TimeoutFormat::Millis)
///     .max_timeout(Duration::from_secs(30));
/// // axum: Router::new().route(..).layer(layer)
/// # let _ = (layer, shutdown);
/// ```
#[derive(Debug, Clone)]
pub struct RequestContextLayer {
    base: Context,
    timeout: TimeoutSource,
}

impl RequestContextLayer {
    /// A layer whose contexts end, at the latest, with `base`. Deadlines are read from
    /// `grpc-timeout`.
    ///
    /// ```
    /// # use context::{Context, tower::RequestContextLayer};
    /// let layer = RequestContextLayer::new(Context::background());
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn new(base: Context) -> RequestContextLayer {
        let header = (HeaderName::from_static("grpc-timeout"), TimeoutFormat::Grpc);
        RequestContextLayer { base, timeout: TimeoutSource { header: Some(header), max: None } }
    }

    /// Reads the client's time limit from another header. A value that does not fit the format
    /// is as good as none.
    ///
    /// ```
    /// # use context::{Context, tower::RequestContextLayer};
    /// # use context::tower::TimeoutFormat;
    /// let header = http::HeaderName::from_static("x-envoy-expected-rq-timeout-ms");
    /// let layer = RequestContextLayer::new(Context::background()).timeout_header(header, TimeoutFormat::Millis);
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn timeout_header(mut self, name: HeaderName, format: TimeoutFormat) -> RequestContextLayer {
        self.timeout.header = Some((name, format));
        self
    }

    /// Takes no time limit from the client.
    ///
    /// ```
    /// # use context::{Context, tower::RequestContextLayer};
    /// let layer = RequestContextLayer::new(Context::background()).no_timeout_header();
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn no_timeout_header(mut self) -> RequestContextLayer {
        self.timeout.header = None;
        self
    }

    /// The longest time a request gets, whether its client asks for more or for nothing.
    ///
    /// ```
    /// # use context::{Context, tower::RequestContextLayer};
    /// # use std::time::Duration;
    /// let layer = RequestContextLayer::new(Context::background()).max_timeout(Duration::from_secs(30));
    /// # drop(layer);
    /// ```
    #[must_use]
    pub fn max_timeout(mut self, max: Duration) -> RequestContextLayer {
        self.timeout.max = Some(max);
        self
    }
}

impl<S> Layer<S> for RequestContextLayer {
    type Service = RequestContext<S>;

    fn layer(&self, inner: S) -> RequestContext<S> {
        RequestContext { inner, layer: self.clone() }
    }
}

/// The service made by [`RequestContextLayer`].
///
/// ```
/// use context::Context;
/// use context::tower::{RequestContext, RequestContextLayer};
/// use tower_layer::Layer;
/// # #[derive(Clone)] struct Shop;
/// let service: RequestContext<Shop> = RequestContextLayer::new(Context::background()).layer(Shop);
/// # drop(service);
/// ```
#[derive(Debug, Clone)]
pub struct RequestContext<S> {
    inner: S,
    layer: RequestContextLayer,
}

impl<S, B, R> Service<Request<B>> for RequestContext<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body,
{
    type Response = Response<ContextBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let base = &self.layer.base;
        let (ctx, handle) = match self.layer.timeout.of(request.headers()) {
            Some(timeout) => base.with_timeout(timeout),
            None => base.with_cancel(),
        };
        let guard = handle.guard();
        request.extensions_mut().insert(ctx);
        ResponseFuture { inner: self.inner.call(request), guard: Some(guard) }
    }
}

pin_project! {
    /// The response to come; cancels the request's context when dropped before it is there.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use context::Context;
    /// use context::tower::{ContextBody, RequestContextLayer};
    /// use http::{Request, Response};
    /// use tower_layer::Layer;
    /// use tower_service::Service;
    /// # struct Shop;
    /// # impl Service<Request<()>> for Shop {
    /// #     type Response = Response<String>;
    /// #     type Error = Infallible;
    /// #     type Future = std::future::Ready<Result<Response<String>, Infallible>>;
    /// #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
    /// #         std::task::Poll::Ready(Ok(()))
    /// #     }
    /// #     fn call(&mut self, _: Request<()>) -> Self::Future {
    /// #         std::future::ready(Ok(Response::new("hello".to_owned())))
    /// #     }
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut service = RequestContextLayer::new(Context::background()).layer(Shop);
    /// let response: Response<ContextBody<String>> = service.call(Request::new(())).await?;
    /// # drop(response);
    /// # Ok::<_, Infallible>(()) }).unwrap();
    /// ```
    #[must_use = "futures do nothing unless polled or awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        guard: Option<CancelGuard>,
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").field("guard", &self.guard).finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body,
{
    type Output = Result<Response<ContextBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        let guard = this.guard.take();
        Poll::Ready(result.map(|response| response.map(|body| ContextBody::new(body, guard))))
    }
}
