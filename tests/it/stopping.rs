//! A check that nobody wants any more, as of a text that was edited meanwhile, stops soon.

use std::sync::atomic::{AtomicUsize, Ordering};

use ctxlint::check::{Stopped, check, check_while};
use ctxlint::config::Config;
use ctxlint::engine::Memory;
use ctxlint::report::Report;
use ctxlint::workspace::{File, Workspace};

const FILES: usize = 20;
const BODIES: usize = 30;
/// Jobs that are under way on the other threads may each ask once more.
const THREADS: usize = 4;

fn workspace() -> Workspace {
    let body = |at: usize| {
        format!(
            "pub fn f{at}(ctx: &Context) -> bool {{\n    let (ctx, _) = ctx.with_cancel();\n    ctx.is_done()\n}}\n"
        )
    };
    let text = format!("use context::Context;\n{}", (0..BODIES).map(body).collect::<String>());
    let file = |at: usize| File::new(format!("f{at:02}.rs"), format!("/code/f{at:02}.rs").into(), &text);
    Workspace { files: (0..FILES).map(file).collect(), ..Workspace::default() }
}

/// Checks for as long as no more than so many questions are asked, and tells how many were.
fn check_for(workspace: &Workspace, questions: usize) -> (Result<Report, Stopped>, usize) {
    let asked = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads");
    let is_wanted = || asked.fetch_add(1, Ordering::Relaxed) < questions;
    let outcome = pool.install(|| check_while(workspace, &Config::default(), &mut Memory::default(), &is_wanted));
    (outcome, asked.into_inner())
}

#[test]
fn it_stops_between_any_two_files_and_bodies() {
    let workspace = workspace();
    let (whole, all) = check_for(&workspace, usize::MAX);
    assert_eq!(whole.expect("it is wanted").findings, check(&workspace, &Config::default()).findings);
    assert!(all > FILES + FILES * BODIES, "{all} questions");
    for questions in [0, 1, FILES / 2, all / 4, all / 2, all - 1] {
        let (outcome, asked) = check_for(&workspace, questions);
        assert!(outcome.is_err(), "after {questions} of {all} questions");
        // While files are parsed, each that is left asks once.
        assert!(asked <= questions + FILES + THREADS, "{asked} questions, {questions} were answered with yes");
    }
}

#[test]
fn what_was_parsed_is_not_lost() {
    let mut workspace = workspace();
    let (outcome, _) = check_for(&workspace, FILES / 2);
    let parsed = outcome.expect_err("it stops").parsed;
    let count = parsed.iter().flatten().count();
    assert!((1..FILES).contains(&count), "{count} files were parsed");
    for (file, parsed) in workspace.files.iter_mut().zip(parsed) {
        file.parsed = parsed;
    }
    assert_eq!(check_for(&workspace, usize::MAX).0.expect("it is wanted").work.cached, count);
}
