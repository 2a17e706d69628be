//! Tasks that end together: Go's `errgroup`.
//!
//! A [`Group`] runs tasks, waits for all of them, and gives the first error. Made with
//! [`Group::with_context`] it has a context for its tasks, which the first error cancels.
//!
//! ```
//! use context::group::Group;
//! use context::{Context, ContextError};
//!
//! async fn fetch(ctx: &Context, page: u32) -> Result<(), ContextError> {
//!     // ...
//! #   ctx.run(async { let _ = page; }).await
//! }
//!
//! async fn fetch_all(ctx: &Context) -> Result<(), ContextError> {
//!     let (mut group, ctx) = Group::with_context(ctx);
//!     group.set_limit(4);
//!     for page in 0..100 {
//!         let ctx = ctx.clone();
//!         group.spawn(async move { fetch(&ctx, page).await });
//!     }
//!     group.wait().await
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap()
//! #     .block_on(fetch_all(&Context::background())).unwrap();
//! ```

mod limit;

use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use self::limit::{Limit, Slot};
use crate::unwind::{self, Payload};
use crate::{CancelCauseHandle, CancelGuard, Cause, Context};

/// A group of tasks that is waited for as one.
///
/// Tasks start when they are spawned, or, under a [limit](Group::set_limit), when it is their
/// turn. [`wait`](Group::wait) returns when all have ended, with the error that came first.
///
/// In a group [with a context](Group::with_context), the first error, or panic, cancels the
/// context, and the error is its cause. Tasks that have not started by then never do. The end of
/// the context it was made from is not an error of the group: tasks still start, see it in their
/// context, and say themselves what came of them.
///
/// When a group is dropped without being waited for, its context is cancelled and its tasks are
/// aborted.
///
/// ```
/// use context::group::Group;
/// use context::{Context, ContextError};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (mut group, ctx) = Group::with_context(&Context::background());
/// for part in 0..3 {
///     let ctx = ctx.clone();
///     group.spawn(async move { if part == 1 { Err(ContextError::DeadlineExceeded) } else { Err(ctx.done().await) } });
/// }
/// assert_eq!(group.wait().await, Err(ContextError::DeadlineExceeded));
/// # });
/// ```
#[must_use = "a group that is dropped aborts its tasks; wait for it"]
pub struct Group<E> {
    tasks: JoinSet<()>,
    limit: Arc<Limit>,
    shared: Arc<Shared<E>>,
    /// Ends the context with the group.
    _end: Option<CancelGuard>,
}

struct Shared<E> {
    first: Mutex<Option<Failure<E>>>,
    /// `None` for a group without a context.
    cancel: Option<CancelCauseHandle>,
}

enum Failure<E> {
    Error(E),
    Panic(Payload),
    /// The error was handed out already.
    Taken,
}

