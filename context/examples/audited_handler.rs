//! A handler that must leave an audit record, also when its client goes away in the middle: the
//! record is written by work that is detached properly.
//!
//! The example starts a server, sends a request, hangs up, and shows the record:
//! `cargo run -p ctxlint-context --features axum,tokio --example audited_handler`

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::get;
use context::Context;
use context::axum::RequestContext;
use context::shutdown::Supervisor;
use context::tower::RequestContextLayer;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// The key of the request's number.
#[derive(PartialEq, Eq)]
struct RequestId;

#[derive(Clone, Default)]
struct Audit {
    /// Owns the work, so that the process does not end before it.
    work: Supervisor,
    records: Arc<Mutex<Vec<String>>>,
}

impl Audit {
    /// Writes a record on a task of its own.
    ///
    /// The values of the request go along (the record needs its number), but neither its
    /// cancellation nor its deadline: the record is wanted just then. It has the lifetime of the
    /// supervisor, and a time limit of its own.
    fn record(&self, request: &Context, what: &'static str) {
        let records = Arc::clone(&self.records);
        let refused = self.work.spawn(request, "audit", move |ctx| async move {
            let (ctx, handle) = ctx.with_timeout(Duration::from_secs(5));
            let _guard = handle.guard();
            // A slow disk.
            if ctx.sleep(Duration::from_millis(50)).await.is_ok() {
                let id = ctx.value::<u32>(&RequestId).copied().unwrap_or_default();
                records.lock().unwrap_or_else(PoisonError::into_inner).push(format!("request {id}: {what}"));
            }
        });
        if refused.is_err() {
            write("a record was lost: the server is shutting down");
        }
    }
}

async fn transfer(State(audit): State<Audit>, RequestContext(ctx): RequestContext) -> &'static str {
    let ctx = ctx.with_value(RequestId, 7_u32);
    // If the client leaves, this future is dropped at the next await: this is what still runs then.
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
        self.audit.record(&self.ctx, self.what);
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> io::Result<()> {
    let audit = Audit::default();
    let app = Router::new()
        .route("/", get(transfer))
        .with_state(audit.clone())
        .layer(RequestContextLayer::new(Context::background()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, app).await });

    let mut client = TcpStream::connect(address).await?;
    client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(client);
    while audit.work.in_flight() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    // The end of the process: what is detached is waited for, with a limit.
    let (patience, handle) = Context::background().with_timeout(Duration::from_secs(10));
    let _guard = handle.guard();
    assert!(audit.work.drain(&patience).await.is_clean());
    let records = audit.records.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(records, ["request 7: given up by the client"]);
    write(&records.join("\n"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
