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

    /// Says where the callback waits from now on.
    pub(crate) fn move_in(&self, homes: Vec<Home>) {
        let mut state = self.lock();
        if state.job.is_some() {
            let before = std::mem::replace(&mut state.homes, homes);
            drop(state);
            drop(before);
        } else {
            // Claimed while it moved: whoever did so could not know the new homes.
            drop(state);
            leave(homes);
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
