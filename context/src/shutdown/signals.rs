use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;

use crate::{CancelCauseHandle, Context};

/// The signal that ended a context: its cause.
///
/// ```
/// assert_eq!(context::shutdown::Signal::Terminate.to_string(), "received SIGTERM");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// SIGINT, or Ctrl-C on Windows.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Signal::Interrupt => "received SIGINT",
            Signal::Terminate => "received SIGTERM",
        })
    }
}

impl Error for Signal {}

/// A context that the next SIGINT or SIGTERM ends (Ctrl-C on Windows). Its cause is the
/// [`Signal`].
///
/// The first call takes the signals over for the rest of the process: from then on they end
/// contexts, and nothing else. To let a second one insist, use [`signals`]. Needs no runtime;
/// a thread of its own listens. When that can not be set up the context is done at once, and its
/// cause is the error.
///
/// ```no_run
/// # async fn serve(_: &context::Context) {}
/// # async fn run() {
/// let stop = context::shutdown::signal();
/// serve(&stop).await;
/// # }
/// ```
#[must_use]
pub fn signal() -> Context {
    signals().0
}

/// A context for each of the next two signals: the first asks the process to end, the second
/// insists. See [`signal`].
///
/// ```no_run
/// use context::shutdown::Supervisor;
/// # async fn run(supervisor: Supervisor) {
/// let (stop, now) = context::shutdown::signals();
/// stop.done().await;
/// supervisor.drain(&now).await; // as long as it takes, unless a second signal comes
/// # }
/// ```
#[must_use]
pub fn signals() -> (Context, Context) {
    static LISTENER: OnceLock<Result<Arc<Listener>, String>> = OnceLock::new();
    match LISTENER.get_or_init(|| Listener::start().map_err(|error| error.to_string())) {
        Ok(listener) => {
            let awaited = listener.lock();
            (awaited.next.0.clone(), awaited.second.0.clone())
        }
        Err(error) => {
            let (ctx, handle) = Context::background().with_cancel_cause();
            handle.cancel(format!("signals can not be listened for: {error}"));
            (ctx.clone(), ctx)
        }
    }
}

/// All who wait for the same signal share a context, so that there are two at any time.
struct Awaited {
    next: (Context, CancelCauseHandle),
    second: (Context, CancelCauseHandle),
}

struct Listener(Mutex<Awaited>);

impl Listener {
    /// Listens, on a new thread, from when this returns.
    fn start() -> io::Result<Arc<Listener>> {
        let background = Context::background();
        let awaited = Awaited { next: background.with_cancel_cause(), second: background.with_cancel_cause() };
        let listener = Arc::new(Listener(Mutex::new(awaited)));
        let (installed, report) = mpsc::channel();
        let heard = Arc::clone(&listener);
        thread::Builder::new().name("context-signals".to_owned()).spawn(move || {
            listen(&installed, |signal| heard.hear(signal));
        })?;
        report.recv().unwrap_or_else(|_| Err(io::Error::other("the listening thread has ended")))?;
        Ok(listener)
    }

    fn lock(&self) -> MutexGuard<'_, Awaited> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, signal: Signal) {
        let fresh = Context::background().with_cancel_cause();
        let (_, ended) = {
            let mut awaited = self.lock();
            let second = std::mem::replace(&mut awaited.second, fresh);
            std::mem::replace(&mut awaited.next, second)
        };
        ended.cancel(signal);
    }
}

/// Tells once whether the signals are taken over, then of each of them, for ever.
fn listen(installed: &mpsc::Sender<io::Result<()>>, mut hear: impl FnMut(Signal)) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(installed.send(Err(error))),
    };
    runtime.block_on(async {
        match Sources::install() {
            Ok(mut sources) => {
                let _ = installed.send(Ok(()));
                loop {
                    hear(sources.next().await);
                }
            }
            Err(error) => drop(installed.send(Err(error))),
        }
    });
}

#[cfg(unix)]
struct Sources {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Sources {
    fn install() -> io::Result<Sources> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Sources { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Signal {
        use std::task::Poll;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(Some(())) = self.interrupt.poll_recv(cx) {
                return Poll::Ready(Signal::Interrupt);
            }
            match self.terminate.poll_recv(cx) {
                Poll::Ready(Some(())) => Poll::Ready(Signal::Terminate),
                _ => Poll::Pending,
            }
        })
        .await
    }
}

#[cfg(windows)]
struct Sources(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Sources {
    fn install() -> io::Result<Sources> {
        tokio::signal::windows::ctrl_c().map(Sources)
    }

    async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(()) => Signal::Interrupt,
            None => std::future::pending().await,
        }
    }
}
