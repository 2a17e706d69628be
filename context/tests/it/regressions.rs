//! Every defect that was found in a comparable library, by name: none of them here.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::task::{self, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};

use context::{Context, ContextError};

use crate::support::{CountingWaker, FnWaker, HOUR, SHORT, block_on, cause_text, poll};

const LONG: Duration = Duration::from_secs(20);

/// goish starts a watcher for each context, and `cancel(); child.err()` may still be none.
#[test]
fn goish_propagation_is_asynchronous() {
    for _ in 0..1000 {
        let (parent, handle) = Context::background().with_cancel();
        let (child, _h) = parent.with_cancel();
        let (grandchild, _h) = child.with_timeout(HOUR);
        handle.cancel();
        assert!(child.is_done() && grandchild.is_done());
    }
}

/// goish: the cause of a value context is its error.
#[test]
fn goish_a_value_node_loses_the_cause() {
    let (ctx, handle) = Context::background().with_cancel_cause();
    let value = ctx.with_value("key", 1);
    let (below, _h) = value.with_cancel();
    handle.cancel("E");
    assert_eq!(cause_text(&value).as_deref(), Some("E"));
    assert_eq!(cause_text(&below).as_deref(), Some("E"));
}

/// goish and go-lib sleep out the full duration in a task of their own, which holds the context.
#[test]
fn goish_a_timer_outlives_its_cancellation() {
    let (ctx, handle) = Context::background().with_timeout(HOUR);
    let value = Arc::new(());
    let below = ctx.with_value("key", Arc::clone(&value));
    handle.cancel();
    drop((ctx, handle, below));
    assert_eq!(Arc::strong_count(&value), 1);
}

/// goish sets the error before it closes the channel.
#[test]
fn goish_err_is_set_before_done() {
    for _ in 0..200 {
        let (ctx, handle) = Context::background().with_cancel();
        thread::scope(|scope| {
            scope.spawn(|| handle.cancel());
            while ctx.err().is_none() {
                std::hint::spin_loop();
            }
            assert!(poll(&mut ctx.done(), Waker::noop()).is_ready());
        });
    }
}

/// go-lib checks for cancellation and adds the child in two steps.
#[test]
fn go_lib_a_child_slips_in_between_check_and_push() {
    for _ in 0..500 {
        let (parent, handle) = Context::background().with_cancel();
        thread::scope(|scope| {
            let maker = scope.spawn(|| (0..3).map(|_| parent.with_cancel()).collect::<Vec<_>>());
            handle.cancel();
            assert!(maker.join().unwrap().iter().all(|(child, _)| child.is_done()));
        });
    }
}

/// go-lib: a cancel context below a deadline knows no deadline.
#[test]
fn go_lib_a_cancel_context_hides_the_deadline() {
    let at = Instant::now() + HOUR;
    let (ctx, _h) = Context::background().with_deadline(at);
    assert_eq!(ctx.with_cancel().0.deadline(), Some(at));
    assert_eq!(ctx.with_timeout(2 * HOUR).0.deadline(), Some(at));
}

/// go-lib: children are weak and hold no parent.
#[test]
fn go_lib_a_dropped_middle_orphans_its_children() {
    let (root, handle) = Context::background().with_cancel();
    let leaf = root.with_cancel().0.with_cancel().0.with_value("key", 1).with_cancel().0;
    drop(root);
    handle.cancel();
    assert!(leaf.is_done());
}

/// go-lib: entries of dropped children pile up in the parent. Go itself leaks them.
#[test]
fn go_lib_dead_children_pile_up() {
    let (parent, _handle) = Context::background().with_cancel();
    for _ in 0..10_000 {
        drop(parent.with_cancel());
        drop(parent.with_timeout(HOUR));
    }
    assert_eq!(parent.child_count(), 0);
}

/// go-lib: the cancel that loses the race returns at once.
#[test]
fn go_lib_the_losing_cancel_does_not_wait() {
    for _ in 0..20 {
        let (root, handle) = Context::background().with_cancel();
        let children: Vec<_> = (0..5000).map(|_| root.with_cancel().0).collect();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    handle.cancel();
                    assert!(children.iter().rev().all(Context::is_done));
                });
            }
        });
    }
}

