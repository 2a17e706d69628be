//! Runs the benchmarks: the whole check, and the language server.

use std::path::Path;
use std::process::Command;

use crate::Result;

/// Runs `benches/check.rs`, over the corpus where it was fetched, and `benches/keystroke.rs`.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut bench = Command::new("cargo");
    bench.args(["bench", "--bench", "check", "--bench", "keystroke"]).current_dir(root);
    if bench.status()?.success() { Ok(()) } else { Err("the benchmark failed".into()) }
}
