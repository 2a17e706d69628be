//! A pool at work, and the page that shows it.
//!
//! Run it, and look at the page; it is over after a minute:
//! `cargo run -p ctxlint-context --features status --example pool_status`

use std::io;
use std::time::Duration;

use context::Context;
use context::pool::status::StatusPage;
use context::pool::{DetachedPool, Operation, Priority, Retry};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mail = DetachedPool::builder().workers(3).queue(8).timeout(Duration::from_secs(20)).build();
    let reports = DetachedPool::builder().workers(1).queue(2).build();
    let page = StatusPage::new().pool("mail", &mail).pool("reports", &reports);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    write(&format!("the page is at http://{}/", listener.local_addr()?));
    tokio::spawn(async move { axum::serve(listener, page.into_router()).await });

    let (minute, handle) = Context::background().with_timeout(Duration::from_secs(60));
    let _guard = handle.guard();
    let mut n = 0_u64;
    while minute.sleep(Duration::from_millis(400)).await.is_ok() {
        n += 1;
        // What is refused when a queue is full is just dropped here.
        let work = Duration::from_millis(700 + n * 331 % 2000);
        let _ = mail.submit(&minute, "send mail", move |ctx| async move { ctx.sleep(work).await });
        if n.is_multiple_of(4) {
            let urgent = Operation::new("reset password").priority(Priority::High);
            let _ = mail.submit_retrying(&minute, urgent, Retry::times(2), |_| async {
                Err::<(), _>("mailbox <ada@example.org> is full")
            });
            let _ = reports.submit(&minute, "monthly report", |ctx| async move { ctx.sleep(Duration::MAX).await });
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
