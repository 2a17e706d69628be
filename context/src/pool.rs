//! A pool for work that outlives its request, with bounds on all of it.
//!
//! ```
//! use std::time::Duration;
//! use context::Context;
//! use context::pool::DetachedPool;
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let pool = DetachedPool::builder().workers(4).queue(100).timeout(Duration::from_secs(30)).build();
//!
//! // In a handler: the mail is sent although the request is over.
//! let (request, over) = Context::background().with_cancel();
//! let mail = pool.submit(&request, "send mail", |ctx| async move {
//!     ctx.run(async { /* ... */ }).await
//! })?;
//! over.cancel();
//! assert!(mail.wait().await.is_success());
//!
//! // At shutdown: what was accepted gets ten seconds.
//! let (patience, handle) = Context::background().with_timeout(Duration::from_secs(10));
//! let _guard = handle.guard();
//! assert!(pool.drain(&patience).await.is_clean());
//! # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
//! ```

mod builder;
mod error;
mod failures;
mod job;
mod measure;
mod operation;
mod shared;
mod spill;
#[cfg(feature = "status")]
pub mod status;
mod work;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

pub use self::builder::Builder;
pub use self::error::{DeadLetter, Outcome, Report, SubmitError};
pub use self::failures::RecentFailure;
pub use self::job::{InFlight, SubmitHandle};
pub use self::operation::{Operation, Priority, Retry};
use self::shared::Shared;
#[cfg(feature = "redb")]
pub use self::spill::FileSpill;
pub use self::spill::{Message, SendError, Sent, Spill};
pub use self::work::IntoOutcome;
use crate::Context;

/// A fixed number of workers, a bounded queue, and a time limit for each operation.
///
/// What is submitted runs on a context that has the values of the submitter's, but not its end:
/// it ends after the time limit, when the operation is [stopped](SubmitHandle::stop), and when the
/// pool is cut off at the end of a [`drain`](DetachedPool::drain).
///
/// With the feature `metrics`, it tells any exporter of the `metrics` facade, all by `operation`:
///
/// | metric | kind | besides |
/// |---|---|---|
/// | `context_pool_submitted_total` | counter | |
/// | `context_pool_refused_total` | counter | `reason`: `full`, `quota`, `draining` |
/// | `context_pool_ended_total` | counter | `outcome`: `succeeded`, `failed`, `panicked`, `timed_out`, `stopped`, `cut` |
/// | `context_pool_queued` | gauge | |
/// | `context_pool_inflight` | gauge | |
/// | `context_pool_attempt_seconds` | histogram | `outcome` |
///
/// Cheap to clone; all clones are one pool. When the last one is dropped, what was accepted is
/// still done.
///
/// ```
/// use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let pool = DetachedPool::builder().workers(2).build();
/// let clone = pool.clone();
/// clone.submit(&Context::background(), "work", |_| async {})?;
/// pool.idle().await;
/// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct DetachedPool {
    owner: Arc<Owner>,
}

/// Tells the workers when nobody can submit any more.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// How long operations may take to end after they were cut off, before a drain gives up on them.
const GRACE: Duration = Duration::from_secs(1);

impl DetachedPool {
    /// What a pool can be told before it is built.
    ///
    /// ```
    /// # use context::pool::DetachedPool;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().workers(2).queue(16).build();
    /// assert_eq!(pool.queued(), 0);
    /// # });
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Hands work to the pool. Never waits. With the feature `tracing`, the work runs in the
    /// current span, or in the one that `ctx` carries.
    ///
    /// # Errors
    /// When the queue is full, the tenant's quota is used up, or the pool is draining. The work
    /// is dropped then.
    ///
    /// ```
    /// # use context::{Context, ContextError};
    /// # use context::pool::{DetachedPool, Operation, Priority};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// let ctx = Context::background();
    /// pool.submit(&ctx, "count", |_| async { /* nothing can go wrong */ })?;
    /// pool.submit(&ctx, Operation::new("bill").priority(Priority::High), |ctx| async move {
    ///     ctx.run(async { /* ... */ }).await
    /// })?;
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn submit<F, Fut>(
        &self,
        ctx: &Context,
        operation: impl Into<Operation>,
        work: F,
    ) -> Result<SubmitHandle, SubmitError>
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoOutcome,
    {
        Shared::submit(&self.owner.0, ctx, operation.into(), Retry::none(), work::once(work))
    }

    /// Hands over work that is tried again when it fails, panics or takes too long.
    ///
    /// While it waits for its next attempt it takes up no worker and no place in the queue.
    ///
    /// # Errors
    /// As [`submit`](DetachedPool::submit).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::{Context, ContextError};
    /// # use context::pool::{DetachedPool, Retry};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// let retry = Retry::times(3).backoff(Duration::from_millis(1), Duration::from_secs(1));
    /// let mut luck = [Err("no route"), Err("no route"), Ok(())].into_iter();
    /// let handle = pool.submit_retrying(&Context::background(), "call home", retry, move |_| {
    ///     let result = luck.next().unwrap();
    ///     async move { result }
    /// })?;
    /// assert!(handle.wait().await.is_success());
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn submit_retrying<F, Fut>(
        &self,
        ctx: &Context,
        operation: impl Into<Operation>,
        retry: Retry,
        work: F,
    ) -> Result<SubmitHandle, SubmitError>
    where
        F: FnMut(Context) -> Fut + Send + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoOutcome,
    {
        Shared::submit(&self.owner.0, ctx, operation.into(), retry, work::many(work))
    }

