//! Lowers every Rust file under some folders, checks what must hold of the facts, and compares the
//! time with that of parsing alone: `cargo run --release --example parse_corpus -- FOLDER…`.
#![allow(clippy::print_stdout, reason = "a tool for looking")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Totals {
    files: u32,
    bytes: usize,
    rejected: u32,
    broken: u32,
    syn: Duration,
    all: Duration,
}

fn main() {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let work = move || {
        let mut totals = Totals::default();
        for folder in &folders {
            walk(folder, &mut totals);
        }
        totals
    };
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(work);
    match thread.map(std::thread::JoinHandle::join) {
        Ok(Ok(totals)) => println!(
            "{} files, {} bytes, {} only syn takes, {} with broken facts, syn {:?}, all {:?}",
            totals.files, totals.bytes, totals.rejected, totals.broken, totals.syn, totals.all
        ),
        _ => println!("the work panicked"),
    }
}

fn walk(path: &Path, totals: &mut Totals) {
    if let Ok(entries) = std::fs::read_dir(path) {
        let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| walk(entry, totals));
    } else if path.extension().is_some_and(|extension| extension == "rs")
        && let Ok(text) = std::fs::read_to_string(path)
    {
        one(path, &text, totals);
    }
}

fn one(path: &Path, text: &str, totals: &mut Totals) {
    proc_macro2::extra::invalidate_current_thread_spans();
    let start = Instant::now();
    let by_syn = syn::parse_file(text);
    let syn_time = start.elapsed();
    let valid = by_syn.is_ok();
    drop(by_syn);
    let start = Instant::now();
    let facts = ctxlint_analysis::parse::parse(text);
    let all_time = start.elapsed();
    totals.files += 1;
    totals.bytes += text.len();
    match facts {
        Ok(facts) => {
            totals.syn += syn_time;
            totals.all += all_time;
            let violations = ctxlint_analysis::facts_check::violations(&facts, text);
            if let Some(first) = violations.first() {
                totals.broken += 1;
                println!("{}: {} violations: {first}", path.display(), violations.len());
            }
        }
        Err(error) if valid => {
            totals.rejected += 1;
            println!("{}: {}", path.display(), error.message);
        }
        Err(_) => {}
    }
    if all_time > Duration::from_millis(500) {
        println!("{}: {:?} of which syn {:?}", path.display(), all_time, syn_time);
    }
}
