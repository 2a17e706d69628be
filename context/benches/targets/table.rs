//! Measuring and printing.

use std::time::{Duration, Instant};

pub(crate) struct Table {
    full: bool,
    /// Only rows with this in their name are measured.
    filter: String,
    rows: Vec<Row>,
}

struct Row {
    name: String,
    ours: Option<f64>,
    theirs: Option<f64>,
    go: &'static str,
    /// What ours must stay below.
    target: Option<f64>,
}

/// Measures `op` alone.
pub(crate) fn timed<T>(mut op: impl FnMut() -> T) -> impl FnMut(u64) -> Duration {
    move |count| {
        let start = Instant::now();
        for _ in 0..count {
            std::hint::black_box(op());
        }
        start.elapsed()
    }
}

impl Table {
    pub(crate) fn new(full: bool, filter: String) -> Table {
        Table { full, filter, rows: Vec::new() }
    }

    /// Whether the row of this name is asked for.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// Scales a size down when only smoke testing.
    pub(crate) fn size(&self, full: usize) -> usize {
        if self.full { full } else { full.min(1000) }
    }

    /// Adds a row: both sides in turns, the best of the rounds counts. `count` operations a round.
    pub(crate) fn row(
        &mut self,
        name: &str,
        count: u64,
        target: Option<f64>,
        go: &'static str,
        mut ours: impl FnMut(u64) -> Duration,
        mut theirs: Option<&mut dyn FnMut(u64) -> Duration>,
    ) {
        if !self.wants(name) {
            return;
        }
        let rounds = if self.full { 9 } else { 1 };
        let count = if self.full { count } else { count.min(100) };
        let (mut best_ours, mut best_theirs) = (f64::MAX, f64::MAX);
        for _ in 0..rounds {
            best_ours = best_ours.min(ours(count).as_nanos() as f64 / count as f64);
            if let Some(theirs) = &mut theirs {
                best_theirs = best_theirs.min(theirs(count).as_nanos() as f64 / count as f64);
            }
        }
        let theirs = theirs.is_some().then_some(best_theirs);
        self.push(name, Some(best_ours), theirs, target, go);
    }

    pub(crate) fn push(
        &mut self,
        name: &str,
        ours: Option<f64>,
        theirs: Option<f64>,
        target: Option<f64>,
        go: &'static str,
    ) {
        self.rows.push(Row { name: name.to_owned(), ours, theirs, go, target });
    }

    #[expect(clippy::print_stdout, reason = "the table is the program's output")]
    pub(crate) fn print(&self) {
        if !self.full {
            println!("smoke run: no figures");
            return;
        }
        println!("{:<44} {:>10} {:>11} {:>9}  {:<22} verdict", "", "ours", "tokio-util", "target", "Go 1.27.3");
        for row in &self.rows {
            let behind = row.ours.zip(row.theirs).is_some_and(|(ours, theirs)| ours > theirs);
            let missed = row.ours.zip(row.target).is_some_and(|(ours, target)| ours > target);
            let verdict = match (behind, missed) {
                (true, _) => "BEHIND",
                (_, true) => "MISSED",
                _ => "ok",
            };
            println!(
                "{:<44} {:>10} {:>11} {:>9}  {:<22} {verdict}",
                row.name,
                figure(row.ours),
                figure(row.theirs),
                figure(row.target),
                row.go
            );
        }
    }
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(
        || "-".to_owned(),
        |value| if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") },
    )
}
