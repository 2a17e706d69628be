//! Cancellation, deadlines and request-scoped values in one cheap handle: Go's `context`, told for
//! Rust.
//!
//! ```
//! use std::time::Duration;
//! use context::{Context, ContextError};
//!
//! #[derive(PartialEq, Eq)]
//! struct UserId; // a key: a type of its own
//!
//! let (server, shutdown) = Context::background().with_cancel();
//!
//! // For each request: some values, a time limit, and an end when the scope ends.
//! let request = server.with_value(UserId, 42_u64);
//! let (request, handle) = request.with_timeout(Duration::from_secs(30));
//! let _guard = handle.guard();
//!
//! // Anywhere below: look, wait, pass it on.
//! assert_eq!(request.value::<u64>(&UserId), Some(&42));
//! assert_eq!(request.err(), None);
//!
//! shutdown.cancel();
//! assert_eq!(request.err(), Some(ContextError::Canceled));
//! ```
//!
//! # The model
//!
//! Contexts form a tree. Deriving adds a node below; nothing ever changes a context that somebody
//! else holds. Two things go down the tree, and each derivation says what becomes of them:
//!
//! ```text
//!                         background()                    never done
//!                              |
//!                        with_cancel()  <--- CancelHandle: ends it and all below
//!                              |
//!               +--------------+---------------+
//!               |                              |
//!     with_value(UserId, 42)            with_timeout(5s)     a second subtree,
//!               |                              |             with a deadline
//!        with_timeout(30s)                    ...
//!               |
//!       +-------+--------------------+
//!       |                            |
//!   with_cancel()             without_cancel()   keeps UserId; the end of what is
//!       |                            |           above does not reach it
//!      ...                    with_timeout(5s)   an end of its own
//! ```
//!
//! - the **end**: a node is done when somebody cancels it, when its deadline passes, or when the
//!   node above it is done. Once done it stays done, with one error and one [`Cause`].
//! - the **values**: a look-up goes up from node to node to the nearest equal key.
//!
//! | derivation | values of | ends with | besides |
//! |---|---|---|---|
//! | [`with_cancel`](Context::with_cancel), [`with_cancel_cause`](Context::with_cancel_cause) | `self` | `self` | its handle |
//! | [`with_deadline`](Context::with_deadline), [`with_timeout`](Context::with_timeout), [`with_budget`](Context::with_budget) | `self` | `self` | its handle, its time |
//! | [`with_value`](Context::with_value) | `self` and one more | `self` | |
//! | [`without_cancel`](Context::without_cancel) | `self` | nothing | |
//! | [`reparent`](Context::reparent) | `self` | the new owner | |
//! | [`merge`](Context::merge) | `self` | either of both | its handle |
//!
//! Three habits make it work:
//!
//! 1. Functions that wait take `ctx: &Context` as their first parameter and stop when it is done:
//!    [`run`](Context::run) a future under it, [`sleep`](Context::sleep) by it, look at
//!    [`err`](Context::err) in loops (one atomic load).
//! 2. Whoever derives a context ends it: `let _guard = handle.guard();`. A handle that is dropped
//!    does *not* cancel.
//! 3. Work that outlives its request gets a context that says so:
//!    [`without_cancel`](Context::without_cancel) with a time limit of its own, or
//!    [`reparent`](Context::reparent) to what owns it now.
//!
//! # What you can rely on
//!
//! - When `cancel()` returns, every context below is done. That holds for the call that came
//!   second, too. Parents are done before children, siblings in the order they were made.
//! - `err()`, `is_done()`, `done()` and `cause()` never disagree, and `err()` never waits, not even
//!   for a cancellation that walks a million children.
//! - No waker, callback or drop of yours runs while a lock is held, and a panic in one of them
//!   harms nobody else. Callbacks never run on the thread that cancels or registers.
//! - What is dropped is gone: a child leaves its parent, a timer is disarmed. Chains of any depth
//!   are cancelled and dropped without recursion.
//! - The crate needs no runtime. It starts a thread only once a deadline, a
//!   [`sleep`](Context::sleep) or an [`after_func`](Context::after_func) needs one.
//!
//! # Coming from Go
//!
//! | Go | here |
//! |---|---|
//! | `context.Background()`, `context.TODO()` | [`Context::background`], [`Context::todo`] |
//! | `ctx, cancel := context.WithCancel(ctx)` | `let (ctx, handle) = ctx.with_cancel();` |
//! | `defer cancel()` | `let _guard = handle.guard();` |
//! | `WithCancelCause`, `WithDeadline`, `WithTimeout`, `With…Cause` | the methods of the same names |
//! | `WithValue(ctx, key{}, v)`, `ctx.Value(key{}).(T)` | `ctx.with_value(Key, v)`, `ctx.value::<T>(&Key)` |
//! | `WithoutCancel(ctx)` | [`Context::without_cancel`] |
//! | `stop := AfterFunc(ctx, f)`, `stop()` | [`Context::after_func`], [`StopHandle::stop`] |
//! | `<-ctx.Done()` | `ctx.done().await`, or `ctx.wait()` on a thread |
//! | `select { case <-ctx.Done(): … case v := <-work: … }` | `ctx.run(work).await` |
//! | `ctx.Err()`, `Cause(ctx)`, `ctx.Deadline()` | [`Context::err`], [`Context::cause`], [`Context::deadline`] |
//! | a forgotten `cancel` leaks until the parent ends | nothing leaks: dropping the last handle removes the node |
//! | no merge | [`Context::merge`] |
//!
//! # Coming from `CancellationToken`
//!
//! | tokio-util | here |
//! |---|---|
//! | `CancellationToken::new()` | `Context::background().with_cancel()`: the right to look and the right to cancel are two things |
//! | `token.child_token()` | [`Context::with_cancel`] |
//! | `token.cancel()` | [`CancelHandle::cancel`], or with a reason [`CancelCauseHandle::cancel`] |
//! | `token.is_cancelled()` | [`Context::is_done`], and [`Context::err`] says why |
//! | `token.cancelled().await`, `cancelled_owned()` | `ctx.done().await`: one owned type, `Unpin` |
//! | `token.run_until_cancelled(f)` | [`Context::run`], whose error tells a deadline from a cancellation |
//! | `token.drop_guard()` | [`CancelHandle::guard`] |
//! | `tokio::time::timeout` around it | [`Context::with_timeout`] |
//! | a token where a context is wanted, or the reverse | feature `tokio-util`: bridges without a task |
//!
//! # Features
//!
//! None is on by default, and without any there are no dependencies.
//!
//! | feature | gives |
//! |---|---|
//! | `http` | `RequestExt::context` for `http::Request` |
//! | `tower` | `RequestContextLayer`: one context for each request, ended when the client leaves and with the response |
//! | `axum` | the extractor `RequestContext` |
//! | `tonic` | the same for gRPC; the remaining time goes out as `grpc-timeout` |
//! | `tokio-util` | bridges to and from `CancellationToken` |
//! | `tracing` | spans that survive a detach; contexts as span fields |
//! | `serde` | deadlines in messages, as the time that remains |
//! | `tokio` | groups of tasks, single flights, pools, sagas, shutdown |
//! | `metrics` | what pools do, by the name of the operation, for any exporter |
//! | `status` | a page that shows pools: their queues, what runs since when, recent failures |
//! | `redb` | a durable queue in a file, for what a pool can not take |
//! | `clock`, `tokio-time` | clocks for tests: set by hand, or following `tokio::time::pause` |

