//! A cancellable node of the tree.
//!
//! Ownership: a node owns its parent (strong, up); a parent knows its children (weak, down), in
//! the order of their creation. A node leaves its parent's list when it is cancelled or dropped.
//!
//! Locks: each node has one, for what depends on it. No thread ever holds two of them, and no
//! foreign code (wakers, callbacks, drops of values) runs while one is held.
//!
//! State: one atomic word says whether the node is done and why; whoever reads it needs no lock.
//! It goes from live to done once: in one step while nothing was ever registered with the node,
//! else under the lock.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::task::Waker;
use std::time::Instant;

use crate::callback::{Callback, Home};
use crate::dependents::{Dependents, Released};
use crate::list::{List, NIL};
use crate::reap::reap;
use crate::refs::{Link, Ref};
use crate::sync::{Arc, AtomicU32, Mutex, MutexGuard, Ordering, current, get_mut, lock, park};
use crate::timer::Timer;
use crate::{Cause, Context, ContextError};

const CANCELED: u32 = 1;
const DEADLINE: u32 = 2;
const ERROR: u32 = CANCELED | DEADLINE;
/// The whole subtree is done too.
const SETTLED: u32 = 4;
/// Somebody sleeps until the node is settled.
const AWAITED: u32 = 8;
/// Something was registered with the node at some time: only then does its end need the lock.
/// Set while the lock is held.
const BUSY: u32 = 16;

pub(crate) struct CancelNode {
    state: AtomicU32,
    /// Key in the list of the nearest cancellable ancestor; `NIL` when in none.
    slot: AtomicU32,
    dependents: Mutex<Dependents>,
    parent: Context,
    limits: Limits,
}

/// What ends a node besides its own handle and its parent.
pub(crate) enum Limits {
    None,
    /// The earliest deadline of the ancestors, which see to it.
    Inherited(Instant),
    Own(Box<OwnLimits>),
}

pub(crate) struct OwnLimits {
    /// The earliest deadline from here to the root.
    deadline: Option<Instant>,
    own: Own,
}

pub(crate) enum Own {
    Deadline {
        cause: Option<Cause>,
        timer: Timer,
    },
    Merge {
        other: Context,
        slot: AtomicU32,
    },
    /// Something outside of the tree.
    #[cfg(feature = "tokio-util")]
    Source(crate::source::Subscribed),
}

impl Limits {
    pub(crate) fn own(deadline: Option<Instant>, own: Own) -> Limits {
        Limits::Own(Box::new(OwnLimits { deadline, own }))
    }
}

/// How a node ended.
#[derive(Clone)]
pub(crate) struct End {
    pub(crate) error: ContextError,
    pub(crate) cause: Option<Cause>,
}

impl End {
    pub(crate) fn new(error: ContextError, cause: Option<Cause>) -> End {
        End { error, cause: cause.filter(|cause| !cause.is_plain(error)) }
    }
}

impl CancelNode {
    /// A new child of `parent`, registered with the nearest cancellable ancestor; born done when
    /// that one is. Two references to it: for its context and its handle.
    #[inline]
    pub(crate) fn new(parent: Context, limits: Limits) -> (Ref<CancelNode>, Ref<CancelNode>) {
        let node = CancelNode {
            state: AtomicU32::new(0),
            slot: AtomicU32::new(NIL),
            dependents: Mutex::new(Dependents::Small { child: None, waker: None }),
            parent,
            limits,
        };
        let (node, twin) = if node.parent.owner().is_some() {
            let (node, twin, link) = Ref::pair_and_link(node);
            if let Some(owner) = node.parent.owner()
                && let Some(key) = node.join(owner, link)
            {
                // Nobody else needs the slot yet: the node is not handed out before this returns,
                // and a cancellation from above empties the whole list without it.
                node.slot.store(key, Ordering::Relaxed);
            }
            (node, twin)
        } else {
            Ref::pair(node)
        };
        if let Some(Own::Merge { other, slot }) = node.own() {
            node.join_second(other, slot);
        }
        (node, twin)
    }

