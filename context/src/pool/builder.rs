use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::error::DeadLetter;
use super::operation::Retry;
use super::shared::{self, Shared};
use super::spill::{self, Messages, Spill};
use super::work::IntoOutcome;
use super::{DetachedPool, Owner};
use crate::Context;

/// What a pool can be told before it is built; made by [`DetachedPool::builder`].
///
/// ```
/// use std::time::Duration;
/// use context::pool::DetachedPool;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let pool = DetachedPool::builder()
///     .workers(8)
///     .queue(1_000)
///     .timeout(Duration::from_secs(10))
///     .dead_letters(|letter| eprintln!("{}: {}", letter.name, letter.outcome))
///     .build();
/// # drop(pool);
/// # });
/// ```
#[must_use]
pub struct Builder {
    workers: usize,
    pub(super) queue: usize,
    pub(super) timeout: Duration,
    pub(super) quota: Option<Quota>,
    pub(super) dead_letters: Option<Sink>,
    pub(super) messages: Messages,
}

/// How much accepted work a tenant may have.
pub(super) struct Quota {
    pub(super) most: usize,
    pub(super) tenant: TenantOf,
}

type TenantOf = Box<dyn Fn(&Context) -> Option<String> + Send + Sync>;
type Sink = Box<dyn Fn(DeadLetter) + Send + Sync>;

impl Builder {
    pub(super) fn new() -> Builder {
        Builder {
            workers: 4,
            queue: 1024,
            timeout: Duration::from_secs(30),
            quota: None,
            dead_letters: None,
            messages: Messages::default(),
        }
    }

    /// How many operations run at a time: 4, if nothing else is said. 0 is taken as 1.
    ///
    /// ```
    /// use context::pool::DetachedPool;
    /// let one_at_a_time = DetachedPool::builder().workers(1);
    /// # drop(one_at_a_time);
    /// ```
    pub fn workers(mut self, n: usize) -> Builder {
        self.workers = n.max(1);
        self
    }

    /// How many operations may wait for a worker: 1024, if nothing else is said. With 0, work is
    /// accepted only while a worker is free.
    ///
    /// ```
    /// use context::{Context, pool::{DetachedPool, SubmitError}};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().workers(1).queue(0).build();
    /// let ctx = Context::background();
    /// pool.submit(&ctx, "first", |_| std::future::pending::<()>())?;
    /// assert_eq!(pool.submit(&ctx, "second", |_| async {}).unwrap_err(), SubmitError::Full);
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn queue(mut self, n: usize) -> Builder {
        self.queue = n;
        self
    }

    /// How long each attempt of an operation may take: 30 seconds, if nothing else is said.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::{Context, pool::{DetachedPool, Outcome}};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().timeout(Duration::from_millis(5)).build();
    /// let slow = pool.submit(&Context::background(), "slow", |_| std::future::pending::<()>())?;
    /// assert!(matches!(slow.wait().await, Outcome::TimedOut));
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn timeout(mut self, limit: Duration) -> Builder {
        self.timeout = limit;
        self
    }

    /// How much accepted work (running, and waiting for whatever) a tenant may have. `tenant` says
    /// whose the work is, by the context it is submitted with; `None` is nobody, without a quota.
    ///
    /// ```
    /// # use context::pool::{DetachedPool, SubmitError};
    /// # use context::Context;
    /// #[derive(PartialEq, Eq)]
    /// struct Tenant;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let pool = DetachedPool::builder().quota(1, |ctx| ctx.value::<String>(&Tenant).cloned()).build();
    /// let acme = Context::background().with_value(Tenant, "acme".to_owned());
    /// pool.submit(&acme, "report", |_| async {})?;
    /// assert_eq!(pool.submit(&acme, "report", |_| async {}).unwrap_err(), SubmitError::Quota);
    /// # Ok::<_, SubmitError>(()) }).unwrap();
    /// ```
    pub fn quota(
        mut self,
        most: usize,
        tenant: impl Fn(&Context) -> Option<String> + Send + Sync + 'static,
    ) -> Builder {
        self.quota = Some(Quota { most, tenant: Box::new(tenant) });
        self
    }

    /// Is told of each operation that failed for good. It is called on the runtime's threads, or
    /// that of a `stop`, and must not block; a panic in it is ignored.
    ///
    /// ```
    /// # use context::{Context, pool::DetachedPool};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (dead, letters) = std::sync::mpsc::channel();
    /// let pool = DetachedPool::builder().dead_letters(move |letter| drop(dead.send(letter))).build();
    /// pool.submit(&Context::background(), "mail", |_| async { Err::<(), _>("no such mailbox") })?.wait().await;
    /// assert_eq!(letters.recv().unwrap().outcome.to_string(), "failed: no such mailbox");
    /// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
    /// ```
    pub fn dead_letters(mut self, sink: impl Fn(DeadLetter) + Send + Sync + 'static) -> Builder {
        self.dead_letters = Some(Box::new(sink));
        self
    }

    /// Says how messages of a name are handled: those that are
    /// [sent](DetachedPool::send), and those that are found in the durable queue.
    ///
    /// ```
    /// use context::pool::{DetachedPool, Retry};
    /// let builder = DetachedPool::builder().handler("mail", Retry::times(3), |ctx, payload| async move {
    ///     ctx.run(async { drop(payload) /* send it */ }).await
    /// });
    /// # drop(builder);
    /// ```
    pub fn handler<F, Fut>(mut self, name: impl Into<String>, retry: Retry, handler: F) -> Builder
    where
        F: Fn(Context, Vec<u8>) -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
        Fut::Output: IntoOutcome,
    {
        self.messages.handle(name.into(), retry, handler);
        self
    }

    /// A durable queue for the messages that find the pool's own full. They come back when that is
    /// empty, and after a restart; in no particular order to the others, with the name and payload
    /// only, without the sender's context. What a drain finds there stays for the next start.
    ///
    /// Messages without a handler stay where they are.
    ///
    /// ```
    /// # #[cfg(feature = "redb")] {
    /// use context::pool::{DetachedPool, FileSpill, Retry};
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("spill.redb");
    /// let builder = DetachedPool::builder()
    ///     .handler("mail", Retry::times(3), |_ctx, _payload| async {})
    ///     .spill(FileSpill::open(&path)?);
    /// # drop(builder);
    /// # }
    /// # Ok::<_, context::Cause>(())
    /// ```
    pub fn spill(mut self, store: impl Spill) -> Builder {
        self.messages.spill = Some(Arc::new(store));
        self
    }

    /// Starts the workers.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// use context::pool::DetachedPool;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// assert!(DetachedPool::builder().build().is_idle());
    /// # });
    /// ```
    #[must_use]
    pub fn build(self) -> DetachedPool {
        let workers = self.workers;
        let shared = Arc::new(Shared::new(self, workers));
        for _ in 0..workers {
            tokio::spawn(shared::work(shared::Worker(Arc::clone(&shared))));
        }
        if let Some(store) = shared.messages().spill.clone() {
            tokio::spawn(spill::refill(Arc::clone(&shared), store));
        }
        DetachedPool { owner: Arc::new(Owner(shared)) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.workers)
            .field("queue", &self.queue)
            .field("timeout", &self.timeout)
            .field("quota", &self.quota.as_ref().map(|quota| quota.most))
            .finish_non_exhaustive()
    }
}
