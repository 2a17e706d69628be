//! Runs the benchmarks: the whole check, the language server, the command beside `ast-grep`.

mod beside;
mod watched;

use std::path::Path;
use std::process::Command;

use crate::Result;

/// Runs `benches/check.rs`, over the corpus where it was fetched, `benches/keystroke.rs`, and then the
/// command beside `ast-grep`.
pub(crate) fn run(root: &Path, options: &[&str]) -> Result<()> {
    let (beside_only, ast_grep) = match options {
        [] => (false, "ast-grep"),
        ["--beside"] => (true, "ast-grep"),
        ["--beside", program] => (true, *program),
        _ => return Err("`cargo xtask bench [--beside [AST-GREP]]`".into()),
    };
    if !beside_only {
        let mut bench = Command::new("cargo");
        bench.args(["bench", "--bench", "check", "--bench", "keystroke"]).current_dir(root);
        if !bench.status()?.success() {
            return Err("the benchmark failed".into());
        }
    }
    beside::run(root, ast_grep)
}
