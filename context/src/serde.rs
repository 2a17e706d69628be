//! Deadlines in messages.
//!
//! Clocks of two machines differ, so what is sent is the time that remains, and what is received
//! counts from its arrival.
//!
//! ```
//! use std::time::Duration;
//! use context::Context;
//! use context::serde::Remaining;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Job {
//!     name: String,
//!     time: Remaining,
//! }
//!
//! let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(10));
//! let sent = serde_json::to_string(&Job { name: "report".into(), time: Remaining::of(&ctx) }).unwrap();
//!
//! let job: Job = serde_json::from_str(&sent).unwrap();
//! let (ctx, handle) = job.time.at_most(Duration::from_secs(60)).derive(&Context::background());
//! let _guard = handle.guard();
//! assert!(ctx.deadline().is_some());
//! ```

use std::time::{Duration, Instant};

use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{CancelHandle, Context, timer};

/// The time that remains of a context; nothing if it has no deadline.
///
/// Serialised as an optional [`Duration`]. Take it right before a message is sent, and derive from
/// it right after it has arrived.
///
/// ```
/// use std::time::Duration;
/// use context::Context;
/// use context::serde::Remaining;
///
/// let (ctx, _handle) = Context::background().with_timeout(Duration::from_secs(10));
/// let message = serde_json::to_string(&Remaining::of(&ctx)).unwrap();
///
/// let received: Remaining = serde_json::from_str(&message).unwrap();
/// let (served, _handle) = received.derive(&Context::background());
/// assert!(served.deadline().is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Remaining(pub Option<Duration>);

impl Remaining {
    /// What remains now. A deadline that has passed leaves zero.
    ///
    /// ```
    /// # use context::{Context, serde::Remaining};
    /// assert_eq!(Remaining::of(&Context::background()), Remaining(None));
    /// ```
    #[must_use]
    pub fn of(ctx: &Context) -> Remaining {
        Remaining(ctx.remaining())
    }

    /// No more than `max`, whatever the message says.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::serde::Remaining;
    /// assert_eq!(Remaining(None).at_most(Duration::from_secs(1)), Remaining(Some(Duration::from_secs(1))));
    /// ```
    #[must_use]
    pub fn at_most(self, max: Duration) -> Remaining {
        Remaining(Some(self.0.map_or(max, |left| left.min(max))))
    }

    /// Derives a context that has this much time, counted from now, but never more than `parent`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::{Context, serde::Remaining};
    /// let (expired, _handle) = Remaining(Some(Duration::ZERO)).derive(&Context::background());
    /// assert!(expired.is_done());
    /// ```
    pub fn derive(self, parent: &Context) -> (Context, CancelHandle) {
        match self.0 {
            Some(left) => parent.with_timeout(left),
            None => parent.with_cancel(),
        }
    }
}

/// For fields that are deadlines: `#[serde(with = "context::serde::remaining")]`.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Job {
///     #[serde(with = "context::serde::remaining")]
///     deadline: Instant,
/// }
///
/// let job = Job { deadline: Instant::now() + Duration::from_secs(60) };
/// let received: Job = serde_json::from_str(&serde_json::to_string(&job).unwrap()).unwrap();
/// assert!(received.deadline > Instant::now() + Duration::from_secs(50));
/// ```
pub mod remaining {
    use super::{Deserialize, Deserializer, Duration, Instant, Serialize, Serializer, timer};
    use ::serde::de::Error;

    /// Writes the time from now to `deadline`, zero if it has passed.
    ///
    /// # Errors
    /// Those of the serializer.
    ///
    /// ```
    /// # use std::time::Instant;
    /// let passed = context::serde::remaining::serialize(&Instant::now(), serde_json::value::Serializer).unwrap();
    /// assert_eq!(passed, serde_json::json!({ "secs": 0, "nanos": 0 }));
    /// ```
    pub fn serialize<S: Serializer>(deadline: &Instant, serializer: S) -> Result<S::Ok, S::Error> {
        deadline.saturating_duration_since(timer::now()).serialize(serializer)
    }

    /// Reads a time and counts it from now.
    ///
    /// # Errors
    /// Those of the deserializer, and one for a time beyond what [`Instant`] can say.
    ///
    /// ```
    /// # use std::time::{Duration, Instant};
    /// let before = Instant::now();
    /// let deadline = context::serde::remaining::deserialize(serde_json::json!({ "secs": 60, "nanos": 0 })).unwrap();
    /// assert!(deadline >= before + Duration::from_secs(60));
    /// ```
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let left = Duration::deserialize(deserializer)?;
        timer::now().checked_add(left).ok_or_else(|| D::Error::custom("the remaining time is too long"))
    }
}
