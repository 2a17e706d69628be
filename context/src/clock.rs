//! Clocks for tests: time that passes only when the test says so.
//!
//! A clock is installed for one thread. Deadlines and sleeps of contexts that are made on that
//! thread are measured by it; [`Context::wait_timeout`](crate::Context::wait_timeout), which
//! blocks the thread, is not.
//!
//! ```
//! use std::time::Duration;
//! use context::Context;
//! use context::clock::ManualClock;
//!
//! let clock = ManualClock::install();
//! let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(60));
//! clock.advance(Duration::from_secs(59));
//! assert_eq!(ctx.remaining(), Some(Duration::from_secs(1)));
//! ```

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::heap::{Heap, Ticket};
use crate::sync::Arc;
use crate::timer::Target;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Clock>>> = const { RefCell::new(None) };
}

pub(crate) fn current() -> Option<Arc<Clock>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// A clock and the deadlines measured by it.
pub(crate) struct Clock {
    queue: Mutex<Heap<Target>>,
    time: Time,
}

enum Time {
    Manual(Mutex<Instant>),
    /// Notified when an earlier deadline comes.
    #[cfg(feature = "tokio-time")]
    Tokio(tokio::sync::Notify),
}

impl Clock {
    fn new(time: Time) -> Arc<Clock> {
        Arc::new(Clock { queue: Mutex::new(Heap::new()), time })
    }

    pub(crate) fn now(&self) -> Instant {
        match &self.time {
            Time::Manual(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
            #[cfg(feature = "tokio-time")]
            Time::Tokio(_) => tokio::time::Instant::now().into_std(),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Heap<Target>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, at: Instant, target: Target) -> Ticket {
        let ticket = self.queue().insert(at, target);
        #[cfg(feature = "tokio-time")]
        if let Time::Tokio(changed) = &self.time {
            changed.notify_one();
        }
        ticket
    }

    pub(crate) fn remove(&self, ticket: Ticket) {
        let target = self.queue().remove(ticket);
        drop(target);
    }

    /// Fires what is due at `now`, in order.
    fn fire_due(&self, now: Instant) {
        loop {
            let due = self.queue().pop_due(now);
            match due {
                Some(target) => target.fire(),
                None => return,
            }
        }
    }
}

/// Puts the clock that was installed before back.
struct Installed {
    before: Option<Arc<Clock>>,
    /// A thread's clock is its own.
    _not_send: PhantomData<*const ()>,
}

impl Installed {
    fn new(clock: &Arc<Clock>) -> Installed {
        let before = CURRENT.with(|current| current.replace(Some(Arc::clone(clock))));
        Installed { before, _not_send: PhantomData }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let before = self.before.take();
        let _ = CURRENT.try_with(|current| current.replace(before));
    }
}

/// A clock that stands still until it is moved.
///
/// ```
/// use std::time::Duration;
/// use context::clock::ManualClock;
/// use context::{Context, ContextError};
///
/// let clock = ManualClock::install();
/// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(3600));
/// clock.advance(Duration::from_secs(3599));
/// assert_eq!(ctx.err(), None);
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
/// ```
#[must_use = "the clock is removed when this is dropped"]
pub struct ManualClock {
    clock: Arc<Clock>,
    _installed: Installed,
}

impl ManualClock {
    /// Installs a clock for this thread, until the returned value is dropped. It shows the
    /// present.
    ///
    /// ```
    /// use context::clock::ManualClock;
    /// let clock = ManualClock::install();
    /// assert!(clock.now() <= std::time::Instant::now());
    /// ```
    pub fn install() -> ManualClock {
        let clock = Clock::new(Time::Manual(Mutex::new(Instant::now())));
        let installed = Installed::new(&clock);
        ManualClock { clock, _installed: installed }
    }

    /// What the clock shows.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let clock = context::clock::ManualClock::install();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(1));
    /// assert_eq!(clock.now() - before, Duration::from_secs(1));
    /// ```
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Moves the clock. On return every deadline that has come has ended its context. A time
    /// beyond what [`Instant`] can say moves it as good as nowhere.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::Context;
    /// # let clock = context::clock::ManualClock::install();
    /// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(60));
    /// clock.advance(Duration::from_secs(60));
    /// assert!(ctx.is_done());
    /// ```
    pub fn advance(&self, by: Duration) {
        match &self.clock.time {
            Time::Manual(now) => {
                let mut shown = now.lock().unwrap_or_else(PoisonError::into_inner);
                *shown = shown.checked_add(by).unwrap_or(*shown);
            }
            #[cfg(feature = "tokio-time")]
            Time::Tokio(_) => {}
        }
        self.clock.fire_due(self.now());
    }
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManualClock").field("now", &self.now()).finish()
    }
}

/// A clock that follows tokio's, so that deadlines obey `tokio::time::pause` and `advance`.
///
/// ```
/// use std::time::Duration;
/// use context::clock::TokioClock;
/// use context::{Context, ContextError};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// // In a test: #[tokio::test(start_paused = true)]
/// let _clock = TokioClock::install().expect("a runtime");
/// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(3600));
/// assert_eq!(ctx.done().await, ContextError::DeadlineExceeded); // at once
/// # });
/// ```
#[cfg(feature = "tokio-time")]
#[must_use = "the clock is removed when this is dropped"]
pub struct TokioClock {
    driver: tokio::task::AbortHandle,
    _installed: Installed,
}

#[cfg(feature = "tokio-time")]
impl TokioClock {
    /// Installs the clock for this thread, until the returned value is dropped. Tokio can pause
    /// time in a current-thread runtime only, so one thread is all that is needed.
    ///
    /// # Errors
    /// When the thread is not inside of a tokio runtime.
    ///
    /// ```
    /// assert!(context::clock::TokioClock::install().is_err(), "no runtime here");
    /// ```
    pub fn install() -> Result<TokioClock, tokio::runtime::TryCurrentError> {
        let runtime = tokio::runtime::Handle::try_current()?;
        let clock = Clock::new(Time::Tokio(tokio::sync::Notify::new()));
        let driver = runtime.spawn(drive(Arc::clone(&clock))).abort_handle();
        let installed = Installed::new(&clock);
        Ok(TokioClock { driver, _installed: installed })
    }
}

#[cfg(feature = "tokio-time")]
impl Drop for TokioClock {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

#[cfg(feature = "tokio-time")]
impl std::fmt::Debug for TokioClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokioClock").finish_non_exhaustive()
    }
}

/// Fires deadlines by tokio's time.
#[cfg(feature = "tokio-time")]
async fn drive(clock: Arc<Clock>) {
    let Time::Tokio(changed) = &clock.time else { return };
    loop {
        clock.fire_due(clock.now());
        let next = clock.queue().next();
        match next {
            Some(at) => {
                // Either way there is something to look at.
                let _ = tokio::time::timeout_at(at.into(), changed.notified()).await;
            }
            None => changed.notified().await,
        }
    }
}
