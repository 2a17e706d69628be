//! What must hold for every input.

use std::sync::{Arc, OnceLock};

use ctxlint::check::{check, check_while};
use ctxlint::config::{self, Config};
use ctxlint::engine::{self, Memory, Parsed};
use ctxlint::levels::{Selector, Setting};
use ctxlint::report::{Format, Report, Reported, Style, View};
use ctxlint::workspace::{File, Workspace};
use ctxlint::{adopt, fix};
use ctxlint_analysis::facts::{FileFacts, Span};
use ctxlint_analysis::facts_check;
use ctxlint_lints::finding::{Finding, Place};
use ctxlint_lints::rule::Level;
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::seeds::loose;

const FORMATS: [Format; 10] = [
    Format::Human,
    Format::Short,
    Format::Json,
    Format::JsonShort,
    Format::JsonAnsi,
    Format::Sarif,
    Format::Github,
    Format::Gitlab,
    Format::Junit,
    Format::Html,
];

/// A text by itself: its facts hold together, and the whole check does.
pub fn of_code(text: &str) {
    on(1, || of_parsing(text));
    of_workspace(&loose(text), &everything());
}

/// Files that came of others: the facts of each hold together, and the check of all does.
pub fn of_edited(workspace: &Workspace) {
    on(1, || workspace.files.iter().for_each(|file| of_parsing(&file.text)));
    of_workspace(workspace, &everything());
}

/// A check of files, as they are and after all that it offers to do to them.
pub fn of_workspace(workspace: &Workspace, config: &Config) {
    let report = on(1, || check(workspace, config));
    of_report(workspace, &report);
    let again = on(3, || check(workspace, config));
    assert_eq!(report.findings, again.findings, "three threads see what one does not");
    if !report.findings.is_empty() {
        of_fixing(workspace, &report, config);
        of_adopting(workspace, &report, config);
    }
}

/// Checks of one text after the other, each with what the last one left: they find what each finds by itself.
pub fn of_typing<'w>(workspaces: impl Iterator<Item = &'w Workspace>) {
    let config = everything();
    let mut memory = Memory::default();
    let mut last: Option<(&Workspace, Report)> = None;
    for workspace in workspaces {
        let at_hand = match &last {
            Some((before, report)) => with_parsed(workspace, before, report),
            None => workspace.clone(),
        };
        let report = on(1, || check_while(&at_hand, &config, &mut memory, &|| true)).expect("it is wanted");
        let alone = on(1, || check(workspace, &config));
        assert_eq!(report.failures, alone.failures);
        assert_eq!(report.findings, alone.findings, "what an earlier check left makes a difference");
        last = Some((workspace, report));
    }
}

/// A workspace with what was parsed of an earlier one's files, where their texts are the same.
pub fn with_parsed(workspace: &Workspace, before: &Workspace, report: &Report) -> Workspace {
    let mut workspace = workspace.clone();
    for ((file, before), parsed) in workspace.files.iter_mut().zip(&before.files).zip(&report.parsed) {
        if file.text == before.text {
            file.parsed.clone_from(parsed);
        }
    }
    workspace
}

/// A configuration: an error with a place in its text, or a layer with which a check holds.
pub fn of_configuration(text: &str, workspace: &Workspace) {
    let lines = text.lines().count().max(1) as u32 + 1;
    match config::read_text("/loose/ctxlint.toml".into(), text) {
        Ok(layer) => {
            let report = on(1, || check(workspace, &Config { layers: vec![layer], ..Config::default() }));
            of_report(workspace, &report);
        }
        Err(error) => {
            assert!(!error.message.is_empty());
            assert!(!error.message.contains('\n'), "more than a line: {:?}", error.message);
            if let Some((line, column)) = error.place {
                assert!(1 <= line && line <= lines && column >= 1, "{line}:{column} of {lines} lines");
            }
        }
    }
}

/// Every rule on, so that each is asked.
pub fn everything() -> Config {
    Config { command_line: vec![Setting { selector: Selector::All, level: Level::Warn }], ..Config::default() }
}

/// Runs a job on a pool with as many threads, made once, with the stacks of the command's own.
pub fn on<T: Send>(threads: usize, job: impl FnOnce() -> T + Send) -> T {
    pool(threads).install(job)
}

/// The pool with as many threads.
pub fn pool(threads: usize) -> Arc<ThreadPool> {
    static POOLS: [OnceLock<Arc<ThreadPool>>; 4] = [const { OnceLock::new() }; 4];
    let pool = POOLS.get(threads).expect("no more than three");
    let make = || ThreadPoolBuilder::new().num_threads(threads).stack_size(64 << 20).build().expect("threads start");
    pool.get_or_init(|| make().into()).clone()
}

