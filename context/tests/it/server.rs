//! The request layer, with a real server and real clients on loopback.

use std::convert::Infallible;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::routing::get;
use context::axum::RequestContext;
use context::http::RequestExt;
use context::tower::{RequestContextLayer, TimeoutFormat};
use context::{Context, ContextError};
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const LONG: Duration = Duration::from_secs(20);

/// Where handlers put what the test looks at.
#[derive(Clone)]
struct Probe {
    contexts: mpsc::UnboundedSender<Context>,
    chunks: std::sync::Arc<Mutex<Option<mpsc::Receiver<Bytes>>>>,
}

struct Server {
    address: std::net::SocketAddr,
    contexts: mpsc::UnboundedReceiver<Context>,
    chunks: mpsc::Sender<Bytes>,
}

impl Server {
    async fn start(layer: RequestContextLayer) -> Server {
        let (contexts, seen) = mpsc::unbounded_channel();
        let (chunks, to_send) = mpsc::channel(8);
        let probe = Probe { contexts, chunks: std::sync::Arc::new(Mutex::new(Some(to_send))) };
        let app = Router::new()
            .route("/now", get(now))
            .route("/never", get(never))
            .route("/stream", get(stream))
            .route("/deadline", get(deadline))
            .route("/panic", get(panics))
            .with_state(probe)
            .layer(layer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = hyper_util::service::TowerToHyperService::new(app.clone());
                tokio::spawn(async move {
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Server { address, contexts: seen, chunks }
    }

    async fn context(&mut self) -> Context {
        tokio::time::timeout(LONG, self.contexts.recv()).await.unwrap().unwrap()
    }

    /// Sends a request and leaves the connection to the caller.
    async fn send(&self, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: here\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// A whole request over HTTP/1; its answer.
    async fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = self.send(path, &format!("connection: close\r\n{headers}")).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

async fn now(State(probe): State<Probe>, RequestContext(ctx): RequestContext) -> &'static str {
    assert!(!ctx.is_done(), "live in the handler");
    probe.contexts.send(ctx).unwrap();
    "answer"
}

async fn never(State(probe): State<Probe>, request: Request) -> &'static str {
    probe.contexts.send(request.context()).unwrap();
    std::future::pending().await
}

async fn panics(State(probe): State<Probe>, request: Request) -> &'static str {
    probe.contexts.send(request.context()).unwrap();
    std::panic::resume_unwind(Box::new("handler"))
}

/// Answers with the chunks that the test sends, and ends when it sends no more.
async fn stream(State(probe): State<Probe>, RequestContext(ctx): RequestContext) -> Body {
    probe.contexts.send(ctx).unwrap();
    let mut chunks = probe.chunks.lock().unwrap().take().unwrap();
    let frames = futures_stream(move |cx| {
        chunks.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk))))
    });
    Body::new(StreamBody::new(frames))
}

