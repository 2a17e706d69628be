use std::any::Any;
use std::future::{Future, poll_fn};
use std::hash::{Hash, Hasher};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::callback::{Callback, Home, StopHandle};
use crate::list::NIL;
use crate::node::{CancelNode, Limits, Own};
use crate::refs::Ref;
use crate::sync::{Arc, AtomicU32};
use crate::timer::{self, Timer};
use crate::view::{self, View};
use crate::wait::{self, Sleep};
use crate::{CancelCauseHandle, CancelHandle, Cause, ContextError, Done, Key};

/// A cancellation signal, a deadline and values of a request, carried through calls and tasks.
///
/// A context is a cheap handle: clone it, send it anywhere, keep it in a struct. Contexts form a
/// tree. What is derived from a context ends with it, at the latest.
///
/// ```
/// use std::time::Duration;
/// use context::{Context, ContextError};
///
/// let (server, shutdown) = Context::background().with_cancel();
/// let (request, _handle) = server.with_timeout(Duration::from_secs(30));
///
/// shutdown.cancel();
/// assert_eq!(request.err(), Some(ContextError::Canceled));
/// ```
#[derive(Clone)]
pub struct Context(Repr);

#[derive(Clone)]
pub(crate) enum Repr {
    Background,
    Todo,
    Cancel(Ref<CancelNode>),
    View(Arc<View>),
}

/// The root of a tree of contexts: never done, without deadline and values. The same as
/// [`Context::background`].
///
/// ```
/// assert!(!context::background().is_done());
/// ```
#[must_use]
pub const fn background() -> Context {
    Context::background()
}

/// A root for where the right context is not at hand yet. The same as [`Context::todo`].
///
/// ```
/// assert_eq!(context::todo().to_string(), "context.TODO");
/// ```
#[must_use]
pub const fn todo() -> Context {
    Context::todo()
}

impl Context {
    /// The root of a tree of contexts: never done, without deadline and values. For `main`,
    /// initialisation, tests, and as the top-level context of incoming requests. Never allocates.
    ///
    /// ```
    /// use context::Context;
    /// let ctx = Context::background();
    /// assert_eq!(ctx.err(), None);
    /// assert_eq!(ctx.to_string(), "context.Background");
    /// ```
    #[must_use]
    pub const fn background() -> Context {
        Context(Repr::Background)
    }

    /// As [`background`](Context::background), for where it is not clear yet which context to
    /// use, or the function does not take one yet. Easy to find, by people and by linters.
    ///
    /// ```
    /// assert_eq!(context::Context::todo().to_string(), "context.TODO");
    /// ```
    #[must_use]
    pub const fn todo() -> Context {
        Context(Repr::Todo)
    }

    /// Derives a context that can be cancelled on its own.
    ///
    /// ```
    /// use context::Context;
    /// let (parent, cancel_parent) = Context::background().with_cancel();
    /// let (child, cancel_child) = parent.with_cancel();
    /// cancel_child.cancel();
    /// assert!(child.is_done() && !parent.is_done());
    /// # cancel_parent.cancel();
    /// ```
    pub fn with_cancel(&self) -> (Context, CancelHandle) {
        let (node, twin) = self.derive();
        (Context(Repr::Cancel(node)), CancelHandle::new(twin))
    }

    /// Derives a context that can be cancelled with a cause.
    ///
    /// ```
    /// use context::{Context, ContextError};
    /// let (ctx, handle) = Context::background().with_cancel_cause();
    /// handle.cancel("quota used up");
    /// assert_eq!(ctx.err(), Some(ContextError::Canceled));
    /// assert_eq!(ctx.cause().unwrap().to_string(), "quota used up");
    /// ```
    pub fn with_cancel_cause(&self) -> (Context, CancelCauseHandle) {
        let (node, twin) = self.derive();
        (Context(Repr::Cancel(node)), CancelCauseHandle::new(twin))
    }

    /// Derives a context that ends with [`ContextError::DeadlineExceeded`] at `at`, if nothing
    /// ends it earlier. A deadline later than that of `self` changes nothing: the earlier holds.
    /// One in the past ends the new context at once.
    ///
    /// ```
    /// use std::time::Instant;
    /// use context::{Context, ContextError};
    /// let (ctx, _handle) = Context::background().with_deadline(Instant::now());
    /// assert_eq!(ctx.err(), Some(ContextError::DeadlineExceeded));
    /// ```
    pub fn with_deadline(&self, at: Instant) -> (Context, CancelHandle) {
        self.derive_until(Some(at), None)
    }

