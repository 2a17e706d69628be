//! Contexts in spans, spans in contexts.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use context::Context;
use context::tracing::ContextExt;
use tracing::field::Empty;
use tracing_subscriber::fmt;

use crate::support::{HOUR, block_on};

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

/// What is logged while `f` runs.
fn logged(f: impl FnOnce()) -> String {
    let output = Output::default();
    let writer = output.clone();
    let subscriber = fmt().with_writer(move || writer.clone()).with_ansi(false).without_time().finish();
    tracing::subscriber::with_default(subscriber, f);
    let bytes = output.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_span_survives_a_detach() {
    let log = logged(|| {
        let (request, handle) = Context::background().with_cancel();
        let span = tracing::info_span!("request", id = 7);
        let (audit, kept) = span.in_scope(|| (request.detach_with_span(), request.with_current_span()));
        drop(span);
        handle.cancel();
        assert!(!audit.is_done() && kept.is_done());
        block_on(audit.reparent(&Context::background()).in_span(async { tracing::info!("written") }));
        block_on(request.in_span(async { tracing::info!("no span") }));
    });
    assert!(log.contains("request{id=7}: it::spans: written"), "{log}");
    assert!(log.lines().any(|line| line.contains("no span") && !line.contains("request{")), "{log}");
}

#[test]
fn detaching_outside_of_any_span_keeps_the_carried_one() {
    let log = logged(|| {
        let request = Context::background().with_span(tracing::info_span!("request", id = 7));
        let again = request.with_current_span();
        let audit = request.detach_with_span();
        block_on(audit.in_span(async { tracing::info!("audited") }));
        block_on(again.in_span(async { tracing::info!("kept") }));
        // The current span is nearer than the carried one.
        let other = tracing::info_span!("other").in_scope(|| request.detach_with_span());
        block_on(other.in_span(async { tracing::info!("elsewhere") }));
    });
    assert!(log.contains("request{id=7}: it::spans: audited"), "{log}");
    assert!(log.contains("request{id=7}: it::spans: kept"), "{log}");
    assert!(log.contains("INFO other: it::spans: elsewhere"), "{log}");
}

#[test]
fn a_context_is_recorded_in_declared_fields() {
    let log = logged(|| {
        let (ctx, handle) = Context::background().with_timeout(HOUR).0.with_cancel_cause();
        let span = tracing::info_span!(
            "query",
            context.chain = Empty,
            context.remaining_ms = Empty,
            context.err = Empty,
            context.cause = Empty
        );
        ctx.record_in(&span);
        span.in_scope(|| tracing::info!("live"));
        handle.cancel("too slow");
        let span = tracing::info_span!("query", context.err = Empty, context.cause = Empty);
        ctx.record_in(&span);
        span.in_scope(|| tracing::info!("done"));
    });
    let (live, done) = log.trim().split_once('\n').unwrap();
    assert!(live.contains("context.chain=context.Background.WithDeadline(in 3"), "{live}");
    assert!(live.contains("context.remaining_ms=3") && !live.contains("context.err"), "{live}");
    assert!(done.contains("context.err=context canceled context.cause=too slow"), "{done}");
    assert!(!done.contains("chain"), "{done}");
}

#[test]
fn without_a_span_there_is_none() {
    assert!(Context::background().span().is_none());
    let (expired, _h) = Context::background().with_timeout(Duration::ZERO);
    expired.record_in(&tracing::Span::none());
}
