//! Signals from outside of the tree that end a node.

use std::task::{Wake, Waker};

use crate::ContextError;
use crate::callback::{Callback, Home};
use crate::node::{CancelNode, End};
use crate::refs::{Link, Ref};
use crate::sync::{Arc, Mutex, lock};
use crate::walk;

/// Keeps a waker registered with a source; leaves it when dropped.
pub(crate) type Subscription = Box<dyn Send + Sync>;

/// Something that can be waited for with a waker.
pub(crate) trait Source: Send + Sync {
    /// Arranges for `waker` to be woken; `None` if the source has fired before.
    fn subscribe(&self, waker: Waker) -> Option<Subscription>;
}

/// A node's source and its subscription to it.
pub(crate) struct Subscribed {
    source: Box<dyn Source>,
    subscription: Mutex<Option<Subscription>>,
}

impl Subscribed {
    pub(crate) fn new(source: Box<dyn Source>) -> Subscribed {
        Subscribed { source, subscription: Mutex::new(None) }
    }

    pub(crate) fn subscribe(&self, node: &Ref<CancelNode>) {
        let waker = Waker::from(Arc::new(EndOnWake(node.downgrade())));
        match self.source.subscribe(waker) {
            Some(subscription) => *lock(&self.subscription) = Some(subscription),
            None => end(node),
        }
    }

    pub(crate) fn unsubscribe(&self) {
        // Dropped after the lock: it is foreign code.
        let subscription = lock(&self.subscription).take();
        drop(subscription);
    }

    /// Keeps `callback` for the source when the node itself is gone.
    pub(crate) fn adopt(&self, callback: &Arc<Callback>) -> Option<Home> {
        let waker = Waker::from(Arc::new(FireOnWake(Arc::clone(callback))));
        match self.source.subscribe(waker) {
            Some(subscription) => Some(Home::Source(subscription)),
            None => {
                callback.fire();
                None
            }
        }
    }
}

fn end(node: &Ref<CancelNode>) {
    walk::cancel(node, End::new(ContextError::Canceled, None));
}

struct EndOnWake(Link<CancelNode>);

impl Wake for EndOnWake {
    fn wake(self: std::sync::Arc<Self>) {
        if let Some(node) = self.0.upgrade() {
            end(&node);
        }
    }
}

/// Owns the callback, which owns the subscription that owns this: nobody else is left who could.
/// The ring opens when the callback is claimed.
struct FireOnWake(Arc<Callback>);

impl Wake for FireOnWake {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fire();
    }
}
