//! A check that remembers the last one finds what it would find by itself, and asks less.

use std::sync::atomic::{AtomicUsize, Ordering};

use ctxlint::check::{check, check_while};
use ctxlint::engine::Memory;
use ctxlint::report::Report;
use ctxlint::workspace::Workspace;

use crate::fuzz::laws;
use crate::fuzz::seeds::krate;

/// An edit of one file that changes what is found in another.
struct Edit {
    what: &'static str,
    /// The file that stays as it is.
    lib: &'static str,
    before: &'static str,
    after: &'static str,
    /// What is found in the file that stays, before and after.
    found: [&'static [&'static str]; 2],
}

const EDITS: [Edit; 8] = [
    Edit {
        what: "a helper does nothing with its handle any more",
        lib: "pub fn f(ctx: &Context) -> bool { let (ctx, cancel) = ctx.with_cancel(); part::end(&cancel); ctx.is_done() }",
        before: "pub fn end(cancel: &CancelHandle) { cancel.cancel(); }",
        after: "pub fn end(cancel: &CancelHandle) { let _ = cancel; }",
        found: [&[], &["lost_cancel"]],
    },
    Edit {
        what: "by way of a helper that stays as it is",
        lib: "fn end(cancel: &CancelHandle) { part::end(cancel) }
            pub fn f(ctx: &Context) -> bool { let (ctx, cancel) = ctx.with_cancel(); end(&cancel); ctx.is_done() }",
        before: "pub fn end(cancel: &CancelHandle) { cancel.cancel(); }",
        after: "pub fn end(cancel: &CancelHandle) { let _ = cancel; }",
        found: [&[], &["lost_cancel"]],
    },
    Edit {
        what: "a helper of no interest comes back",
        lib: "pub fn f(ctx: &Context, fatal: bool) -> bool {
                let (ctx, cancel) = ctx.with_cancel();
                if fatal { stop(); return false; }
                cancel.cancel();
                ctx.is_done()
            }
            fn stop() { part::stop() }",
        before: "pub fn stop() { std::process::exit(1) }",
        after: "pub fn stop() { println!() }",
        found: [&[], &["lost_cancel"]],
    },
    Edit {
        what: "a function is put into service",
        lib: "pub async fn show() { load(&Context::background()).await }
            async fn load(ctx: &Context) { ctx.done().await; }",
        before: "pub fn router() -> axum::Router { axum::Router::new() }",
        after: "pub fn router() -> axum::Router { axum::Router::new().route(\"/\", axum::routing::get(crate::show)) }",
        found: [&[], &["background_in_handler"]],
    },
    Edit {
        what: "a constant has another value",
        lib: "pub async fn f(ctx: &Context) {
                let (ctx, cancel) = ctx.with_timeout(part::LIMIT);
                let _guard = cancel.guard();
                ctx.done().await;
            }",
        before: "pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(5);",
        after: "pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(0);",
        found: [&[], &["expired_at_birth"]],
    },
    Edit {
        what: "a type is another",
        lib: "pub fn f(ctx: &Context, key: part::Key) -> Context { ctx.with_value(key, 1) }",
        before: "pub struct Key;",
        after: "pub type Key = String;",
        found: [&[], &["string_value_key"]],
    },
    Edit {
        what: "a name stands for something else",
        lib: "pub fn f(ctx: &part::Ctx) -> bool { let (ctx, _) = ctx.with_cancel(); ctx.is_done() }",
        before: "pub struct Ctx; impl Ctx { pub fn with_cancel(&self) -> (Context, u8) { todo!() } }",
        after: "pub use context::Context as Ctx;",
        found: [&[], &["lost_cancel"]],
    },
    Edit {
        what: "only places change, and the numbers of bodies",
        lib: "pub fn f(ctx: &Context) -> bool { let (ctx, cancel) = ctx.with_cancel(); part::end(&cancel); ctx.is_done() }",
        before: "pub fn other() {}\npub fn end(cancel: &CancelHandle) { let _ = cancel; }",
        after: "\n\npub fn other() { let f = || (); f() }\npub fn end(cancel: &CancelHandle) { let _ = cancel; }",
        found: [&["lost_cancel"], &["lost_cancel"]],
    },
];