    pub(crate) fn parent(&self) -> &Context {
        &self.parent
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.limits {
            Limits::None => None,
            Limits::Inherited(at) => Some(*at),
            Limits::Own(limits) => limits.deadline,
        }
    }

    pub(crate) fn own(&self) -> Option<&Own> {
        match &self.limits {
            Limits::Own(limits) => Some(&limits.own),
            Limits::None | Limits::Inherited(_) => None,
        }
    }

    pub(crate) fn error(&self) -> Option<ContextError> {
        error_of(self.state.load(Ordering::Acquire))
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        self.end().map(|end| end.cause.unwrap_or_else(|| Cause::plain(end.error)))
    }

    /// How the node ended; `None` while it is live.
    pub(crate) fn end(&self) -> Option<End> {
        let error = self.error()?;
        // A node that ended without the lock has no record: its cause says no more than the error.
        let cause = match &*lock(&self.dependents) {
            Dependents::Done(ending) => ending.cause.clone(),
            _ => None,
        };
        Some(End { error, cause })
    }

    /// Whether the node is done, by a read-modify-write: whoever marks the node after a `false`
    /// sees what the caller wrote before.
    fn is_done_for_sure(&self) -> bool {
        self.state.fetch_or(0, Ordering::AcqRel) & ERROR != 0
    }