/// io-context: a deep chain overflows the stack in drop. (Others: tests in `deep`.)
#[test]
fn io_context_a_deep_chain_overflows() {
    let deep = || {
        let mut ctx = Context::background();
        for i in 0..200_000 {
            ctx = ctx.with_value("key", i);
        }
        assert!(!ctx.is_done());
    };
    thread::Builder::new().stack_size(64 * 1024).spawn(deep).unwrap().join().unwrap();
}

/// io-context: a deadline that has passed hides that the context was cancelled before.
#[test]
fn io_context_a_deadline_beats_an_earlier_cancel() {
    let (ctx, handle) = Context::background().with_timeout(SHORT);
    handle.cancel();
    thread::sleep(2 * SHORT);
    assert_eq!(ctx.err(), Some(ContextError::Canceled));
}

/// io-context has no notification: a waiter must be told when a deadline passes.
#[test]
fn io_context_nobody_is_notified() {
    let (ctx, _h) = Context::background().with_timeout(SHORT);
    assert_eq!(block_on(ctx.done()), ContextError::DeadlineExceeded);
}

/// ctx 0.2: a cancel context around a value skips the value.
#[test]
fn ctx_a_cancel_context_loses_the_value() {
    let ctx = Context::background().with_value("key", 1);
    assert_eq!(ctx.with_cancel().0.value::<i32>(&"key"), Some(&1));
    assert_eq!(ctx.with_timeout(HOUR).0.value::<i32>(&"key"), Some(&1));
}

/// ctx 0.2: one slot for a waker, so that a clone of the context takes another's place.
#[test]
fn ctx_a_clone_steals_the_waker() {
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let (mut a, mut b) = (ctx.done(), ctx.clone().done());
    assert!(poll(&mut a, &waker).is_pending() && poll(&mut b, &waker).is_pending());
    handle.cancel();
    assert_eq!(count.wakes(), 2);
}

/// ctx 0.2: `deadline - now` panics when the deadline has passed.
#[test]
fn ctx_a_past_deadline_panics() {
    let past = Instant::now();
    thread::sleep(Duration::from_millis(1));
    let (ctx, _h) = Context::background().with_deadline(past);
    assert!(ctx.is_done());
    assert!(ctx.to_string().contains("ago"));
    assert!(ctx.with_budget(HOUR, Duration::ZERO).0.is_done());
    assert_eq!(ctx.wait_timeout(Duration::ZERO), Some(ContextError::DeadlineExceeded));
}

/// rs_ctx: the cancellation of a parent does not reach its children, and a `done()` made after
/// the cancellation never fires.
#[test]
fn rs_ctx_children_and_late_waiters_hear_nothing() {
    let (parent, handle) = Context::background().with_cancel();
    let (child, _h) = parent.with_cancel();
    handle.cancel();
    assert_eq!(child.err(), Some(ContextError::Canceled));
    assert_eq!(block_on(child.done()), ContextError::Canceled);
}

/// rs_ctx blocks in `err()` and `value()`; here they work inside of any executor and any lock.
#[test]
fn rs_ctx_reading_blocks_inside_async() {
    let (ctx, handle) = Context::background().with_value("key", 1).with_cancel();
    block_on(async {
        handle.cancel();
        assert_eq!((ctx.err(), ctx.value::<i32>(&"key")), (Some(ContextError::Canceled), Some(&1)));
    });
}

/// tokio-context: a waiter on the parent holds a lock that a sibling's timeout needs.
#[test]
fn tokio_context_a_waiter_blocks_a_siblings_timeout() {
    let (parent, cancel_parent) = Context::background().with_cancel();
    let (sibling, _h) = parent.with_timeout(Duration::from_millis(20));
    let (tx, rx) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(|| parent.wait());
        scope.spawn(move || tx.send(sibling.wait()).unwrap());
        assert_eq!(rx.recv_timeout(LONG), Ok(ContextError::DeadlineExceeded));
        cancel_parent.cancel();
    });
}

/// tokio-context: dropping a handle by accident cancels.
#[test]
fn tokio_context_a_dropped_handle_cancels() {
    let (ctx, handle) = Context::background().with_cancel_cause();
    drop(handle);
    assert!(!ctx.is_done());
}

