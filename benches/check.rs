//! The whole check against parsing alone, side by side, over real code of growing size.
//!
//! The code: the packages in the folder that `CTXLINT_CORPUS` names, else the corpus that
//! `cargo xtask corpus` fetched, else the sources of this workspace's own dependencies. Every size
//! is about twice the one before, so that a column of equal speeds says that time is linear.
//!
//! Both sides start from texts in memory and run on the same threads. `check` goes from texts to the
//! report; `syn` is `syn::parse_file` over the files that the check parsed, because they name a
//! context API, and `syn, all` over every file.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a program for developers that tells what it measured")]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Metadata, MetadataCommand};
use ctxlint::check::check;
use ctxlint::config::Config;
use ctxlint::discover::{self, Request};
use ctxlint::workspace::Workspace;
use ctxlint_analysis::AT_ONCE;
use mimalloc::MiMalloc;
use rayon::prelude::*;

/// As in the command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How often each side runs; the fastest counts.
const ROUNDS: usize = 7;
/// Sizes, each twice the one before.
const SIZES: u32 = 5;
/// As in the command: real code nests deeply.
const STACK: usize = 64 * 1024 * 1024;

fn main() {
    // `cargo test --benches` calls with `--test`: then there is nothing to measure.
    if std::env::args().any(|arg| arg == "--test") {
        return;
    }
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build().expect("threads can be started");
    pool.install(run);
}

fn run() {
    let packages = by_size(packages());
    let total: usize = packages.iter().map(|(lines, _)| lines).sum();
    assert!(total >= 200_000, "only {total} lines of code to measure; `cargo xtask corpus` fetches more");
    println!("{} threads, {} packages, {total} lines\n", rayon::current_num_threads(), packages.len());
    println!(
        "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  {:>13}  {:>15}  {:>12}",
        "lines", "parsed", "check", "syn", "syn, all", "MB peak", "check / syn", "check / all", "lines/s"
    );
    for halvings in (0..SIZES).rev() {
        measure(&workspace(&packages, total >> halvings));
    }
}

fn measure(workspace: &Workspace) {
    let config = Config::default();
    let report = check(workspace, &config);
    let all: Vec<&str> = workspace.files.iter().map(|file| &*file.text).collect();
    let parsed: Vec<&str> =
        all.iter().zip(&report.parsed).filter(|(_, parsed)| parsed.is_some()).map(|(text, _)| *text).collect();
    drop(report);

    let (mut whole, mut alone, mut everything) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let unread = unread(workspace);
        whole = whole.min(time(|| check(&unread, &config)));
        alone = alone.min(time(|| parse(&parsed)));
        everything = everything.min(time(|| parse(&all)));
    }
    let lines = lines(&all);
    println!(
        "{lines:>9} {:>9} {whole:>9.1?} {alone:>9.1?} {everything:>9.1?} {:>9}  {:>13.2}  {:>15.2}  {:>12.0}",
        self::lines(&parsed),
        peak_memory().map_or("?".to_owned(), |kib| (kib / 1024).to_string()),
        whole.as_secs_f64() / alone.as_secs_f64(),
        whole.as_secs_f64() / everything.as_secs_f64(),
        lines as f64 / whole.as_secs_f64(),
    );
}

/// The same files, of which nothing is known yet: a check keeps the outlines it makes with them.
fn unread(workspace: &Workspace) -> Workspace {
    let mut unread = workspace.clone();
    unread.files.iter_mut().for_each(|file| file.outline = Arc::default());
    unread
}

fn parse(texts: &[&str]) -> usize {
    let parsed = |text: &&str| {
        // As the check does; otherwise syn's table of texts would grow without end.
        proc_macro2::extra::invalidate_current_thread_spans();
        syn::parse_file(text).is_ok()
    };
    // As the check takes its files, one by one.
    texts.par_iter().with_max_len(AT_ONCE).copied().filter(parsed).count()
}

fn time<T>(job: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let result = black_box(job());
    let took = start.elapsed();
    drop(result);
    took
}

/// The packages from the smallest on, until there are `lines` of them; at least one.
fn workspace(packages: &[(usize, Utf8PathBuf)], lines: usize) -> Workspace {
    let mut left = lines;
    let mut paths = Vec::new();
    for (size, path) in packages {
        if left == 0 {
            break;
        }
        left = left.saturating_sub(*size);
        paths.push(path.clone());
    }
    let current = Utf8PathBuf::from_path_buf(std::env::current_dir().expect("there is a current folder"));
    let request = Request { current: current.expect("its path is UTF-8"), paths, ..Request::default() };
    discover::plan(&request).read(&|_: &Utf8Path| false).workspace
}

/// The packages with their lines, small and large ones mixed, so that every prefix is like the whole.
fn by_size(packages: Vec<Utf8PathBuf>) -> Vec<(usize, Utf8PathBuf)> {
    let mut sized: Vec<(usize, Utf8PathBuf)> = packages.into_par_iter().map(|path| (size(&path), path)).collect();
    sized.sort();
    let (small, large) = sized.split_at(sized.len() / 2);
    let mut mixed = Vec::with_capacity(sized.len());
    for index in 0..large.len() {
        mixed.extend(small.get(index).cloned());
        mixed.extend(large.get(index).cloned());
    }
    mixed
}

/// The lines of Rust under a folder.
fn size(folder: &Utf8Path) -> usize {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let rust = files.filter(|entry| entry.path().extension().is_some_and(|end| end == "rs"));
    rust.filter_map(|entry| fs::read_to_string(entry.path()).ok()).map(|text| lines(&[text.as_str()])).sum()
}

fn lines(texts: &[&str]) -> usize {
    texts.iter().map(|text| text.lines().count()).sum()
}

/// The folders of the packages to measure with.
fn packages() -> Vec<Utf8PathBuf> {
    if let Some(folder) = std::env::var_os("CTXLINT_CORPUS") {
        let entries = fs::read_dir(folder).expect("CTXLINT_CORPUS is a folder").filter_map(Result::ok);
        let paths = entries.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.path()).ok());
        return paths.filter(|path| path.join("Cargo.toml").exists()).collect();
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("target/corpus/Cargo.toml");
    if corpus.exists() { direct(&metadata(&corpus)) } else { foreign(&metadata(&here.join("Cargo.toml"))) }
}

fn metadata(manifest: &Path) -> Metadata {
    let platform = ["--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned);
    MetadataCommand::new().manifest_path(manifest).other_options(platform).exec().expect("cargo knows the packages")
}

/// What the one package of a workspace names as its dependencies.
fn direct(metadata: &Metadata) -> Vec<Utf8PathBuf> {
    let named = |name: &str| {
        metadata.workspace_packages().iter().flat_map(|package| &package.dependencies).any(|found| found.name == name)
    };
    folders(metadata, |package| package.source.is_some() && named(&package.name))
}

/// Everything that a workspace depends on.
fn foreign(metadata: &Metadata) -> Vec<Utf8PathBuf> {
    folders(metadata, |package| package.source.is_some())
}

fn folders(metadata: &Metadata, of: impl Fn(&cargo_metadata::Package) -> bool) -> Vec<Utf8PathBuf> {
    let chosen = metadata.packages.iter().filter(|package| of(package));
    chosen.filter_map(|package| package.manifest_path.parent().map(Utf8Path::to_owned)).collect()
}

/// The most memory this process ever had, in KiB, where the system tells.
fn peak_memory() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