    /// Hands over work as a message to its [handler](Builder::handler). When the queue is full it
    /// goes to the [durable queue](Builder::spill), if there is one.
    ///
    /// # Errors
    /// When there is no such handler; as [`submit`](DetachedPool::submit); and when the durable
    /// queue fails.
    ///
    /// ```
    /// # use context::Context;
    /// # use context::pool::{DetachedPool, Retry, SendError, Sent};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder()
    ///     .handler("mail", Retry::times(3), |_ctx, payload| async move {
    ///         String::from_utf8(payload).map(|to| println!("mail to {to}"))
    ///     })
    ///     .build();
    /// let Sent::Queued(mail) = pool.send(&Context::background(), "mail", b"ada".to_vec()).await? else { return Ok(()) };
    /// assert!(mail.wait().await.is_success());
    /// # Ok::<_, SendError>(()) }).unwrap();
    /// ```
    pub async fn send(&self, ctx: &Context, name: impl Into<String>, payload: Vec<u8>) -> Result<Sent, SendError> {
        spill::send(&self.owner.0, ctx, Message { name: name.into(), payload }).await
    }

    /// The operations that run now, in the order in which they were submitted.
    ///
    /// ```
    /// # use context::pool::DetachedPool;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().build();
    /// for operation in pool.inflight() {
    ///     println!("{} for {:?}", operation.name, operation.since.elapsed());
    /// }
    /// # });
    /// ```
    #[must_use]
    pub fn inflight(&self) -> Vec<InFlight> {
        self.owner.0.inflight()
    }

    /// How many operations wait for a worker.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// pool.submit(&Context::background(), "work", |_| async {})?;
    /// assert_eq!(pool.queued(), 1);
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn queued(&self) -> usize {
        self.owner.0.queued()
    }

    /// The last operations that were given up, at most 32, the latest first: what goes to the
    /// [dead letters](Builder::dead_letters), also without a sink for them.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().build();
    /// pool.submit(&Context::background(), "mail", |_| async { Err::<(), _>("no route") })?.wait().await;
    /// assert_eq!(pool.recent_failures()[0].letter.outcome.to_string(), "failed: no route");
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn recent_failures(&self) -> Vec<RecentFailure> {
        self.owner.0.recent_failures()
    }

    /// Whether nothing runs, waits for a worker, or waits for its next attempt. What is in the
    /// [durable queue](Builder::spill) does not count before it is brought back.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// assert!(pool.is_idle());
    /// pool.submit(&Context::background(), "work", |_| async {})?;
    /// assert!(!pool.is_idle());
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.owner.0.is_idle()
    }

    /// Whether a drain has begun.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// pool.drain(&Context::background()).await;
    /// assert!(pool.is_draining());
    /// # });
    /// ```
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.owner.0.is_draining()
    }

    /// Waits until the pool is idle.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().build();
    /// pool.submit(&Context::background(), "work", |_| async {})?;
    /// pool.idle().await;
    /// assert!(pool.is_idle());
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub async fn idle(&self) {
        self.owner.0.until(Shared::is_idle).await;
    }

    /// Waits until the pool has work again.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// # pool.submit(&Context::background(), "work", |_| async {})?;
    /// pool.resumed().await;
    /// assert!(!pool.is_idle());
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub async fn resumed(&self) {
        self.owner.0.until(|shared| !shared.is_idle()).await;
    }

    /// Accepts nothing further, waits until all that was accepted has ended or `ctx` is done, then
    /// cuts: what waits is given up, what runs is cancelled and dropped where it stands. All of
    /// it goes to the dead letters.
    ///
    /// Returns at the latest a second after `ctx` is done; what blocks its thread is reported and
    /// left behind. When the returned future is dropped nothing is cut, and the pool goes on
    /// refusing work. May be called again, and from several places.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().build();
    /// pool.submit(&Context::background(), "for ever", |_| std::future::pending::<()>())?;
    /// let (patience, _handle) = Context::background().with_timeout(Duration::from_millis(5));
    /// assert_eq!(pool.drain(&patience).await.cut, ["for ever"]);
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub async fn drain(&self, ctx: &Context) -> Report {
        let shared = &self.owner.0;
        shared.refuse();
        let mut report = Report::default();
        if ctx.run(shared.until(Shared::is_idle)).await.is_err() {
            report.cut = shared.cut(ctx.cause());
            let (grace, end) = Context::background().with_timeout(GRACE);
            let _end = end.guard();
            if grace.run(shared.until(Shared::is_idle)).await.is_err() {
                report.stuck = shared.inflight().into_iter().map(|operation| operation.name).collect();
            }
        }
        report
    }
}

impl fmt::Debug for DetachedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedPool")
            .field("queued", &self.queued())
            .field("inflight", &self.inflight().len())
            .field("draining", &self.is_draining())
            .finish_non_exhaustive()
    }
}

// What is shared is behind locks and whole whenever a panic can occur.
impl UnwindSafe for DetachedPool {}
impl RefUnwindSafe for DetachedPool {}