    /// As [`with_deadline`](Context::with_deadline); if it is the deadline that ends the context,
    /// then `cause` is its cause.
    ///
    /// ```
    /// use std::time::Instant;
    /// use context::Context;
    /// let (ctx, _handle) = Context::background().with_deadline_cause(Instant::now(), "the shop closed");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "the shop closed");
    /// ```
    pub fn with_deadline_cause(&self, at: Instant, cause: impl Into<Cause>) -> (Context, CancelHandle) {
        self.derive_until(Some(at), Some(cause.into()))
    }

    /// As [`with_deadline`](Context::with_deadline), `after` from now. A time beyond what
    /// [`Instant`] can say is no deadline.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::{Context, ContextError};
    /// let (ctx, _handle) = Context::background().with_timeout(Duration::from_millis(5));
    /// assert_eq!(ctx.wait(), ContextError::DeadlineExceeded);
    /// ```
    pub fn with_timeout(&self, after: Duration) -> (Context, CancelHandle) {
        self.derive_until(timer::now().checked_add(after), None)
    }

    /// As [`with_timeout`](Context::with_timeout); if it is the timeout that ends the context,
    /// then `cause` is its cause.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::Context;
    /// let (ctx, _handle) = Context::background().with_timeout_cause(Duration::ZERO, "the bank is slow");
    /// assert_eq!(ctx.cause().unwrap().to_string(), "the bank is slow");
    /// ```
    pub fn with_timeout_cause(&self, after: Duration, cause: impl Into<Cause>) -> (Context, CancelHandle) {
        self.derive_until(timer::now().checked_add(after), Some(cause.into()))
    }

    /// Derives a context that carries `value` under `key`, besides the values of `self`. It hides
    /// an older value under an equal key, of whatever type that is.
    ///
    /// For data of a request that crosses APIs (ids, credentials, traces), not for optional
    /// arguments. Give each value a key type of its own: see [`Key`].
    ///
    /// ```
    /// use context::Context;
    /// #[derive(PartialEq, Eq)]
    /// struct UserId;
    /// let ctx = Context::background().with_value(UserId, "ada".to_string());
    /// assert_eq!(ctx.value::<String>(&UserId).map(String::as_str), Some("ada"));
    /// ```
    #[must_use]
    pub fn with_value<K: Key, V: Any + Send + Sync>(&self, key: K, value: V) -> Context {
        Context(Repr::View(View::with_value(self.clone(), key, value)))
    }

    /// Derives a detached context: the values of `self`, but neither its cancellation nor its
    /// deadline nor its cause. For work that must be finished although the request is over.
    ///
    /// Nothing ends a detached context; give it an end of its own with
    /// [`with_timeout`](Context::with_timeout).
    ///
    /// ```
    /// use context::Context;
    /// let (request, handle) = Context::background().with_value("user", 7).with_cancel();
    /// let audit = request.without_cancel();
    /// handle.cancel();
    /// assert!(!audit.is_done());
    /// assert_eq!(audit.value::<i32>(&"user"), Some(&7));
    /// ```
    #[must_use]
    pub fn without_cancel(&self) -> Context {
        Context(Repr::View(View::detached(self.clone())))
    }

    /// Derives a context with the values of `self` and the lifetime (cancellation, deadline and
    /// cause) of `owner`. For handing work from a request to something that lives longer.
    ///
    /// ```
    /// use context::Context;
    /// let (pool, stop_pool) = Context::background().with_cancel();
    /// let (request, handle) = Context::background().with_value("user", 7).with_cancel();
    /// let job = request.reparent(&pool);
    /// handle.cancel();
    /// assert!(!job.is_done());
    /// stop_pool.cancel();
    /// assert!(job.is_done());
    /// assert_eq!(job.value::<i32>(&"user"), Some(&7));
    /// ```
    #[must_use]
    pub fn reparent(&self, owner: &Context) -> Context {
        Context(Repr::View(View::reparented(self.clone(), owner.clone())))
    }

