//! Contexts through real gRPC calls, with tonic on both sides.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{self, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use context::tonic::{RequestExt, SendDeadline};
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::server::{NamedService, UnaryService};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Code, Request, Response, Status};

const LONG: Duration = Duration::from_secs(20);

/// Messages are bytes as they are.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        use bytes::BufMut;
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        use bytes::Buf;
        let bytes: Bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(bytes.to_vec()))
    }
}

/// Shows its context to the test; waits for its end if the message says so.
#[derive(Clone)]
struct Echo(mpsc::UnboundedSender<Context>);

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

impl UnaryService<Vec<u8>> for Echo {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;

    fn call(&mut self, request: Request<Vec<u8>>) -> Self::Future {
        let ctx = request.context();
        self.0.send(ctx.clone()).unwrap();
        Box::pin(async move {
            if request.get_ref() == b"wait" {
                return Err(ctx.done().await.into());
            }
            Ok(Response::new(request.into_inner()))
        })
    }
}

impl tower_service::Service<http::Request<tonic::body::Body>> for Echo {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _cx: &mut task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<tonic::body::Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(echo, request).await) })
    }
}

async fn start(base: Context) -> (Channel, mpsc::UnboundedReceiver<Context>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (seen, contexts) = mpsc::unbounded_channel();
    let server = Server::builder().layer(RequestContextLayer::new(base)).add_service(Echo(seen));
    tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    (channel, contexts)
}

async fn call(channel: &Channel, ctx: &Context, message: &[u8]) -> Result<Vec<u8>, Status> {
    let mut grpc = Grpc::new(InterceptedService::new(channel.clone(), SendDeadline::default()));
    grpc.ready().await.unwrap();
    let mut request = Request::new(message.to_vec());
    request.set_context(ctx);
    grpc.unary(request, PathAndQuery::from_static("/test.Echo/Say"), Raw).await.map(Response::into_inner)
}

#[tokio::test]
async fn the_remaining_time_goes_out_and_becomes_the_deadline() {
    let (channel, mut contexts) = start(Context::background()).await;
    let (ctx, _h) = Context::background().with_timeout(Duration::from_secs(60));
    assert_eq!(call(&channel, &ctx, b"hello").await.unwrap(), b"hello");
    let served = contexts.recv().await.unwrap();
    let left = served.deadline().unwrap().saturating_duration_since(Instant::now());
    assert!(left <= Duration::from_secs(60) && left > Duration::from_secs(30), "{left:?}");
    assert_eq!(tokio::time::timeout(LONG, served.done()).await, Ok(ContextError::Canceled), "the call is over");
    call(&channel, &Context::background(), b"hello").await.unwrap();
    assert_eq!(contexts.recv().await.unwrap().deadline(), None);
}

#[tokio::test]
async fn a_deadline_that_passes_ends_the_call_on_both_sides() {
    let (channel, mut contexts) = start(Context::background()).await;
    // On a busy machine a short one has passed before the call goes out.
    for limit in [40, 400, 4_000, 40_000].map(Duration::from_millis) {
        let (ctx, _h) = Context::background().with_timeout(limit);
        let status = call(&channel, &ctx, b"wait").await.unwrap_err();
        assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
        if let Ok(served) = contexts.try_recv() {
            assert!(tokio::time::timeout(LONG, served.done()).await.is_ok());
            return;
        }
    }
    unreachable!("no call ever went out");
}

#[tokio::test]
async fn a_client_that_gives_up_cancels_the_server() {
    let (channel, mut contexts) = start(Context::background()).await;
    let (ctx, handle) = Context::background().with_cancel();
    let waiting = tokio::spawn({
        let ctx = ctx.clone();
        async move { ctx.run(call(&channel, &ctx, b"wait")).await.is_err() }
    });
    let served = contexts.recv().await.unwrap();
    assert!(!served.is_done());
    handle.cancel();
    assert!(waiting.await.unwrap());
    assert_eq!(tokio::time::timeout(LONG, served.done()).await, Ok(ContextError::Canceled));
}

#[tokio::test]
async fn a_done_context_makes_no_call() {
    let (channel, mut contexts) = start(Context::background()).await;
    let (ctx, handle) = Context::background().with_cancel();
    handle.cancel();
    assert_eq!(call(&channel, &ctx, b"hello").await.unwrap_err().code(), Code::Cancelled);
    assert!(contexts.try_recv().is_err());
}

#[tokio::test]
async fn the_server_that_goes_down_ends_its_calls() {
    let (base, shutdown) = Context::background().with_cancel();
    let (channel, mut contexts) = start(base).await;
    let waiting = tokio::spawn(async move { call(&channel, &Context::background(), b"wait").await });
    contexts.recv().await.unwrap();
    shutdown.cancel();
    assert_eq!(waiting.await.unwrap().unwrap_err().code(), Code::Cancelled);
}

#[test]
fn a_shorter_timeout_of_the_call_itself_stays() {
    use tonic::service::Interceptor;
    let (ctx, _h) = Context::background().with_timeout(Duration::from_secs(60));
    let mut request = Request::new(());
    request.set_timeout(Duration::from_secs(1));
    let request = SendDeadline::new(ctx.clone()).call(request).unwrap();
    assert_eq!(request.metadata().get("grpc-timeout").unwrap(), "1000000u");
    let mut request = Request::new(());
    request.set_timeout(Duration::from_secs(100));
    let request = SendDeadline::new(ctx).call(request).unwrap();
    let sent = request.metadata().get("grpc-timeout").unwrap().to_str().unwrap();
    assert!(sent.strip_suffix('u').unwrap().parse::<u64>().unwrap() <= 60_000_000, "{sent}");
}
