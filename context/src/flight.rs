//! One run for all who ask for the same: Go's `singleflight`.
//!
//! Callers of one key that come while a run for it is under way share its result. The run belongs
//! to none of them: it works on a context of its own, so that a caller who leaves takes nobody
//! else down.
//!
//! ```
//! use std::time::Duration;
//! use context::flight::{Flight, FlightError};
//! use context::{Context, ContextError};
//!
//! struct Prices {
//!     flight: Flight<String, u64, ContextError>,
//! }
//!
//! async fn ask_the_exchange(ctx: &Context, symbol: &str) -> Result<u64, ContextError> {
//!     // ...
//! #   ctx.run(async { symbol.len() as u64 }).await
//! }
//!
//! impl Prices {
//!     async fn price(&self, ctx: &Context, symbol: String) -> Result<u64, FlightError<ContextError>> {
//!         let key = symbol.clone();
//!         self.flight.run(ctx, key, |ctx| async move { ask_the_exchange(&ctx, &symbol).await }).await
//!     }
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let prices = Prices { flight: Flight::new(Duration::from_secs(10)) };
//! assert_eq!(prices.price(&Context::background(), "RUST".into()).await, Ok(4));
//! # });
//! ```

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::{Context, ContextError, unwind};

/// Runs work once for all callers of a key that come while it is under way.
///
/// Share it: in an `Arc`, or a static. Keys must tell apart whatever the result depends on. If
/// results are per tenant, the tenant belongs in the key, because the run has the values of the
/// context of the caller who started it.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use context::flight::{Flight, FlightError};
/// use context::{Context, ContextError};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let flight = Arc::new(Flight::<_, u64, ContextError>::new(Duration::from_secs(5)));
/// let slow = |ctx: Context| async move { ctx.sleep(Duration::from_millis(5)).await.map(|()| 42) };
/// let ctx = Context::background();
/// // Two who ask at the same time, one run.
/// let both = tokio::join!(flight.run(&ctx, "answer", slow), flight.run(&ctx, "answer", |_| async { unreachable!() }));
/// assert_eq!(both, (Ok(42), Ok(42)));
/// # });
/// ```
pub struct Flight<K, V, E> {
    runs: Arc<Runs<K, V, E>>,
    limit: Duration,
}

/// Why a caller of a [`Flight`] got no value.
///
/// ```
/// use context::flight::FlightError;
/// use context::ContextError;
/// fn is_worth_another_try(error: &FlightError<std::io::ErrorKind>) -> bool {
///     !matches!(error, FlightError::Left(_))
/// }
/// assert!(!is_worth_another_try(&FlightError::from(ContextError::Canceled)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlightError<E> {
    /// The work failed: the same error for all who shared the run.
    Failed(E),
    /// The caller's own context ended. The run goes on for the others.
    Left(ContextError),
    /// The run took longer than the flight's limit, and was dropped.
    TimedOut,
    /// The work panicked, with this message.
    Panicked(Arc<str>),
    /// The runtime was shut down during the run.
    Aborted,
}

struct Runs<K, V, E> {
    under_way: Mutex<HashMap<K, Run<V, E>>>,
}

type Outcome<V, E> = Result<V, FlightError<E>>;
/// Behind an `Arc`, so that no value is cloned or dropped under the channel's lock.
type Run<V, E> = watch::Receiver<Option<Arc<Outcome<V, E>>>>;
type Landing<V, E> = watch::Sender<Option<Arc<Outcome<V, E>>>>;

impl<K, V, E> Flight<K, V, E>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    E: Clone + Send + Sync + 'static,
{
    /// A flight whose runs may take up to `limit` each.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::flight::Flight;
    /// let flight = Flight::<u64, String, std::io::ErrorKind>::new(Duration::from_secs(5));
    /// assert_eq!(flight.under_way(), 0);
    /// ```
    #[must_use]
    pub fn new(limit: Duration) -> Flight<K, V, E> {
        Flight { runs: Arc::new(Runs { under_way: Mutex::new(HashMap::new()) }), limit }
    }

