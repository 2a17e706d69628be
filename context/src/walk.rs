//! The cancellation of a subtree.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::callback::Callback;
use crate::node::{CancelNode, Children, End, Harvest, Wakers};
use crate::sync::Arc;

/// Ends `origin` and everything below it. On return the whole subtree is done, also when another
/// call came first and is still at it.
///
/// First every node is marked: parents before children, siblings in the order of their creation.
/// No lock is held across nodes and no foreign code runs, so `err()` never waits and a losing
/// call waits only for the marking. Then wakers are woken and callbacks started.
pub(crate) fn cancel(origin: &Arc<CancelNode>, end: End) {
    let Some(harvest) = origin.mark(&end) else {
        origin.wait_settled();
        return;
    };
    origin.detach();
    let mut fallout = Fallout::default();
    let children = fallout.gather(harvest);
    if !children.is_empty() {
        mark_below(children, &end, &mut fallout);
        origin.settle();
    }
    fallout.release();
}

struct Frame {
    node: Arc<CancelNode>,
    children: Children,
}

/// Marks depth first, with a stack of its own. A node is settled when its last descendant is
/// marked. Waiting for another walk in the middle of this one cannot deadlock: that walk is inside
/// a subtree of this one's current node, and the tree (with merges: the graph) has no cycles.
fn mark_below(mut top: Children, end: &End, fallout: &mut Fallout) {
    let mut stack: Vec<Frame> = Vec::new();
    loop {
        let children = stack.last_mut().map_or(&mut top, |frame| &mut frame.children);
        let Some(link) = children.next() else {
            match stack.pop() {
                Some(frame) => {
                    frame.node.settle();
                    fallout.bury(frame.node);
                    continue;
                }
                None => return,
            }
        };
        // A child that is being dropped has nobody left to see it done.
        let Some(child) = link.upgrade() else { continue };
        match child.mark(end) {
            Some(harvest) => {
                child.detach_extra();
                let children = fallout.gather(harvest);
                if children.is_empty() {
                    fallout.bury(child);
                } else {
                    stack.push(Frame { node: child, children });
                }
            }
            None => {
                child.wait_settled();
                fallout.bury(child);
            }
        }
    }
}

/// What is left to do when the marking is over.
#[derive(Default)]
struct Fallout {
    first: Option<Waker>,
    wakers: Vec<Waker>,
    callbacks: Vec<Arc<Callback>>,
    /// Nodes whose last handle was dropped while they were being marked. Their drop may run the
    /// drop of a user's value, so it has to wait.
    dead: Vec<CancelNode>,
}

impl Fallout {
    fn gather(&mut self, harvest: Harvest) -> Children {
        match harvest.wakers {
            Wakers::One(None) => {}
            Wakers::One(Some(waker)) => self.gather_waker(waker),
            Wakers::Many(mut list) => {
                self.wakers.reserve(list.len());
                while let Some(waker) = list.drain_next() {
                    self.gather_waker(waker);
                }
            }
        }
        if let Some(mut list) = harvest.callbacks {
            while let Some(callback) = list.drain_next() {
                self.callbacks.push(callback);
            }
        }
        harvest.children
    }

    fn gather_waker(&mut self, waker: Waker) {
        if self.first.is_none() {
            self.first = Some(waker);
        } else {
            self.wakers.push(waker);
        }
    }

    fn bury(&mut self, node: Arc<CancelNode>) {
        self.dead.extend(Arc::into_inner(node));
    }

    fn release(self) {
        for waker in self.first.into_iter().chain(self.wakers) {
            contain(|| waker.wake());
        }
        for callback in self.callbacks {
            callback.fire();
        }
        for node in self.dead {
            contain(|| drop(node));
        }
    }
}

/// Runs foreign code whose panic must not reach anybody else. The panic hook has seen it.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(f))
        && let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic)))
    {
        // The payload's own drop panicked: give up on freeing what that panic carries.
        std::mem::forget(another);
    }
}
