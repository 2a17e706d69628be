//! A task on the caller's context does not hear that its group has failed.

use std::time::Duration;

use context::group::Group;
use context::{Context, ContextError};
use tokio::sync::oneshot::channel;

/// Whether a task of the group, on the context that `choose` takes of the caller's and the group's, sees the
/// failure of another in time.
async fn sees_the_failure(choose: for<'a> fn(&'a Context, &'a Context) -> &'a Context, patience: Duration) -> bool {
    let (ctx, cancel) = Context::background().with_cancel();
    let _guard = cancel.guard();
    let (mut group, group_ctx) = Group::with_context(&ctx);
    let work = choose(&ctx, &group_ctx).clone();
    let (report, reported) = channel();
    group.spawn(async move {
        let seen = tokio::time::timeout(patience, work.done()).await.is_ok();
        let _ = report.send(seen);
        Ok(())
    });
    group.spawn(async { Err(ContextError::DeadlineExceeded) });
    assert_eq!(group.wait().await, Err(ContextError::DeadlineExceeded));
    reported.await.unwrap()
}

#[tokio::test]
async fn on_the_callers_context_the_task_goes_on() {
    assert!(!sees_the_failure(|caller, _| caller, Duration::from_millis(50)).await);
}

#[tokio::test]
async fn on_the_groups_context_it_ends() {
    assert!(sees_the_failure(|_, group| group, Duration::from_secs(10)).await);
}
