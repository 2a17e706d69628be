use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Poll, Waker};

use crate::ContextError;
use crate::list::NIL;
use crate::node::CancelNode;
use crate::refs::Ref;

/// A future that is ready when its context is done; made by [`Context::done`](crate::Context::done).
///
/// It owns what it needs, so it may outlive the context it came from; it is `Unpin`, may be polled
/// again after it was ready, and is cancel safe.
///
/// ```
/// # use std::{future::Future, pin::pin, task};
/// let (ctx, handle) = context::background().with_cancel();
/// let mut done = pin!(ctx.done());
/// let mut cx = task::Context::from_waker(task::Waker::noop());
/// assert!(done.as_mut().poll(&mut cx).is_pending());
/// handle.cancel();
/// assert!(done.as_mut().poll(&mut cx).is_ready());
/// ```
#[must_use = "futures do nothing unless polled or awaited"]
pub struct Done {
    /// `None` when nothing can end the context.
    node: Option<Ref<CancelNode>>,
    /// Key of the registered waker.
    slot: u32,
}

impl Done {
    pub(crate) fn new(node: Option<Ref<CancelNode>>) -> Done {
        Done { node, slot: NIL }
    }

    /// The error, if the context is done; else arranges for `waker` to be woken.
    pub(crate) fn poll_with(&mut self, waker: &Waker) -> Poll<ContextError> {
        let Some(node) = &self.node else { return Poll::Pending };
        if let Some(error) = node.error() {
            self.slot = NIL;
            return Poll::Ready(error);
        }
        // Wakers are cloned before and dropped after the node's lock is held: both are foreign code.
        if self.slot == NIL {
            match node.add_waker(waker.clone()) {
                Ok(key) => {
                    self.slot = key;
                    return Poll::Pending;
                }
                Err(unused) => drop(unused),
            }
        } else if !node.has_waker(self.slot, waker) {
            drop(node.replace_waker(self.slot, waker.clone()));
        }
        // The node may have ended since the first look.
        match node.error() {
            Some(error) => {
                self.slot = NIL;
                Poll::Ready(error)
            }
            None => Poll::Pending,
        }
    }
}

impl Future for Done {
    type Output = ContextError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<ContextError> {
        self.poll_with(cx.waker())
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some(node) = &self.node
            && self.slot != NIL
        {
            drop(node.remove_waker(self.slot));
        }
    }
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error = self.node.as_ref().and_then(|node| node.error());
        f.debug_struct("Done").field("err", &error).finish()
    }
}

impl std::panic::UnwindSafe for Done {}
impl std::panic::RefUnwindSafe for Done {}
