//! Bridges to and from [`tokio_util::sync::CancellationToken`], without a task
//! in between: either side's cancellation reaches the other before its `cancel()` returns.
//!
//! ```
//! use context::Context;
//! use tokio_util::sync::CancellationToken;
//!
//! // A library wants a token, a caller has a context, and the reverse.
//! let (ctx, handle) = Context::background().with_cancel();
//! let token = CancellationToken::from(&ctx);
//! let again = Context::from(&token);
//! handle.cancel();
//! assert!(token.is_cancelled() && again.is_done());
//! ```

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Wake, Waker};

use ::tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::node::{CancelNode, Limits, Own};
use crate::source::{Source, Subscribed, Subscription};
use crate::{CancelHandle, Context, Done};

/// Derives contexts from tokens.
///
/// ```
/// use context::Context;
/// use context::tokio_util::ContextExt;
/// use tokio_util::sync::CancellationToken;
/// # let token = CancellationToken::new();
/// let (ctx, handle) = Context::background().with_value("user", 7).with_token(&token);
/// handle.cancel();
/// assert!(ctx.is_done() && !token.is_cancelled());
/// ```
pub trait ContextExt {
    /// Derives a context that is also done when `token` is cancelled.
    ///
    /// A callback registered with it keeps the token alive until either runs or is stopped, also
    /// when every clone of the context is dropped.
    ///
    /// ```
    /// use context::{Context, ContextError};
    /// use context::tokio_util::ContextExt;
    /// use tokio_util::sync::CancellationToken;
    ///
    /// let token = CancellationToken::new();
    /// let (ctx, _handle) = Context::background().with_token(&token);
    /// token.cancel();
    /// assert_eq!(ctx.err(), Some(ContextError::Canceled));
    /// ```
    fn with_token(&self, token: &CancellationToken) -> (Context, CancelHandle);
}

impl ContextExt for Context {
    fn with_token(&self, token: &CancellationToken) -> (Context, CancelHandle) {
        let source = Subscribed::new(Box::new(Token(token.clone())));
        let (node, twin) = CancelNode::new(self.clone(), Limits::own(self.deadline(), Own::Source(source)));
        node.subscribe();
        (Context::of_node(node), CancelHandle::new(twin))
    }
}

/// A context that is done when the token is cancelled.
///
/// ```
/// let token = tokio_util::sync::CancellationToken::new();
/// let ctx = context::Context::from(&token);
/// token.cancel();
/// assert!(ctx.is_done());
/// ```
impl From<&CancellationToken> for Context {
    fn from(token: &CancellationToken) -> Context {
        Context::background().with_token(token).0
    }
}

/// A token that is cancelled when the context is done, for as long as any of the context's
/// handles lives. The context keeps the token until it ends; see [`LinkedToken`] for tokens that
/// come and go.
///
/// ```
/// use tokio_util::sync::CancellationToken;
///
/// let (ctx, handle) = context::background().with_cancel();
/// let token = CancellationToken::from(&ctx);
/// handle.cancel();
/// assert!(token.is_cancelled());
/// ```
impl From<&Context> for CancellationToken {
    fn from(ctx: &Context) -> CancellationToken {
        let token = CancellationToken::new();
        if let Some(node) = ctx.owner()
            && let Err(unused) = node.add_waker(cancel_on_wake(&token))
        {
            drop(unused);
            token.cancel();
        }
        token
    }
}

/// A token that is cancelled when a context is done, until this is dropped.
///
/// Clones of the token inside stay as they are when it is dropped: they are only not linked any
/// more.
///
/// ```
/// use context::tokio_util::LinkedToken;
///
/// let (ctx, handle) = context::background().with_cancel();
/// let linked = LinkedToken::new(&ctx);
/// let child = linked.child_token();
/// handle.cancel();
/// assert!(child.is_cancelled());
/// ```
#[derive(Debug)]
pub struct LinkedToken {
    token: CancellationToken,
    /// Holds the registration with the context.
    _link: Done,
}

impl LinkedToken {
    /// Links a new token to `ctx`.
    ///
    /// ```
    /// use context::tokio_util::LinkedToken;
    /// let (ctx, handle) = context::background().with_cancel();
    /// handle.cancel();
    /// assert!(LinkedToken::new(&ctx).is_cancelled());
    /// ```
    #[must_use]
    pub fn new(ctx: &Context) -> LinkedToken {
        let token = CancellationToken::new();
        let mut link = ctx.done();
        if link.poll_with(&cancel_on_wake(&token)).is_ready() {
            token.cancel();
        }
        LinkedToken { token, _link: link }
    }
}

impl Deref for LinkedToken {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

fn cancel_on_wake(token: &CancellationToken) -> Waker {
    struct CancelOnWake(CancellationToken);
    impl Wake for CancelOnWake {
        fn wake(self: Arc<Self>) {
            self.0.cancel();
        }
    }
    Waker::from(Arc::new(CancelOnWake(token.clone())))
}

struct Token(CancellationToken);

impl Source for Token {
    fn subscribe(&self, waker: Waker) -> Option<Subscription> {
        let mut waiting = Box::pin(self.0.clone().cancelled_owned());
        match waiting.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(Box::new(Waiting(Mutex::new(waiting)))),
        }
    }
}

/// A future that is only kept: the mutex makes it `Sync` and is never locked.
struct Waiting(
    #[expect(dead_code, reason = "its drop leaves the token")] Mutex<Pin<Box<WaitForCancellationFutureOwned>>>,
);
