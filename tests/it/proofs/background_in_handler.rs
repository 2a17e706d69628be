//! A root in a handler knows neither the request's end, nor its deadline, nor its values.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use context::axum::RequestContext;
use context::http::RequestExt;
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::sync::mpsc;
use tower::ServiceExt;

#[derive(PartialEq, Eq)]
struct User;

#[derive(Debug, PartialEq)]
enum Step {
    Started,
    Ended(Result<(), ContextError>),
    Found(Option<u64>),
}

type Steps = mpsc::UnboundedSender<Step>;

/// Says what it finds, and waits until its context ends, or for ever.
async fn query(ctx: Context, steps: Steps) {
    let _ = steps.send(Step::Found(ctx.value::<u64>(&User).copied()));
    let _ = steps.send(Step::Started);
    let ended = ctx.run(std::future::pending::<()>()).await;
    let _ = steps.send(Step::Ended(ended));
}

async fn on_a_root(State(steps): State<Steps>) -> StatusCode {
    let _ = tokio::spawn(query(Context::background(), steps)).await;
    StatusCode::OK
}

async fn on_the_request(State(steps): State<Steps>, RequestContext(ctx): RequestContext) -> StatusCode {
    let _ = tokio::spawn(query(ctx, steps)).await;
    StatusCode::OK
}

async fn authenticate(mut request: Request<Body>, next: Next) -> Response {
    let ctx = request.context().with_value(User, 7_u64);
    request.extensions_mut().insert(ctx);
    next.run(request).await
}

/// A client that asks, waits until the query has started, and goes away.
async fn given_up(path: &str) -> (Option<u64>, mpsc::UnboundedReceiver<Step>) {
    let (steps, mut seen) = mpsc::unbounded_channel();
    let router = Router::new()
        .route("/root", get(on_a_root))
        .route("/request", get(on_the_request))
        .layer(middleware::from_fn(authenticate))
        .layer(RequestContextLayer::new(Context::background()))
        .with_state(steps);
    let mut found = None;
    let answer = router.oneshot(Request::get(path).body(Body::empty()).unwrap());
    tokio::select! {
        _ = answer => panic!("the query never ends by itself"),
        () = async {
            while let Some(step) = seen.recv().await {
                match step {
                    Step::Found(user) => found = user,
                    Step::Started | Step::Ended(_) => break,
                }
            }
        } => {}
    }
    (found, seen)
}

#[tokio::test]
async fn work_on_a_root_goes_on_when_the_client_has_gone() {
    let (found, mut seen) = given_up("/root").await;
    assert_eq!(found, None);
    assert!(tokio::time::timeout(Duration::from_millis(50), seen.recv()).await.is_err());
}

#[tokio::test]
async fn work_on_the_requests_context_ends_and_knows_the_user() {
    let (found, mut seen) = given_up("/request").await;
    assert_eq!(found, Some(7));
    let ended = tokio::time::timeout(Duration::from_secs(10), seen.recv()).await.unwrap();
    assert_eq!(ended, Some(Step::Ended(Err(ContextError::Canceled))));
}