mod callback;
mod cause;
mod context;
mod dependents;
mod display;
mod done;
mod error;
mod executor;
#[cfg(feature = "tower")]
mod grpc_timeout;
mod handle;
mod heap;
mod key;
mod list;
mod node;
mod reap;
mod refs;
#[cfg(feature = "tokio-util")]
mod source;
mod sync;
mod timer;
#[cfg(feature = "tokio")]
mod unwind;
mod view;
mod wait;
mod walk;

#[cfg(feature = "axum")]
pub mod axum;
#[cfg(feature = "clock")]
pub mod clock;
#[cfg(feature = "tokio")]
pub mod flight;
#[cfg(feature = "tokio")]
pub mod group;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "tokio")]
pub mod pool;
#[cfg(feature = "tokio")]
pub mod saga;
#[cfg(feature = "serde")]
pub mod serde;
#[cfg(feature = "tokio")]
pub mod shutdown;
#[cfg(feature = "tokio-util")]
pub mod tokio_util;
#[cfg(feature = "tonic")]
pub mod tonic;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "tracing")]
pub mod tracing;

pub use self::callback::StopHandle;
pub use self::cause::Cause;
pub use self::context::{Context, background, todo};
pub use self::done::Done;
pub use self::error::ContextError;
pub use self::handle::{CancelCauseHandle, CancelGuard, CancelHandle};
pub use self::key::Key;

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
