//! A cache that asks its source once, however many want the same value at the same time; a caller
//! that leaves takes nobody else down.
//!
//! `cargo run -p ctxlint-context --features tokio --example single_flight_cache`

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use context::flight::{Flight, FlightError};
use context::{Context, ContextError};

/// Prices, kept for ever.
#[derive(Clone)]
struct Prices {
    known: Arc<Mutex<HashMap<String, u64>>>,
    flight: Arc<Flight<String, u64, ContextError>>,
    exchange: Arc<Exchange>,
}

impl Prices {
    async fn price(&self, ctx: &Context, symbol: &str) -> Result<u64, FlightError<ContextError>> {
        if let Some(price) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(symbol) {
            return Ok(*price);
        }
        let (key, prices) = (symbol.to_owned(), self.clone());
        // The run gets a context of its own: with the values of the caller who started it, without
        // its end. Using `ctx` of outside in here would let that caller's end fail all the others.
        let work = |ctx: Context| async move {
            let price = prices.exchange.ask(&ctx, &key).await?;
            prices.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, price);
            Ok(price)
        };
        self.flight.run(ctx, symbol.to_owned(), work).await
    }
}

/// A slow service that counts what it is asked.
#[derive(Default)]
struct Exchange {
    asked: AtomicU32,
}

impl Exchange {
    async fn ask(&self, ctx: &Context, symbol: &str) -> Result<u64, ContextError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        ctx.sleep(Duration::from_millis(100)).await?;
        Ok(symbol.len() as u64)
    }
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() {
    let exchange = Arc::new(Exchange::default());
    let flight = Arc::new(Flight::new(Duration::from_secs(10)));
    let prices = Prices { known: Arc::default(), flight, exchange: Arc::clone(&exchange) };

    // The first of a hundred callers starts the run, and is the only one without patience.
    let (hurried, _handle) = Context::background().with_timeout(Duration::from_millis(20));
    let first = tokio::spawn({
        let prices = prices.clone();
        async move { prices.price(&hurried, "RUST").await }
    });
    tokio::task::yield_now().await;
    let patient = (1..100).map(|_| {
        let prices = prices.clone();
        tokio::spawn(async move { prices.price(&Context::background(), "RUST").await })
    });
    let patient: Vec<_> = patient.collect();

    assert!(matches!(first.await, Ok(Err(FlightError::Left(ContextError::DeadlineExceeded)))));
    for caller in patient {
        assert!(matches!(caller.await, Ok(Ok(4))), "the run went on without the first");
    }
    assert_eq!(prices.price(&Context::background(), "RUST").await, Ok(4));
    assert_eq!(exchange.asked.load(Ordering::Relaxed), 1);
    write("a hundred callers, one question");
}

#[expect(clippy::print_stdout, reason = "an example talks to its user")]
fn write(line: &str) {
    println!("{line}");
}
