//! A line on the terminal that tells how far a long run is.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Shorter runs show nothing.
const PATIENCE: Duration = Duration::from_millis(500);

const INTERVAL: Duration = Duration::from_millis(80);

/// How far a run is.
#[derive(Debug, Default)]
pub struct Progress {
    parsed: AtomicUsize,
    done: AtomicBool,
}

impl Progress {
    /// One more file is parsed.
    pub fn parsed_one(&self) {
        self.parsed.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs a job and shows how far it is, on a terminal, if `wanted` and if it takes long.
    pub fn during<T>(&self, wanted: bool, files: usize, job: impl FnOnce() -> T) -> T {
        if !wanted || !std::io::stderr().is_terminal() {
            return job();
        }
        thread::scope(|scope| {
            let shower = scope.spawn(|| self.show(files));
            let end = End(self);
            let outcome = job();
            drop(end);
            shower.thread().unpark();
            outcome
        })
    }

    fn show(&self, files: usize) {
        let start = Instant::now();
        let mut shown = false;
        while !self.done.load(Ordering::Acquire) {
            if start.elapsed() >= PATIENCE {
                let parsed = self.parsed.load(Ordering::Relaxed);
                let _ = write!(std::io::stderr(), "\r\u{1b}[Kctxlint: {parsed} of up to {files} files parsed");
                shown = true;
            }
            thread::park_timeout(INTERVAL);
        }
        if shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// Ends the showing, in a panic too.
struct End<'p>(&'p Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.done.store(true, Ordering::Release);
    }
}
