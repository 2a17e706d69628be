//! A handler that must leave an audit record, also when its client goes away in the middle: the
//! record is written by work that is detached properly.
//!
//! The example starts a server, sends a request, hangs up, and shows the record:
//! `cargo run -p ctxlint-context --features axum --example audited_handler`

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use context::axum::RequestContext;
use context::tower::RequestContextLayer;
use context::{Context, ContextError};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// The key of the request's number.
#[derive(PartialEq, Eq)]
struct RequestId;

/// Where records go. Its own context ends when the server has to be gone.
#[derive(Clone)]
struct Audit {
    lifetime: Context,
    records: Arc<Mutex<Vec<String>>>,
}

impl Audit {
    /// Writes a record on a task of its own.
    ///
    /// The values of the request go along (the record needs its number), but neither its
    /// cancellation nor its deadline: the record is wanted just then. It lives as long as the
    /// audit log does, and has a time limit of its own.
    fn record(&self, request: &Context, what: &'static str) -> tokio::task::JoinHandle<Result<(), ContextError>> {
        let (ctx, handle) = request.reparent(&self.lifetime).with_timeout(Duration::from_secs(5));
        let records = Arc::clone(&self.records);
        tokio::spawn(async move {
            let _guard = handle.guard();
            ctx.sleep(Duration::from_millis(50)).await?; // a slow disk
            let id = ctx.value::<u32>(&RequestId).copied().unwrap_or_default();
            if let Ok(mut records) = records.lock() {
                records.push(format!("request {id}: {what}"));
            }
            Ok(())
        })
    }
}

async fn transfer(State(audit): State<Audit>, RequestContext(ctx): RequestContext) -> &'static str {
    let ctx = ctx.with_value(RequestId, 7_u32);
    // If the client leaves, this future is dropped at the next await: the guard below is what
    // still runs then.
    let mut outcome = Outcome { audit, ctx: ctx.clone(), what: "given up by the client" };
    if ctx.sleep(Duration::from_secs(60)).await.is_ok() {
        outcome.what = "transferred";
    }
    "ok\n"
}

/// Records how the request ended, whichever way it did.
struct Outcome {
    audit: Audit,
    ctx: Context,
    what: &'static str,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        drop(self.audit.record(&self.ctx, self.what));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (lifetime, end) = Context::background().with_cancel();
    let audit = Audit { lifetime, records: Arc::default() };
    let records = Arc::clone(&audit.records);
    let app = Router::new()
        .route("/", get(transfer))
        .with_state(audit)
        .layer(RequestContextLayer::new(Context::background()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(client);

    let (patience, _handle) = Context::background().with_timeout(Duration::from_secs(5));
    while patience.sleep(Duration::from_millis(10)).await.is_ok() {
        let Ok(records) = records.lock() else { break };
        if let Some(record) = records.first() {
            write(record);
            break;
        }
    }
    end.cancel();
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