/// cancellation-token drops a callback while it holds its lock: a captured value whose drop uses
/// the token deadlocks.
#[test]
fn cancellation_token_a_captured_value_is_dropped_under_the_lock() {
    struct UsesContext(Context);
    impl Drop for UsesContext {
        fn drop(&mut self) {
            let (child, handle) = self.0.with_cancel();
            child.after_func(|| {}).stop();
            handle.cancel();
            assert!(self.0.child_count() < 1000 && poll(&mut self.0.done(), Waker::noop()).is_pending());
        }
    }
    let (ctx, _handle) = Context::background().with_cancel();
    let captured = UsesContext(ctx.clone());
    assert!(ctx.after_func(move || drop(captured)).stop());
    // The same for values, causes, and the callbacks of nodes that are dropped.
    drop(ctx.with_cancel().0.with_value("key", UsesContext(ctx.clone())));
    let captured = UsesContext(ctx.clone());
    drop(Context::background().with_cancel().0.after_func(move || drop(captured)));
}

/// cancellation-token runs callbacks inside of `cancel()`.
#[test]
fn cancellation_token_callbacks_run_on_the_cancelling_stack() {
    let (ctx, handle) = Context::background().with_cancel();
    let lock = Arc::new(Mutex::new(()));
    let (tx, rx) = mpsc::channel();
    ctx.after_func({
        let lock = Arc::clone(&lock);
        move || {
            let _held = lock.lock().unwrap();
            tx.send(()).unwrap();
        }
    });
    let held = lock.lock().unwrap();
    handle.cancel();
    drop(held);
    rx.recv_timeout(LONG).unwrap();
}

/// .NET runs a callback registered on a done token inside of the registration.
#[test]
fn dotnet_registering_on_a_done_context_runs_inline() {
    let (ctx, handle) = Context::background().with_cancel();
    handle.cancel();
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let (tx, rx) = mpsc::channel();
    ctx.after_func({
        let lock = Arc::clone(&lock);
        move || {
            let _held = lock.lock().unwrap();
            tx.send(()).unwrap();
        }
    });
    drop(held);
    rx.recv_timeout(LONG).unwrap();
}

/// tokio-util: one panicking waker among eleven, and four are never woken.
#[test]
fn tokio_util_a_panicking_waker_starves_others() {
    let (ctx, handle) = Context::background().with_cancel();
    let (count, waker) = CountingWaker::new();
    let bad = FnWaker::waker(|| resume_unwind(Box::new("waker")));
    let mut waiting: Vec<_> = (0..11).map(|_| ctx.done()).collect();
    for (i, done) in waiting.iter_mut().enumerate() {
        assert!(poll(done, if i == 6 { &bad } else { &waker }).is_pending());
    }
    handle.cancel();
    assert_eq!(count.wakes(), 10);
}

/// tokio-util before 0.7.20: wakers were dropped under the lock. Here all of a waker's functions
/// may use the context.
#[test]
fn tokio_util_a_waker_is_cloned_or_dropped_under_the_lock() {
    thread_local!(static CTX: std::cell::RefCell<Option<Context>> = const { std::cell::RefCell::new(None) });
    fn touch() {
        CTX.with_borrow(|ctx| {
            let ctx = ctx.as_ref().unwrap();
            let _ = ctx.with_cancel();
            let _ = poll(&mut ctx.done(), Waker::noop());
            let _ = ctx.cause();
        });
    }
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |_| {
            touch();
            RawWaker::new(std::ptr::null(), &VTABLE)
        },
        |_| touch(),
        |_| touch(),
        |_| touch(),
    );
    #[expect(unsafe_code, reason = "a waker that runs code when it is cloned takes a raw one")]
    // SAFETY: the functions ignore the data pointer and may be called from any thread.
    let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &VTABLE)) };
    let (ctx, handle) = Context::background().with_cancel();
    CTX.set(Some(ctx.clone()));
    let mut waiting: Vec<_> = (0..3).map(|_| ctx.done()).collect();
    for done in &mut waiting {
        assert!(poll(done, &waker).is_pending());
        assert!(poll(done, Waker::noop()).is_pending());
        assert!(poll(done, &waker).is_pending());
    }
    waiting.pop();
    handle.cancel();
    assert!(poll(&mut waiting[0], &waker).is_ready());
    drop((waiting, waker));
    CTX.set(None);
}

/// tokio-util: `is_cancelled` waits for the cancellation of all children, because that holds the
/// parent's lock. Here a reader sees the parent done while the last child is not: it did not wait.
#[test]
fn tokio_util_reading_waits_for_the_walk() {
    let read_in_the_middle = || {
        let (parent, handle) = Context::background().with_cancel();
        let children: Vec<_> = (0..50_000).map(|_| parent.with_cancel().0).collect();
        let last = children.last().unwrap();
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                while !parent.is_done() {
                    std::hint::spin_loop();
                }
                !last.is_done()
            });
            handle.cancel();
            reader.join().unwrap()
        })
    };
    // On a busy machine the reader may be late a few times.
    assert!((0..1000).any(|_| read_in_the_middle()));
}

