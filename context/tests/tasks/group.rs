//! Groups of tasks.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use context::group::Group;
use context::{Context, ContextError};
use tokio::sync::oneshot;

use crate::support::{HOUR, OnDrop, SHORT, eventually, in_time};

type Flag = Arc<AtomicBool>;

fn assert_send_sync<T: Send + Sync + std::panic::UnwindSafe>(_: &T) {}

#[tokio::test]
async fn waits_for_all_tasks() {
    let ended = Arc::new(AtomicUsize::new(0));
    let mut group = Group::<ContextError>::new();
    assert_send_sync(&group);
    for _ in 0..10 {
        let ended = Arc::clone(&ended);
        group.spawn(async move {
            tokio::time::sleep(SHORT).await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
    }
    assert_eq!(group.wait().await, Ok(()));
    assert_eq!(ended.load(Ordering::SeqCst), 10);
}

#[tokio::test]
async fn an_empty_group_is_ready() {
    assert_eq!(Group::<ContextError>::default().wait().await, Ok(()));
}

#[tokio::test]
async fn the_first_error_cancels_the_rest_and_is_the_cause() {
    let (mut group, ctx) = Group::with_context(&Context::background());
    let watched = ctx.clone();
    for name in ["b", "c"] {
        let ctx = ctx.clone();
        group.spawn(async move {
            ctx.done().await;
            Err(name)
        });
    }
    group.spawn(async { Err("a") });
    assert_eq!(in_time(group.wait()).await, Err("a"));
    assert_eq!(watched.err(), Some(ContextError::Canceled));
    assert_eq!(watched.cause().unwrap().to_string(), "a");
}

#[tokio::test]
async fn an_error_type_can_be_found_in_the_cause() {
    let (mut group, ctx) = Group::with_context(&Context::background());
    group.spawn(async { Err(ContextError::DeadlineExceeded) });
    assert_eq!(group.wait().await, Err(ContextError::DeadlineExceeded));
    let cause = ctx.cause().unwrap();
    assert_eq!(cause.downcast_ref::<ContextError>(), Some(&ContextError::DeadlineExceeded));
    assert_eq!(ctx.err(), Some(ContextError::Canceled));
}

#[tokio::test]
async fn the_context_ends_when_wait_returns() {
    let parent = Context::background().with_value("user", 7);
    let (mut group, ctx) = Group::<ContextError>::with_context(&parent);
    let inside = ctx.clone();
    group.spawn(async move { inside.err().map_or(Ok(()), Err) });
    assert_eq!(ctx.err(), None);
    assert_eq!(group.wait().await, Ok(()));
    assert_eq!(ctx.err(), Some(ContextError::Canceled));
    assert_eq!(ctx.cause().unwrap().to_string(), "context canceled");
    assert_eq!(ctx.value::<i32>(&"user"), Some(&7));
    assert_eq!(parent.err(), None);
}

#[tokio::test]
async fn the_end_of_the_callers_context_reaches_the_tasks() {
    let (caller, handle) = Context::background().with_cancel_cause();
    let (mut group, ctx) = Group::with_context(&caller);
    let inside = ctx.clone();
    group.spawn(async move { Err(inside.done().await) });
    handle.cancel("the client left");
    assert_eq!(in_time(group.wait()).await, Err(ContextError::Canceled));
    assert_eq!(ctx.cause().unwrap().to_string(), "the client left");
}

#[tokio::test]
async fn tasks_start_although_the_callers_context_has_ended() {
    let (caller, handle) = Context::background().with_cancel();
    handle.cancel();
    let (mut group, ctx) = Group::with_context(&caller);
    group.spawn(async move { ctx.err().map_or(Ok(()), Err) });
    assert_eq!(group.wait().await, Err(ContextError::Canceled));
}

#[tokio::test]
async fn without_a_context_an_error_stops_nobody() {
    let ended = Flag::default();
    let mut group = Group::new();
    group.set_limit(1);
    group.spawn(async { Err("first") });
    let flag = Arc::clone(&ended);
    group.spawn(async move {
        flag.store(true, Ordering::SeqCst);
        Err("second")
    });
    assert_eq!(group.wait().await, Err("first"));
    assert!(ended.load(Ordering::SeqCst));
}

#[tokio::test]
async fn tasks_that_have_not_started_when_the_group_fails_never_do() {
    let (mut group, ctx) = Group::with_context(&Context::background());
    group.set_limit(1);
    let started = Flag::default();
    group.spawn(async { Err("first") });
    let flag = Arc::clone(&started);
    group.spawn(async move {
        flag.store(true, Ordering::SeqCst);
        Ok(())
    });
    in_time(ctx.done()).await;
    let flag = Arc::clone(&started);
    group.spawn(async move {
        flag.store(true, Ordering::SeqCst);
        Ok(())
    });
    assert_eq!(in_time(group.wait()).await, Err("first"));
    assert!(!started.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_panic_cancels_the_rest_and_comes_out_of_wait() {
    let (mut group, ctx) = Group::<ContextError>::with_context(&Context::background());
    let (watched, other_ended) = (ctx.clone(), Flag::default());
    let flag = Arc::clone(&other_ended);
    group.spawn(async move {
        ctx.done().await;
        flag.store(true, Ordering::SeqCst);
        Ok(())
    });
    group.spawn(async { panic!("boom {}", std::hint::black_box(1)) });
    let outcome = in_time(tokio::spawn(group.wait())).await;
    let payload = outcome.unwrap_err().into_panic();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "boom 1");
    assert!(other_ended.load(Ordering::SeqCst));
    assert_eq!(watched.cause().unwrap().to_string(), "a task panicked: boom 1");
}

#[tokio::test]
async fn an_error_before_a_panic_wins() {
    let (mut group, ctx) = Group::with_context(&Context::background());
    group.spawn(async move {
        ctx.done().await;
        panic!("late");
    });
    group.spawn(async { Err("early") });
    assert_eq!(in_time(group.wait()).await, Err("early"));
}

#[tokio::test]
async fn a_task_that_panics_when_dropped_is_a_panic() {
    let mut group = Group::<ContextError>::new();
    group.spawn(async {
        let _bomb = OnDrop(|| panic!("in drop"));
        Ok(())
    });
    let payload = in_time(tokio::spawn(group.wait())).await.unwrap_err().into_panic();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"in drop"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_run_than_the_limit_allows() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let mut group = Group::<ContextError>::new();
    group.set_limit(3);
    for _ in 0..50 {
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        group.spawn(async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
    }
    assert_eq!(in_time(group.wait()).await, Ok(()));
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_get_their_turn_in_the_order_of_the_spawns() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut group = Group::<ContextError>::new();
    group.set_limit(1);
    for n in 0..100 {
        let order = Arc::clone(&order);
        group.spawn(async move {
            order.lock().unwrap().push(n);
            Ok(())
        });
    }
    assert_eq!(in_time(group.wait()).await, Ok(()));
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[tokio::test]
async fn try_spawn_gives_the_task_back_when_the_group_is_full() {
    let mut group = Group::<ContextError>::new();
    group.set_limit(1);
    let (release, held) = oneshot::channel::<()>();
    let first = group.try_spawn(async {
        let _ = held.await;
        Ok(())
    });
    assert!(first.is_ok());
    let ran = Flag::default();
    let flag = Arc::clone(&ran);
    let second = async move {
        flag.store(true, Ordering::SeqCst);
        Ok(())
    };
    let back = group.try_spawn(second).unwrap_err();
    assert!(!ran.load(Ordering::SeqCst));
    release.send(()).unwrap();
    group.spawn(back);
    assert_eq!(in_time(group.wait()).await, Ok(()));
    assert!(ran.load(Ordering::SeqCst));
}

#[tokio::test]
async fn try_spawn_does_not_overtake_those_who_wait() {
    let mut group = Group::<ContextError>::new();
    group.set_limit(1);
    let (release, held) = oneshot::channel::<()>();
    group.spawn(async {
        let _ = held.await;
        Ok(())
    });
    group.spawn(std::future::pending());
    release.send(()).unwrap();
    for _ in 0..10 {
        assert!(group.try_spawn(async { Ok(()) }).is_err());
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_limit_can_be_raised_and_lowered_while_tasks_run() {
    let running = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let mut group = Group::<ContextError>::new();
    group.set_limit(0); // taken as 1
    for _ in 0..8 {
        let (running, gate) = (Arc::clone(&running), Arc::clone(&gate));
        group.spawn(async move {
            running.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        });
    }
    let is = |n| {
        let running = Arc::clone(&running);
        move || running.load(Ordering::SeqCst) == n
    };
    eventually("one runs", is(1)).await;
    group.set_limit(4);
    eventually("four run", is(4)).await;
    group.set_limit(2);
    gate.add_permits(1);
    eventually("the first of the excess has left", is(3)).await;
    gate.add_permits(1);
    eventually("the second has left", is(2)).await;
    gate.add_permits(1);
    for _ in 0..20 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        assert!(running.load(Ordering::SeqCst) <= 2);
    }
    group.set_limit(usize::MAX);
    eventually("all that remain run", is(5)).await;
    gate.add_permits(5);
    assert_eq!(in_time(group.wait()).await, Ok(()));
}

#[tokio::test]
async fn a_dropped_group_cancels_and_aborts() {
    let (mut group, ctx) = Group::<ContextError>::with_context(&Context::background());
    let dropped = Flag::default();
    let flag = Arc::clone(&dropped);
    let (started, starts) = oneshot::channel();
    group.spawn(async move {
        let _tell = OnDrop(move || flag.store(true, Ordering::SeqCst));
        started.send(()).unwrap();
        std::future::pending().await
    });
    starts.await.unwrap();
    drop(group);
    assert_eq!(ctx.err(), Some(ContextError::Canceled));
    eventually("the task is dropped", || dropped.load(Ordering::SeqCst)).await;
}

#[tokio::test]
async fn a_dropped_wait_cancels_and_aborts() {
    let (mut group, ctx) = Group::<ContextError>::with_context(&Context::background());
    group.spawn(std::future::pending());
    assert!(tokio::time::timeout(SHORT, group.wait()).await.is_err());
    assert!(ctx.is_done());
}

#[tokio::test]
async fn ended_tasks_are_forgotten_while_others_are_spawned() {
    let mut group = Group::<ContextError>::new();
    let held = Arc::new(());
    for _ in 0..100 {
        let held = Arc::clone(&held);
        group.spawn(async move {
            let _held = held;
            Ok(())
        });
        tokio::task::yield_now().await;
    }
    assert!(format!("{group:?}").contains("tasks: 1,") || format!("{group:?}").contains("tasks: 0,"), "{group:?}");
    group.wait().await.unwrap();
    assert_eq!(Arc::strong_count(&held), 1);
}

#[test]
fn a_runtime_that_is_shut_down_does_not_look_like_success() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let mut group = Group::<ContextError>::new();
    {
        let _inside = runtime.enter();
        group.spawn(std::future::pending());
    }
    runtime.shutdown_timeout(HOUR);
    let here = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| here.block_on(group.wait())));
    let payload = outcome.unwrap_err();
    assert!(payload.downcast_ref::<&str>().unwrap().contains("shut down"));
}
