//! Runs the fuzz targets, beginning from the fixtures.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::corpus::rust_files;

/// The targets of `fuzz/`, each with the longest input that makes sense: texts are as long as files,
/// edits are numbers that say what to do to a fixture.
const TARGETS: [(&str, usize); 6] = [
    ("code", 16_384),
    ("edits", 1024),
    ("typing", 1024),
    ("suppressions", 1024),
    ("configuration", 4096),
    ("server", 2048),
];

/// Runs a target, or each in turn, for so many seconds.
pub(crate) fn run(root: &Path, name: Option<&str>, seconds: &str) -> Result<()> {
    let seconds: u32 = seconds.parse().map_err(|_| format!("`{seconds}` is no number of seconds"))?;
    let is_wanted = |target: &&(&str, usize)| name.is_none_or(|name| name == target.0);
    let wanted: Vec<&(&str, usize)> = TARGETS.iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.0).collect();
        return Err(format!("there is no such target; there are {}", names.join(", ")).into());
    }
    for (target, longest) in wanted {
        let corpus = root.join("fuzz/corpus").join(target);
        fs::create_dir_all(&corpus)?;
        seed(root, target, &corpus)?;
        writeln!(io::stderr(), "{target} for {seconds} seconds")?;
        // On stable: no sanitizer. Without `--cfg fuzzing`, under which proc-macro2 knows no places.
        let status = Command::new("cargo")
            .args(["fuzz", "run", "--sanitizer", "none", "--no-cfg-fuzzing", target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={longest}"))
            .args(["-timeout=30", "-rss_limit_mb=4096"])
            .current_dir(root)
            .status()?;
        if !status.success() {
            return Err(format!("{target} failed; `cargo fuzz` from crates.io must be there").into());
        }
    }
    Ok(())
}

/// Where the input is text, the fixtures are where it begins; elsewhere they are chosen by number.
fn seed(root: &Path, target: &str, corpus: &Path) -> Result<()> {
    if target == "code" {
        let fixtures = root.join("tests/fixtures");
        for (at, file) in rust_files(&fixtures).into_iter().enumerate() {
            fs::copy(file, corpus.join(format!("fixture-{at}")))?;
        }
    }
    if target == "configuration" {
        fs::copy(root.join("src/commands/init.toml"), corpus.join("init"))?;
        fs::copy(root.join("models/context.toml"), corpus.join("model"))?;
    }
    Ok(())
}
