//! Whether work grows with the code and no faster, for code of many shapes.
//!
//! Each shape of `fuzz/src/shapes.rs` is checked at growing sizes on one thread, with every rule on.
//! A shape's line says, for the largest size, how long that took and what was allocated meanwhile,
//! each beside what the text has grown by since half the number: 1.0 is in step with the code. The
//! name of a shape, or a part of it, measures that alone: `cargo bench --bench shapes -- handles`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a program for developers that tells what it measured"
)]
#![allow(unreachable_pub, dead_code, reason = "of modules that others share")]

#[path = "../fuzz/src/allocated.rs"]
mod allocated;
#[path = "../fuzz/src/shapes.rs"]
mod shapes;

use std::hint::black_box;
use std::time::{Duration, Instant};

use ctxlint::check::check;
use ctxlint::config::Config;
use ctxlint::levels::{Selector, Setting};
use ctxlint::workspace::{File, Workspace};
use ctxlint_lints::rule::Level;

use shapes::{SHAPES, Shape};

#[global_allocator]
static ALLOCATOR: allocated::Counting = allocated::Counting;

/// How often a shape is doubled.
const DOUBLINGS: u32 = 5;
/// A shape that has taken this long is not doubled again.
const ENOUGH: Duration = Duration::from_secs(2);
/// As in the command: real code nests deeply.
const STACK: usize = 64 * 1024 * 1024;

fn main() {
    // `cargo test --benches` calls with `--test`: then there is nothing to measure.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).stack_size(STACK).build().expect("a thread starts");
    println!(
        "{:<40} {:>6} {:>8} {:>9} {:>6} {:>6} {:>9} {:>6}",
        "shape", "number", "lines", "time", "/ text", "per kB", "MB", "/ text"
    );
    for shape in SHAPES.iter().filter(|shape| wanted.is_empty() || wanted.iter().any(|part| shape.name.contains(part)))
    {
        pool.install(|| measure(shape));
    }
}

/// What one size cost.
struct Cost {
    number: usize,
    lines: usize,
    text: usize,
    time: Duration,
    allocated: u64,
}

fn measure(shape: &Shape) {
    let mut costs: Vec<Cost> = Vec::new();
    for doubling in 0..=DOUBLINGS {
        let cost = cost(shape, shape.least << doubling);
        let is_enough = cost.time > ENOUGH;
        costs.push(cost);
        if is_enough {
            break;
        }
    }
    let [.., before, last] = costs.as_slice() else {
        let Some(last) = costs.last() else { return };
        println!("{:<40} {:>6} {:>8} {:>9.1?}", shape.name, last.number, last.lines, last.time);
        return;
    };
    let grown = last.text as f64 / before.text as f64;
    let slower = last.time.as_secs_f64() / before.time.as_secs_f64();
    let more = last.allocated as f64 / before.allocated as f64;
    println!(
        "{:<40} {:>6} {:>8} {:>9.1?} {:>6.2} {:>6.2} {:>9.1} {:>6.2}",
        shape.name,
        last.number,
        last.lines,
        last.time,
        if slower.is_finite() { slower / grown } else { f64::NAN },
        last.time.as_secs_f64() * 1e3 / (last.text as f64 / 1e3),
        last.allocated as f64 / 1e6,
        more / grown,
    );
}

/// The processor time of this thread where the system tells, which is the same on a busy machine; else
/// the time of the day.
struct Clock(Option<Duration>, Instant);

impl Clock {
    fn start() -> Clock {
        Clock(Clock::processor(), Instant::now())
    }

    fn elapsed(&self) -> Duration {
        let used = self.0.zip(Clock::processor()).map(|(start, end)| end.saturating_sub(start));
        used.unwrap_or_else(|| self.1.elapsed())
    }

    fn processor() -> Option<Duration> {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(Duration::from_nanos(stat.split_whitespace().next()?.parse().ok()?))
    }
}

/// What a shape costs at one size: the fastest of three where it is fast.
fn cost(shape: &Shape, number: usize) -> Cost {
    let text = (shape.text)(number);
    let file = File { named: true, ..File::new("a.rs".to_owned(), "/loose/a.rs".into(), text.as_str()) };
    let workspace = Workspace { root: "/loose".into(), files: vec![file], ..Workspace::default() };
    let config =
        Config { command_line: vec![Setting { selector: Selector::All, level: Level::Warn }], ..Config::default() };
    let mut best = Duration::MAX;
    let mut bytes = u64::MAX;
    for _ in 0..3 {
        let (start, before) = (Clock::start(), allocated::bytes());
        let report = black_box(check(&workspace, &config));
        best = best.min(start.elapsed());
        bytes = bytes.min(allocated::bytes() - before);
        assert_eq!(report.failures, [""; 0], "{} × {number}", shape.name);
        let syntax = report.findings.iter().find(|reported| reported.finding.rule == "syntax_error");
        assert!(syntax.is_none(), "{} × {number} does not parse: {syntax:?}", shape.name);
        if best > Duration::from_millis(100) {
            break;
        }
    }
    Cost { number, lines: text.lines().count(), text: text.len(), time: best, allocated: bytes }
}
