//! Deadlines in messages.

use std::time::{Duration, Instant};

use context::Context;
use context::serde::Remaining;

use crate::support::{HOUR, SHORT};

fn through_json(remaining: Remaining) -> Remaining {
    serde_json::from_str(&serde_json::to_string(&remaining).unwrap()).unwrap()
}

#[test]
fn the_remaining_time_is_what_travels() {
    let (ctx, _h) = Context::background().with_timeout(HOUR);
    let received = through_json(Remaining::of(&ctx));
    let left = received.0.unwrap();
    assert!(left <= HOUR && left > HOUR / 2);
    let (served, _h) = received.derive(&Context::background());
    assert!(served.deadline().unwrap() <= Instant::now() + HOUR);
    let (tighter, _h) = Context::background().with_timeout(SHORT);
    assert_eq!(received.derive(&tighter).0.deadline(), tighter.deadline());
}

#[test]
fn no_deadline_and_a_passed_one() {
    assert_eq!(through_json(Remaining::of(&Context::background())), Remaining(None));
    assert_eq!(Remaining(None).derive(&Context::background()).0.deadline(), None);
    let (expired, _h) = Context::background().with_timeout(Duration::ZERO);
    assert_eq!(through_json(Remaining::of(&expired)), Remaining(Some(Duration::ZERO)));
}

#[test]
fn hostile_times_are_no_deadline_or_capped() {
    let hostile: Remaining = serde_json::from_str(r#"{"secs":18446744073709551615,"nanos":999999999}"#).unwrap();
    assert_eq!(hostile.derive(&Context::background()).0.deadline(), None);
    assert_eq!(hostile.at_most(HOUR), Remaining(Some(HOUR)));
    assert_eq!(Remaining(None).at_most(SHORT), Remaining(Some(SHORT)));
    #[derive(serde::Deserialize)]
    struct Job {
        #[serde(with = "context::serde::remaining")]
        deadline: Instant,
    }
    let job = |text: &str| serde_json::from_str::<Job>(text);
    assert!(job(r#"{"deadline":{"secs":18446744073709551615,"nanos":0}}"#).is_err());
    assert!(job(r#"{"deadline":{"secs":5,"nanos":0}}"#).unwrap().deadline > Instant::now());
}
