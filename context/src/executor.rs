//! The threads that callbacks run on: started when there is something to run, gone when idle.
#![cfg_attr(loom, allow(dead_code, reason = "models run callbacks on loom's threads"))]

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::callback::Job;
use crate::walk::contain;

/// Threads that are started at once when all others are busy. Further ones come only when the
/// queue stands still, because callbacks may wait for one another.
const EAGER: usize = 4;
/// How long a queue stands still before one more thread is started.
const STALL: Duration = Duration::from_millis(1);
/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(5);

static POOL: Pool = Pool {
    state: Mutex::new(State { queue: VecDeque::new(), threads: 0, idle: 0, taken: 0, watched: false }),
    work: Condvar::new(),
};

struct Pool {
    state: Mutex<State>,
    work: Condvar,
}

struct State {
    queue: VecDeque<Job>,
    threads: usize,
    /// Threads that wait for work and have not been given any.
    idle: usize,
    /// Jobs taken from the queue so far.
    taken: u64,
    /// Whether a thread watches the queue for a stall.
    watched: bool,
}

/// Runs `job` on another thread, soon.
#[cfg(loom)]
pub(crate) fn start(job: Job) {
    loom::thread::spawn(move || contain(job));
}

/// Runs `job` on another thread, soon.
#[cfg(not(loom))]
pub(crate) fn start(job: Job) {
    let mut state = POOL.lock();
    state.queue.push_back(job);
    if state.idle >= state.queue.len() {
        POOL.work.notify_one();
    } else if state.threads < EAGER {
        POOL.grow(state);
    } else if !state.watched {
        state.watched = true;
        drop(state);
        if spawn(watch).is_err() {
            POOL.lock().watched = false;
        }
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a thread. When the system refuses one, the next job or the next idle thread tries
    /// again with what is queued.
    fn grow(&'static self, mut state: MutexGuard<'_, State>) {
        state.threads += 1;
        drop(state);
        if spawn(work).is_err() {
            self.lock().threads -= 1;
        }
    }
}

fn spawn(f: fn()) -> std::io::Result<()> {
    thread::Builder::new().name("context-callbacks".to_owned()).spawn(f).map(drop)
}

fn work() {
    let mut state = POOL.lock();
    loop {
        if let Some(job) = state.queue.pop_front() {
            state.taken += 1;
            drop(state);
            contain(job);
            state = POOL.lock();
            continue;
        }
        state.idle += 1;
        let (woken, timeout) = POOL.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        state = woken;
        state.idle -= 1;
        if timeout.timed_out() && state.queue.is_empty() {
            state.threads -= 1;
            return;
        }
    }
}

/// Adds threads while jobs wait and none is taken; ends when the queue is empty.
fn watch() {
    let mut state = POOL.lock();
    while !state.queue.is_empty() {
        let taken = state.taken;
        drop(state);
        thread::sleep(STALL);
        state = POOL.lock();
        if state.taken == taken && !state.queue.is_empty() {
            POOL.grow(state);
            state = POOL.lock();
        }
    }
    state.watched = false;
}