    /// Derives a context with the values of `self` that is done when either `self` or `other` is,
    /// with the error and cause of whichever was first (of `self` if both are done already). Its
    /// deadline is the earlier one.
    ///
    /// ```
    /// use context::Context;
    /// let (request, _request) = Context::background().with_cancel();
    /// let (server, shutdown) = Context::background().with_cancel_cause();
    /// let (both, _handle) = request.merge(&server);
    /// shutdown.cancel("going down");
    /// assert_eq!(both.cause().unwrap().to_string(), "going down");
    /// assert!(!request.is_done());
    /// ```
    pub fn merge(&self, other: &Context) -> (Context, CancelHandle) {
        let deadline = match (self.deadline(), other.deadline()) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
        let second = Own::Merge { other: other.clone(), slot: AtomicU32::new(NIL) };
        let (node, twin) = CancelNode::new(self.clone(), Limits::own(deadline, second));
        (Context(Repr::Cancel(node)), CancelHandle::new(twin))
    }

    /// Derives a context for a part of the work: it has at most `max`, and leaves `headroom` of
    /// what remains of `self` to the caller, say for an answer or a fallback. When nothing would
    /// remain, it is done at once with [`ContextError::DeadlineExceeded`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::Context;
    /// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(10));
    /// let (query, _handle) = ctx.with_budget(Duration::from_secs(60), Duration::from_secs(2));
    /// assert_eq!(query.deadline().unwrap() + Duration::from_secs(2), ctx.deadline().unwrap());
    /// ```
    pub fn with_budget(&self, max: Duration, headroom: Duration) -> (Context, CancelHandle) {
        let now = timer::now();
        let at_most = now.checked_add(max);
        let with_headroom = self.deadline().map(|at| at.checked_sub(headroom).map_or(now, |at| at.max(now)));
        let at = match (at_most, with_headroom) {
            (Some(at_most), Some(with_headroom)) => Some(at_most.min(with_headroom)),
            (at_most, with_headroom) => at_most.or(with_headroom),
        };
        self.derive_until(at, None)
    }

    /// Runs `f` once the context is done, on a thread of its own: never on the thread that
    /// cancels or registers. On a context that is done already it starts at once.
    ///
    /// The callback stays registered when the returned handle, or every clone of the context, is
    /// dropped; only [`StopHandle::stop`] takes it back. A callback that can never run, because
    /// nothing is left that could end the context, is dropped. A panic in `f` stays in `f`.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// let (ctx, handle) = context::background().with_cancel();
    /// let (tx, rx) = mpsc::channel();
    /// ctx.after_func(move || tx.send("cleaned up").unwrap());
    /// handle.cancel();
    /// assert_eq!(rx.recv().unwrap(), "cleaned up");
    /// ```
    pub fn after_func(&self, f: impl FnOnce() + Send + 'static) -> StopHandle {
        let callback = Callback::new(Box::new(f));
        if let Some(owner) = self.owner() {
            match owner.add_callback(&callback) {
                Some(key) => callback.move_in(vec![Home::Node(owner.downgrade(), key)]),
                None => callback.fire(),
            }
        }
        StopHandle::new(callback)
    }

