//! Deadlines: a queue ordered by time, and the thread that serves it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use crate::callback::{Callback, Home};
use crate::heap::{Heap, Ticket};
use crate::node::CancelNode;
use crate::refs::Link;
use crate::sync::{self, Arc};
use crate::walk::contain;

/// Entries taken from the queue in one go, so that the queue's lock is held shortly.
const BATCH: usize = 64;

static QUEUE: Queue =
    Queue { state: Mutex::new(State { heap: Heap::new(), thread: Thread::None }), changed: Condvar::new() };

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    heap: Heap<Target>,
    thread: Thread,
}

#[derive(Clone, Copy)]
enum Thread {
    None,
    Busy,
    /// Sleeps until then, or until it is told.
    Asleep(Option<Instant>),
}

/// What happens when the time has come.
pub(crate) enum Target {
    Node(Link<CancelNode>),
    Callback(Arc<Callback>),
    Waker(Waker),
}

/// The time by which deadlines are measured.
#[cfg(not(feature = "clock"))]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time by which deadlines are measured: that of the thread's clock, if it has one.
#[cfg(feature = "clock")]
pub(crate) fn now() -> Instant {
    crate::clock::current().map_or_else(Instant::now, |clock| clock.now())
}

/// An entry in a queue.
pub(crate) struct Timed {
    ticket: Ticket,
    /// Whose queue it is in; `None` for that of the system's clock.
    #[cfg(feature = "clock")]
    clock: Option<Arc<crate::clock::Clock>>,
}

impl Timed {
    #[cfg(not(feature = "clock"))]
    fn start(at: Instant, target: Target) -> Timed {
        Timed { ticket: QUEUE.insert(at, target) }
    }

    #[cfg(feature = "clock")]
    fn start(at: Instant, target: Target) -> Timed {
        let clock = crate::clock::current();
        let ticket = match &clock {
            Some(clock) => clock.insert(at, target),
            None => QUEUE.insert(at, target),
        };
        Timed { ticket, clock }
    }

    pub(crate) fn cancel(self) {
        #[cfg(feature = "clock")]
        if let Some(clock) = &self.clock {
            clock.remove(self.ticket);
            return;
        }
        QUEUE.remove(self.ticket);
    }

    pub(crate) fn wake_at(at: Instant, waker: Waker) -> Timed {
        Timed::start(at, Target::Waker(waker))
    }
}

/// The place for the timer of one node.
pub(crate) struct Timer(sync::Mutex<Option<Timed>>);

impl Timer {
    pub(crate) fn new() -> Timer {
        Timer(sync::Mutex::new(None))
    }

    fn swap(&self, timed: Option<Timed>) -> Option<Timed> {
        std::mem::replace(&mut *sync::lock(&self.0), timed)
    }

    pub(crate) fn arm(&self, at: Instant, node: Link<CancelNode>) {
        self.swap(Some(Timed::start(at, Target::Node(node))));
    }

    pub(crate) fn disarm(&self) {
        if let Some(timed) = self.swap(None) {
            timed.cancel();
        }
    }

    /// Keeps `callback` for the node's deadline when the node itself is gone.
    pub(crate) fn adopt(&self, at: Instant, callback: &Arc<Callback>) -> Home {
        Home::Timer(Timed::start(at, Target::Callback(Arc::clone(callback))))
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&'static self, at: Instant, target: Target) -> Ticket {
        let mut state = self.lock();
        let ticket = state.heap.insert(at, target);
        match state.thread {
            Thread::Asleep(until) if until.is_none_or(|until| at < until) => {
                state.thread = Thread::Asleep(Some(at));
                drop(state);
                self.changed.notify_one();
            }
            Thread::None => {
                state.thread = Thread::Busy;
                drop(state);
                // When the system refuses a thread, the next deadline tries again.
                let thread = thread::Builder::new().name("context-timer".to_owned());
                if thread.spawn(|| QUEUE.serve()).is_err() {
                    self.lock().thread = Thread::None;
                }
            }
            Thread::Busy | Thread::Asleep(_) => {}
        }
        ticket
    }

    fn remove(&self, ticket: Ticket) {
        let target = self.lock().heap.remove(ticket);
        drop(target);
    }

    fn serve(&self) {
        let mut due = Vec::with_capacity(BATCH);
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            while due.len() < BATCH
                && let Some(target) = state.heap.pop_due(now)
            {
                due.push(target);
            }
            if due.is_empty() {
                state = self.sleep(state, now);
                continue;
            }
            drop(state);
            for target in due.drain(..) {
                target.fire();
            }
            state = self.lock();
        }
    }

    fn sleep<'a>(&self, mut state: MutexGuard<'a, State>, now: Instant) -> MutexGuard<'a, State> {
        let next = state.heap.next();
        state.thread = Thread::Asleep(next);
        let mut state = match next {
            Some(at) => {
                let pause = at.saturating_duration_since(now);
                self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
        state.thread = Thread::Busy;
        state
    }
}

impl Target {
    /// Does what the time has come for. Panics of foreign code stop here.
    pub(crate) fn fire(self) {
        contain(|| match self {
            Target::Node(node) => {
                if let Some(node) = node.upgrade() {
                    node.expire();
                }
            }
            Target::Callback(callback) => callback.fire(),
            Target::Waker(waker) => waker.wake(),
        });
    }
}
