//! The submitter's span, in the pool.

use std::io;
use std::sync::{Arc, Mutex};

use context::Context;
use context::pool::{DetachedPool, Retry};
use context::tracing::ContextExt;
use tracing::Instrument;

use crate::support::{SHORT, in_time};

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn work_runs_in_the_span_of_its_submitter() {
    let output = Output::default();
    let writer = output.clone();
    let subscriber =
        tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        runtime.block_on(async {
            let ctx = Context::background();
            let pool = DetachedPool::builder().workers(1).build();
            let request = async {
                let retry = Retry::times(2).backoff(SHORT, SHORT);
                pool.submit_retrying(&ctx, "mail", retry, |_| async {
                    tracing::info!("attempt");
                    Err::<(), _>("no")
                })
                .unwrap()
            };
            let mail = request.instrument(tracing::info_span!("request", id = 7)).await;
            let carrying = ctx.with_span(tracing::info_span!("carried"));
            let other = pool.submit(&carrying, "other", |_| async { tracing::info!("other work") }).unwrap();
            let plain = pool.submit(&ctx, "plain", |_| async { tracing::info!("plain work") }).unwrap();
            for handle in [mail, other, plain] {
                in_time(handle.wait()).await;
            }
        });
    });
    let log = String::from_utf8(output.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("request{id=7}: tasks::spans: attempt").count(), 2, "{log}");
    assert!(log.contains("carried: tasks::spans: other work"), "{log}");
    assert!(log.contains("INFO tasks::spans: plain work"), "{log}");
}
