//! Steps that are undone when a later one fails.
//!
//! A [`Saga`] runs its steps one after the other. When one fails, the compensations of those
//! before it run, the last first, whatever has become of the caller by then.
//!
//! ```
//! use context::saga::Saga;
//! use context::{Context, ContextError};
//!
//! # #[derive(Clone)] struct Shop;
//! # impl Shop {
//! #   async fn reserve(&self, ctx: &Context) -> Result<u64, ContextError> { ctx.run(async { 7 }).await }
//! #   async fn release(&self, _: &Context, id: u64) -> Result<(), ContextError> { assert_eq!(id, 7); Ok(()) }
//! #   async fn charge(&self, _: &Context) -> Result<(), ContextError> { Err(ContextError::DeadlineExceeded) }
//! #   async fn refund(&self, _: &Context) -> Result<(), ContextError> { Ok(()) }
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! # let shop = Shop;
//! let (a, b, c, d) = (shop.clone(), shop.clone(), shop.clone(), shop.clone());
//! let order = Saga::new()
//!     .step("reserve", |ctx| async move { a.reserve(&ctx).await }, |ctx, id| async move { b.release(&ctx, id).await })
//!     .step("charge", |ctx| async move { c.charge(&ctx).await }, |ctx, ()| async move { d.refund(&ctx).await });
//!
//! let error = order.run(&Context::background()).await.unwrap_err();
//! assert_eq!(error.step, "charge"); // failed, and the reservation is released
//! assert_eq!(error.compensated, ["reserve"]);
//! # });
//! ```

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Context, ContextError, unwind};

/// What a step is called.
type Name = Cow<'static, str>;
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
/// A compensation that has what its step brought forth.
type Undo<E> = Box<dyn FnOnce(Context) -> Boxed<Result<(), E>> + Send>;
type Act<E> = Box<dyn FnOnce(Context) -> Boxed<Result<Undo<E>, E>> + Send>;

/// How long a compensation may take, if nothing else is said.
const LIMIT: Duration = Duration::from_secs(30);

/// Steps with compensations, to be run once.
///
/// Steps run on the caller's context and are never dropped half-way, for then nobody could say
/// what has become of them: they are to look at their context themselves. When it ends between
/// two steps, the next does not begin.
///
/// Compensations run on a context that is detached from the caller's, with its values and a time
/// limit each. A compensation that fails, panics or takes too long does not keep the others from
/// running.
///
/// ```
/// use context::{Context, ContextError, saga::Saga};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let saga = Saga::<ContextError>::new()
///     .step("one", |_| async { Ok(1) }, |_, one| async move { assert_eq!(one, 1); Ok(()) })
///     .step("two", |_| async { Err::<(), _>(ContextError::Canceled) }, |_, ()| async { Ok(()) });
/// assert_eq!(saga.run(&Context::background()).await.unwrap_err().compensated, ["one"]);
/// # });
/// ```
#[must_use = "a saga does nothing until it is run"]
pub struct Saga<E> {
    steps: Vec<Step<E>>,
    limit: Duration,
}

struct Step<E> {
    name: Name,
    act: Act<E>,
}

/// Why a saga failed, and what could not be undone.
///
/// ```
/// use context::{Context, saga::{Failure, Saga}};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let saga = Saga::<&str>::new()
///     .step("reserve", |_| async { Ok(()) }, |_, ()| async { Err("the warehouse is closed") })
///     .step("charge", |_| async { Err::<(), _>("refused") }, |_, ()| async { Ok(()) });
/// let error = saga.run(&Context::background()).await.unwrap_err();
/// assert_eq!((error.step.as_ref(), error.failure), ("charge", Failure::Failed("refused")));
/// assert_eq!(error.uncompensated, [("reserve".into(), Failure::Failed("the warehouse is closed"))]);
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SagaError<E> {
    /// The step that failed, or did not begin.
    pub step: Cow<'static, str>,
    /// What came of it.
    pub failure: Failure<E>,
    /// The steps that were undone, in the order in which they were.
    pub compensated: Vec<Cow<'static, str>>,
    /// The steps whose compensation failed, in the order in which that was tried. Somebody has to
    /// look at them.
    pub uncompensated: Vec<(Cow<'static, str>, Failure<E>)>,
}

/// What came of a step or a compensation that did not succeed.
///
/// ```
/// use context::saga::Failure;
/// assert_eq!(Failure::Panicked::<std::fmt::Error>("boom".into()).to_string(), "panicked: boom");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure<E> {
    /// It failed.
    Failed(E),
    /// It panicked, with this message.
    Panicked(String),
    /// A step: the caller's context had ended before it began.
    Ended(ContextError),
    /// A compensation: it took longer than the limit, and was dropped.
    TimedOut,
    /// The runtime was shut down. What was done and undone is not known.
    Aborted,
}