/// tokio (#840 of a user): a waiter made after the flag was checked misses the cancellation.
#[test]
fn tokio_a_cancellation_between_check_and_registration_is_missed() {
    for _ in 0..500 {
        let (ctx, handle) = Context::background().with_cancel();
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(ctx.wait(), ContextError::Canceled));
            handle.cancel();
        });
    }
}

/// tokio (#5396): a woken task that waits again is woken again, for ever.
#[test]
fn tokio_a_task_that_registers_again_is_woken_for_ever() {
    let (ctx, handle) = Context::background().with_cancel();
    let wakes = Arc::new(AtomicUsize::new(0));
    struct Again(Context, Arc<AtomicUsize>, Mutex<Vec<context::Done>>);
    impl task::Wake for Again {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(1, Ordering::SeqCst);
            let mut done = self.0.done();
            let _ = poll(&mut done, &Waker::from(Arc::clone(&self)));
            self.2.lock().unwrap().push(done);
        }
    }
    let again = Arc::new(Again(ctx.clone(), Arc::clone(&wakes), Mutex::default()));
    let mut done = ctx.done();
    assert!(poll(&mut done, &Waker::from(Arc::clone(&again))).is_pending());
    handle.cancel();
    assert_eq!(wakes.load(Ordering::SeqCst), 1);
    again.2.lock().unwrap().clear();
}

/// The last handle of a child goes while the walk holds the child: its value is dropped by the
/// walk, and that drop cancels the tree that is being cancelled.
#[test]
fn a_value_dropped_by_the_walk_may_cancel_the_same_tree() {
    struct Cancels(context::CancelHandle);
    impl Drop for Cancels {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    for _ in 0..300 {
        let (root, handle) = Context::background().with_cancel();
        let children: Vec<_> =
            (0..50).map(|_| root.with_value("key", Cancels(handle.clone())).with_cancel().0.with_cancel().0).collect();
        thread::scope(|scope| {
            scope.spawn(move || drop(children));
            handle.cancel();
        });
        assert!(root.is_done());
    }
}

/// A callback whose context is gone waits with both that were merged; when one of these goes as well,
/// the other is not forgotten.
#[test]
fn a_callback_leaves_all_its_homes() {
    let (stays, _stays) = Context::background().with_cancel();
    let goes = Context::background().merge(&Context::background());
    let both = stays.merge(&goes.0);
    let stop = both.0.after_func(|| ());
    drop(goes);
    drop(both);
    assert_eq!(stays.child_count(), 1);
    assert!(stop.stop());
    assert_eq!(stays.child_count(), 0);
}

/// A cause whose drop uses the context: the cause that loses is dropped outside of any lock.
#[test]
fn a_losing_cause_is_dropped_outside_of_locks() {
    #[derive(Debug)]
    struct Uses(Weak<Mutex<Option<Context>>>);
    impl std::fmt::Display for Uses {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("uses")
        }
    }
    impl std::error::Error for Uses {}
    impl Drop for Uses {
        fn drop(&mut self) {
            if let Some(place) = self.0.upgrade()
                && let Some(ctx) = &*place.lock().unwrap()
            {
                assert!(ctx.cause().is_some() && ctx.with_cancel().0.is_done());
            }
        }
    }
    let (ctx, handle) = Context::background().with_cancel_cause();
    let place = Arc::new(Mutex::new(Some(ctx.clone())));
    handle.cancel("first");
    handle.cancel(Uses(Arc::downgrade(&place)));
    assert_eq!(cause_text(&ctx).as_deref(), Some("first"));
}

/// tarpc: `now + duration` overflows on hostile input.
#[test]
fn tarpc_a_hostile_duration_overflows() {
    let (ctx, handle) = Context::background().with_timeout(Duration::MAX);
    assert_eq!(ctx.wait_timeout(Duration::ZERO), None);
    handle.cancel();
    assert_eq!(ctx.wait_timeout(Duration::MAX), Some(ContextError::Canceled));
    assert!(pin!(ctx.sleep(Duration::MAX)).poll(&mut task::Context::from_waker(Waker::noop())).is_ready());
}
