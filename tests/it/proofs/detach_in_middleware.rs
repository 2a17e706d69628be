//! Behind a layer that detaches, no handler sees its client go away.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use context::Context;
use context::http::RequestExt;
use http::{Request, Response};
use tower::{Layer, ServiceExt, service_fn};

/// The context a handler sees behind `layer` when the request arrives with a context that is then cancelled.
async fn seen_by_the_handler(layer: fn(&mut Request<()>)) -> Context {
    let (ctx, cancel) = Context::background().with_cancel();
    let seen = Arc::new(Mutex::new(None));
    let handler = {
        let seen = Arc::clone(&seen);
        service_fn(move |request: Request<()>| {
            *seen.lock().unwrap() = Some(request.context());
            async { Ok::<_, Infallible>(Response::new(())) }
        })
    };
    let chain = tower::util::MapRequestLayer::new(move |mut request: Request<()>| {
        layer(&mut request);
        request
    })
    .layer(handler);

    let mut request = Request::new(());
    request.extensions_mut().insert(ctx);
    chain.oneshot(request).await.unwrap();
    cancel.cancel();
    seen.lock().unwrap().take().unwrap()
}

fn detaches(request: &mut Request<()>) {
    let ctx = request.context().without_cancel();
    request.extensions_mut().insert(ctx);
}

#[derive(PartialEq, Eq)]
struct Tenant;

fn names(request: &mut Request<()>) {
    let ctx = request.context().with_value(Tenant, 7_u64);
    request.extensions_mut().insert(ctx);
}

#[tokio::test]
async fn the_handler_never_hears_of_the_cancellation() {
    assert!(!seen_by_the_handler(detaches).await.is_done());
}

#[tokio::test]
async fn behind_a_layer_that_derives_it_does() {
    let ctx = seen_by_the_handler(names).await;
    assert!(ctx.is_done());
    assert_eq!(ctx.value::<u64>(&Tenant), Some(&7));
}
