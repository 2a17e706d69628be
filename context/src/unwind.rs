use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

/// What a panic was raised with.
pub(crate) type Payload = Box<dyn Any + Send + 'static>;

/// Runs a future to its end. A panic, in a poll or while the finished future is dropped, is the
/// error.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Payload> {
    let mut future = Dropped(Some(Box::pin(future)));
    let output = poll_fn(|cx| {
        let Some(running) = future.0.as_mut() else { return Poll::Pending };
        match catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    })
    .await;
    let dropped = future.empty();
    let output = output?;
    dropped.map(|()| output)
}

/// A future whose drop does not unwind into whoever drops it.
struct Dropped<F>(Option<Pin<Box<F>>>);

impl<F> Dropped<F> {
    fn empty(&mut self) -> Result<(), Payload> {
        let future = self.0.take();
        catch_unwind(AssertUnwindSafe(|| drop(future)))
    }
}

impl<F> Drop for Dropped<F> {
    fn drop(&mut self) {
        if let Err(payload) = self.empty() {
            forget(payload);
        }
    }
}

/// Lets go of a payload whose drop might panic, too.
pub(crate) fn forget(payload: Payload) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(again);
    }
}

/// The text of a panic, for people.
pub(crate) fn message(payload: &Payload) -> String {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
