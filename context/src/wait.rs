//! Waiting without an executor, and sleeping with one.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Condvar, Mutex, PoisonError};
use std::task::{Poll, Wake, Waker};
use std::time::Instant;

use crate::sync::Arc;
use crate::timer::{self, Timed};
use crate::{ContextError, Done};

/// Blocks the thread until the context is done or `until` has come.
pub(crate) fn block(mut done: Done, until: Option<Instant>) -> Option<ContextError> {
    let parker = Arc::new(Parker { woken: Mutex::new(false), changed: Condvar::new() });
    let waker = Waker::from(Arc::clone(&parker));
    loop {
        if let Poll::Ready(error) = done.poll_with(&waker) {
            return Some(error);
        }
        if !parker.park(until) {
            return None;
        }
    }
}

struct Parker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Parker {
    /// Sleeps until woken (true) or until the time has come (false).
    fn park(&self, until: Option<Instant>) -> bool {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            woken = match until {
                None => self.changed.wait(woken).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let pause = until.saturating_duration_since(Instant::now());
                    if pause.is_zero() {
                        return false;
                    }
                    self.changed.wait_timeout(woken, pause).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *woken = false;
        true
    }
}

impl Wake for Parker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

/// Ready when the time has come.
pub(crate) struct Sleep {
    /// `None` for ever.
    until: Option<Instant>,
    armed: Option<(Timed, Waker)>,
}

impl Sleep {
    pub(crate) fn until(until: Option<Instant>) -> Sleep {
        Sleep { until, armed: None }
    }

    fn disarm(&mut self) {
        if let Some((timed, waker)) = self.armed.take() {
            timed.cancel();
            drop(waker);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<()> {
        let Some(until) = self.until else { return Poll::Pending };
        if timer::now() >= until {
            self.disarm();
            return Poll::Ready(());
        }
        let armed_for_this_task = self.armed.as_ref().is_some_and(|(_, waker)| waker.will_wake(cx.waker()));
        if !armed_for_this_task {
            self.disarm();
            let waker = cx.waker().clone();
            self.armed = Some((Timed::wake_at(until, waker.clone()), waker));
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.disarm();
    }
}
