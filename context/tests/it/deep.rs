//! Chains and fans of a million, on a small stack.

use std::thread;

use context::{Context, ContextError};

const MILLION: usize = 1_000_000;

fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(64 * 1024).spawn(f).unwrap();
    thread.join().unwrap();
}

/// A chain in which every kind of derivation takes its turn.
fn mixed_chain(length: usize) -> (Context, context::CancelHandle) {
    let (root, handle) = Context::background().with_cancel();
    let mut ctx = root.clone();
    for i in 0..length {
        ctx = match i % 6 {
            0 => ctx.with_cancel().0,
            1 => ctx.with_value("key", i),
            2 => ctx.with_timeout(crate::support::HOUR).0,
            3 => Context::background().reparent(&ctx),
            4 => root.merge(&ctx).0,
            _ => ctx.reparent(&ctx),
        };
    }
    (ctx, handle)
}

#[test]
fn a_deep_chain_drops_live() {
    on_a_small_stack(|| {
        let (mut ctx, _handle) = Context::background().with_cancel();
        for _ in 0..MILLION {
            ctx = ctx.with_cancel().0;
        }
        drop(ctx);
    });
}

#[test]
fn a_deep_chain_is_cancelled_and_drops() {
    on_a_small_stack(|| {
        let (mut ctx, handle) = Context::background().with_cancel();
        for _ in 0..MILLION {
            ctx = ctx.with_cancel().0;
        }
        handle.cancel();
        assert_eq!(ctx.err(), Some(ContextError::Canceled));
    });
}

#[test]
fn a_deep_chain_of_values_is_searched_and_drops() {
    on_a_small_stack(|| {
        let mut ctx = Context::background();
        for i in 0..MILLION {
            ctx = ctx.with_value(i, ());
        }
        assert_eq!(ctx.value::<()>(&0_usize), Some(&()));
        assert_eq!(ctx.value::<()>(&MILLION), None);
    });
}

#[test]
fn a_deep_chain_of_every_kind_prints_cancels_and_drops() {
    on_a_small_stack(|| {
        drop(mixed_chain(MILLION));
        let (ctx, handle) = mixed_chain(MILLION);
        handle.cancel();
        assert!(ctx.is_done());
        drop(ctx);
        let (mut ctx, _handle) = Context::background().with_cancel();
        for _ in 0..10_000 {
            ctx = Context::background().reparent(&ctx);
        }
        assert!(ctx.to_string().ends_with("WithCancel".to_owned().as_str()) || ctx.to_string().ends_with(')'));
    });
}

#[test]
fn a_deep_chain_hands_its_callbacks_up() {
    on_a_small_stack(|| {
        let (root, handle) = Context::background().with_cancel();
        let mut ctx = root.clone();
        for _ in 0..10_000 {
            ctx = ctx.with_cancel().0;
        }
        let (tx, rx) = std::sync::mpsc::channel();
        ctx.after_func(move || tx.send(()).unwrap());
        drop(ctx);
        assert_eq!(root.child_count(), 1);
        handle.cancel();
        rx.recv().unwrap();
    });
}

#[test]
fn a_million_children_are_cancelled() {
    on_a_small_stack(|| {
        let (parent, handle) = Context::background().with_cancel();
        let children: Vec<_> = (0..MILLION).map(|_| parent.with_cancel().0).collect();
        assert_eq!(parent.child_count(), MILLION);
        handle.cancel();
        assert!(children.iter().all(Context::is_done));
        assert_eq!(parent.child_count(), 0);
    });
}

#[test]
fn a_deep_chain_dropped_by_two_threads_at_once() {
    for _ in 0..10 {
        let (mut ctx, _handle) = Context::background().with_cancel();
        let mut clones = Vec::new();
        for _ in 0..50_000 {
            ctx = ctx.with_cancel().0;
            clones.push(ctx.clone());
        }
        let other = move || {
            while let Some(clone) = clones.pop() {
                drop(clone);
            }
        };
        thread::scope(|scope| {
            thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, other).unwrap();
            thread::Builder::new().stack_size(64 * 1024).spawn_scoped(scope, move || drop(ctx)).unwrap();
        });
    }
}

#[test]
fn values_whose_drop_panics_do_not_stop_the_rest_of_the_chain_from_dropping() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            if !thread::panicking() {
                std::panic::resume_unwind(Box::new("value"));
            }
        }
    }
    let (root, _handle) = Context::background().with_cancel();
    let mut ctx = root.clone();
    for i in 0..10 {
        ctx = ctx.with_cancel().0;
        ctx = if i % 3 == 0 { ctx.with_value("key", Bomb) } else { ctx.with_value("key", 1) };
    }
    let dropped = std::panic::catch_unwind(move || drop(ctx));
    assert!(dropped.is_err());
    assert_eq!(root.child_count(), 0, "every node was dropped");
    // And the next drop on this thread works as ever.
    drop(root.with_cancel().0.with_value("key", 1));
    assert_eq!(root.child_count(), 0);
}
