use std::time::Duration;

use ::http::{HeaderMap, HeaderName};

use crate::grpc_timeout;

/// How a header says for how long the client waits.
///
/// ```
/// use context::tower::TimeoutFormat;
/// use std::time::Duration;
///
/// assert_eq!(TimeoutFormat::Grpc.parse("250m"), Some(Duration::from_millis(250)));
/// assert_eq!(TimeoutFormat::Millis.parse("250"), Some(Duration::from_millis(250)));
/// assert_eq!(TimeoutFormat::Seconds.parse("1.5"), Some(Duration::from_millis(1500)));
/// assert_eq!(TimeoutFormat::Seconds.parse("soon"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeoutFormat {
    /// As in `grpc-timeout`: up to eight digits and one of `H`, `M`, `S`, `m`, `u`, `n`.
    Grpc,
    /// A whole number of milliseconds, as in `x-envoy-expected-rq-timeout-ms`.
    Millis,
    /// A number of seconds, which may have a fraction.
    Seconds,
}

impl TimeoutFormat {
    /// Reads a header's value; `None` if it is not in this format.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use context::tower::TimeoutFormat;
    /// assert_eq!(TimeoutFormat::Grpc.parse("2S"), Some(Duration::from_secs(2)));
    /// assert_eq!(TimeoutFormat::Millis.parse("-1"), None);
    /// ```
    #[must_use]
    pub fn parse(self, text: &str) -> Option<Duration> {
        let text = text.trim_matches([' ', '\t']);
        match self {
            TimeoutFormat::Grpc => grpc_timeout::parse(text),
            TimeoutFormat::Millis => digits(text)?.parse().ok().map(Duration::from_millis),
            TimeoutFormat::Seconds => {
                let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
                (digits(whole).is_some() && digits(fraction).is_some()).then_some(())?;
                Duration::try_from_secs_f64(text.parse().ok()?).ok()
            }
        }
    }
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// Where a request's time limit comes from.
#[derive(Debug, Clone)]
pub(super) struct TimeoutSource {
    pub(super) header: Option<(HeaderName, TimeoutFormat)>,
    pub(super) max: Option<Duration>,
}

impl TimeoutSource {
    /// The smaller of what the client asks for and what the server grants.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<Duration> {
        let asked = self.header.as_ref().and_then(|(name, format)| format.parse(headers.get(name)?.to_str().ok()?));
        match (asked, self.max) {
            (Some(asked), Some(max)) => Some(asked.min(max)),
            (asked, max) => asked.or(max),
        }
    }
}