    /// Locks what depends on the node, to register something; `None` when the node is done.
    #[inline]
    fn enter(&self) -> Option<MutexGuard<'_, Dependents>> {
        let dependents = lock(&self.dependents);
        let mut state = self.state.load(Ordering::Acquire);
        if state & (BUSY | ERROR) == 0 {
            state = self.state.fetch_or(BUSY, Ordering::AcqRel);
        }
        // A node that is busy and live stays live while the lock is held.
        if state & ERROR == 0 { Some(dependents) } else { None }
    }

    /// Registers a child; `None` when the node is done.
    #[inline]
    fn add_child(&self, link: Link<CancelNode>) -> Option<u32> {
        let mut dependents = self.enter()?;
        match &mut *dependents {
            Dependents::Big(lists) => Some(lists.children.push(link)),
            Dependents::Small { child: place @ None, .. } => {
                *place = Some(link);
                Some(0)
            }
            Dependents::Small { .. } | Dependents::Done(_) => Some(dependents.lists()?.children.push(link)),
        }
    }

    fn remove_child(&self, key: u32) {
        // A done node has given its list away.
        if key == NIL || self.error().is_some() {
            return;
        }
        let mut dependents = lock(&self.dependents);
        let link = match &mut *dependents {
            Dependents::Small { child, .. } => child.take(),
            Dependents::Big(lists) => lists.children.remove(key),
            Dependents::Done(_) => None,
        };
        drop(dependents);
        drop(link);
    }

    /// Registers a waker; `Err` gives it back when the node is done.
    pub(crate) fn add_waker(&self, waker: Waker) -> Result<u32, Waker> {
        let Some(mut dependents) = self.enter() else { return Err(waker) };
        if let Dependents::Small { waker: place @ None, .. } = &mut *dependents {
            *place = Some(waker);
            return Ok(0);
        }
        match dependents.lists() {
            Some(lists) => Ok(lists.wakers.push(waker)),
            None => Err(waker),
        }
    }

    /// Whether the registered waker wakes the same task as `waker`, or needs not to be replaced
    /// because the node is done.
    pub(crate) fn has_waker(&self, key: u32, waker: &Waker) -> bool {
        match &mut *lock(&self.dependents) {
            Dependents::Small { waker: own, .. } => own.as_ref().is_some_and(|own| own.will_wake(waker)),
            Dependents::Big(lists) => lists.wakers.get_mut(key).is_some_and(|own| own.will_wake(waker)),
            Dependents::Done(_) => true,
        }
    }

    /// Puts `waker` in the place of the registered one. Returns the one that is not needed.
    pub(crate) fn replace_waker(&self, key: u32, waker: Waker) -> Option<Waker> {
        let mut dependents = lock(&self.dependents);
        let own = match &mut *dependents {
            Dependents::Small { waker: own, .. } => own.as_mut(),
            Dependents::Big(lists) => lists.wakers.get_mut(key),
            Dependents::Done(_) => None,
        };
        match own {
            Some(own) => Some(std::mem::replace(own, waker)),
            // The node is done.
            None => Some(waker),
        }
    }

    /// Takes the waker out, for the caller to drop.
    pub(crate) fn remove_waker(&self, key: u32) -> Option<Waker> {
        if self.error().is_some() {
            return None;
        }
        match &mut *lock(&self.dependents) {
            Dependents::Small { waker, .. } => waker.take(),
            Dependents::Big(lists) => lists.wakers.remove(key),
            Dependents::Done(_) => None,
        }
    }

    /// Registers a callback; `None` when the node is done.
    pub(crate) fn add_callback(&self, callback: &Arc<Callback>) -> Option<u32> {
        let mut dependents = self.enter()?;
        Some(dependents.lists()?.callbacks.push(Arc::clone(callback)))
    }

    /// Takes the callback out, for the caller to drop.
    pub(crate) fn remove_callback(&self, key: u32) -> Option<Arc<Callback>> {
        match &mut *lock(&self.dependents) {
            Dependents::Big(lists) => lists.callbacks.remove(key),
            Dependents::Small { .. } | Dependents::Done(_) => None,
        }
    }

    pub(crate) fn child_count(&self) -> usize {
        match &*lock(&self.dependents) {
            Dependents::Small { child, .. } => usize::from(child.is_some()),
            Dependents::Big(lists) => lists.children.len() + lists.callbacks.len(),
            Dependents::Done(_) => 0,
        }
    }

    /// Makes the node done if nothing was ever registered with it and `end` has no cause of its
    /// own: one step, without the lock.
    #[inline]
    pub(crate) fn mark_alone(&self, end: &End) -> Alone {
        if end.cause.is_some() {
            return Alone::No;
        }
        // The look saves those who find it busy an exchange that must fail. Not under loom, which
        // takes a thread's own load for the one that its next store depends on, and then misses
        // the interleavings with the loads of others.
        if cfg!(not(loom)) && self.state.load(Ordering::Relaxed) & BUSY != 0 {
            return Alone::No;
        }
        let state = bits_of(end.error) | SETTLED;
        match self.state.compare_exchange(0, state, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Alone::Marked,
            Err(state) if state & ERROR != 0 => Alone::WasDone,
            Err(_) => Alone::No,
        }
    }

    /// Makes the node done and hands over what depended on it. `None` if it was done before.
    ///
    /// Without children the node is settled at once; else the caller marks them, then calls
    /// [`CancelNode::settle`].
    pub(crate) fn mark(&self, end: &End) -> Option<Released> {
        let mut dependents = self.enter()?;
        let released = dependents.end(end.cause.as_ref());
        let settled = if released.children.is_empty() { SETTLED } else { 0 };
        self.state.store(BUSY | bits_of(end.error) | settled, Ordering::Release);
        drop(dependents);
        Some(released)
    }

    /// Says that the whole subtree is done.
    pub(crate) fn settle(&self) {
        if self.state.fetch_or(SETTLED, Ordering::AcqRel) & AWAITED == 0 {
            return;
        }
        let sleepers = match &mut *lock(&self.dependents) {
            Dependents::Done(ending) => ending.sleepers.take(),
            _ => None,
        };
        for thread in sleepers.into_iter().flat_map(|sleepers| sleepers.0) {
            thread.unpark();
        }
    }

    /// Blocks until the whole subtree of this done node is done. Whoever marks it runs no
    /// foreign code meanwhile, so the wait is short.
    pub(crate) fn wait_settled(&self) {
        if self.state.load(Ordering::Acquire) & SETTLED != 0 {
            return;
        }
        let thread = current();
        let mut dependents = lock(&self.dependents);
        // `settle` either sees AWAITED, and then takes this lock after us, or comes before and
        // is seen here.
        if self.state.fetch_or(AWAITED, Ordering::AcqRel) & SETTLED != 0 {
            return;
        }
        if let Dependents::Done(ending) = &mut *dependents {
            ending.sleepers.get_or_insert_default().0.push(thread);
        }
        drop(dependents);
        while self.state.load(Ordering::Acquire) & SETTLED == 0 {
            park();
        }
    }

    /// Leaves the lists of the ancestors and disarms the timer, once done or dropped.
    pub(crate) fn detach(&self) {
        if !matches!(self.own(), Some(Own::Merge { .. }))
            && let Some(owner) = self.parent.owner()
        {
            // Only who marked the node gets here, or its drop: nobody else touches the slot.
            let key = self.slot.load(Ordering::Relaxed);
            self.slot.store(NIL, Ordering::Relaxed);
            owner.remove_child(key);
        }
        self.detach_own();
    }

    /// As [`CancelNode::detach`], for a node that its parent has let go of.
    pub(crate) fn detach_own(&self) {
        match self.own() {
            Some(Own::Deadline { timer, .. }) => timer.disarm(),
            Some(Own::Merge { other, slot }) => {
                leave(&self.parent, &self.slot);
                leave(other, slot);
            }
            #[cfg(feature = "tokio-util")]
            Some(Own::Source(source)) => source.unsubscribe(),
            None => {}
        }
    }

    fn take_callbacks(&mut self) -> Option<List<Arc<Callback>>> {
        match get_mut(&mut self.dependents) {
            Dependents::Big(lists) if !lists.callbacks.is_empty() => {
                Some(std::mem::replace(&mut lists.callbacks, List::new()))
            }
            _ => None,
        }
    }

    /// Gives the callbacks of a node that nobody can reach any more to those that can still end
    /// it: its ancestors and its timer.
    fn bequeath(&mut self, callbacks: List<Arc<Callback>>) {
        let owners = [self.parent.owner(), self.other().and_then(Context::owner)];
        let timer = match self.own() {
            Some(Own::Deadline { timer, .. }) => self.deadline().map(|at| (at, timer)),
            _ => None,
        };
        let mut callbacks = callbacks;
        while let Some(callback) = callbacks.drain_next() {
            let mut homes = Vec::new();
            for owner in owners.iter().copied().flatten() {
                match owner.add_callback(&callback) {
                    Some(key) => homes.push(Home::Node(owner.downgrade(), key)),
                    None => callback.fire(),
                }
            }
            if let Some((at, timer)) = timer {
                homes.push(timer.adopt(at, &callback));
            }
            #[cfg(feature = "tokio-util")]
            if let Some(Own::Source(source)) = self.own() {
                homes.extend(source.adopt(&callback));
            }
            callback.move_in(homes);
        }
    }

    fn other(&self) -> Option<&Context> {
        match self.own() {
            Some(Own::Merge { other, .. }) => Some(other),
            _ => None,
        }
    }
}

