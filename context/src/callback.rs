//! Functions that run when a context is done.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::executor;
use crate::node::CancelNode;
use crate::refs::Link;
use crate::sync::{Arc, Mutex, MutexGuard, lock};
use crate::timer::Timed;

pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// A registered function. It is claimed once: by whoever ends the context, or by `stop`.
pub(crate) struct Callback(Mutex<State>);

struct State {
    job: Option<Job>,
    homes: Vec<Home>,
}

/// Where a callback waits. More than one when its own context is gone and several others could
/// still have ended it.
pub(crate) enum Home {
    Node(Link<CancelNode>, u32),
    Timer(Timed),
    #[cfg(feature = "tokio-util")]
    Source(crate::source::Subscription),
}

impl Callback {
    pub(crate) fn new(job: Job) -> Arc<Callback> {
        Arc::new(Callback(Mutex::new(State { job: Some(job), homes: Vec::new() })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }

    /// Takes the job; whoever gets it decides what becomes of it.
    fn claim(&self) -> Option<Job> {
        let mut state = self.lock();
        let job = state.job.take();
        let homes = std::mem::take(&mut state.homes);
        drop(state);
        leave(homes);
        job
    }

    /// Starts the job on another thread, unless it was claimed before.
    pub(crate) fn fire(&self) {
        if let Some(job) = self.claim() {
            executor::start(job);
        }
    }

    /// Says where the callback waits from now on, besides those of its homes that are still there.
    pub(crate) fn move_in(&self, mut homes: Vec<Home>) {
        let mut state = self.lock();
        if !state.homes.is_empty() {
            let before = std::mem::take(&mut state.homes);
            drop(state);
            // Without the lock: a node may go with the very reference that shows it to be there, and
            // then its callbacks move in elsewhere.
            homes.extend(before.into_iter().filter(Home::is_there));
            state = self.lock();
        }
        if state.job.is_some() {
            homes.append(&mut state.homes);
            state.homes = homes;
        } else {
            // Claimed while it moved: whoever did so could not know these homes.
            drop(state);
            leave(homes);
        }
    }
}

impl Home {
    fn is_there(&self) -> bool {
        match self {
            Home::Node(node, _) => node.upgrade().is_some(),
            Home::Timer(_) => true,
            #[cfg(feature = "tokio-util")]
            Home::Source(_) => true,
        }
    }
}

fn leave(homes: Vec<Home>) {
    for home in homes {
        match home {
            Home::Node(node, key) => drop(node.upgrade().and_then(|node| node.remove_callback(key))),
            Home::Timer(timed) => timed.cancel(),
            #[cfg(feature = "tokio-util")]
            Home::Source(subscription) => drop(subscription),
        }
    }
}

/// Takes back a callback registered with [`Context::after_func`](crate::Context::after_func).
///
/// Dropping it leaves the callback registered.
///
/// ```
/// let (ctx, handle) = context::background().with_cancel();
/// let stop = ctx.after_func(|| println!("too late"));
/// handle.cancel();
/// assert!(!stop.stop(), "it was started");
/// ```
#[derive(Clone)]
pub struct StopHandle(Arc<Callback>);

impl StopHandle {
    pub(crate) fn new(callback: Arc<Callback>) -> StopHandle {
        StopHandle(callback)
    }

    /// Keeps the callback from running. True if this call did; false if the callback was
    /// started, or stopped, before. It never waits for a running callback.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// let stop = ctx.after_func(|| unreachable!());
    /// assert!(stop.stop());
    /// assert!(!stop.stop());
    /// handle.cancel();
    /// ```
    pub fn stop(&self) -> bool {
        // The closure is dropped here, with no lock held.
        self.0.claim().is_some()
    }
}

impl fmt::Debug for StopHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.0.lock().job.is_some();
        f.debug_struct("StopHandle").field("waiting", &waiting).finish()
    }
}

// The closure is only ever called or dropped, never seen half changed.
impl UnwindSafe for StopHandle {}
impl RefUnwindSafe for StopHandle {}