    /// The result of the run for `key`: of the one that is under way, or of `work`, started now.
    /// Results are not kept; who comes later starts anew.
    ///
    /// `work` gets a context with the values of `ctx`, but not its end: it ends after the flight's
    /// limit, and when the run is over. The run goes on, on the runtime, when callers leave, the
    /// last one too.
    ///
    /// # Errors
    /// When `ctx` ends before the result is there (nothing is started if it is done already), and
    /// when the run fails, panics, or takes too long: see [`FlightError`].
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::{Context, ContextError};
    /// use context::flight::{Flight, FlightError};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let flight = Flight::<_, u32, ContextError>::new(Duration::from_secs(5));
    /// let (ctx, leave) = Context::background().with_cancel();
    /// assert_eq!(flight.run(&ctx, "answer", |_| async { Ok(42) }).await, Ok(42));
    /// leave.cancel();
    /// let late = flight.run(&ctx, "answer", |_| async { Ok(42) }).await;
    /// assert_eq!(late, Err(FlightError::Left(ContextError::Canceled)));
    /// # });
    /// ```
    pub async fn run<F, Fut>(&self, ctx: &Context, key: K, work: F) -> Result<V, FlightError<E>>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        if let Some(error) = ctx.err() {
            return Err(FlightError::Left(error));
        }
        let mut run = self.join(ctx, key, work);
        match ctx.run(landed(&mut run)).await {
            Ok(outcome) => outcome,
            Err(error) => Err(FlightError::Left(error)),
        }
    }

    /// Forgets the run that is under way for `key`, if any: the next caller starts a new one,
    /// while those who wait still get the result of the old.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::{Context, ContextError, flight::Flight};
    /// # let flight = Flight::<u64, u64, ContextError>::new(Duration::from_secs(5));
    /// assert!(!flight.forget(&7), "none was under way");
    /// ```
    pub fn forget(&self, key: &K) -> bool {
        let removed = self.runs.lock().remove_entry(key);
        removed.is_some()
    }

    /// How many runs are under way.
    ///
    /// ```
    /// # let flight = context::flight::Flight::<u64, u64, std::io::ErrorKind>::new(std::time::Duration::from_secs(5));
    /// assert_eq!(flight.under_way(), 0);
    /// ```
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.runs.lock().len()
    }

    /// Joins the run under way, or starts one.
    fn join<F, Fut>(&self, ctx: &Context, key: K, work: F) -> Run<V, E>
    where
        F: FnOnce(Context) -> Fut,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        let mut landing = {
            let (landing, run) = watch::channel(None);
            let kept = key.clone();
            match self.runs.lock().entry(kept) {
                Entry::Occupied(under_way) => return under_way.get().clone(),
                Entry::Vacant(free) => {
                    free.insert(run.clone());
                    Start { runs: Arc::clone(&self.runs), key, landing, run }
                }
            }
        };
        let run = landing.run.clone();
        let (ctx, end) = ctx.without_cancel().with_timeout(self.limit);
        match catch_unwind(AssertUnwindSafe(|| work(ctx.clone()))) {
            Ok(working) => {
                tokio::spawn(async move {
                    let _end = end.guard();
                    let outcome = ctx.run(unwind::caught(working)).await;
                    landing.land(match outcome {
                        Ok(Ok(Ok(value))) => Ok(value),
                        Ok(Ok(Err(error))) => Err(FlightError::Failed(error)),
                        Ok(Err(payload)) => Err(panicked(payload)),
                        Err(_) => Err(FlightError::TimedOut),
                    });
                });
            }
            Err(payload) => landing.land(Err(panicked(payload))),
        }
        run
    }
}

fn panicked<E>(payload: unwind::Payload) -> FlightError<E> {
    let message = unwind::message(&payload).into();
    unwind::forget(payload);
    FlightError::Panicked(message)
}

async fn landed<V: Clone, E: Clone>(run: &mut Run<V, E>) -> Outcome<V, E> {
    let outcome = match run.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone(),
        Err(_) => None,
    };
    outcome.map_or(Err(FlightError::Aborted), |outcome| (*outcome).clone())
}

/// The duty to end a run: takes it off the list and tells the outcome, also when it is dropped.
struct Start<K: Eq + Hash, V, E> {
    runs: Arc<Runs<K, V, E>>,
    key: K,
    landing: Landing<V, E>,
    /// Tells this run from another one for the key.
    run: Run<V, E>,
}

impl<K: Eq + Hash, V, E> Start<K, V, E> {
    fn land(&mut self, outcome: Outcome<V, E>) {
        self.leave();
        self.landing.send_replace(Some(Arc::new(outcome)));
    }

    /// Who comes from here on starts anew.
    fn leave(&self) {
        let mut under_way = self.runs.lock();
        // After `forget` it may be another's.
        if under_way.get(&self.key).is_some_and(|run| self.run.same_channel(run)) {
            let removed = under_way.remove_entry(&self.key);
            drop(under_way);
            drop(removed);
        }
    }
}

impl<K: Eq + Hash, V, E> Drop for Start<K, V, E> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<K, V, E> Runs<K, V, E> {
    fn lock(&self) -> MutexGuard<'_, HashMap<K, Run<V, E>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> From<ContextError> for FlightError<E> {
    /// The caller's context ended.
    fn from(error: ContextError) -> FlightError<E> {
        FlightError::Left(error)
    }
}

impl<E: fmt::Display> fmt::Display for FlightError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FlightError::Failed(error) => error.fmt(f),
            FlightError::Left(error) => error.fmt(f),
            FlightError::TimedOut => f.write_str("the shared run took too long"),
            FlightError::Panicked(message) => write!(f, "the shared run panicked: {message}"),
            FlightError::Aborted => f.write_str("the shared run was aborted"),
        }
    }
}

impl<E: Error + 'static> Error for FlightError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Shown as themselves: their sources are this error's.
            FlightError::Failed(error) => error.source(),
            FlightError::Left(_) | FlightError::TimedOut | FlightError::Panicked(_) | FlightError::Aborted => None,
        }
    }
}

impl<K, V, E> fmt::Debug for Flight<K, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let under_way = self.runs.lock().len();
        f.debug_struct("Flight").field("limit", &self.limit).field("under_way", &under_way).finish()
    }
}

// The list is behind a lock and whole whenever a panic can occur.
impl<K, V, E> UnwindSafe for Flight<K, V, E> {}
impl<K, V, E> RefUnwindSafe for Flight<K, V, E> {}
