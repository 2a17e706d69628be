//! The end of a process: told by signals, waited for by a [`Supervisor`].
//!
//! ```no_run
//! use std::time::Duration;
//! use context::Context;
//! use context::shutdown::{self, Supervisor};
//!
//! # async fn serve(_: &Context, _: &Supervisor) {}
//! # async fn run() {
//! let (stop, now) = shutdown::signals();
//! let supervisor = Supervisor::new();
//!
//! serve(&stop, &supervisor).await; // until SIGINT or SIGTERM
//!
//! // What is detached gets ten seconds, or until the second signal.
//! let (patience, handle) = now.with_timeout(Duration::from_secs(10));
//! let _guard = handle.guard();
//! let report = supervisor.drain(&patience).await;
//! if !report.is_clean() {
//!     eprintln!("cut: {:?}", report.cut);
//! }
//! # }
//! ```

mod signals;
mod supervisor;

pub use self::signals::{Signal, signal, signals};
pub use self::supervisor::{Draining, Report, Supervisor};