    /// A future that is ready, with the error, once the context is done. For roots and detached
    /// contexts it never is.
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task};
    /// # use context::ContextError;
    /// let (ctx, handle) = context::background().with_cancel();
    /// handle.cancel();
    /// let mut cx = task::Context::from_waker(task::Waker::noop());
    /// assert_eq!(pin!(ctx.done()).poll(&mut cx), task::Poll::Ready(ContextError::Canceled));
    /// ```
    pub fn done(&self) -> Done {
        Done::new(self.owner().cloned())
    }

    /// Blocks the thread until the context is done. On a root or a detached context it blocks
    /// for ever.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// std::thread::spawn(move || handle.cancel());
    /// assert_eq!(ctx.wait(), context::ContextError::Canceled);
    /// ```
    pub fn wait(&self) -> ContextError {
        loop {
            if let Some(error) = wait::block(self.done(), None) {
                return error;
            }
        }
    }

    /// Blocks the thread until the context is done, but no longer than `d`. `None` when the time
    /// ran out.
    ///
    /// ```
    /// use std::time::Duration;
    /// let ctx = context::background();
    /// assert_eq!(ctx.wait_timeout(Duration::from_millis(1)), None);
    /// ```
    pub fn wait_timeout(&self, d: Duration) -> Option<ContextError> {
        wait::block(self.done(), Instant::now().checked_add(d))
    }

    /// Runs `f` until it is finished or the context is done, whichever is first.
    ///
    /// A context that is done already never polls `f`; later, a finished `f` wins over a
    /// cancellation seen in the same poll, so that no result is lost.
    ///
    /// # Errors
    /// The context's error when it was done before `f` was finished; `f` is dropped then.
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task};
    /// use context::ContextError;
    /// # fn block_on<F: Future>(f: F) -> F::Output {
    /// #     let mut f = pin!(f);
    /// #     loop {
    /// #         let mut cx = task::Context::from_waker(task::Waker::noop());
    /// #         if let task::Poll::Ready(out) = f.as_mut().poll(&mut cx) { break out }
    /// #     }
    /// # }
    /// let (ctx, handle) = context::background().with_cancel();
    /// assert_eq!(block_on(ctx.run(async { 42 })), Ok(42));
    /// handle.cancel();
    /// assert_eq!(block_on(ctx.run(async { 42 })), Err(ContextError::Canceled));
    /// ```
    pub async fn run<F: Future>(&self, f: F) -> Result<F::Output, ContextError> {
        if let Some(error) = self.err() {
            return Err(error);
        }
        let mut f = pin!(f);
        // Made when first needed: many futures are ready at the first poll.
        let mut done = None;
        poll_fn(move |cx| {
            if let Poll::Ready(output) = f.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            done.get_or_insert_with(|| self.done()).poll_with(cx.waker()).map(Err)
        })
        .await
    }

    /// Sleeps for `d`, on any executor, unless the context ends first.
    ///
    /// # Errors
    /// The context's error when it was done before the time had passed.
    ///
    /// ```
    /// # use std::{future::Future, pin::pin, task, time::Duration};
    /// # fn block_on<F: Future>(f: F) -> F::Output {
    /// #     let mut f = pin!(f);
    /// #     loop {
    /// #         let mut cx = task::Context::from_waker(task::Waker::noop());
    /// #         if let task::Poll::Ready(out) = f.as_mut().poll(&mut cx) { break out }
    /// #         std::thread::yield_now();
    /// #     }
    /// # }
    /// let (ctx, _handle) = context::background().with_cancel();
    /// assert_eq!(block_on(ctx.sleep(Duration::from_millis(1))), Ok(()));
    /// ```
    pub async fn sleep(&self, d: Duration) -> Result<(), ContextError> {
        self.run(Sleep::until(timer::now().checked_add(d))).await
    }

    /// Why the context is done; `None` while it is not. One atomic load: never waits.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// assert_eq!(ctx.err(), None);
    /// handle.cancel();
    /// assert_eq!(ctx.err(), Some(context::ContextError::Canceled));
    /// ```
    #[must_use]
    #[inline]
    pub fn err(&self) -> Option<ContextError> {
        match self.owner() {
            Some(node) => node.error(),
            None => None,
        }
    }

    /// Whether the context is done. One atomic load: never waits.
    ///
    /// ```
    /// let (ctx, handle) = context::background().with_cancel();
    /// handle.cancel();
    /// assert!(ctx.is_done());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_done(&self) -> bool {
        self.err().is_some()
    }

    /// Whether anything can end the context: false for roots and detached contexts.
    ///
    /// ```
    /// let (ctx, _handle) = context::background().with_cancel();
    /// assert!(ctx.is_cancellable());
    /// assert!(!ctx.without_cancel().is_cancellable());
    /// ```
    #[must_use]
    pub fn is_cancellable(&self) -> bool {
        self.owner().is_some()
    }

    /// Why the context is done, in the words of whoever ended it: the cause given to
    /// [`CancelCauseHandle::cancel`] or with the deadline, by this context or the ancestor that
    /// ended it; else the error itself. `None` while the context is not done.
    ///
    /// ```
    /// let (parent, handle) = context::background().with_cancel_cause();
    /// let (child, _handle) = parent.with_cancel();
    /// handle.cancel("deploy");
    /// assert_eq!(child.cause().unwrap().to_string(), "deploy");
    /// ```
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.owner()?.cause()
    }

    /// When the context ends at the latest; `None` if no deadline is set.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// let at = Instant::now() + Duration::from_secs(1);
    /// let (ctx, _handle) = context::background().with_deadline(at);
    /// let (child, _handle) = ctx.with_timeout(Duration::from_secs(60));
    /// assert_eq!(child.deadline(), Some(at));
    /// ```
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.owner()?.deadline()
    }

    /// The time until the deadline, zero once it has passed; `None` if no deadline is set.
    ///
    /// ```
    /// use std::time::Duration;
    /// let (ctx, _handle) = context::background().with_timeout(Duration::from_secs(60));
    /// assert!(ctx.remaining().unwrap() <= Duration::from_secs(60));
    /// assert_eq!(context::background().remaining(), None);
    /// ```
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline()?.saturating_duration_since(timer::now()))
    }

    /// The value under `key`: of the nearest entry whose key has the same type and is equal.
    /// `None` if there is none, or if that entry's value is not a `V`.
    ///
    /// ```
    /// let ctx = context::background().with_value("answer", 42_u8);
    /// assert_eq!(ctx.value::<u8>(&"answer"), Some(&42));
    /// assert_eq!(ctx.value::<u8>(&"question"), None);
    /// ```
    #[must_use]
    pub fn value<V: Any>(&self, key: &impl Key) -> Option<&V> {
        view::nearest(self)?.value(key)
    }

    /// How many contexts and callbacks are registered with this one. For tests.
    #[doc(hidden)]
    #[must_use]
    pub fn child_count(&self) -> usize {
        self.owner().map_or(0, |node| node.child_count())
    }

    fn derive(&self) -> (Ref<CancelNode>, Ref<CancelNode>) {
        CancelNode::new(self.clone(), self.deadline().map_or(Limits::None, Limits::Inherited))
    }

    /// Derives with a deadline of its own if that is not later than the inherited one.
    fn derive_until(&self, at: Option<Instant>, cause: Option<Cause>) -> (Context, CancelHandle) {
        let at = at.filter(|at| self.deadline().is_none_or(|inherited| *at <= inherited));
        let Some(at) = at else { return self.with_cancel() };
        let own = Own::Deadline { cause, timer: Timer::new() };
        let (node, twin) = CancelNode::new(self.clone(), Limits::own(Some(at), own));
        if at <= timer::now() {
            node.expire();
        } else {
            node.arm();
        }
        (Context(Repr::Cancel(node)), CancelHandle::new(twin))
    }

    #[cfg(feature = "tokio-util")]
    pub(crate) fn of_node(node: Ref<CancelNode>) -> Context {
        Context(Repr::Cancel(node))
    }

    pub(crate) fn repr(&self) -> &Repr {
        &self.0
    }

    pub(crate) fn is_root(&self) -> bool {
        matches!(self.0, Repr::Background | Repr::Todo)
    }

    pub(crate) fn parent(&self) -> Option<&Context> {
        match &self.0 {
            Repr::Background | Repr::Todo => None,
            Repr::Cancel(node) => Some(node.parent()),
            Repr::View(view) => Some(view.parent()),
        }
    }

    /// What tells this context from all others.
    fn identity(&self) -> (u8, *const ()) {
        match &self.0 {
            Repr::Background => (0, std::ptr::null()),
            Repr::Todo => (1, std::ptr::null()),
            Repr::Cancel(node) => (2, node.address()),
            Repr::View(view) => (3, Arc::as_ptr(view).cast()),
        }
    }

    /// The node whose end is this context's end.
    #[inline]
    pub(crate) fn owner(&self) -> Option<&Ref<CancelNode>> {
        match &self.0 {
            Repr::Background | Repr::Todo => None,
            Repr::Cancel(node) => Some(node),
            Repr::View(view) => view.owner(),
        }
    }
}

/// Contexts are equal when they are clones of one another.
///
/// ```
/// let (ctx, _handle) = context::background().with_cancel();
/// assert_eq!(ctx, ctx.clone());
/// assert_ne!(ctx, ctx.with_value("key", 1));
/// ```
impl PartialEq for Context {
    fn eq(&self, other: &Context) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for Context {}

impl Hash for Context {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// The same as [`Context::background`].
impl Default for Context {
    fn default() -> Context {
        Context::background()
    }
}

// Values are only ever handed out by shared reference, and the crate's own state is whole
// whenever a panic can occur.
impl UnwindSafe for Context {}
impl RefUnwindSafe for Context {}
