//! Drops long chains without recursion.
//!
//! A context's node owns its parent, so dropping the last handle of a chain of a million would
//! nest a million drops. Instead each node hands its links to [`reap`], which drops them in the
//! outermost drop of the thread.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::Context;
use crate::sync::thread_local;

#[cfg(not(loom))]
thread_local! {
    /// 0: no drop under way. n: one under way, with n - 1 links waiting in `QUEUE`.
    static ACTIVE: Cell<usize> = const { Cell::new(0) };
    static QUEUE: RefCell<Queue> = const { RefCell::new(Queue::new()) };
}

#[cfg(loom)]
thread_local! {
    static ACTIVE: Cell<usize> = Cell::new(0);
    static QUEUE: RefCell<Queue> = RefCell::new(Queue::new());
}

/// The links that wait. Mostly one at a time, which needs no allocation.
struct Queue {
    one: Option<Context>,
    more: Vec<Context>,
}

impl Queue {
    const fn new() -> Queue {
        Queue { one: None, more: Vec::new() }
    }

    fn push(&mut self, link: Option<Context>) {
        if self.one.is_none() {
            self.one = link;
        } else {
            self.more.extend(link);
        }
    }

    /// Takes a link out. The last one takes the memory of the queue with it.
    fn pop(&mut self) -> Option<Context> {
        self.more.pop().or_else(|| {
            self.more = Vec::new();
            self.one.take()
        })
    }
}

/// Drops `link`, now or (when called from within another such drop) soon.
#[inline]
pub(crate) fn reap(link: Context) {
    if !link.is_root() {
        reap_node(link);
    }
}

fn reap_node(link: Context) {
    // While a thread exits its locals may be gone: then the link drops in place.
    let mut link = Some(link);
    let outermost = ACTIVE.try_with(|active| {
        let waiting = active.get();
        if waiting == 0 {
            active.set(1);
            return true;
        }
        let queued = QUEUE.try_with(|queue| queue.borrow_mut().push(link.take()));
        if queued.is_ok() {
            active.set(waiting + 1);
        }
        false
    });
    if matches!(outermost, Ok(true)) {
        let guard = Drain;
        drop(link.take());
        drop(guard);
    }
}

/// Empties the queue, also when a value's drop panics.
struct Drain;

impl Drop for Drain {
    fn drop(&mut self) {
        let mut first_panic = None;
        while let Some(link) = next() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(link))) {
                first_panic.get_or_insert(panic);
            }
        }
        if let Some(panic) = first_panic
            && !std::thread::panicking()
        {
            resume_unwind(panic);
        }
    }
}

/// The next waiting link; ends the drop under way when there is none.
fn next() -> Option<Context> {
    ACTIVE
        .try_with(|active| {
            let link =
                if active.get() > 1 { QUEUE.try_with(|queue| queue.borrow_mut().pop()).ok().flatten() } else { None };
            active.set(if link.is_some() { active.get() - 1 } else { 0 });
            link
        })
        .ok()
        .flatten()
}
