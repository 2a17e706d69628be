//! Single flights.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use context::flight::{Flight, FlightError};
use context::{Context, ContextError};
use tokio::sync::oneshot;

use crate::support::{HOUR, SHORT, eventually, in_time};

type Users = Flight<u64, u64, ContextError>;

fn assert_send_sync<T: Send + Sync + std::panic::UnwindSafe>(_: &T) {}

/// Starts a call on a task, which shows that its future is `Send`.
fn call(
    users: &Arc<Users>,
    ctx: &Context,
    work: impl FnOnce(Context) -> oneshot::Receiver<u64> + Send + 'static,
) -> tokio::task::JoinHandle<Result<u64, FlightError<ContextError>>> {
    let (users, ctx) = (Arc::clone(users), ctx.clone());
    tokio::spawn(async move {
        users
            .run(&ctx, 1, |shared| {
                let ready = work(shared.clone());
                async move { Ok(shared.run(ready).await?.unwrap_or(0)) }
            })
            .await
    })
}

#[tokio::test]
async fn callers_of_one_key_share_one_run() {
    let users = Users::new(HOUR);
    assert_send_sync(&users);
    let (runs, ctx) = (AtomicUsize::new(0), Context::background());
    let one = || {
        users.run(&ctx, 1, |_| {
            runs.fetch_add(1, Ordering::SeqCst);
            async {
                tokio::task::yield_now().await;
                Ok(5)
            }
        })
    };
    let other = users.run(&ctx, 2, |_| async { Ok(6) });
    let got = in_time(async { tokio::join!(one(), one(), one(), other) }).await;
    assert_eq!(got, (Ok(5), Ok(5), Ok(5), Ok(6)));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(users.under_way(), 0);
    assert_eq!(one().await, Ok(5));
    assert_eq!(runs.load(Ordering::SeqCst), 2, "results are not kept");
}

#[tokio::test]
async fn the_caller_who_started_it_leaves_and_the_others_get_the_result() {
    let users = Arc::new(Users::new(HOUR));
    let (first, leave) = Context::background().with_cancel();
    let (finish, ready) = oneshot::channel();
    let starter = call(&users, &first, |_| ready);
    eventually("the run is under way", || users.under_way() == 1).await;
    let second = call(&users, &Context::background(), |_| unreachable!("a run is under way"));
    tokio::task::yield_now().await;
    leave.cancel();
    assert_eq!(in_time(starter).await.unwrap(), Err(FlightError::Left(ContextError::Canceled)));
    finish.send(5).unwrap();
    assert_eq!(in_time(second).await.unwrap(), Ok(5));
}

#[tokio::test]
async fn a_caller_whose_future_is_dropped_takes_nobody_down() {
    let users = Arc::new(Users::new(HOUR));
    let (finish, ready) = oneshot::channel();
    let starter = call(&users, &Context::background(), |_| ready);
    eventually("the run is under way", || users.under_way() == 1).await;
    let second = call(&users, &Context::background(), |_| unreachable!("a run is under way"));
    tokio::task::yield_now().await;
    starter.abort();
    assert!(in_time(starter).await.unwrap_err().is_cancelled());
    finish.send(5).unwrap();
    assert_eq!(in_time(second).await.unwrap(), Ok(5));
}

#[tokio::test]
async fn a_waiting_caller_ends_with_its_own_context() {
    let users = Arc::new(Users::new(HOUR));
    let (finish, ready) = oneshot::channel();
    let starter = call(&users, &Context::background(), |_| ready);
    eventually("the run is under way", || users.under_way() == 1).await;
    let (hurried, _handle) = Context::background().with_timeout(SHORT);
    let left = in_time(users.run(&hurried, 1, |_| async { unreachable!("a run is under way") })).await;
    assert_eq!(left, Err(FlightError::Left(ContextError::DeadlineExceeded)));
    finish.send(5).unwrap();
    assert_eq!(in_time(starter).await.unwrap(), Ok(5));
}

#[tokio::test]
async fn the_run_goes_on_when_the_last_caller_leaves() {
    let users = Arc::new(Users::new(HOUR));
    let (ctx, leave) = Context::background().with_cancel();
    let (finish, ready) = oneshot::channel();
    let caller = call(&users, &ctx, |_| ready);
    eventually("the run is under way", || users.under_way() == 1).await;
    leave.cancel();
    assert!(in_time(caller).await.unwrap().is_err());
    let later = call(&users, &Context::background(), |_| unreachable!("a run is under way"));
    tokio::task::yield_now().await;
    finish.send(5).unwrap();
    assert_eq!(in_time(later).await.unwrap(), Ok(5));
}

#[tokio::test]
async fn a_caller_who_is_done_starts_nothing() {
    let users = Users::new(HOUR);
    let (ctx, handle) = Context::background().with_cancel();
    handle.cancel();
    let got = users.run(&ctx, 1, |_| async { unreachable!("must not start") }).await;
    assert_eq!(got, Err(FlightError::Left(ContextError::Canceled)));
    assert_eq!(users.under_way(), 0);
}

