//! The text of a `grpc-timeout` header: up to eight digits and a unit.

use std::time::Duration;

#[cfg(any(test, feature = "tonic"))]
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Reads a header's value; `None` if it is not one.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

/// Writes a time in the finest unit whose amount has at most eight digits, rounded down, so that
/// the other side never waits longer than this one.
#[cfg(any(test, feature = "tonic"))]
pub(crate) fn format(time: Duration) -> String {
    let (seconds, nanos) = (time.as_secs(), u64::from(time.subsec_nanos()));
    let total_nanos = seconds.checked_mul(NANOS_PER_SECOND).and_then(|total| total.checked_add(nanos));
    let amounts = [
        (total_nanos, 'n'),
        (total_nanos.map(|nanos| nanos / 1_000), 'u'),
        (total_nanos.map(|nanos| nanos / 1_000_000), 'm'),
        (Some(seconds), 'S'),
        (Some(seconds / 60), 'M'),
    ];
    for (amount, unit) in amounts {
        if let Some(amount) = amount
            && amount <= 99_999_999
        {
            return format!("{amount}{unit}");
        }
    }
    format!("{}H", (seconds / 3600).min(99_999_999))
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use std::time::Duration;

    #[test]
    fn reads_every_unit() {
        assert_eq!(parse("2H"), Some(Duration::from_secs(7200)));
        assert_eq!(parse("3M"), Some(Duration::from_secs(180)));
        assert_eq!(parse("99999999S"), Some(Duration::from_secs(99_999_999)));
        assert_eq!(parse("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse("5u"), Some(Duration::from_micros(5)));
        assert_eq!(parse("0n"), Some(Duration::ZERO));
    }

    #[test]
    fn refuses_what_is_no_timeout() {
        for text in ["", "S", "5", "5s", "123456789S", "-1S", "+1S", "1.5S", "1 S", "1é", "é"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn writes_the_finest_unit_that_fits_and_never_more_than_there_is() {
        assert_eq!(format(Duration::ZERO), "0n");
        assert_eq!(format(Duration::from_nanos(99_999_999)), "99999999n");
        assert_eq!(format(Duration::from_nanos(100_000_999)), "100000u");
        assert_eq!(format(Duration::from_secs(30)), "30000000u");
        assert_eq!(format(Duration::from_secs(86_400)), "86400000m");
        assert_eq!(format(Duration::from_secs(100_000_001)), "1666666M");
        assert_eq!(format(Duration::MAX), "99999999H");
        for nanos in [1, 999, 123_456_789, 99_999_999_999, 7_777_777_777_777_777] {
            let time = Duration::from_nanos(nanos);
            assert!(parse(&format(time)).unwrap() <= time);
        }
    }
}
