//! The command beside `ast-grep scan` with five structural patterns of the same subjects, on the same
//! tree, in one run.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::watched::{Took, watch};
use crate::Result;
use crate::corpus::{build, fetch, rust_files};

/// How often each program runs; the fastest counts.
const ROUNDS: usize = 3;

/// How many times as fast ctxlint is to be.
const TARGET: f64 = 2.0;

/// Of the memory that a check takes, the most for each byte of what it parses.
const MEMORY_TARGET: f64 = 40.0;

const PATTERNS: &str = include_str!("patterns.yml");

/// Measures and prints; says so where `ast-grep` is not there.
pub(super) fn run(root: &Path, ast_grep: &str) -> Result<()> {
    let ctxlint = build(root)?;
    let tree = Tree::new(root)?;
    let mut out = io::stdout().lock();
    writeln!(out, "\n{} files, {} lines, {:.1} MB of Rust", tree.files, tree.lines, tree.bytes as f64 / 1e6)?;

    let version = Command::new(ast_grep).arg("--version").stdin(Stdio::null()).output();
    let version = version.ok().filter(|output| output.status.success());
    let rival = version.as_ref().map(|version| String::from_utf8_lossy(&version.stdout).trim().to_owned());
    if rival.is_none() {
        writeln!(
            out,
            "`{ast_grep}` is not there, so nothing is compared: `npm install --prefix DIR @ast-grep/cli` brings it, \
             and `cargo xtask bench --beside DIR/node_modules/.bin/ast-grep` uses it from there"
        )?;
    }

    let cache = tree.folder.with_file_name("cache");
    let cache = cache.to_str().ok_or("the path is not Unicode")?;
    let sides: [(&str, &Path, Vec<&str>); 3] = [
        ("ctxlint check", &ctxlint, vec!["check", "--quiet", "--exit-zero", "--no-cache", "."]),
        ("ctxlint check, again", &ctxlint, vec!["check", "--quiet", "--exit-zero", "--cache-dir", cache, "."]),
        (
            "ast-grep scan, 5 patterns",
            Path::new(ast_grep),
            vec!["scan", "--inline-rules", PATTERNS, "--json=stream", "."],
        ),
    ];
    let sides = if rival.is_some() { &sides[..] } else { sides.get(..2).unwrap_or_default() };
    let mut best: Vec<Option<Took>> = vec![None; sides.len()];
    // The first round reads the files from the disk and makes the cache.
    for round in 0..=ROUNDS {
        for ((_, program, args), best) in sides.iter().zip(&mut best) {
            let took = watch(program, args, &tree.folder)?;
            if round > 0 {
                *best = Some(best.map_or(took, |best| faster(best, took)));
            }
        }
    }

    writeln!(out, "\n{:<28} {:>9} {:>9} {:>9}", "", "wall", "processor", "MB peak")?;
    for ((name, ..), took) in sides.iter().zip(&best) {
        let Some(took) = took else { continue };
        writeln!(out, "{name:<28} {:>9.2?} {:>9.2?} {:>9}", took.wall, took.processor, took.memory / 1024)?;
    }
    let parsed = parsed_bytes(&ctxlint, &tree.folder)?;
    let [Some(first), Some(again), rest @ ..] = best.as_slice() else { return Err("nothing was measured".into()) };
    let memory = first.memory as f64 * 1024.0 / parsed;
    writeln!(out, "\nparsed {:.1} MB; memory {memory:.1} × that (target: at most {MEMORY_TARGET})", parsed / 1e6)?;
    writeln!(out, "second run / first: {:.2}", ratio(again.wall, first.wall))?;
    let (Some(Some(other)), Some(version)) = (rest.first(), rival) else { return Ok(()) };
    let (wall, processor) = (ratio(other.wall, first.wall), ratio(other.processor, first.processor));
    writeln!(
        out,
        "{version}: ctxlint is {wall:.1} × as fast, and {:.1} × from its cache",
        ratio(other.wall, again.wall)
    )?;
    writeln!(out, "by the processor's time: {processor:.1} × (target: at least {TARGET})")?;
    if wall.max(processor) < TARGET { Err("ctxlint is too slow".into()) } else { Ok(()) }
}

fn faster(a: Took, b: Took) -> Took {
    Took { wall: a.wall.min(b.wall), processor: a.processor.min(b.processor), memory: a.memory.max(b.memory) }
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64().max(f64::EPSILON)
}

/// The size of the files that a check parses, in bytes, as `--timings` tells it.
fn parsed_bytes(ctxlint: &Path, folder: &Path) -> Result<f64> {
    let output = Command::new(ctxlint)
        .args(["check", "--exit-zero", "--no-cache", "--timings", "."])
        .current_dir(folder)
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    let number = |line: &str, unit: &str| -> Option<f64> {
        line.split_once(unit)?.0.split([' ', ',']).rfind(|word| !word.is_empty())?.parse().ok()
    };
    let total = told.lines().find_map(|line| line.strip_suffix("in all").and_then(|line| number(line, " ms")));
    let speed = told.lines().find_map(|line| number(line, " MB per second"));
    let (Some(total), Some(speed)) = (total, speed) else { return Err("`--timings` told nothing".into()) };
    Ok(total / 1000.0 * speed * 1e6)
}

/// The corpus in one folder, as one cargo workspace.
struct Tree {
    folder: PathBuf,
    files: usize,
    lines: usize,
    bytes: u64,
}

impl Tree {
    /// Copies the sources of the corpus together.
    fn new(root: &Path) -> Result<Tree> {
        // Outside of what git ignores here, for neither program looks into that.
        let top = std::env::temp_dir().join("ctxlint-beside");
        let folder = top.join("tree");
        let mut tree = Tree { folder, files: 0, lines: 0, bytes: 0 };
        fs::remove_dir_all(&top)
            .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
        fs::create_dir_all(&tree.folder)?;
        for package in fetch(root, false)? {
            let own = tree.folder.join(package.to_string());
            fs::create_dir_all(&own)?;
            fs::copy(package.root.join("Cargo.toml"), own.join("Cargo.toml"))?;
            for file in rust_files(&package.root) {
                let to = own.join(file.strip_prefix(&package.root)?);
                fs::create_dir_all(to.parent().unwrap_or(&own))?;
                let text = fs::read(&file)?;
                tree.files += 1;
                tree.lines += text.iter().filter(|byte| **byte == b'\n').count();
                tree.bytes += text.len() as u64;
                fs::write(to, text)?;
            }
        }
        fs::write(tree.folder.join("Cargo.toml"), "[workspace]\nmembers = [\"*\"]\nresolver = \"3\"\n")?;
        Ok(tree)
    }
}
