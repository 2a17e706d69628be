//! What waits for a node: its children, wakers and callbacks. Guarded by the node's lock.

use std::task::Waker;

use crate::Cause;
use crate::callback::Callback;
use crate::list::{Drain, List};
use crate::node::CancelNode;
use crate::refs::Link;
use crate::sync::{Arc, Thread};

/// What waits for a node. Most nodes have one child or one waiter at a time: those need no
/// allocation of their own. Entry 0 of a list stands for the small place too.
pub(crate) enum Dependents {
    Small { child: Option<Link<CancelNode>>, waker: Option<Waker> },
    Big(Box<Lists>),
    Done(Ending),
}

pub(crate) struct Lists {
    pub(crate) children: List<Link<CancelNode>>,
    pub(crate) wakers: List<Waker>,
    pub(crate) callbacks: List<Arc<Callback>>,
}

pub(crate) struct Ending {
    /// `None` when it says no more than the error.
    pub(crate) cause: Option<Cause>,
    pub(crate) sleepers: Option<Box<Sleepers>>,
}

/// Threads that sleep until the node is settled.
#[derive(Default)]
pub(crate) struct Sleepers(pub(crate) Vec<Thread>);

impl Dependents {
    /// The lists, made on the first use; `None` of a done node.
    #[cold]
    pub(crate) fn lists(&mut self) -> Option<&mut Lists> {
        if let Dependents::Small { child, waker } = self {
            let mut lists = Box::new(Lists { children: List::new(), wakers: List::new(), callbacks: List::new() });
            // The small places' keys are 0, and so are the keys given out first here.
            if let Some(child) = child.take() {
                lists.children.push(child);
            }
            if let Some(waker) = waker.take() {
                lists.wakers.push(waker);
            }
            *self = Dependents::Big(lists);
        }
        match self {
            Dependents::Big(lists) => Some(lists),
            Dependents::Small { .. } | Dependents::Done(_) => None,
        }
    }

    /// Takes all of it out, for the node is done. What a node without children keeps are its lists,
    /// empty, until it is dropped: giving them back is not for the one who cancels.
    pub(crate) fn end(&mut self, cause: Option<&Cause>) -> Released {
        match self {
            Dependents::Small { child: None, waker } if cause.is_none() => {
                Released { children: Children::One(None), wakers: Wakers::One(waker.take()), callbacks: None }
            }
            Dependents::Big(lists) if cause.is_none() && lists.children.is_empty() => {
                let (wakers, callbacks) = lists.take_waiting();
                Released { children: Children::One(None), wakers, callbacks }
            }
            _ => self.end_with(cause.cloned()),
        }
    }

    fn end_with(&mut self, cause: Option<Cause>) -> Released {
        let ending = Dependents::Done(Ending { cause, sleepers: None });
        match std::mem::replace(self, ending) {
            Dependents::Small { child, waker } => {
                Released { children: Children::One(child), wakers: Wakers::One(waker), callbacks: None }
            }
            Dependents::Big(mut lists) => {
                let (wakers, callbacks) = lists.take_waiting();
                Released { children: Children::Many(lists), wakers, callbacks }
            }
            Dependents::Done(_) => {
                Released { children: Children::One(None), wakers: Wakers::One(None), callbacks: None }
            }
        }
    }
}

impl Lists {
    fn take_waiting(&mut self) -> (Wakers, Option<Drain<Arc<Callback>>>) {
        let callbacks = if self.callbacks.is_empty() { None } else { Some(self.callbacks.drain()) };
        let wakers = if self.wakers.is_empty() { Wakers::One(None) } else { Wakers::Many(self.wakers.drain()) };
        (wakers, callbacks)
    }
}

/// What waited for a node that was just marked.
pub(crate) struct Released {
    pub(crate) children: Children,
    pub(crate) wakers: Wakers,
    pub(crate) callbacks: Option<Drain<Arc<Callback>>>,
}

pub(crate) enum Wakers {
    One(Option<Waker>),
    Many(Drain<Waker>),
}

impl Default for Wakers {
    fn default() -> Wakers {
        Wakers::One(None)
    }
}

impl Iterator for Wakers {
    type Item = Waker;

    #[inline]
    fn next(&mut self) -> Option<Waker> {
        match self {
            Wakers::One(waker) => waker.take(),
            Wakers::Many(wakers) => wakers.next(),
        }
    }
}

/// The children of a node that was just marked.
pub(crate) enum Children {
    One(Option<Link<CancelNode>>),
    Many(Box<Lists>),
}

impl Children {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Children::One(child) => child.is_none(),
            Children::Many(lists) => lists.children.is_empty(),
        }
    }

    pub(crate) fn next(&mut self) -> Option<Link<CancelNode>> {
        match self {
            Children::One(child) => child.take(),
            Children::Many(lists) => lists.children.drain_next(),
        }
    }
}
