//! Runs a program and watches what it takes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;

/// How often the system is asked: often enough for runs of a tenth of a second.
const PERIOD: Duration = Duration::from_millis(2);

/// Of `/proc/PID/stat`, per second; the same on every Linux that there is.
const TICKS: f64 = 100.0;

/// What a run took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    /// From start to end.
    pub(super) wall: Duration,
    /// On all processors; what the machine does besides does not count. Zero where the system does not tell.
    pub(super) processor: Duration,
    /// At the most, in KiB; zero where the system does not tell.
    pub(super) memory: u64,
}

/// Runs a program to its end; what it says goes nowhere. It may find something.
///
/// # Errors
/// If it does not start, or fails.
pub(super) fn watch(program: &Path, args: &[&str], folder: &Path) -> Result<Took> {
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let process = Path::new("/proc").join(child.id().to_string());
    let (mut processor, mut memory) = (Duration::ZERO, 0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        // A process that has just ended is told of by zeros: what was seen before counts.
        processor = processor.max(time(&process).unwrap_or_default());
        memory = memory.max(peak(&process).unwrap_or_default());
        sleep(PERIOD);
    };
    let wall = start.elapsed();
    match status.code() {
        Some(0 | 1) => Ok(Took { wall, processor, memory }),
        _ => Err(format!("{} {}: {status}", program.display(), args.join(" ")).into()),
    }
}

/// The processor's time of a process, in its own code and the system's.
fn time(process: &Path) -> Option<Duration> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // The second field is the name, which may hold anything.
    let rest = stat.rsplit_once(')')?.1;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some(Duration::from_secs_f64((ticks()? + ticks()?) / TICKS))
}

/// The most memory a process ever had, in KiB.
fn peak(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_run_is_watched() {
        let took = watch(
            Path::new("sh"),
            &["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; exit 1"],
            Path::new("/"),
        );
        let took = took.expect("finding something is no failure");
        assert!(took.wall >= took.processor / 2 && took.memory > 100, "{took:?}");
        assert!(took.processor > Duration::ZERO, "{took:?}");
        assert!(watch(Path::new("sh"), &["-c", "exit 2"], Path::new("/")).is_err());
    }
}