#[tokio::test]
async fn the_runs_context_is_detached_bounded_and_ends_with_the_run() {
    let users = Flight::<u64, Context, ContextError>::new(HOUR);
    let (caller, handle) = Context::background().with_value("trace", 9).with_timeout(Duration::from_secs(30));
    let shared = users
        .run(&caller, 1, |ctx| async move {
            handle.cancel();
            assert_eq!(ctx.err(), None);
            Ok(ctx)
        })
        .await
        .unwrap();
    assert_eq!(shared.value::<i32>(&"trace"), Some(&9));
    assert!(shared.deadline() > caller.deadline());
    assert_eq!(shared.err(), Some(ContextError::Canceled));
}

#[tokio::test]
async fn a_run_that_takes_too_long_ends_for_all() {
    let users = Users::new(SHORT);
    let ctx = Context::background();
    let deaf = || users.run(&ctx, 1, |_| std::future::pending());
    let got = in_time(async { tokio::join!(deaf(), deaf()) }).await;
    assert_eq!(got, (Err(FlightError::TimedOut), Err(FlightError::TimedOut)));
    assert_eq!(users.run(&ctx, 1, |_| async { Ok(5) }).await, Ok(5));
}

#[tokio::test]
async fn work_that_fails_fails_for_all() {
    let users = Flight::<u64, u64, &'static str>::new(HOUR);
    let ctx = Context::background();
    let failing = || {
        users.run(&ctx, 1, |_| async {
            tokio::task::yield_now().await;
            Err("no such user")
        })
    };
    let got = in_time(async { tokio::join!(failing(), failing()) }).await;
    assert_eq!(got, (Err(FlightError::Failed("no such user")), Err(FlightError::Failed("no such user"))));
    assert_eq!(got.0.unwrap_err().to_string(), "no such user");
}

#[tokio::test]
async fn work_that_panics_is_an_error_for_all() {
    let users = Users::new(HOUR);
    let ctx = Context::background();
    let panicking = || {
        users.run(&ctx, 1, |_| async {
            tokio::task::yield_now().await;
            panic!("boom")
        })
    };
    let got = in_time(async { tokio::join!(panicking(), panicking()) }).await;
    let error = FlightError::Panicked("boom".into());
    assert_eq!(got, (Err(error.clone()), Err(error)));
    async fn nothing() -> Result<u64, ContextError> {
        Ok(0)
    }
    let before_the_future = users.run(&ctx, 1, |_| if users.under_way() == 1 { panic!("early") } else { nothing() });
    assert_eq!(before_the_future.await, Err(FlightError::Panicked("early".into())));
    assert_eq!(users.run(&ctx, 1, |_| async { Ok(5) }).await, Ok(5));
}

#[tokio::test]
async fn a_forgotten_run_ends_for_those_who_wait_and_the_next_caller_starts_anew() {
    let users = Arc::new(Users::new(HOUR));
    let (finish_old, old) = oneshot::channel();
    let waiting = call(&users, &Context::background(), |_| old);
    eventually("the run is under way", || users.under_way() == 1).await;
    assert!(users.forget(&1));
    let (finish_new, new) = oneshot::channel();
    let anew = call(&users, &Context::background(), |_| new);
    eventually("the new run is under way", || users.under_way() == 1).await;
    finish_old.send(1).unwrap();
    assert_eq!(in_time(waiting).await.unwrap(), Ok(1));
    assert_eq!(users.under_way(), 1, "the end of the old run leaves the new one on the list");
    finish_new.send(2).unwrap();
    assert_eq!(in_time(anew).await.unwrap(), Ok(2));
}

#[test]
fn a_runtime_that_is_shut_down_aborts_the_run() {
    let users = Arc::new(Users::new(HOUR));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let started = Arc::clone(&users);
    runtime.spawn(async move { started.run(&Context::background(), 1, |_| std::future::pending()).await });
    let here = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    here.block_on(async {
        eventually("the run is under way", || users.under_way() == 1).await;
        let ctx = Context::background();
        let waiting = users.run(&ctx, 1, |_| async { unreachable!("a run is under way") });
        let stop = async {
            tokio::task::yield_now().await;
            runtime.shutdown_background();
        };
        let (got, ()) = in_time(async { tokio::join!(waiting, stop) }).await;
        assert_eq!(got, Err(FlightError::Aborted));
    });
    assert_eq!(users.under_way(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_at_once() {
    let users = Arc::new(Users::new(HOUR));
    let most = Arc::new(AtomicUsize::new(0));
    let now = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..200)
        .map(|n| {
            let (users, now, most) = (Arc::clone(&users), Arc::clone(&now), Arc::clone(&most));
            tokio::spawn(async move {
                let ctx = Context::background();
                let key = n % 2;
                let work = |_| async move {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(key)
                };
                assert_eq!(users.run(&ctx, key, work).await, Ok(key));
            })
        })
        .collect();
    for caller in callers {
        in_time(caller).await.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 2, "at most one run for each of two keys");
    assert_eq!(users.under_way(), 0);
}
