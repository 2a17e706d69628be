//! Callbacks.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use context::Context;

use crate::support::{Gate, HOUR, SHORT, eventually};

const LONG: Duration = Duration::from_secs(20);
/// Long enough for what must not happen to have happened.
const AWHILE: Duration = Duration::from_millis(30);

// G28, G29
#[test]
fn runs_after_cancel_and_after_timeout() {
    let (ctx, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    let stop = ctx.after_func(move || tx.send(thread::current().id()).unwrap());
    assert!(rx.recv_timeout(AWHILE).is_err());
    handle.cancel();
    assert!(!stop.stop());
    assert_ne!(rx.recv_timeout(LONG).unwrap(), thread::current().id());
    assert!(rx.recv_timeout(AWHILE).is_err(), "only once");

    let (ctx, _handle) = Context::background().with_timeout(SHORT);
    let (tx, rx) = mpsc::channel();
    ctx.after_func(move || tx.send(()).unwrap());
    rx.recv_timeout(LONG).unwrap();
}

// G30
#[test]
fn runs_at_once_on_another_thread_when_done_already() {
    let (ctx, handle) = Context::background().with_cancel();
    handle.cancel();
    let (tx, rx) = mpsc::channel();
    let lock = Arc::new(Mutex::new(()));
    let held = lock.lock().unwrap();
    let stop = ctx.after_func({
        let lock = Arc::clone(&lock);
        move || {
            let _wait_for_the_registering_thread = lock.lock().unwrap();
            tx.send(thread::current().id()).unwrap();
        }
    });
    assert!(!stop.stop());
    drop(held);
    assert_ne!(rx.recv_timeout(LONG).unwrap(), thread::current().id());
}

// G31
#[test]
fn does_not_run_after_stop() {
    let (ctx, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel::<()>();
    let stop = ctx.after_func(move || tx.send(()).unwrap());
    let clone = stop.clone();
    assert!(clone.stop());
    assert!(!stop.stop());
    handle.cancel();
    assert_eq!(rx.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected), "the closure was dropped");
}

// G32
#[test]
fn cancel_does_not_wait_for_callbacks() {
    let (ctx, handle) = Context::background().with_cancel();
    let gate = Arc::new(Gate::default());
    let (tx, rx) = mpsc::channel();
    ctx.after_func({
        let gate = Arc::clone(&gate);
        move || {
            gate.pass();
            tx.send(()).unwrap();
        }
    });
    handle.cancel();
    gate.open();
    rx.recv_timeout(LONG).unwrap();
}

// G44
#[test]
fn blocked_callbacks_do_not_keep_others_from_running() {
    let (ctx, handle) = Context::background().with_cancel();
    let (arrived, all) = (Arc::new((Mutex::new(0), Condvar::new())), 20);
    let (tx, rx) = mpsc::channel();
    for _ in 0..all {
        let (arrived, tx) = (Arc::clone(&arrived), tx.clone());
        ctx.after_func(move || {
            // Each waits until every one of them runs.
            let mut count = arrived.0.lock().unwrap();
            *count += 1;
            arrived.1.notify_all();
            drop(arrived.1.wait_while(count, |count| *count < all).unwrap());
            tx.send(()).unwrap();
        });
    }
    handle.cancel();
    for _ in 0..all {
        rx.recv_timeout(LONG).unwrap();
    }
}

// G45: a callback ends a read that knows no contexts, and whoever reads can tell whether it ran.
#[test]
fn a_callback_ends_a_blocked_read_and_stop_tells_whether_it_did() {
    let read = |when: &str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let (ctx, handle) = Context::background().with_cancel();
        let (told, ran) = mpsc::channel();
        let stop = ctx.after_func({
            let server = server.try_clone().unwrap();
            move || {
                let _ = server.shutdown(Shutdown::Both);
                told.send(()).unwrap();
            }
        });
        let message: &[u8] = if when == "in time" { b"hello" } else { b"" };
        if message.is_empty() {
            thread::spawn(move || handle.cancel());
        } else {
            client.write_all(message).unwrap();
        }
        let mut buffer = [0; 5];
        let got = server.read(&mut buffer).unwrap_or(0);
        let prevented = stop.stop();
        if !prevented {
            ran.recv_timeout(LONG).unwrap();
        }
        assert_eq!((&buffer[..got], prevented), (message, !message.is_empty()), "{when}");
    };
    read("in time");
    read("never");
}

// G40
#[test]
fn a_generator_stops_when_its_context_does() {
    let generate = |ctx: Context| {
        let (tx, rx) = mpsc::sync_channel(0);
        let generator = thread::spawn(move || (0..).take_while(|_| !ctx.is_done()).all(|n| tx.send(n).is_ok()));
        (rx, generator)
    };
    let (ctx, handle) = Context::background().with_cancel();
    let guard = handle.guard();
    let (numbers, generator) = generate(ctx);
    assert_eq!(numbers.iter().find(|n| *n == 5), Some(5));
    drop(guard);
    // At most the one that was on its way.
    assert!(numbers.iter().count() <= 1);
    assert!(generator.join().unwrap(), "it ended by its context, not because nobody listened");
}

