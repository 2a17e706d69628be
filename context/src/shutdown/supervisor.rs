use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::{CancelCauseHandle, CancelHandle, Context, unwind};

/// What work is called in reports.
type Name = Cow<'static, str>;

/// How long work may take to end after its context was cancelled, before it is dropped.
const GRACE: Duration = Duration::from_secs(1);

/// Owns work that outlives the requests that started it, and ends it with the process.
///
/// Work that is spawned here has the values of the request's context and the lifetime of the
/// supervisor: it goes on when the request is over, and [`drain`](Supervisor::drain) waits for it.
/// Cheap to clone; all clones are one supervisor.
///
/// ```
/// use std::time::Duration;
/// use context::Context;
/// use context::shutdown::Supervisor;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let supervisor = Supervisor::new();
/// let (request, over) = Context::background().with_value("user", 7).with_cancel();
/// supervisor.spawn(&request, "audit", |ctx| async move {
///     assert_eq!(ctx.value::<i32>(&"user"), Some(&7));
/// })?;
/// over.cancel(); // the audit goes on
///
/// let (patience, handle) = Context::background().with_timeout(Duration::from_secs(10));
/// let _guard = handle.guard();
/// assert!(supervisor.drain(&patience).await.is_clean());
/// # Ok::<_, context::shutdown::Draining>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Supervisor {
    shared: Arc<Shared>,
    grace: Duration,
}

struct Shared {
    state: Mutex<State>,
    /// Notified when the last task has ended.
    idle: Notify,
    /// What the work sees: ended by the cut.
    ctx: Context,
    cut: CancelCauseHandle,
    /// Ends the tasks themselves, whatever they do.
    alive: Context,
    kill: CancelHandle,
}

#[derive(Default)]
struct State {
    draining: bool,
    next: u64,
    /// In the order of their start.
    tasks: BTreeMap<u64, Name>,
    panicked: u64,
}

/// Work was refused, because the supervisor is draining or has been drained.
///
/// ```
/// use context::{Context, shutdown::{Draining, Supervisor}};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let supervisor = Supervisor::new();
/// supervisor.drain(&Context::background()).await;
/// assert_eq!(supervisor.spawn(&Context::background(), "late", |_| async {}), Err(Draining));
/// # });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Draining;

impl fmt::Display for Draining {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shutting down: no further work is accepted")
    }
}

impl Error for Draining {}

/// How a drain went: the names of work, in the order of its start.
///
/// ```
/// use context::{Context, shutdown::Supervisor};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let supervisor = Supervisor::new();
/// supervisor.spawn(&Context::background(), "bad", |_| async { panic!("boom") }).unwrap();
/// let report = supervisor.drain(&Context::background()).await;
/// assert_eq!((report.panicked, report.cut.len()), (1, 0));
/// # });
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Was under way when the patience ended; its context was cancelled then.
    pub cut: Vec<Cow<'static, str>>,
    /// Of these, what did not end by itself within the grace: it was dropped where it stood.
    pub dropped: Vec<Cow<'static, str>>,
    /// Of these, what blocks its thread, so that it could not even be dropped.
    pub stuck: Vec<Cow<'static, str>>,
    /// How much has panicked, at any time.
    pub panicked: u64,
}

impl Report {
    /// Whether all work has ended by itself and in time.
    ///
    /// ```
    /// assert!(context::shutdown::Report::default().is_clean());
    /// ```
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.cut.is_empty() && self.panicked == 0
    }
}

