//! Below a new root nothing of the caller's context is left.

use std::time::Duration;

use context::{CancelHandle, Context};

#[derive(PartialEq, Eq)]
struct Tenant;

fn call_below_a_new_root(_ctx: &Context) -> (Context, CancelHandle) {
    Context::background().with_timeout(Duration::from_secs(30))
}

fn call_below_the_parent(ctx: &Context) -> (Context, CancelHandle) {
    ctx.with_timeout(Duration::from_secs(30))
}

fn cancelled_parent(derive: fn(&Context) -> (Context, CancelHandle)) -> (bool, Option<u64>) {
    let (parent, cancel) = Context::background().with_value(Tenant, 7_u64).with_cancel();
    let (call, stop) = derive(&parent);
    let _stop = stop.guard();
    cancel.cancel();
    (call.is_done(), call.value::<u64>(&Tenant).copied())
}

#[test]
fn the_call_goes_on_without_its_parent() {
    assert_eq!(cancelled_parent(call_below_a_new_root), (false, None));
}

#[test]
fn the_call_ends_with_its_parent() {
    assert_eq!(cancelled_parent(call_below_the_parent), (true, Some(7)));
}
