//! A line on the terminal that tells how far a long run is.

use std::io::{IsTerminal as _, Write};
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
        self.during_on(&mut std::io::stderr(), files, job)
    }

    fn during_on<T>(&self, out: &mut (dyn Write + Send), files: usize, job: impl FnOnce() -> T) -> T {
        thread::scope(|scope| {
            let shower = scope.spawn(|| self.show(out, files));
            let end = End(self);
            let outcome = job();
            drop(end);
            shower.thread().unpark();
            outcome
        })
    }

    fn show(&self, out: &mut dyn Write, files: usize) {
        let start = Instant::now();
        let mut shown = false;
        while !self.done.load(Ordering::Acquire) {
            if start.elapsed() >= PATIENCE {
                let parsed = self.parsed.load(Ordering::Relaxed);
                let _ = write!(out, "\r\u{1b}[Kctxlint: {parsed} of up to {files} files parsed");
                let _ = out.flush();
                shown = true;
            }
            thread::park_timeout(INTERVAL);
        }
        if shown {
            let _ = write!(out, "\r\u{1b}[K");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_run_shows_how_far_it_is_and_leaves_nothing_behind() {
        let mut out: Vec<u8> = Vec::new();
        assert_eq!(Progress::default().during_on(&mut out, 9, || 1), 1);
        assert_eq!(out, b"", "a short one");

        let progress = Progress::default();
        progress.during_on(&mut out, 9, || {
            progress.parsed_one();
            progress.parsed_one();
            thread::sleep(PATIENCE * 2);
        });
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains("\r\u{1b}[Kctxlint: 2 of up to 9 files parsed"), "{text:?}");
        assert!(text.ends_with("\r\u{1b}[K"), "the line is cleared: {text:?}");
    }
}