#[test]
fn many_callbacks_all_run() {
    let (ctx, handle) = Context::background().with_cancel();
    let count = Arc::new(AtomicUsize::new(0));
    for _ in 0..10_000 {
        let count = Arc::clone(&count);
        ctx.after_func(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
    }
    handle.cancel();
    eventually("all ran", || count.load(Ordering::SeqCst) == 10_000);
}

// G49
#[test]
fn on_what_nothing_can_end_it_waits_for_ever() {
    let (ctx, handle) = Context::background().with_cancel();
    for never in [Context::background(), Context::todo(), ctx.without_cancel()] {
        let (tx, rx) = mpsc::channel();
        let stop = never.after_func(move || tx.send(()).unwrap());
        handle.cancel();
        assert!(rx.recv_timeout(SHORT).is_err());
        assert!(stop.stop());
        assert!(!stop.stop());
    }
}

// G50
#[test]
fn two_on_one_context_are_independent() {
    let (ctx, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    let first = ctx.after_func({
        let tx = tx.clone();
        move || tx.send(1).unwrap()
    });
    let second = ctx.after_func(move || tx.send(2).unwrap());
    assert!(first.stop());
    handle.cancel();
    assert_eq!(rx.recv_timeout(LONG), Ok(2));
    assert!(!second.stop());
    assert!(rx.recv_timeout(LONG).is_err());
}

// G53
#[test]
fn everything_is_allowed_inside_a_callback() {
    let (ctx, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    let own_stop = Arc::new(Mutex::new(None));
    let stop = ctx.after_func({
        let (ctx, handle, own_stop) = (ctx.clone(), handle.clone(), Arc::clone(&own_stop));
        move || {
            handle.cancel();
            let stopped: Option<context::StopHandle> = own_stop.lock().unwrap().take();
            assert!(!stopped.unwrap().stop());
            let (child, _h) = ctx.with_timeout(HOUR);
            assert!(child.is_done());
            child.after_func(move || tx.send("nested").unwrap());
        }
    });
    *own_stop.lock().unwrap() = Some(stop);
    handle.cancel();
    assert_eq!(rx.recv_timeout(LONG), Ok("nested"));
}

#[test]
fn a_panicking_callback_harms_nobody() {
    let (ctx, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    for i in 0..20 {
        let tx = tx.clone();
        ctx.after_func(move || {
            if i % 2 == 0 {
                std::panic::resume_unwind(Box::new("callback"));
            }
            tx.send(i).unwrap();
        });
    }
    handle.cancel();
    let mut ran: Vec<_> = (0..10).map(|_| rx.recv_timeout(LONG).unwrap()).collect();
    ran.sort_unstable();
    assert_eq!(ran, (0..20).filter(|i| i % 2 == 1).collect::<Vec<_>>());
    let (tx, rx) = mpsc::channel();
    ctx.after_func(move || tx.send(()).unwrap());
    rx.recv_timeout(LONG).unwrap();
}

/// Registers on a context whose every handle is dropped, with an ancestor left that can end it.
#[test]
fn a_callback_outlives_every_clone_of_its_context() {
    let (root, handle) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    let (middle, _) = root.with_cancel();
    let (leaf, _) = middle.with_cancel();
    let stopped = leaf.after_func(|| unreachable!());
    leaf.after_func(move || tx.send(()).unwrap());
    drop((leaf, middle));
    assert!(stopped.stop(), "it can be stopped where it is now");
    assert!(rx.recv_timeout(AWHILE).is_err());
    assert_eq!(root.child_count(), 1);
    handle.cancel();
    rx.recv_timeout(LONG).unwrap();
    assert!(!stopped.stop());
}

#[test]
fn a_callback_on_a_dropped_deadline_still_runs() {
    let (root, _h) = Context::background().with_cancel();
    let (tx, rx) = mpsc::channel();
    drop(root.with_timeout(AWHILE).0.after_func(move || tx.send(()).unwrap()));
    // Until then it waits with the parent, too.
    assert!(root.child_count() <= 1);
    rx.recv_timeout(LONG).unwrap();
    eventually("it left its other home", || root.child_count() == 0);
}

#[test]
fn a_callback_on_a_dropped_merge_runs_when_either_side_ends() {
    for first in [true, false] {
        let (a, cancel_a) = Context::background().with_cancel();
        let (b, cancel_b) = Context::background().with_cancel();
        let (tx, rx) = mpsc::channel();
        a.merge(&b).0.after_func(move || tx.send(()).unwrap());
        assert_eq!((a.child_count(), b.child_count()), (1, 1));
        if first {
            cancel_a.cancel()
        } else {
            cancel_b.cancel()
        }
        rx.recv_timeout(LONG).unwrap();
        assert_eq!((a.child_count(), b.child_count()), (0, 0));
        assert!(rx.recv_timeout(AWHILE).is_err(), "only once");
    }
}

#[test]
fn a_callback_that_can_never_run_is_dropped() {
    let (tx, rx) = mpsc::channel::<()>();
    let (root, root_handle) = Context::background().with_cancel();
    let (leaf, _) = root.with_cancel();
    leaf.after_func(move || drop(tx));
    drop(leaf);
    assert_eq!(rx.recv_timeout(SHORT), Err(mpsc::RecvTimeoutError::Timeout), "the root can still end");
    drop((root, root_handle));
    assert_eq!(rx.recv_timeout(LONG), Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn stopping_races_with_firing_and_one_of_them_wins() {
    for _ in 0..200 {
        let (ctx, handle) = Context::background().with_cancel();
        let (tx, rx) = mpsc::channel();
        let stop = ctx.after_func(move || tx.send(()).unwrap());
        let stopped = thread::scope(|scope| {
            let stopper = scope.spawn(|| stop.stop());
            handle.cancel();
            stopper.join().unwrap()
        });
        assert_eq!(rx.recv_timeout(LONG).is_ok(), !stopped);
    }
}
