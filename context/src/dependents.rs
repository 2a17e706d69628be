//! What waits for a node: its children, wakers and callbacks. Guarded by the node's lock.

use std::task::Waker;

use crate::Cause;
use crate::callback::Callback;
use crate::list::List;
use crate::node::CancelNode;
use crate::sync::{Arc, Thread, Weak};

/// What waits for a node. Most nodes have one child or one waiter at a time: those need no
/// allocation of their own. Entry 0 of a list stands for the small place too.
pub(crate) enum Dependents {
    Small { child: Option<Weak<CancelNode>>, waker: Option<Waker> },
    Big(Box<Lists>),
    Done(Ending),
}

pub(crate) struct Lists {
    pub(crate) children: List<Weak<CancelNode>>,
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

    pub(crate) fn has_children(&self) -> bool {
        match self {
            Dependents::Small { child, .. } => child.is_some(),
            Dependents::Big(lists) => !lists.children.is_empty(),
            Dependents::Done(_) => false,
        }
    }
}

/// The children of a node that was just marked.
pub(crate) enum Children {
    One(Option<Weak<CancelNode>>),
    Many(Box<Lists>),
}

impl Children {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Children::One(child) => child.is_none(),
            Children::Many(lists) => lists.children.is_empty(),
        }
    }

    pub(crate) fn next(&mut self) -> Option<Weak<CancelNode>> {
        match self {
            Children::One(child) => child.take(),
            Children::Many(lists) => lists.children.drain_next(),
        }
    }
}