/// What may end the node, and needs a reference to it.
impl Ref<CancelNode> {
    /// Registers with `owner` and returns the key, or ends as it ended.
    #[inline]
    fn join(&self, owner: &CancelNode, link: Link<CancelNode>) -> Option<u32> {
        let key = owner.add_child(link);
        if key.is_none() {
            self.end_as(owner);
        }
        key
    }

    /// Registers a merged node with its second parent.
    #[cold]
    fn join_second(&self, other: &Context, slot: &AtomicU32) {
        if let Some(owner) = other.owner()
            && let Some(key) = self.join(owner, self.downgrade())
        {
            // The parent may end the node meanwhile, and then needs the second slot. Either it
            // finds the key here, or the node is seen to be done.
            slot.swap(key, Ordering::AcqRel);
            if self.is_done_for_sure() {
                self.detach();
            }
        }
    }

    #[cold]
    fn end_as(&self, owner: &CancelNode) {
        if let Some(end) = owner.end() {
            crate::walk::cancel(self, end);
        }
    }

    /// Starts the timer of the node's own deadline.
    pub(crate) fn arm(&self) {
        let (Some(at), Some(Own::Deadline { timer, .. })) = (self.deadline(), self.own()) else { return };
        if self.error().is_some() {
            return;
        }
        timer.arm(at, self.downgrade());
        // A cancellation from above either comes later and finds the timer armed, or came before
        // and is seen here.
        if self.is_done_for_sure() {
            timer.disarm();
        }
    }