/// More of what has nothing to do with the edit.
const MORE: usize = 20;

fn workspace(edit: &Edit, part: &str) -> Workspace {
    let head = "use context::{CancelHandle, Context};\n";
    let more = |at: usize| format!("pub fn more{at}(ctx: &Context) -> bool {{ ctx.is_done() }}\n");
    let lib = format!("mod part;\n{head}{}\n{}", edit.lib, (0..MORE).map(more).collect::<String>());
    krate(&[("lib.rs", &lib), ("part.rs", &format!("{head}{part}\n"))])
}

/// A check with what the last one left, and how often it asked whether to go on.
fn check_after(workspace: &Workspace, memory: &mut Memory) -> (Report, usize) {
    let asked = AtomicUsize::new(0);
    let count = || asked.fetch_add(1, Ordering::Relaxed) < usize::MAX;
    let report = laws::on(1, || check_while(workspace, &laws::everything(), memory, &count));
    (report.expect("it is wanted"), asked.into_inner())
}

fn found_in_lib<'r>(workspace: &Workspace, report: &'r Report) -> Vec<&'r str> {
    let is_of_interest = |rule: &&str| EDITS.iter().any(|edit| edit.found.iter().any(|found| found.contains(rule)));
    let findings = report.findings.iter().map(|reported| &reported.finding);
    let in_lib = findings.filter(|found| workspace.files[found.primary.file.index()].path == "src/lib.rs");
    in_lib.map(|found| found.rule).filter(is_of_interest).collect()
}

#[test]
fn what_is_found_elsewhere_follows_an_edit() {
    for edit in &EDITS {
        let texts = [edit.before, edit.after, edit.before];
        let mut memory = Memory::default();
        let mut last: Option<(Workspace, Report)> = None;
        for (text, found) in texts.iter().zip([edit.found[0], edit.found[1], edit.found[0]]) {
            let mut now = workspace(edit, text);
            if let Some((before, report)) = &last {
                now = laws::with_parsed(&now, before, report);
            }
            let (report, _) = check_after(&now, &mut memory);
            assert_eq!(found_in_lib(&now, &report), found, "{}: {text}", edit.what);
            assert_eq!(report.findings, check(&workspace(edit, text), &laws::everything()).findings, "{}", edit.what);
            last = Some((now, report));
        }
    }
}

#[test]
fn what_has_nothing_to_do_with_an_edit_is_not_looked_at_again() {
    for edit in [&EDITS[0], &EDITS[EDITS.len() - 1]] {
        let mut memory = Memory::default();
        let before = workspace(edit, edit.before);
        let (report, all) = check_after(&before, &mut memory);
        let (_, again) = check_after(&laws::with_parsed(&before, &before, &report), &mut memory);
        let after = laws::with_parsed(&workspace(edit, edit.after), &before, &report);
        let (_, edited) = check_after(&after, &mut memory);
        // Two bodies more than none: the helper and who calls it.
        assert!(all >= again + MORE + 2, "{all} questions, then {again}");
        assert!((again + 2..all - MORE + 4).contains(&edited), "{all} questions, then {again}, then {edited}");
    }
}

#[test]
fn a_check_that_is_stopped_leaves_what_was_there() {
    let edit = &EDITS[0];
    let mut memory = Memory::default();
    let before = workspace(edit, edit.before);
    let (report, _) = check_after(&before, &mut memory);
    let after = laws::with_parsed(&workspace(edit, edit.after), &before, &report);
    for questions in 0..12 {
        let asked = AtomicUsize::new(0);
        let is_wanted = || asked.fetch_add(1, Ordering::Relaxed) < questions;
        let stopped = laws::on(1, || check_while(&after, &laws::everything(), &mut memory, &is_wanted));
        assert!(stopped.is_err(), "after {questions} questions");
    }
    let (report, _) = check_after(&after, &mut memory);
    assert_eq!(found_in_lib(&after, &report), edit.found[1]);
}