impl<E: Send + 'static> Saga<E> {
    /// A saga without steps, which gives each compensation 30 seconds.
    ///
    /// ```
    /// # use context::{Context, saga::Saga};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert!(Saga::<std::io::Error>::new().run(&Context::background()).await.is_ok());
    /// # });
    /// ```
    pub fn new() -> Saga<E> {
        Saga { steps: Vec::new(), limit: LIMIT }
    }

    /// How long each compensation may take.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::saga::Saga;
    /// let saga = Saga::<std::io::Error>::new().compensation_limit(Duration::from_secs(5));
    /// ```
    pub fn compensation_limit(mut self, limit: Duration) -> Saga<E> {
        self.limit = limit;
        self
    }

    /// Adds a step. `compensate` undoes what `act` has done, and is given what that returned. It
    /// runs only when `act` has succeeded and a later step fails: an `act` that fails leaves
    /// nothing behind.
    ///
    /// ```
    /// # use context::{ContextError, saga::Saga};
    /// let saga = Saga::<ContextError>::new().step(
    ///     "reserve",
    ///     |_ctx| async { Ok("reservation 7") },
    ///     |_ctx, reservation| async move {
    ///         println!("releasing {reservation}");
    ///         Ok(())
    ///     },
    /// );
    /// ```
    pub fn step<T, A, AF, C, CF>(mut self, name: impl Into<Cow<'static, str>>, act: A, compensate: C) -> Saga<E>
    where
        T: Send + 'static,
        A: FnOnce(Context) -> AF + Send + 'static,
        AF: Future<Output = Result<T, E>> + Send + 'static,
        C: FnOnce(Context, T) -> CF + Send + 'static,
        CF: Future<Output = Result<(), E>> + Send + 'static,
    {
        let act: Act<E> = Box::new(move |ctx| {
            Box::pin(async move {
                let output = act(ctx).await?;
                let undo: Undo<E> = Box::new(move |ctx| Box::pin(compensate(ctx, output)));
                Ok(undo)
            })
        });
        self.steps.push(Step { name: name.into(), act });
        self
    }

    /// Runs the steps, on the runtime. When the returned future is dropped, the steps' context is
    /// cancelled, and what has to be undone still is.
    ///
    /// # Errors
    /// When a step fails, panics, or does not begin because `ctx` is done; after all
    /// compensations have ended.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// # use context::{Context, ContextError, saga::Saga};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let saga = Saga::<ContextError>::new().step("one", |_| async { Ok(()) }, |_, ()| async { Ok(()) });
    /// assert_eq!(saga.run(&Context::background()).await, Ok(()));
    /// # });
    /// ```
    pub async fn run(self, ctx: &Context) -> Result<(), SagaError<E>> {
        let first = self.steps.first().map_or(Cow::Borrowed(""), |step| step.name.clone());
        let (ctx, cancel) = ctx.with_cancel();
        let _end = cancel.guard();
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let mut undos = Vec::with_capacity(self.steps.len());
            let outcome = match forward(&ctx, self.steps, &mut undos).await {
                Ok(()) => Ok(()),
                Err((step, failure)) => Err(back(&ctx, step, failure, &mut undos, self.limit).await),
            };
            // Told before the rest is dropped, which may panic.
            let _ = tell.send(outcome);
        });
        told.await.unwrap_or_else(|_| Err(SagaError::new(first, Failure::Aborted)))
    }
}

