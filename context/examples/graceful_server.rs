//! A server that stops gracefully: no new connections, a grace period for those that are served,
//! then the end for all of them.
//!
//! Run it, and press Enter to stop it:
//! `cargo run -p ctxlint-context --features axum --example graceful_server`

use std::io;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use context::axum::RequestContext;
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::net::TcpListener;

/// How long requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Answers slowly, and stops early when nobody waits any more or the server goes down.
async fn slow(RequestContext(ctx): RequestContext) -> String {
    match ctx.sleep(Duration::from_secs(2)).await {
        Ok(()) => "done\n".to_owned(),
        Err(ContextError::DeadlineExceeded) => "too slow\n".to_owned(),
        Err(ContextError::Canceled) => "going down\n".to_owned(),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    // `accepting` ends first, `serving` ends at the latest when the grace period is over.
    let (accepting, stop_accepting) = Context::background().with_cancel();
    let (serving, cut) = Context::background().with_cancel_cause();

    let layer = RequestContextLayer::new(serving).max_timeout(Duration::from_secs(30));
    let app = Router::new().route("/", get(slow)).layer(layer);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    write(&format!("listening on http://{}/ until Enter is pressed", listener.local_addr()?));

    std::thread::spawn(move || {
        let _ = io::stdin().read_line(&mut String::new());
        stop_accepting.cancel();
    });
    let stopping = accepting.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        stopping.done().await;
    });

    // When the server stops accepting, the grace period begins.
    let after_stop = accepting.clone();
    let grace = tokio::spawn(async move {
        after_stop.done().await;
        write("stopping");
        let _ = Context::background().sleep(GRACE).await;
        cut.cancel("the grace period is over");
    });
    server.await?;
    grace.abort();
    write("stopped");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
