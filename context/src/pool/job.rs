use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::error::Outcome;
use super::operation::{Priority, Retry};
use super::shared::Shared;
use super::work::Work;
use crate::{CancelHandle, Context};

/// The place in the queue: the higher priority first, then who came first.
pub(super) type Rank = (Reverse<Priority>, u64);

/// An operation that was accepted.
pub(super) struct Job {
    pub(super) rank: Rank,
    pub(super) name: Cow<'static, str>,
    pub(super) tenant: Option<String>,
    pub(super) timeout: Duration,
    pub(super) retry: Retry,
    /// Ends when the operation is stopped, and with the pool.
    pub(super) ctx: Context,
    pub(super) stop: CancelHandle,
    /// Taken out while an attempt is made.
    work: Mutex<Option<Work>>,
    outcome: watch::Sender<Option<Arc<Outcome>>>,
}

pub(super) struct Plan {
    pub(super) rank: Rank,
    pub(super) name: Cow<'static, str>,
    pub(super) tenant: Option<String>,
    pub(super) timeout: Duration,
    pub(super) retry: Retry,
}

impl Job {
    pub(super) fn new(plan: Plan, owner: &Context, work: Work) -> Job {
        let (ctx, stop) = owner.with_cancel();
        let Plan { rank, name, tenant, timeout, retry } = plan;
        let outcome = watch::Sender::new(None);
        Job { rank, name, tenant, timeout, retry, ctx, stop, work: Mutex::new(Some(work)), outcome }
    }

    pub(super) fn take_work(&self) -> Option<Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn put_back(&self, work: Work) {
        *self.work.lock().unwrap_or_else(PoisonError::into_inner) = Some(work);
    }

    pub(super) fn end(&self, outcome: Arc<Outcome>) {
        self.outcome.send_replace(Some(outcome));
    }

    pub(super) fn has_ended(&self) -> bool {
        self.outcome.borrow().is_some()
    }
}

/// An operation that runs.
///
/// ```
/// # use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// pool.submit(&Context::background(), "mail", |_| std::future::pending::<()>())?;
/// tokio::task::yield_now().await;
/// let running = &pool.inflight()[0];
/// assert_eq!((running.name.as_ref(), running.attempt), ("mail", 1));
/// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InFlight {
    /// The operation's name.
    pub name: Cow<'static, str>,
    /// Whose it is, if the pool has [quotas](super::Builder::quota).
    pub tenant: Option<String>,
    /// When this attempt began.
    pub since: Instant,
    /// Which attempt it is, counted from 1.
    pub attempt: u32,
}

/// An operation that a pool has accepted. Dropping it leaves the operation alone.
///
/// ```
/// # use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let pool = DetachedPool::builder().build();
/// let handle = pool.submit(&Context::background(), "mail", |_| async {})?;
/// assert!(handle.wait().await.is_success());
/// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct SubmitHandle {
    pub(super) job: Arc<Job>,
    pub(super) shared: Arc<Shared>,
}

impl SubmitHandle {
    /// The operation's name.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// assert_eq!(pool.submit(&Context::background(), "mail", |_| async {})?.name(), "mail");
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn name(&self) -> &str {
        &self.job.name
    }

    /// Stops the operation: what waits never begins, and what runs sees the end of its context and
    /// is dropped. Does nothing to what has ended. Stopping is no failure: there is no dead
    /// letter.
    ///
    /// ```
    /// # use context::{Context, pool::{DetachedPool, Outcome}};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().build();
    /// let handle = pool.submit(&Context::background(), "for ever", |_| std::future::pending::<()>())?;
    /// handle.stop();
    /// assert!(matches!(handle.wait().await, Outcome::Stopped));
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn stop(&self) {
        self.job.stop.cancel();
        self.shared.remove_stopped(&self.job);
    }

    /// Whether the operation has ended.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// let handle = pool.submit(&Context::background(), "mail", |_| async {})?;
    /// assert!(!handle.is_finished());
    /// pool.idle().await;
    /// assert!(handle.is_finished());
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.job.has_ended()
    }

    /// Waits for the end of the operation, after its last attempt. To stop waiting with a context,
    /// use [`Context::run`].
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let pool = DetachedPool::builder().build();
    /// let ctx = Context::background();
    /// let handle = pool.submit(&ctx, "mail", |_| async { Err::<(), _>("no route") })?;
    /// assert_eq!(ctx.run(handle.wait()).await.unwrap().to_string(), "failed: no route");
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub async fn wait(&self) -> Outcome {
        let mut outcome = self.job.outcome.subscribe();
        let ended = match outcome.wait_for(Option::is_some).await {
            Ok(ended) => ended.clone(),
            Err(_) => None,
        };
        ended.map_or(Outcome::Cut, |outcome| (*outcome).clone())
    }
}

impl fmt::Debug for SubmitHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitHandle").field("name", &self.job.name).field("finished", &self.is_finished()).finish()
    }
}

// What is shared is behind locks and whole whenever a panic can occur.
impl UnwindSafe for SubmitHandle {}
impl RefUnwindSafe for SubmitHandle {}
