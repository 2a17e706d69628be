//! A request's context ends with the request, and with it the work that was to go on.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::routing::post;
use context::axum::RequestContext;
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::sync::{Mutex, mpsc, oneshot};
use tower::ServiceExt;

/// What a task waits for, and where it says how it ended.
#[derive(Clone)]
struct App {
    work: Arc<Mutex<Option<oneshot::Receiver<()>>>>,
    report: mpsc::UnboundedSender<Result<(), ContextError>>,
}

impl App {
    async fn send_mail(self, ctx: Context) {
        let work = self.work.lock().await.take().unwrap();
        let ended = ctx.run(work).await.map(drop);
        let _ = self.report.send(ended);
    }
}

async fn captured(State(app): State<App>, RequestContext(ctx): RequestContext) -> StatusCode {
    tokio::spawn(app.send_mail(ctx));
    StatusCode::ACCEPTED
}

async fn detached(State(app): State<App>, RequestContext(ctx): RequestContext) -> StatusCode {
    let (ctx, cancel) = ctx.without_cancel().with_timeout(Duration::from_secs(3600));
    tokio::spawn(async move {
        let _guard = cancel.guard();
        app.send_mail(ctx).await;
    });
    StatusCode::ACCEPTED
}

async fn awaited(State(app): State<App>, RequestContext(ctx): RequestContext) -> StatusCode {
    match tokio::spawn(app.send_mail(ctx)).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

struct Server {
    router: Router,
    finish: oneshot::Sender<()>,
    reports: mpsc::UnboundedReceiver<Result<(), ContextError>>,
}

fn server() -> Server {
    let (finish, work) = oneshot::channel();
    let (report, reports) = mpsc::unbounded_channel();
    let router = Router::new()
        .route("/captured", post(captured))
        .route("/detached", post(detached))
        .route("/awaited", post(awaited))
        .layer(RequestContextLayer::new(Context::background()))
        .with_state(App { work: Arc::new(Mutex::new(Some(work))), report });
    Server { router, finish, reports }
}

/// Sends a request, and takes its response to the end.
async fn served(router: Router, path: &str) -> StatusCode {
    let response = router.oneshot(Request::post(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    axum::body::to_bytes(response.into_body(), 1024).await.unwrap();
    status
}

async fn report(reports: &mut mpsc::UnboundedReceiver<Result<(), ContextError>>) -> Result<(), ContextError> {
    tokio::time::timeout(Duration::from_secs(10), reports.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_task_is_cut_when_the_request_has_been_answered() {
    let Server { router, finish: _finish, mut reports } = server();
    assert_eq!(served(router, "/captured").await, StatusCode::ACCEPTED);
    assert_eq!(report(&mut reports).await, Err(ContextError::Canceled));
}

#[tokio::test]
async fn a_detached_context_lets_it_finish() {
    let Server { router, finish, mut reports } = server();
    assert_eq!(served(router, "/detached").await, StatusCode::ACCEPTED);
    finish.send(()).unwrap();
    assert_eq!(report(&mut reports).await, Ok(()));
}

#[tokio::test]
async fn so_does_waiting_for_it() {
    let Server { router, finish, mut reports } = server();
    finish.send(()).unwrap();
    assert_eq!(served(router, "/awaited").await, StatusCode::OK);
    assert_eq!(report(&mut reports).await, Ok(()));
}
