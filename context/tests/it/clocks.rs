//! Clocks for tests.

use std::time::{Duration, Instant};

use context::clock::{ManualClock, TokioClock};
use context::{Context, ContextError};

use crate::support::{HOUR, SHORT, block_on, cause_text};

const EXCEEDED: Option<ContextError> = Some(ContextError::DeadlineExceeded);

#[test]
fn a_manual_clock_moves_deadlines_and_nothing_else_does() {
    let clock = ManualClock::install();
    let (first, _h) = Context::background().with_timeout_cause(SHORT, "first");
    let (second, _h) = Context::background().with_timeout(HOUR);
    std::thread::sleep(2 * SHORT);
    assert_eq!(first.err(), None);
    clock.advance(SHORT);
    assert_eq!((first.err(), cause_text(&first).as_deref()), (EXCEEDED, Some("first")));
    assert!(second.to_string().ends_with("WithDeadline(in 3600.0s)"), "{second}");
    let (born_done, _h) = Context::background().with_deadline(clock.now());
    assert_eq!(born_done.err(), EXCEEDED);
    clock.advance(2 * HOUR);
    assert_eq!(second.err(), EXCEEDED);
    clock.advance(Duration::MAX);
    assert!(format!("{clock:?}").starts_with("ManualClock"));
}

#[test]
fn equal_deadlines_fire_the_younger_first() {
    let clock = ManualClock::install();
    let at = clock.now() + HOUR;
    let (parent, _h) = Context::background().with_deadline_cause(at, "parent");
    let (child, _h) = parent.with_deadline_cause(at, "child");
    clock.advance(HOUR);
    assert_eq!(cause_text(&child).as_deref(), Some("child"));
    assert_eq!(cause_text(&parent).as_deref(), Some("parent"));
}

#[test]
fn a_removed_clock_leaves_the_next_contexts_to_the_system() {
    let clock = ManualClock::install();
    let inner = ManualClock::install();
    let (ctx, handle) = Context::background().with_timeout(HOUR);
    drop(inner);
    clock.advance(2 * HOUR);
    assert_eq!(ctx.err(), None, "it was the inner clock's");
    drop(clock);
    handle.cancel();
    let (real, _h) = Context::background().with_timeout(SHORT);
    assert_eq!(real.wait(), ContextError::DeadlineExceeded);
    let elsewhere = std::thread::spawn(|| Context::background().with_timeout(SHORT).0.wait());
    assert_eq!(elsewhere.join().unwrap(), ContextError::DeadlineExceeded);
}

#[tokio::test(start_paused = true)]
async fn a_tokio_clock_follows_paused_time() {
    let _clock = TokioClock::install().unwrap();
    let start = Instant::now();
    let (ctx, _h) = Context::background().with_timeout(24 * HOUR);
    let (shorter, _h) = ctx.with_timeout(HOUR);
    tokio::time::advance(HOUR / 2).await;
    assert!(!shorter.is_done());
    assert_eq!(shorter.done().await, ContextError::DeadlineExceeded);
    assert!(!ctx.is_done());
    let before = tokio::time::Instant::now();
    assert_eq!(ctx.sleep(2 * HOUR).await, Ok(()));
    assert!(before.elapsed() >= 2 * HOUR);
    assert_eq!(ctx.sleep(48 * HOUR).await, Err(ContextError::DeadlineExceeded));
    assert!(start.elapsed() < HOUR, "no real time passed");
}

#[tokio::test(start_paused = true)]
async fn an_earlier_deadline_set_later_wakes_the_driver() {
    let _clock = TokioClock::install().unwrap();
    let (_late, _h) = Context::background().with_timeout(24 * HOUR);
    tokio::task::yield_now().await;
    let (early, _h) = Context::background().with_timeout(HOUR);
    let before = tokio::time::Instant::now();
    early.done().await;
    assert!(before.elapsed() < 2 * HOUR);
}

#[test]
fn there_is_no_tokio_clock_without_tokio() {
    assert!(TokioClock::install().is_err());
    assert_eq!(block_on(Context::background().sleep(Duration::from_millis(1))), Ok(()));
}