    /// Lets the node's source end it.
    #[cfg(feature = "tokio-util")]
    pub(crate) fn subscribe(&self) {
        if let Some(Own::Source(source)) = self.own() {
            source.subscribe(self);
            if self.is_done_for_sure() {
                source.unsubscribe();
            }
        }
    }

    /// Ends the node because its own deadline passed.
    pub(crate) fn expire(&self) {
        let cause = match self.own() {
            Some(Own::Deadline { cause, .. }) => cause.clone(),
            _ => None,
        };
        crate::walk::cancel(self, End::new(ContextError::DeadlineExceeded, cause));
    }
}

// No foreign code runs while the node's state is changed, so a panic never finds it half changed;
// what may be foreign in it is only called and dropped.
impl UnwindSafe for CancelNode {}
impl RefUnwindSafe for CancelNode {}

impl Drop for CancelNode {
    fn drop(&mut self) {
        if self.error().is_none() {
            self.detach();
            if let Some(callbacks) = self.take_callbacks() {
                self.bequeath(callbacks);
            }
        }
        if let Limits::Own(limits) = &mut self.limits
            && let Own::Merge { other, .. } = &mut limits.own
        {
            reap(std::mem::take(other));
        }
        reap(std::mem::take(&mut self.parent));
    }
}

/// Leaves one of the two lists of a merged node, once: its maker and whoever marks it may both
/// come here.
fn leave(from: &Context, slot: &AtomicU32) {
    if let Some(owner) = from.owner() {
        owner.remove_child(slot.swap(NIL, Ordering::AcqRel));
    }
}

/// Whether a node could be marked in one step.
pub(crate) enum Alone {
    Marked,
    WasDone,
    /// It takes [`CancelNode::mark`].
    No,
}

fn error_of(state: u32) -> Option<ContextError> {
    match state & ERROR {
        CANCELED => Some(ContextError::Canceled),
        DEADLINE => Some(ContextError::DeadlineExceeded),
        _ => None,
    }
}

fn bits_of(error: ContextError) -> u32 {
    match error {
        ContextError::Canceled => CANCELED,
        ContextError::DeadlineExceeded => DEADLINE,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Every lock there is, held by this thread: with any of them in its way a reader would hang.
    #[test]
    fn reading_takes_no_lock() {
        let (root, handle) = Context::background().with_cancel();
        let (middle, _middle_handle) = root.with_timeout(std::time::Duration::from_secs(3600));
        let view = middle.with_value("key", 1);
        let nodes = [root.owner().unwrap(), middle.owner().unwrap()];
        let read = |expected: Option<ContextError>| {
            let held = nodes.map(|node| lock(&node.dependents));
            for ctx in [&root, &middle, &view] {
                assert_eq!((ctx.err(), ctx.is_done()), (expected, expected.is_some()));
            }
            drop(held);
        };
        read(None);
        handle.cancel();
        read(Some(ContextError::Canceled));
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    #[test]
    fn a_node_and_its_counts_fit_an_allocation_of_88_bytes() {
        assert_eq!(size_of::<CancelNode>(), 80);
    }
}
