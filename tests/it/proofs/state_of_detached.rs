//! A detached context answers the same whatever happens to its parent.

use std::time::Duration;

use context::Context;

fn parts_rebuilt_detached(ctx: &Context, cancelled: impl FnOnce(), parts: usize) -> usize {
    let ctx = ctx.without_cancel();
    cancelled();
    (0..parts).take_while(|_| !ctx.is_done()).count()
}

fn parts_rebuilt_with_an_end(ctx: &Context, parts: usize) -> usize {
    let (ctx, cancel) = ctx.without_cancel().with_timeout(Duration::from_secs(10));
    let mut rebuilt = 0;
    for part in 0..parts {
        if ctx.is_done() {
            break;
        }
        rebuilt += 1;
        if part == 1 {
            cancel.cancel();
        }
    }
    rebuilt
}

#[test]
fn the_question_never_stops_the_work() {
    let (ctx, cancel) = Context::background().with_timeout(Duration::from_secs(10));
    assert_eq!(parts_rebuilt_detached(&ctx, || cancel.cancel(), 1000), 1000);
    assert!(ctx.is_done());

    let detached = ctx.without_cancel();
    assert_eq!(detached.err(), None);
    assert_eq!(detached.deadline(), None);
    assert!(detached.cause().is_none());
}

#[tokio::test]
async fn run_is_never_cut_short() {
    let (ctx, cancel) = Context::background().with_cancel();
    cancel.cancel();
    assert_eq!(ctx.without_cancel().run(async { 5 }).await, Ok(5));
    assert!(ctx.run(async { 5 }).await.is_err());
}

#[test]
fn with_an_end_of_its_own_the_question_stops_it() {
    assert_eq!(parts_rebuilt_with_an_end(&Context::background(), 1000), 2);
}