impl<E: Into<Cause> + Clone + Send + 'static> Group<E> {
    /// A group without a context: an error does not stop the other tasks.
    ///
    /// ```
    /// use context::group::Group;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut group = Group::new();
    /// group.spawn(async { Err("no such file") });
    /// group.spawn(async { Ok(()) });
    /// assert_eq!(group.wait().await, Err("no such file"));
    /// # });
    /// ```
    pub fn new() -> Group<E> {
        Group::with(None)
    }

    /// A group and the context for its tasks, derived from `ctx`. The context ends with the first
    /// error of a task, which is its cause, and at the latest when [`wait`](Group::wait) returns.
    ///
    /// Give it the name of the one it replaces, so that the tasks can not use the wrong one.
    ///
    /// ```
    /// use context::{Context, ContextError, group::Group};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let (mut group, ctx) = Group::with_context(&Context::background());
    /// let watched = ctx.clone();
    /// group.spawn(async move {
    ///     assert_eq!(ctx.done().await, ContextError::Canceled);
    ///     Err("ended with the group")
    /// });
    /// group.spawn(async { Err("the disk is full") });
    /// assert_eq!(group.wait().await, Err("the disk is full"));
    /// assert_eq!(watched.cause().unwrap().to_string(), "the disk is full");
    /// # });
    /// ```
    pub fn with_context(ctx: &Context) -> (Group<E>, Context) {
        let (ctx, cancel) = ctx.with_cancel_cause();
        (Group::with(Some(cancel)), ctx)
    }

    fn with(cancel: Option<CancelCauseHandle>) -> Group<E> {
        let end = cancel.clone().map(CancelCauseHandle::guard);
        let shared = Arc::new(Shared { first: Mutex::new(None), cancel });
        Group { tasks: JoinSet::new(), limit: Arc::new(Limit::new()), shared, _end: end }
    }

    /// Lets at most `n` tasks run at a time; those beyond wait for their turn, in the order in
    /// which they were spawned. 0 is taken as 1. Without a limit all run at once.
    ///
    /// The limit can be changed at any time; a lower one stops no task that has started.
    ///
    /// ```
    /// # use context::group::Group;
    /// let mut group = Group::<std::fmt::Error>::new();
    /// group.set_limit(8);
    /// ```
    pub fn set_limit(&mut self, n: usize) {
        self.limit.set(n.max(1));
    }

    /// Adds a task to the group. Never waits: under a limit the task waits for its turn, unpolled.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// # use context::group::Group;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut group = Group::<std::fmt::Error>::new();
    /// group.spawn(async { Ok(()) });
    /// # group.wait().await.unwrap();
    /// # });
    /// ```
    pub fn spawn<F>(&mut self, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.reap();
        let slot = Limit::enter(&self.limit);
        self.start(slot, task);
    }

    /// Adds a task if it can start at once, under the group's limit.
    ///
    /// # Errors
    /// The task, unpolled, when as many run as may.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// # use context::group::Group;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut group = Group::<std::fmt::Error>::new();
    /// group.set_limit(1);
    /// group.spawn(std::future::pending());
    /// assert!(group.try_spawn(async { Ok(()) }).is_err());
    /// # });
    /// ```
    pub fn try_spawn<F>(&mut self, task: F) -> Result<(), F>
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.reap();
        match Limit::try_enter(&self.limit) {
            Some(slot) => {
                self.start(slot, task);
                Ok(())
            }
            None => Err(task),
        }
    }

    fn start<F>(&mut self, slot: Slot, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        self.tasks.spawn(async move {
            let _running = slot.turn().await;
            if shared.is_over() {
                return;
            }
            match unwind::caught(task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => shared.fail(error),
                Err(payload) => shared.panicked(payload),
            }
        });
    }

    /// Waits for all tasks. The group's context is done when this returns.
    ///
    /// When the returned future is dropped, so is the group: its tasks are aborted.
    ///
    /// # Errors
    /// The first error of a task, by the time at which the tasks ended.
    ///
    /// # Panics
    /// With the panic of a task, if that came before any error; and when the runtime of the tasks
    /// was shut down before they ended.
    ///
    /// ```
    /// # use context::group::Group;
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let mut group = Group::<std::fmt::Error>::new();
    /// group.spawn(async { Ok(()) });
    /// assert_eq!(group.wait().await, Ok(()));
    /// # });
    /// ```
    pub async fn wait(mut self) -> Result<(), E> {
        while let Some(joined) = self.tasks.join_next().await {
            self.joined(joined);
        }
        let failure = self.shared.lock().replace(Failure::Taken);
        match failure {
            None | Some(Failure::Taken) => Ok(()),
            Some(Failure::Error(error)) => Err(error),
            Some(Failure::Panic(payload)) => {
                drop(self);
                resume_unwind(payload)
            }
        }
    }

    /// Forgets tasks that have ended, so that a long-lived group does not grow.
    fn reap(&mut self) {
        while let Some(joined) = self.tasks.try_join_next() {
            self.joined(joined);
        }
    }

    /// Tasks report for themselves; what is left are those that could not.
    fn joined(&self, joined: Result<(), tokio::task::JoinError>) {
        if let Err(error) = joined {
            let payload =
                error.try_into_panic().unwrap_or_else(|_| Box::new("the runtime of a group's tasks was shut down"));
            self.shared.panicked(payload);
        }
    }
}

impl<E> Shared<E> {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Failure<E>>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a task that has not started should not.
    fn is_over(&self) -> bool {
        self.cancel.is_some() && self.lock().is_some()
    }

    fn fail(&self, error: E)
    where
        E: Into<Cause> + Clone,
    {
        let cause: Option<Cause> = self.cancel.is_some().then(|| error.clone().into());
        if let Some(late) = self.record(Failure::Error(error)) {
            drop(late);
        } else if let (Some(cancel), Some(cause)) = (&self.cancel, cause) {
            cancel.cancel(cause);
        }
    }

    fn panicked(&self, payload: Payload) {
        let cause = format!("a task panicked: {}", unwind::message(&payload));
        match self.record(Failure::Panic(payload)) {
            None => {
                if let Some(cancel) = &self.cancel {
                    cancel.cancel(cause);
                }
            }
            Some(Failure::Panic(late)) => unwind::forget(late),
            Some(_) => {}
        }
    }

    /// Keeps the failure if it is the first; else gives it back.
    fn record(&self, failure: Failure<E>) -> Option<Failure<E>> {
        let mut first = self.lock();
        if first.is_some() {
            return Some(failure);
        }
        *first = Some(failure);
        None
    }
}

impl<E: Into<Cause> + Clone + Send + 'static> Default for Group<E> {
    fn default() -> Group<E> {
        Group::new()
    }
}

impl<E> fmt::Debug for Group<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("tasks", &self.tasks.len())
            .field("failed", &self.shared.lock().is_some())
            .finish_non_exhaustive()
    }
}

// What the tasks share is behind a lock and whole whenever a panic can occur.
impl<E> UnwindSafe for Group<E> {}
impl<E> RefUnwindSafe for Group<E> {}
