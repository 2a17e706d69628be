use std::future::Future;
use std::pin::Pin;

use crate::{Cause, Context};

pub(super) type Attempt = Pin<Box<dyn Future<Output = Result<(), Cause>> + Send>>;
pub(super) type Work = Box<dyn FnMut(Context) -> Attempt + Send>;

/// What an operation of a pool may return: nothing, or a result whose error can be a [`Cause`].
///
/// ```
/// # use context::{Context, pool::DetachedPool};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// # let (pool, ctx) = (DetachedPool::builder().build(), Context::background());
/// pool.submit(&ctx, "returns nothing", |_| async {})?;
/// pool.submit(&ctx, "returns a result", |_| async { std::io::Result::Ok(7) })?;
/// # Ok::<_, context::pool::SubmitError>(()) }).unwrap();
/// ```
pub trait IntoOutcome: sealed::Sealed {
    /// As a result.
    #[doc(hidden)]
    fn into_outcome(self) -> Result<(), Cause>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for () {}
    impl<T, E> Sealed for Result<T, E> {}
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Result<(), Cause> {
        Ok(())
    }
}

/// The value of a success is dropped: nobody is there to take it.
impl<T, E: Into<Cause>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Result<(), Cause> {
        self.map(drop).map_err(Into::into)
    }
}

/// Work that is called in the attempt itself, so that its panics are the attempt's.
pub(super) fn once<F, Fut>(work: F) -> Work
where
    F: FnOnce(Context) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcome,
{
    let mut work = Some(work);
    Box::new(move |ctx| {
        let work = work.take();
        Box::pin(async move {
            match work {
                Some(work) => work(ctx).await.into_outcome(),
                None => Err(Cause::from("work that runs once was run again")),
            }
        })
    })
}

pub(super) fn many<F, Fut>(mut work: F) -> Work
where
    F: FnMut(Context) -> Fut + Send + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcome,
{
    Box::new(move |ctx| {
        let attempt = work(ctx);
        Box::pin(async move { attempt.await.into_outcome() })
    })
}