type Undos<E> = Vec<(Name, Undo<E>)>;

async fn forward<E: Send>(ctx: &Context, steps: Vec<Step<E>>, undos: &mut Undos<E>) -> Result<(), (Name, Failure<E>)> {
    for Step { name, act } in steps {
        if let Some(error) = ctx.err() {
            return Err((name, Failure::Ended(error)));
        }
        let ctx = ctx.clone();
        match outcome(unwind::caught(async move { act(ctx).await }).await) {
            Ok(undo) => undos.push((name, undo)),
            Err(failure) => return Err((name, failure)),
        }
    }
    Ok(())
}

async fn back<E: Send>(
    ctx: &Context,
    step: Name,
    failure: Failure<E>,
    undos: &mut Undos<E>,
    limit: Duration,
) -> SagaError<E> {
    let mut error = SagaError::new(step, failure);
    while let Some((name, undo)) = undos.pop() {
        let (ctx, end) = ctx.without_cancel().with_timeout(limit);
        let _end = end.guard();
        let undoing = ctx.clone();
        let undone = ctx.run(unwind::caught(async move { undo(undoing).await })).await;
        match undone.map_or(Err(Failure::TimedOut), outcome) {
            Ok(()) => error.compensated.push(name),
            Err(failure) => error.uncompensated.push((name, failure)),
        }
    }
    error
}

fn outcome<T, E>(caught: Result<Result<T, E>, unwind::Payload>) -> Result<T, Failure<E>> {
    match caught {
        Ok(outcome) => outcome.map_err(Failure::Failed),
        Err(payload) => {
            let message = unwind::message(&payload);
            unwind::forget(payload);
            Err(Failure::Panicked(message))
        }
    }
}

impl<E> SagaError<E> {
    fn new(step: Name, failure: Failure<E>) -> SagaError<E> {
        SagaError { step, failure, compensated: Vec::new(), uncompensated: Vec::new() }
    }

    /// Whether all that was done has been undone.
    ///
    /// ```
    /// # use context::{Context, ContextError, saga::Saga};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (ctx, _handle) = Context::background().with_timeout(std::time::Duration::ZERO);
    /// let saga = Saga::<ContextError>::new().step("one", |_| async { Ok(()) }, |_, ()| async { Ok(()) });
    /// assert!(saga.run(&ctx).await.unwrap_err().is_undone()); // nothing was done
    /// # });
    /// ```
    #[must_use]
    pub fn is_undone(&self) -> bool {
        self.uncompensated.is_empty() && !matches!(self.failure, Failure::Aborted)
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Failed(error) => error.fmt(f),
            Failure::Panicked(message) => write!(f, "panicked: {message}"),
            Failure::Ended(error) => write!(f, "not begun: {error}"),
            Failure::TimedOut => f.write_str("took too long"),
            Failure::Aborted => f.write_str("aborted: the runtime was shut down"),
        }
    }
}

impl<E: fmt::Display> fmt::Display for SagaError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step `{}`: {}", self.step, self.failure)?;
        for (name, failure) in &self.uncompensated {
            write!(f, "; not undone: `{name}`: {failure}")?;
        }
        Ok(())
    }
}

impl<E: Error + 'static> Error for SagaError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.failure {
            // Shown as part of this error: its source is this error's.
            Failure::Failed(error) => error.source(),
            _ => None,
        }
    }
}

impl<E: Send + 'static> Default for Saga<E> {
    fn default() -> Saga<E> {
        Saga::new()
    }
}

impl<E> fmt::Debug for Saga<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.steps.iter().map(|step| &step.name).collect::<Vec<_>>();
        f.debug_struct("Saga").field("steps", &names).field("compensation_limit", &self.limit).finish()
    }
}

// Steps are only ever run by value.
impl<E> UnwindSafe for Saga<E> {}
impl<E> RefUnwindSafe for Saga<E> {}