impl Supervisor {
    /// A supervisor that gives work a second of grace after the cut.
    ///
    /// ```
    /// # use context::shutdown::Supervisor;
    /// assert_eq!(Supervisor::new().in_flight(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Supervisor {
        let (ctx, cut) = Context::background().with_cancel_cause();
        let (alive, kill) = Context::background().with_cancel();
        let shared = Shared { state: Mutex::default(), idle: Notify::new(), ctx, cut, alive, kill };
        Supervisor { shared: Arc::new(shared), grace: GRACE }
    }

    /// How long work may take to end after the cut has cancelled its context, before it is
    /// dropped. For this clone and those made from it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::shutdown::Supervisor;
    /// let supervisor = Supervisor::new().with_grace(Duration::from_millis(100));
    /// ```
    #[must_use]
    pub fn with_grace(mut self, grace: Duration) -> Supervisor {
        self.grace = grace;
        self
    }

    /// Runs work in the background. Its context has the values of `ctx`, and ends with the cut.
    /// A panic in the work stays there, and is reported by the drain.
    ///
    /// # Errors
    /// When a drain has begun: the work was not started.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    ///
    /// ```
    /// # use context::{Context, shutdown::Supervisor};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let supervisor = Supervisor::new();
    /// supervisor.spawn(&Context::background(), "warm up", |ctx| async move {
    ///     let _ = ctx.run(async { /* ... */ }).await;
    /// })?;
    /// # supervisor.drain(&Context::background()).await;
    /// # Ok::<_, context::shutdown::Draining>(()) }).unwrap();
    /// ```
    pub fn spawn<F, Fut>(&self, ctx: &Context, name: impl Into<Cow<'static, str>>, work: F) -> Result<(), Draining>
    where
        F: FnOnce(Context) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let ctx = ctx.reparent(&self.shared.ctx);
        let alive = self.shared.alive.clone();
        let entry = Entry::new(&self.shared, name.into())?;
        tokio::spawn(async move {
            let outcome = alive.run(unwind::caught(async move { work(ctx).await })).await;
            if let Ok(Err(payload)) = outcome {
                entry.panicked();
                unwind::forget(payload);
            }
        });
        Ok(())
    }

    /// A context that ends with the cut, for work that is not spawned here.
    ///
    /// ```
    /// # use context::shutdown::Supervisor;
    /// assert!(!Supervisor::new().context().is_done());
    /// ```
    #[must_use]
    pub fn context(&self) -> Context {
        self.shared.ctx.clone()
    }

    /// How much work is under way.
    ///
    /// ```
    /// # use context::{Context, shutdown::Supervisor};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let supervisor = Supervisor::new();
    /// supervisor.spawn(&Context::background(), "work", |_| async {}).unwrap();
    /// assert_eq!(supervisor.in_flight(), 1);
    /// # });
    /// ```
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.lock().tasks.len()
    }

    /// Whether a drain has begun.
    ///
    /// ```
    /// # use context::{Context, shutdown::Supervisor};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// # let supervisor = Supervisor::new();
    /// supervisor.drain(&Context::background()).await;
    /// assert!(supervisor.is_draining());
    /// # });
    /// ```
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.shared.lock().draining
    }

    /// Accepts no further work, waits until all has ended or `ctx` is done, then cuts: cancels
    /// the context of what is left, gives it the [grace](Supervisor::with_grace) to end by itself,
    /// and drops the rest. Returns at the latest two graces after `ctx` is done.
    ///
    /// Give it a context with a deadline, from [`signals`](crate::shutdown::signals)' second so
    /// that a second signal cuts at once. When the returned future is dropped nothing is cut, and
    /// the supervisor goes on refusing work. May be called again, and from several places.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::{Context, shutdown::Supervisor};
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// let supervisor = Supervisor::new().with_grace(Duration::ZERO);
    /// supervisor.spawn(&Context::background(), "deaf", |_| std::future::pending())?;
    /// let (patience, _handle) = Context::background().with_timeout(Duration::from_millis(5));
    /// let report = supervisor.drain(&patience).await;
    /// assert_eq!(report.cut, ["deaf"]);
    /// assert_eq!(report.dropped, ["deaf"]);
    /// # Ok::<_, context::shutdown::Draining>(()) }).unwrap();
    /// ```
    pub async fn drain(&self, ctx: &Context) -> Report {
        self.shared.lock().draining = true;
        let mut report = Report::default();
        if ctx.run(self.shared.ended()).await.is_err() {
            self.cut(ctx, &mut report).await;
        }
        report.panicked = self.shared.lock().panicked;
        report
    }

    async fn cut(&self, ctx: &Context, report: &mut Report) {
        report.cut = self.shared.names();
        let why = ctx.cause().map_or_else(String::new, |cause| format!(": {cause}"));
        self.shared.cut.cancel(format!("cut off at shutdown{why}"));
        if self.ends_within_grace().await {
            return;
        }
        report.dropped = self.shared.names();
        self.shared.kill.cancel();
        if !self.ends_within_grace().await {
            report.stuck = self.shared.names();
        }
    }

    async fn ends_within_grace(&self) -> bool {
        // What was only just woken gets its turn, without any grace, too.
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        let (grace, end) = Context::background().with_timeout(self.grace);
        let _end = end.guard();
        let _ = grace.run(self.shared.ended()).await;
        self.in_flight() == 0
    }
}

/// Turns of the scheduler that work has to see its end in.
const TURNS: usize = 4;

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> Vec<Name> {
        self.lock().tasks.values().cloned().collect()
    }

    /// Waits until nothing is under way.
    async fn ended(&self) {
        loop {
            let idle = self.idle.notified();
            if self.lock().tasks.is_empty() {
                return;
            }
            idle.await;
        }
    }
}

/// The place of a task on the list, until it is dropped.
struct Entry {
    shared: Arc<Shared>,
    id: u64,
}

impl Entry {
    fn new(shared: &Arc<Shared>, name: Name) -> Result<Entry, Draining> {
        let mut state = shared.lock();
        if state.draining {
            return Err(Draining);
        }
        let id = state.next;
        state.next += 1;
        state.tasks.insert(id, name);
        Ok(Entry { shared: Arc::clone(shared), id })
    }

    fn panicked(&self) {
        self.shared.lock().panicked += 1;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.tasks.remove(&self.id);
        let idle = state.tasks.is_empty();
        drop(state);
        if idle {
            self.shared.idle.notify_waiters();
        }
    }
}

impl Default for Supervisor {
    fn default() -> Supervisor {
        Supervisor::new()
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Supervisor")
            .field("in_flight", &state.tasks.len())
            .field("draining", &state.draining)
            .field("grace", &self.grace)
            .finish()
    }
}

// The list is behind a lock and whole whenever a panic can occur.
impl UnwindSafe for Supervisor {}
impl RefUnwindSafe for Supervisor {}