fn of_parsing(text: &str) {
    match engine::parse(text) {
        Ok(facts) => {
            let violations = facts_check::violations(&facts, text);
            assert!(violations.is_empty(), "{violations:#?}");
            // The cache keeps facts so.
            let bytes = postcard::to_allocvec(&*facts).expect("facts are written");
            let read: FileFacts = postcard::from_bytes(&bytes).expect("facts are read");
            assert_eq!(*facts, read);
        }
        Err(error) => {
            assert!(!error.internal, "{}", error.message);
            assert!(is_in(error.span, text), "{error:?}");
        }
    }
}

fn of_report(workspace: &Workspace, report: &Report) {
    assert_eq!(report.failures, [""; 0]);
    let internal = |parsed: &Option<Parsed>| matches!(parsed, Some(Err(error)) if error.internal);
    assert!(!report.parsed.iter().any(internal), "a file that the analysis failed on");
    for (file, parsed) in workspace.files.iter().zip(&report.parsed) {
        if let Some(Ok(facts)) = parsed {
            assert_eq!(facts_check::violations(facts, &file.text), [""; 0], "of what was not left out");
        }
    }
    report.findings.iter().for_each(|reported| of_finding(workspace, &reported.finding));
    let order = |reported: &Reported| (reported.finding.primary, reported.finding.rule);
    assert!(report.findings.is_sorted_by_key(order), "findings are in order");
    let style = Style::default();
    for format in FORMATS {
        let mut out = Vec::new();
        format.write(View { workspace, report, style: &style }, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("UTF-8");
        match format {
            Format::Json | Format::JsonShort | Format::JsonAnsi => text.lines().for_each(is_json),
            Format::Sarif | Format::Gitlab => is_json(&text),
            Format::Short => assert_eq!(text.lines().count(), report.findings.len()),
            _ => {}
        }
    }
}

fn is_json(text: &str) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        panic!("no JSON: {error}: {text}");
    }
}

fn of_finding(workspace: &Workspace, finding: &Finding) {
    let check = |place: Place, what: &str| {
        let file = workspace.files.get(place.file.index()).expect("a place is in a file of the workspace");
        assert!(is_in(place.span, &file.text), "{what} of {finding:#?} is not within {}", file.path);
    };
    check(finding.primary, "the place");
    finding.labels.iter().for_each(|label| check(label.place, "a label"));
    for help in &finding.helps {
        help.edits.iter().for_each(|edit| check(edit.place, "an edit"));
        for (at, edit) in help.edits.iter().enumerate() {
            let clashes = help.edits.iter().skip(at + 1).any(|other| {
                let (a, b) = (edit.place, other.place);
                a.file == b.file && a.span.start < b.span.end && b.span.start < a.span.end
            });
            assert!(!clashes, "edits of one help overlap: {finding:#?}");
        }
    }
    for text in finding.labels.iter().map(|label| &label.text).chain([&finding.message, &finding.label]) {
        assert!(!text.contains('\n'), "more than one line: {text:?}");
    }
    assert!(!finding.message.is_empty());
}

fn is_in(span: Span, text: &str) -> bool {
    text.get(span.start as usize..span.end as usize).is_some()
}

/// What parsed before parses after, and what is fixed has nothing left to fix.
fn of_fixing(workspace: &Workspace, report: &Report, config: &Config) {
    for unsafe_too in [false, true] {
        let fixed = on(1, || fix::fix(workspace.clone(), unsafe_too, |workspace| check(workspace, config)));
        of_report(&fixed.workspace, &fixed.report);
        for (&at, before) in &fixed.before {
            let after = &fixed.workspace.files.get(at).expect("the file is still there").text;
            let parsed = matches!(report.parsed.get(at), Some(Some(Ok(_))));
            assert!(!parsed || engine::parse(after).is_ok(), "fixed {} does not parse:\n{after}", before.path);
        }
        if !unsafe_too {
            let again = on(1, || fix::fix(fixed.workspace.clone(), false, |workspace| check(workspace, config)));
            assert_eq!(again.applied, 0, "fixes do not come to an end");
        }
    }
}

/// Suppressions for all findings leave only those that they cannot be for.
fn of_adopting(workspace: &Workspace, report: &Report, config: &Config) {
    let (changed, left) = adopt::suppress_all(workspace, report, "it \"is\" so");
    let mut adopted = workspace.clone();
    for (at, file) in changed {
        let slot = adopted.files.get_mut(at).expect("the file is still there");
        *slot = File { parsed: None, ..file };
    }
    let after = on(1, || check(&adopted, config));
    of_report(&adopted, &after);
    let still = || after.findings.iter().map(|reported| &reported.finding).collect::<Vec<_>>();
    assert!(after.findings.len() <= left, "{left} findings should be left: {:#?}", still());
}
