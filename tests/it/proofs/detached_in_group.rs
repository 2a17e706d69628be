//! A detached task does not hear that its group has failed.

use std::time::Duration;

use context::group::Group;
use context::{Context, ContextError};
use tokio::sync::oneshot::channel;

/// Whether a task of the group, on what `derive` makes of the group's context, sees the failure of another in time.
async fn sees_the_failure(derive: fn(&Context) -> Context, patience: Duration) -> bool {
    let (mut group, ctx) = Group::with_context(&Context::background());
    let work = derive(&ctx);
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
async fn a_detached_task_goes_on() {
    assert!(!sees_the_failure(Context::without_cancel, Duration::from_millis(50)).await);
}

#[tokio::test]
async fn a_task_of_the_group_ends() {
    assert!(sees_the_failure(Context::clone, Duration::from_secs(10)).await);
}
