//! What a pool tells an exporter.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use context::Context;
use context::pool::{DetachedPool, Retry};
use metrics::atomics::AtomicU64;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit, with_local_recorder,
};

use crate::support::{SHORT, in_time};

/// Keeps what it is told, by name and labels.
#[derive(Default)]
struct Exporter {
    numbers: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    durations: Mutex<BTreeMap<String, Arc<Durations>>>,
}

#[derive(Default)]
struct Durations(Mutex<Vec<f64>>);

impl HistogramFn for Durations {
    fn record(&self, value: f64) {
        self.0.lock().unwrap().push(value);
    }
}

impl Exporter {
    fn number(&self, name: &str) -> Option<u64> {
        Some(self.numbers.lock().unwrap().get(name)?.load(Ordering::SeqCst))
    }
}

fn text(key: &Key) -> String {
    let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
    format!("{}{{{}}}", key.name(), labels.join(","))
}

impl Recorder for Exporter {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::clone(self.numbers.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::clone(self.numbers.lock().unwrap().entry(text(key)).or_default()))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::clone(self.durations.lock().unwrap().entry(text(key)).or_default()))
    }
}

#[test]
fn operations_are_counted_and_timed_by_name() {
    let exporter = Exporter::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    with_local_recorder(&exporter, || {
        runtime.block_on(async {
            let ctx = Context::background();
            let pool = DetachedPool::builder().workers(1).queue(1).build();
            let ok = pool.submit(&ctx, "mail", |_| async {}).unwrap();
            let bad = pool.submit(&ctx, "bill", |_| async { Err::<(), _>("no") }).unwrap();
            pool.submit(&ctx, "mail", |_| async {}).unwrap_err();
            assert_eq!(exporter.number("context_pool_queued{operation=bill}").map(f64::from_bits), Some(1.0));
            in_time(ok.wait()).await;
            in_time(bad.wait()).await;
            let retry = Retry::times(2).backoff(SHORT, SHORT);
            let flaky = pool.submit_retrying(&ctx, "flaky", retry, |_| async { Err::<(), _>("no") }).unwrap();
            in_time(flaky.wait()).await;
            let stopped = pool.submit(&ctx, "stopped", |_| async {}).unwrap();
            stopped.stop();
            in_time(pool.drain(&ctx)).await;
            pool.submit(&ctx, "late", |_| async {}).unwrap_err();
        });
    });
    let is = |name: &str| exporter.number(name);
    assert_eq!(is("context_pool_submitted_total{operation=mail}"), Some(1));
    assert_eq!(is("context_pool_submitted_total{operation=bill}"), Some(1));
    assert_eq!(is("context_pool_refused_total{operation=mail,reason=full}"), Some(1));
    assert_eq!(is("context_pool_refused_total{operation=late,reason=draining}"), Some(1));
    assert_eq!(is("context_pool_ended_total{operation=mail,outcome=succeeded}"), Some(1));
    assert_eq!(is("context_pool_ended_total{operation=bill,outcome=failed}"), Some(1));
    assert_eq!(is("context_pool_ended_total{operation=stopped,outcome=stopped}"), Some(1));
    for name in ["mail", "bill", "flaky", "stopped"] {
        let gauge = |kind: &str| is(&format!("context_pool_{kind}{{operation={name}}}")).map(f64::from_bits);
        assert_eq!(gauge("queued"), Some(0.0), "{name}");
        assert!(gauge("inflight").is_none_or(|running| running == 0.0), "{name}");
    }
    let durations = exporter.durations.lock().unwrap();
    assert_eq!(durations["context_pool_attempt_seconds{operation=bill,outcome=failed}"].0.lock().unwrap().len(), 1);
}
