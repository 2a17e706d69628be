//! Futures, wakers and threads that wait.

use std::future::{Future, pending, ready};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{self, Poll, Waker};
use std::thread;

use context::{Context, ContextError};

use crate::support::{CountingWaker, FnWaker, HOUR, SHORT, block_on, poll};

const READY: Poll<ContextError> = Poll::Ready(ContextError::Canceled);

// T01, T02
#[test]
fn a_waiter_is_woken_once() {
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let (mut polled, mut unpolled) = (ctx.done(), ctx.done());
    assert!(poll(&mut polled, &waker).is_pending());
    assert!(poll(&mut polled, &waker).is_pending());
    assert_eq!(count.wakes(), 0);
    handle.cancel();
    assert_eq!(count.wakes(), 1);
    assert_eq!(poll(&mut polled, &waker), READY);
    assert_eq!(poll(&mut unpolled, &waker), READY);
    assert_eq!(poll(&mut polled, &waker), READY, "may be polled again");
    assert_eq!(count.wakes(), 1);
}

// T03
#[test]
fn a_dropped_waiter_is_not_woken() {
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let mut waiters: Vec<_> = (0..5).map(|_| ctx.done()).collect();
    assert!(waiters.iter_mut().all(|done| poll(done, &waker).is_pending()));
    drop(waiters.remove(3));
    drop(waiters.remove(0));
    assert_eq!(Arc::strong_count(&count), 2 + 3, "their wakers are gone");
    handle.cancel();
    assert_eq!(count.wakes(), 3);
}

// T04
#[test]
fn waiters_of_children_are_woken_with_the_parents() {
    let (parent, handle) = Context::background().with_cancel();
    let (child, _h) = parent.with_value("key", 1).with_timeout(HOUR);
    let (count, waker) = CountingWaker::new();
    let mut waiting = [parent.done(), child.done()];
    assert!(waiting.iter_mut().all(|done| poll(done, &waker).is_pending()));
    handle.cancel();
    assert_eq!(count.wakes(), 2);
}

#[test]
fn a_waiter_that_moves_to_another_task_wakes_that_one() {
    let (ctx, handle) = Context::background().with_cancel();
    let ((old, old_waker), (new, new_waker)) = (CountingWaker::new(), CountingWaker::new());
    for others in 0..2 {
        let mut more: Vec<_> = (0..others).map(|_| ctx.done()).collect();
        let mut done = ctx.done();
        assert!(poll(&mut done, &old_waker).is_pending());
        assert!(more.iter_mut().all(|done| poll(done, Waker::noop()).is_pending()));
        assert!(poll(&mut done, &new_waker).is_pending());
        assert_eq!(Arc::strong_count(&old), 2, "the old waker is dropped");
    }
    let mut done = ctx.done();
    assert!(poll(&mut done, &new_waker).is_pending());
    handle.cancel();
    assert_eq!((old.wakes(), new.wakes()), (0, 1));
}

#[test]
fn a_future_may_outlive_every_handle() {
    let (ctx, handle) = Context::background().with_cancel();
    let (child, _) = ctx.with_cancel();
    let mut done = child.done();
    assert!(poll(&mut done, Waker::noop()).is_pending());
    drop((ctx, child));
    handle.cancel();
    assert_eq!(poll(&mut done, Waker::noop()), READY);
}

#[test]
fn done_of_a_root_never_is() {
    assert!(poll(&mut Context::background().done(), Waker::noop()).is_pending());
    assert_eq!(Context::todo().wait_timeout(SHORT), None);
}

// T12, T13, and tokio-util's tests of its future extension
#[test]
fn run_gives_the_result_or_the_error() {
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let mut cx = task::Context::from_waker(&waker);
    assert_eq!(pin!(ctx.run(ready(1))).poll(&mut cx), Poll::Ready(Ok(1)));
    let mut waiting = pin!(ctx.run(pending::<()>()));
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    assert_eq!(count.wakes(), 0);
    handle.cancel();
    assert_eq!(count.wakes(), 1);
    assert_eq!(waiting.as_mut().poll(&mut cx), Poll::Ready(Err(ContextError::Canceled)));

    let polled = AtomicBool::new(false);
    let result = block_on(ctx.run(async { polled.store(true, Ordering::SeqCst) }));
    assert_eq!(result, Err(ContextError::Canceled));
    assert!(!polled.load(Ordering::SeqCst), "a done context never polls the future");
}

