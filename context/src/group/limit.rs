use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// How many tasks may run at a time; can be changed while they do.
pub(super) struct Limit {
    turns: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    max: usize,
    /// How many more run than may, after the limit was lowered: so many turns are not passed on.
    excess: usize,
}

impl Limit {
    pub(super) fn new() -> Limit {
        let max = Semaphore::MAX_PERMITS;
        Limit { turns: Arc::new(Semaphore::new(max)), state: Mutex::new(State { max, excess: 0 }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, max: usize) {
        let max = max.min(Semaphore::MAX_PERMITS);
        let mut state = self.lock();
        if max < state.max {
            let fewer = state.max - max;
            state.excess += fewer - self.turns.forget_permits(fewer);
        } else {
            let more = max - state.max;
            let settled = more.min(state.excess);
            state.excess -= settled;
            self.turns.add_permits(more - settled);
        }
        state.max = max;
    }

    /// A slot that gets its turn when those before have had theirs.
    pub(super) fn enter(limit: &Arc<Limit>) -> Slot {
        let mut waiting: Waiting = Box::pin(Arc::clone(&limit.turns).acquire_owned());
        // The first poll takes the place in the queue, so that the order is that of the spawns;
        // the next, in the task, finds the turn or leaves the right waker.
        let first = waiting.as_mut().poll(&mut std::task::Context::from_waker(Waker::noop()));
        let place = match first {
            Poll::Ready(permit) => Place::Turn(Turn::new(limit, permit)),
            Poll::Pending => Place::Waiting(waiting),
        };
        Slot(Arc::clone(limit), place)
    }

    /// A slot that has its turn, if there is one.
    pub(super) fn try_enter(limit: &Arc<Limit>) -> Option<Slot> {
        let permit = Arc::clone(&limit.turns).try_acquire_owned().ok()?;
        Some(Slot(Arc::clone(limit), Place::Turn(Turn::new(limit, Ok(permit)))))
    }
}

type Permit = Result<OwnedSemaphorePermit, AcquireError>;
type Waiting = Pin<Box<dyn Future<Output = Permit> + Send>>;

/// The place of a task that was spawned.
pub(super) struct Slot(Arc<Limit>, Place);

enum Place {
    Turn(Turn),
    Waiting(Waiting),
}

impl Slot {
    /// Waits for the turn, which ends when it is dropped.
    pub(super) async fn turn(self) -> Turn {
        match self.1 {
            Place::Turn(turn) => turn,
            Place::Waiting(waiting) => Turn::new(&self.0, waiting.await),
        }
    }
}

pub(super) struct Turn(Arc<Limit>);

impl Turn {
    /// The semaphore is never closed, so that there is always a permit. It is given back by hand,
    /// because it may be one too many by then.
    fn new(limit: &Arc<Limit>, permit: Permit) -> Turn {
        if let Ok(permit) = permit {
            permit.forget();
        }
        Turn(Arc::clone(limit))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if state.excess > 0 {
            state.excess -= 1;
        } else {
            self.0.turns.add_permits(1);
        }
    }
}
