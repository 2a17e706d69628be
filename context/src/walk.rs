//! The cancellation of a subtree.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use crate::callback::Callback;
use crate::dependents::{Children, Released, Wakers};
use crate::node::{Alone, CancelNode, End};
use crate::refs::{Last, Ref};
use crate::sync::Arc;

/// Ends `origin` and everything below it. On return the whole subtree is done, also when another
/// call came first and is still at it.
///
/// First every node is marked: parents before children, siblings in the order of their creation.
/// No lock is held across nodes and no foreign code runs, so `err()` never waits and a losing
/// call waits only for the marking. Then wakers are woken and callbacks started.
pub(crate) fn cancel(origin: &Ref<CancelNode>, end: End) {
    match origin.mark_alone(&end) {
        Alone::Marked => origin.detach(),
        Alone::WasDone => origin.wait_settled(),
        Alone::No => cancel_all(origin, end),
    }
}

fn cancel_all(origin: &Ref<CancelNode>, end: End) {
    let Some(released) = origin.mark(&end) else {
        origin.wait_settled();
        return;
    };
    let mut fallout = Fallout::default();
    let children = fallout.gather(released);
    if !children.is_empty() {
        mark_below(children, &end, &mut fallout);
        origin.settle();
    }
    // Not before the subtree is done: whoever cancels the parent meanwhile has to find the node
    // in the list, to wait for it.
    origin.detach();
    fallout.release();
}

struct Frame {
    node: Ref<CancelNode>,
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
                    frame.node.detach_own();
                    fallout.bury(frame.node);
                    continue;
                }
                None => return,
            }
        };
        // A child that is being dropped has nobody left to see it done.
        let Some(child) = link.upgrade() else { continue };
        if let Alone::Marked = child.mark_alone(end) {
            child.detach_own();
            fallout.bury(child);
            continue;
        }
        match child.mark(end) {
            Some(released) => {
                let children = fallout.gather(released);
                if children.is_empty() {
                    child.detach_own();
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
    /// The wakers of the first node that has any, and then the others': most cancellations find
    /// one such node at most.
    first: Wakers,
    more: Vec<Waker>,
    callbacks: Vec<Arc<Callback>>,
    /// Nodes whose last handle was dropped while they were being marked. Their drop may run the
    /// drop of a user's value, so it has to wait.
    dead: Vec<Last<CancelNode>>,
}

impl Fallout {
    /// Keeps the wakers and callbacks, and hands on the children.
    fn gather(&mut self, released: Released) -> Children {
        match self.first {
            Wakers::One(None) => self.first = released.wakers,
            _ => self.more.extend(released.wakers),
        }
        self.callbacks.extend(released.callbacks.into_iter().flatten());
        released.children
    }

    fn bury(&mut self, node: Ref<CancelNode>) {
        self.dead.extend(node.release());
    }

    fn release(mut self) {
        let mut more = self.more.into_iter();
        // One round unless a waker panics; the next one goes on with those that are left.
        while !contain(|| {
            self.first.by_ref().for_each(Waker::wake);
            more.by_ref().for_each(Waker::wake);
        }) {}
        for callback in self.callbacks {
            callback.fire();
        }
        for node in self.dead {
            contain(|| drop(node));
        }
    }
}

/// Runs foreign code whose panic must not reach anybody else; true if it did not panic. The panic
/// hook has seen a panic when it ends here.
pub(crate) fn contain(f: impl FnOnce()) -> bool {
    let Err(mut panic) = catch_unwind(AssertUnwindSafe(f)) else { return true };
    // What a panic carries may panic when it is dropped, and that panic's payload again.
    for _ in 0..PAYLOADS {
        match catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            Ok(()) => return false,
            Err(another) => panic = another,
        }
    }
    std::mem::forget(panic);
    false
}

/// Payloads of panics in payloads that are dropped before the next one is given up on.
const PAYLOADS: usize = 4;
