//! Which threads the crate starts, and when.

use std::process::Command;
use std::time::Duration;

use context::Context;

use crate::support::{HOUR, block_on, eventually};

/// The names of the crate's own threads in this process.
fn own_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("context-")).collect()
}

/// Run alone in a process of its own, by the test below.
#[test]
fn started_only_for_deadlines_and_callbacks() {
    if std::env::var_os("CONTEXT_TEST_ALONE").is_none() {
        let this = "threads::started_only_for_deadlines_and_callbacks";
        let mut alone = Command::new(std::env::current_exe().unwrap());
        let output = alone.args(["--exact", this]).env("CONTEXT_TEST_ALONE", "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let (ctx, handle) = Context::background().with_cancel();
    let children: Vec<_> = (0..100).map(|i| ctx.with_value(i, i).with_cancel()).collect();
    let (merged, _h) = ctx.merge(&children[0].0);
    drop((ctx.without_cancel(), ctx.reparent(&merged), merged.to_string()));
    assert_eq!(ctx.wait_timeout(Duration::from_millis(1)), None);
    assert_eq!(block_on(ctx.run(async { 1 })), Ok(1));
    // Born done, or without an end: nothing to wait for.
    drop(ctx.with_timeout(Duration::ZERO));
    drop(ctx.with_timeout(Duration::MAX));
    drop(Context::background().after_func(|| {}));
    handle.cancel();
    ctx.wait();
    drop(ctx.with_timeout(HOUR));
    assert_eq!(own_threads(), Vec::<String>::new());

    let (timed, _h) = Context::background().with_timeout(HOUR);
    eventually("the timer's thread is there", || own_threads() == ["context-timer"]);
    let (later, _h) = timed.with_timeout(HOUR / 2);
    assert_eq!(own_threads().len(), 1);
    ctx.after_func(|| {});
    eventually("a thread for callbacks is there", || {
        own_threads().iter().any(|name| name.starts_with("context-callba"))
    });
    drop(later);
}