/// A stream from a poll function, without a crate for it.
fn futures_stream<T>(
    f: impl FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>> + Unpin,
) -> impl tokio_stream::Stream<Item = T> {
    struct PollFn<F>(F);
    impl<T, F: FnMut(&mut std::task::Context<'_>) -> std::task::Poll<Option<T>> + Unpin> tokio_stream::Stream
        for PollFn<F>
    {
        type Item = T;
        fn poll_next(
            mut self: std::pin::Pin<&mut Self>,
            cx: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<T>> {
            (self.0)(cx)
        }
    }
    PollFn(f)
}

/// Waits for the request's deadline.
async fn deadline(State(probe): State<Probe>, RequestContext(ctx): RequestContext) -> String {
    probe.contexts.send(ctx.clone()).unwrap();
    match ctx.deadline() {
        Some(_) => format!("{:?}", ctx.done().await),
        None => "no deadline".to_owned(),
    }
}

async fn ended(ctx: &Context) -> ContextError {
    tokio::time::timeout(LONG, ctx.done()).await.unwrap()
}

/// Long enough for what must not happen to have happened.
async fn awhile() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

fn layer() -> RequestContextLayer {
    RequestContextLayer::new(Context::background())
}

#[tokio::test]
async fn the_context_is_live_in_the_handler_and_ends_with_the_response() {
    let mut server = Server::start(layer()).await;
    let answer = server.get("/now", "").await;
    assert!(answer.ends_with("answer"), "{answer}");
    assert_eq!(ended(&server.context().await).await, ContextError::Canceled);
}

#[tokio::test]
async fn each_request_has_a_context_of_its_own() {
    let mut server = Server::start(layer()).await;
    let first = server.send("/never", "").await;
    let (a, _second) = (server.context().await, server.send("/never", "").await);
    let b = server.context().await;
    drop(first);
    ended(&a).await;
    awhile().await;
    assert!(!b.is_done());
}

#[tokio::test]
async fn a_client_that_leaves_before_the_response_cancels() {
    let mut server = Server::start(layer()).await;
    let connection = server.send("/never", "").await;
    let ctx = server.context().await;
    awhile().await;
    assert!(!ctx.is_done());
    drop(connection);
    assert_eq!(ended(&ctx).await, ContextError::Canceled);
}

#[tokio::test]
async fn a_client_that_leaves_during_the_body_cancels() {
    let mut server = Server::start(layer()).await;
    let mut connection = server.send("/stream", "").await;
    let ctx = server.context().await;
    server.chunks.send(Bytes::from_static(b"first")).await.unwrap();
    let mut buffer = [0; 1024];
    let mut seen = Vec::new();
    while !seen.ends_with(b"first\r\n") {
        let read = connection.read(&mut buffer).await.unwrap();
        seen.extend_from_slice(&buffer[..read]);
    }
    awhile().await;
    assert!(!ctx.is_done(), "the response has begun, and goes on");
    drop(connection);
    assert_eq!(ended(&ctx).await, ContextError::Canceled);
}

#[tokio::test]
async fn the_end_of_the_body_cancels() {
    let mut server = Server::start(layer()).await;
    let mut connection = server.send("/stream", "").await;
    let ctx = server.context().await;
    let chunks = std::mem::replace(&mut server.chunks, mpsc::channel(1).0);
    chunks.send(Bytes::from_static(b"last")).await.unwrap();
    awhile().await;
    assert!(!ctx.is_done());
    drop(chunks);
    let mut seen = vec![0; 4096];
    let mut answer = Vec::new();
    while !answer.ends_with(b"0\r\n\r\n") {
        let read = connection.read(&mut seen).await.unwrap();
        answer.extend_from_slice(&seen[..read]);
    }
    assert_eq!(ended(&ctx).await, ContextError::Canceled);
    // The connection is still open: it was the body's end that did it.
    connection.write_all(b"GET /now HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    assert!(connection.read(&mut seen).await.unwrap() > 0);
}

#[tokio::test]
async fn a_reset_stream_of_http_2_cancels_its_request_only() {
    let mut server = Server::start(layer()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let request = |path: &str| {
        let uri = format!("http://here{path}");
        hyper::Request::builder().uri(uri).body(Empty::<Bytes>::new()).unwrap()
    };
    let gone = tokio::spawn(client.send_request(request("/never")));
    let gone_ctx = server.context().await;
    let stays = tokio::spawn(client.send_request(request("/never")));
    let stays_ctx = server.context().await;
    gone.abort();
    assert_eq!(ended(&gone_ctx).await, ContextError::Canceled);
    assert!(!stays_ctx.is_done());
    // The same during a body.
    server.chunks.send(Bytes::from_static(b"first")).await.unwrap();
    let mut response = client.send_request(request("/stream")).await.unwrap();
    let stream_ctx = server.context().await;
    assert!(response.frame().await.unwrap().is_ok());
    assert!(!stream_ctx.is_done());
    drop(response);
    ended(&stream_ctx).await;
    assert!(!stays_ctx.is_done());
    stays.abort();
    ended(&stays_ctx).await;
}

#[tokio::test]
async fn a_panicking_handler_ends_its_context() {
    let mut server = Server::start(layer()).await;
    let _connection = server.send("/panic", "").await;
    assert_eq!(ended(&server.context().await).await, ContextError::Canceled);
}

#[tokio::test]
async fn grpc_timeout_is_the_deadline() {
    let mut server = Server::start(layer()).await;
    let answer = server.get("/deadline", "grpc-timeout: 30m\r\n").await;
    assert!(answer.ends_with("DeadlineExceeded"), "{answer}");
    let left = server.context().await.deadline().unwrap().saturating_duration_since(Instant::now());
    assert!(left <= Duration::from_millis(30));
    for junk in ["soon", "", "99999999999S", "-5S"] {
        let answer = server.get("/deadline", &format!("grpc-timeout: {junk}\r\n")).await;
        assert!(answer.ends_with("no deadline"), "{junk:?}: {answer}");
    }
    // The longest that the header can say is no reason to panic.
    let _connection = server.send("/never", "grpc-timeout: 99999999H\r\n").await;
    while server.contexts.recv().await.unwrap().deadline().is_none() {}
}

#[tokio::test]
async fn the_server_caps_deadlines() {
    let mut server = Server::start(layer().max_timeout(Duration::from_millis(20))).await;
    for headers in ["grpc-timeout: 1H\r\n", ""] {
        let answer = server.get("/deadline", headers).await;
        assert!(answer.ends_with("DeadlineExceeded"), "{answer}");
    }
    let shorter = server.get("/deadline", "grpc-timeout: 1m\r\n").await;
    assert!(shorter.ends_with("DeadlineExceeded"));
    for _ in 0..3 {
        assert!(server.context().await.deadline().is_some());
    }
}

#[tokio::test]
async fn another_header_may_carry_the_deadline() {
    let name = http::HeaderName::from_static("x-timeout-ms");
    let server = Server::start(layer().timeout_header(name, TimeoutFormat::Millis)).await;
    assert!(server.get("/deadline", "x-timeout-ms: 10\r\n").await.ends_with("DeadlineExceeded"));
    assert!(server.get("/deadline", "grpc-timeout: 10m\r\n").await.ends_with("no deadline"));
    let server = Server::start(layer().no_timeout_header()).await;
    assert!(server.get("/deadline", "grpc-timeout: 10m\r\n").await.ends_with("no deadline"));
}

#[tokio::test]
async fn the_base_ends_every_request() {
    let (base, shutdown) = Context::background().with_cancel_cause();
    let mut server = Server::start(RequestContextLayer::new(base.with_value("name", "shop"))).await;
    let _connection = server.send("/never", "").await;
    let ctx = server.context().await;
    assert_eq!(ctx.value::<&str>(&"name"), Some(&"shop"));
    shutdown.cancel("going down");
    assert_eq!(ctx.cause().unwrap().to_string(), "going down");
}

#[tokio::test]
async fn without_the_layer_there_is_a_placeholder() {
    use axum::extract::{FromRequestParts, OptionalFromRequestParts};
    let (mut parts, ()) = hyper::Request::new(()).into_parts();
    let RequestContext(ctx) =
        <RequestContext as FromRequestParts<()>>::from_request_parts(&mut parts, &()).await.unwrap();
    assert_eq!(ctx.to_string(), "context.TODO");
    let none = <RequestContext as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await.unwrap();
    assert!(none.is_none());
    parts.extensions.insert(Context::background());
    let some = <RequestContext as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await.unwrap();
    assert_eq!(some.unwrap().0.to_string(), "context.Background");
}

#[tokio::test]
async fn nothing_of_a_request_stays_with_the_base() {
    let (base, _handle) = Context::background().with_cancel();
    let mut server = Server::start(RequestContextLayer::new(base.clone()).max_timeout(Duration::from_secs(3600))).await;
    for _ in 0..50 {
        server.get("/now", "").await;
        ended(&server.context().await).await;
    }
    assert_eq!(base.child_count(), 0);
}
