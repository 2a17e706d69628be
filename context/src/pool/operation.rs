use std::borrow::Cow;
use std::time::Duration;

/// What is submitted to a pool, besides the work: a name, and what is special about it.
///
/// The name is for metrics and reports. Use a fixed set of names, not one for each user.
///
/// ```
/// use std::time::Duration;
/// use context::pool::{Operation, Priority};
/// let plain = Operation::from("send mail");
/// let special = Operation::new("bill").priority(Priority::High).timeout(Duration::from_secs(60));
/// # let _ = (plain, special);
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Operation {
    pub(super) name: Cow<'static, str>,
    pub(super) priority: Priority,
    pub(super) timeout: Option<Duration>,
}

impl Operation {
    /// An operation of normal priority, with the pool's time limit.
    ///
    /// ```
    /// use context::pool::Operation;
    /// let operation = Operation::new("send mail");
    /// # drop(operation);
    /// ```
    pub fn new(name: impl Into<Cow<'static, str>>) -> Operation {
        Operation { name: name.into(), priority: Priority::Normal, timeout: None }
    }

    /// Among what waits for a worker, the higher priority comes first.
    ///
    /// ```
    /// use context::pool::{Operation, Priority};
    /// let password = Operation::new("reset password").priority(Priority::High);
    /// # drop(password);
    /// ```
    pub fn priority(mut self, priority: Priority) -> Operation {
        self.priority = priority;
        self
    }

    /// A time limit for each attempt, in place of the pool's.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::pool::Operation;
    /// let report = Operation::new("monthly report").timeout(Duration::from_secs(600));
    /// # drop(report);
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> Operation {
        self.timeout = Some(timeout);
        self
    }
}

impl From<&'static str> for Operation {
    fn from(name: &'static str) -> Operation {
        Operation::new(name)
    }
}

impl From<String> for Operation {
    fn from(name: String) -> Operation {
        Operation::new(name)
    }
}

/// What comes first when several operations wait. Equals are served in the order they came in.
///
/// ```
/// assert!(context::pool::Priority::High > context::pool::Priority::Normal);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Priority {
    /// When nothing else waits.
    Low,
    /// The default.
    #[default]
    Normal,
    /// Before all else.
    High,
}

/// How often, and after how long, failed work is tried again.
///
/// ```
/// use std::time::Duration;
/// use context::pool::Retry;
/// // Up to five attempts; 100 ms between the first two, then twice as long each time, up to 2 s.
/// let retry = Retry::times(5).backoff(Duration::from_millis(100), Duration::from_secs(2));
/// # let _ = retry;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Retry {
    pub(super) attempts: u32,
    first: Duration,
    most: Duration,
}

impl Retry {
    /// One attempt.
    ///
    /// ```
    /// use context::pool::Retry;
    /// assert_eq!(Retry::none(), Retry::times(1));
    /// ```
    pub const fn none() -> Retry {
        Retry::times(1)
    }

    /// Up to so many attempts in all, one after the other without a pause. 0 is taken as 1.
    ///
    /// ```
    /// use context::pool::Retry;
    /// const PATIENT: Retry = Retry::times(10);
    /// # let _ = PATIENT;
    /// ```
    pub const fn times(attempts: u32) -> Retry {
        Retry { attempts, first: Duration::ZERO, most: Duration::ZERO }
    }

    /// Waits `first` before the second attempt, then twice as long each time, up to `most`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use context::pool::Retry;
    /// let retry = Retry::times(4).backoff(Duration::from_millis(50), Duration::from_secs(1));
    /// # let _ = retry;
    /// ```
    pub const fn backoff(mut self, first: Duration, most: Duration) -> Retry {
        self.first = first;
        self.most = most;
        self
    }

    /// How long to wait after the given attempt, counted from 1; `None` if it was the last.
    pub(super) fn after(self, attempt: u32) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        Some(self.first.saturating_mul(doubled).min(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_most() {
        let ms = Duration::from_millis;
        let retry = Retry::times(u32::MAX).backoff(ms(100), ms(500));
        let pauses: Vec<_> = [1, 2, 3, 4, 40, 4_000_000].map(|attempt| retry.after(attempt)).into();
        assert_eq!(pauses, [100, 200, 400, 500, 500, 500].map(|n| Some(ms(n))));
        assert_eq!(Retry::times(2).after(1), Some(ms(0)));
        assert_eq!(Retry::times(2).after(2), None);
        assert_eq!(Retry::times(0).after(1), None);
        let huge = Retry::times(u32::MAX).backoff(Duration::MAX, Duration::MAX);
        assert_eq!(huge.after(30), Some(Duration::MAX));
    }
}