#[test]
fn run_prefers_a_result_to_a_cancellation_seen_in_the_same_poll() {
    let (ctx, handle) = Context::background().with_cancel();
    let mut first = true;
    let mut work = pin!(ctx.run(std::future::poll_fn(move |_| {
        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready("result") }
    })));
    let mut cx = task::Context::from_waker(Waker::noop());
    assert!(work.as_mut().poll(&mut cx).is_pending());
    handle.cancel();
    assert_eq!(work.as_mut().poll(&mut cx), Poll::Ready(Ok("result")));
}

#[test]
fn run_on_a_root_is_just_the_future() {
    assert_eq!(block_on(Context::background().run(async { 5 })), Ok(5));
}

#[test]
fn threads_wait_until_cancelled() {
    let (ctx, handle) = Context::background().with_cancel();
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..8).map(|_| scope.spawn(|| ctx.wait())).collect();
        assert_eq!(ctx.wait_timeout(SHORT), None);
        handle.cancel();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), ContextError::Canceled);
        }
    });
    assert_eq!(ctx.wait_timeout(HOUR), Some(ContextError::Canceled));
    assert_eq!(ctx.wait_timeout(std::time::Duration::ZERO), Some(ContextError::Canceled));
}

#[test]
fn waiters_are_woken_first_come_first_served() {
    let (ctx, handle) = Context::background().with_cancel();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting: Vec<_> = (0..100).map(|_| ctx.done()).collect();
    for (i, done) in waiting.iter_mut().enumerate() {
        let order = Arc::clone(&order);
        assert!(poll(done, &FnWaker::waker(move || order.lock().unwrap().push(i))).is_pending());
    }
    // Whoever leaves in the middle does not disturb the order.
    for i in (0..100).rev().filter(|i| i % 3 == 0) {
        drop(waiting.remove(i));
    }
    handle.cancel();
    assert_eq!(*order.lock().unwrap(), (0..100).filter(|i| i % 3 != 0).collect::<Vec<_>>());
}

#[test]
fn a_woken_task_may_wait_for_something_else_at_once() {
    let (ctx, handle) = Context::background().with_cancel();
    let woken = Arc::new(AtomicUsize::new(0));
    let waker = FnWaker::waker({
        let (ctx, woken) = (ctx.clone(), Arc::clone(&woken));
        move || {
            let mut done = ctx.done();
            assert!(poll(&mut done, Waker::noop()).is_ready());
            woken.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut waiting: Vec<_> = (0..10).map(|_| ctx.done()).collect();
    assert!(waiting.iter_mut().all(|done| poll(done, &waker).is_pending()));
    handle.cancel();
    assert_eq!(woken.load(Ordering::SeqCst), 10);
}

#[test]
fn a_panicking_waker_keeps_nobody_from_being_woken() {
    let (ctx, handle) = Context::background().with_cancel();
    let (child, _h) = ctx.with_cancel();
    let (count, waker) = CountingWaker::new();
    let bad = FnWaker::waker(|| resume_unwind(Box::new("waker")));
    let mut waiting: Vec<_> = (0..11).map(|i| if i % 2 == 0 { ctx.done() } else { child.done() }).collect();
    for (i, done) in waiting.iter_mut().enumerate() {
        assert!(poll(done, if i % 4 == 2 { &bad } else { &waker }).is_pending());
    }
    handle.cancel();
    assert_eq!(count.wakes(), 8, "the panic stayed inside, and all others were woken");

    let (ctx, handle) = Context::background().with_cancel();
    let mut done = ctx.done();
    assert!(poll(&mut done, &bad).is_pending());
    drop(handle.guard());
    assert!(ctx.is_done());
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_is_contained() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                resume_unwind(Box::new("payload"));
            }
        }
    }
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let bad = FnWaker::waker(|| resume_unwind(Box::new(Bomb)));
    let mut waiting = [ctx.done(), ctx.done()];
    assert!(poll(&mut waiting[0], &bad).is_pending());
    assert!(poll(&mut waiting[1], &waker).is_pending());
    handle.cancel();
    assert_eq!(count.wakes(), 1);
}
