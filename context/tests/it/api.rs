//! What the compiler can check, and sizes.

use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};

use context::{CancelCauseHandle, CancelGuard, CancelHandle, Cause, Context, ContextError, Done, StopHandle};

fn shared<T: Send + Sync + Debug + UnwindSafe + RefUnwindSafe + 'static>() {}
fn unpin<T: Unpin>() {}
fn cloneable<T: Clone>() {}

// T11
#[test]
fn public_types_are_send_sync_debug_and_unwind_safe() {
    shared::<Context>();
    shared::<Cause>();
    shared::<ContextError>();
    shared::<CancelHandle>();
    shared::<CancelCauseHandle>();
    shared::<CancelGuard>();
    shared::<StopHandle>();
    shared::<Done>();
    unpin::<Done>();
    unpin::<Context>();
    cloneable::<Context>();
    cloneable::<CancelHandle>();
    cloneable::<CancelCauseHandle>();
    cloneable::<StopHandle>();
    cloneable::<Cause>();
}

#[test]
fn futures_of_a_context_can_be_sent() {
    fn send<T: Send>(_: &T) {}
    let ctx = Context::background();
    send(&ctx.done());
    send(&ctx.run(async { 1 }));
    send(&ctx.sleep(std::time::Duration::ZERO));
}

#[test]
fn a_context_is_two_words() {
    assert_eq!(size_of::<Context>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Option<Context>>(), 2 * size_of::<usize>());
}

#[test]
fn roots_are_constants() {
    const ROOT: Context = Context::background();
    static TODO: Context = Context::todo();
    assert!(!ROOT.is_cancellable() && !TODO.is_cancellable());
    assert_eq!(Context::default().to_string(), "context.Background");
}

#[test]
fn causes_come_from_errors_and_texts() {
    let io = Cause::from(io::Error::other("disk"));
    assert_eq!(io.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::Other);
    assert_eq!(Cause::from("text").to_string(), "text");
    assert_eq!(Cause::from(String::from("owned")).to_string(), "owned");
    let boxed: Box<dyn Error + Send + Sync> = "boxed".into();
    assert_eq!(Cause::from(boxed).to_string(), "boxed");
    assert_eq!(Cause::from(ContextError::Canceled).downcast_ref(), Some(&ContextError::Canceled));
    let error: &(dyn Error + Send + Sync) = io.as_ref();
    assert_eq!(error.to_string(), "disk");
}

// G21, G22
#[test]
fn errors_convert_to_io_errors_that_std_does_not_retry() {
    assert_eq!(io::Error::from(ContextError::DeadlineExceeded).kind(), io::ErrorKind::TimedOut);
    assert_eq!(io::Error::from(ContextError::Canceled).kind(), io::ErrorKind::Other);
    let inner = io::Error::from(ContextError::Canceled).into_inner().unwrap();
    assert_eq!(inner.downcast_ref(), Some(&ContextError::Canceled));
    assert!(ContextError::DeadlineExceeded.is_timeout() && !ContextError::Canceled.is_timeout());
}

#[test]
fn errors_print_as_in_go() {
    assert_eq!(ContextError::Canceled.to_string(), "context canceled");
    assert_eq!(ContextError::DeadlineExceeded.to_string(), "context deadline exceeded");
}

#[cfg(all(feature = "tonic", feature = "tokio-util", feature = "serde"))]
#[test]
fn public_types_of_features_are_send_sync_and_debug() {
    fn shared<T: Send + Sync + Debug + 'static>() {}
    shared::<context::axum::RequestContext>();
    shared::<context::serde::Remaining>();
    shared::<context::tokio_util::LinkedToken>();
    shared::<context::tonic::SendDeadline>();
    shared::<context::tower::ContextBody<String>>();
    shared::<context::tower::RequestContext<()>>();
    shared::<context::tower::RequestContextLayer>();
    shared::<context::tower::ResponseFuture<()>>();
    shared::<context::tower::TimeoutFormat>();
}

// T14-T18
#[test]
fn contexts_are_equal_to_their_clones_only() {
    use std::collections::HashSet;
    let (a, _h) = Context::background().with_cancel();
    let (b, _h) = Context::background().with_cancel();
    let (child, _h) = a.with_cancel();
    let views = [a.with_value(1, 1), a.with_value(1, 1), a.without_cancel(), a.reparent(&b)];
    let mut all: HashSet<Context> = views.into_iter().chain([a.clone(), b, child]).collect();
    assert_eq!(all.len(), 7);
    all.extend([a.clone(), a, Context::background(), Context::background(), Context::todo()]);
    assert_eq!(all.len(), 9);
}
