//! A server that stops gracefully: at the first signal no new connections, and a grace period for
//! what is served or runs in the background; then, or at a second signal, the end for all of it.
//!
//! Run it, ask it for something, and press Ctrl-C meanwhile:
//! `cargo run -p ctxlint-context --features axum,tokio --example graceful_server`

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use context::axum::RequestContext;
use context::shutdown::{self, Supervisor};
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::net::TcpListener;

/// How long requests and background work may go on after the first signal.
const GRACE: Duration = Duration::from_secs(5);

/// Answers slowly; stops early when nobody waits any more, or the server is cut off.
async fn slow(RequestContext(ctx): RequestContext, State(background): State<Supervisor>) -> String {
    // The receipt outlives the request, and the shutdown waits for it.
    let receipt = background.spawn(&ctx, "receipt", |ctx| async move {
        if ctx.sleep(Duration::from_millis(50)).await.is_ok() {
            write("receipt sent");
        }
    });
    if receipt.is_err() {
        return "shutting down\n".to_owned();
    }
    match ctx.sleep(Duration::from_millis(500)).await {
        Ok(()) => "done\n".to_owned(),
        Err(ContextError::DeadlineExceeded) => "too slow\n".to_owned(),
        Err(ContextError::Canceled) => "cut off\n".to_owned(),
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> io::Result<()> {
    // `stop` ends with the first signal, `now` with the second.
    let (stop, now) = shutdown::signals();
    // What all requests derive from. It does not end with `stop`: they may finish.
    let (serving, cut) = Context::background().with_cancel_cause();
    let background = Supervisor::new();

    let layer = RequestContextLayer::new(serving).max_timeout(Duration::from_secs(30));
    let app = Router::new().route("/", get(slow)).with_state(background.clone()).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    write(&format!("listening on http://{}/", listener.local_addr()?));

    let asked = stop.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        asked.done().await;
    });
    let server = tokio::spawn(async move { server.await });

    stop.done().await;
    write("stopping");
    let (patience, handle) = now.with_timeout(GRACE);
    let _guard = handle.guard();
    if patience.run(server).await.is_err() {
        cut.cancel("the grace period is over");
    }
    // Only now: until here requests may still have started some.
    let report = background.drain(&patience).await;
    write(if report.is_clean() { "stopped" } else { "stopped, with work cut off" });
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
