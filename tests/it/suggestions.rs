//! Every suggestion that can be applied: applied to the fixtures it parses, it silences its finding,
//! and all fixed fixtures together compile.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use ctxlint::engine;
use ctxlint::report::{Format, Reported};
use ctxlint_lints::finding::{Applicability, Edit};
use rustfix::{CodeFix, Filter, Suggestion, apply_suggestions};

use crate::sources::{Checked, check_text, fixture_folders, fixtures, is_rule, names, read, root, rules};

/// More rounds than this and the fixes chase one another.
const ROUNDS: usize = 12;

/// A finding with what rustfix makes of it.
struct Fix<'c> {
    reported: &'c Reported,
    suggestion: Suggestion,
}

/// The findings that can be fixed without a person looking, through the eyes of cargo's own tools.
fn fixes(checked: &Checked) -> Vec<Fix<'_>> {
    let mut messages = Vec::new();
    Format::Json.write(checked.view(), &mut messages).expect("JSON is written");
    let messages = String::from_utf8(messages).expect("UTF-8");
    let diagnostics = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        (message["reason"] == "compiler-message").then(|| message["message"].clone())
    });
    let suggestion = |diagnostic: serde_json::Value| {
        let diagnostic = serde_json::from_value(diagnostic).expect("a diagnostic of rustc's form");
        rustfix::collect_suggestions(&diagnostic, &HashSet::new(), Filter::MachineApplicableOnly)
    };
    let pairs = checked.report.findings.iter().zip(diagnostics.map(suggestion));
    pairs.filter_map(|(reported, suggestion)| Some(Fix { reported, suggestion: suggestion? })).collect()
}

/// The fixtures of the rules that are built: folder, file, text.
fn flagged_files() -> Vec<(String, String, String)> {
    let mut files = Vec::new();
    for rule in fixture_folders().into_iter().filter(|rule| is_rule(rule)) {
        for file in names(&fixtures().join(&rule)).into_iter().filter(|name| name.ends_with(".rs")) {
            let text = read(fixtures().join(&rule).join(&file));
            files.push((rule.clone(), file, text));
        }
    }
    files
}

#[test]
fn rustfix_sees_every_fix() {
    for (rule, file, text) in flagged_files() {
        let checked = check_text(&file, &text, &rule);
        let seen: Vec<_> = fixes(&checked).iter().map(|fix| fix.reported.finding.primary).collect();
        let offered: Vec<_> = (checked.report.findings.iter())
            .filter(|reported| reported.is_fixable(Applicability::MachineApplicable))
            .map(|reported| reported.finding.primary)
            .collect();
        assert_eq!(seen, offered, "{rule}/{file}");
    }
}

#[test]
fn rules_that_say_they_can_be_fixed_are_those_that_can() {
    let mut offered = BTreeSet::new();
    for (rule, file, text) in flagged_files() {
        let checked = check_text(&file, &text, &rule);
        let has_edits = |reported: &&Reported| reported.finding.helps.iter().any(|help| !help.edits.is_empty());
        offered.extend(checked.report.findings.iter().filter(has_edits).map(|reported| reported.finding.rule));
    }
    let said: BTreeSet<&str> = rules().filter(|rule| rule.fixable).map(|rule| rule.name).collect();
    assert_eq!(offered.into_iter().filter(|name| is_rule(name)).collect::<BTreeSet<_>>(), said);
}

#[test]
fn each_fix_silences_its_finding() {
    let mut wrong = String::new();
    for (rule, file, text) in flagged_files() {
        let checked = check_text(&file, &text, &rule);
        for fix in fixes(&checked) {
            if let Err(what) = apply_alone(&checked, &fix, &file, &text, &rule) {
                let line = checked.line(fix.reported);
                let _ = writeln!(wrong, "{rule}/{file}:{line} {}: {what}", fix.reported.finding.rule);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn apply_alone(checked: &Checked, fix: &Fix<'_>, file: &str, text: &str, rule: &str) -> Result<(), String> {
    let fixed = apply_suggestions(text, std::slice::from_ref(&fix.suggestion)).map_err(|error| error.to_string())?;
    engine::parse(&fixed).map_err(|error| format!("does not parse: {}", error.message))?;
    let name = fix.reported.finding.rule;
    let (start, end) = moved(fix.reported);
    let again = check_text(file, &fixed, rule);
    let same = |other: &&Reported| {
        let at = other.finding.primary.span.start;
        other.finding.rule == name && start <= at && at <= end
    };
    match again.report.findings.iter().find(same) {
        Some(left) => Err(format!("still found in line {}", again.line(left))),
        None => {
            let before = checked.report.findings.iter().filter(|found| found.finding.rule == name).count();
            let after = again.report.findings.iter().filter(|found| found.finding.rule == name).count();
            if after < before { Ok(()) } else { Err(format!("{before} findings before, {after} after")) }
        }
    }
}

/// Where the beginning of a finding's primary span is after its fix: a place, or a replaced range.
fn moved(reported: &Reported) -> (u32, u32) {
    let at = reported.finding.primary.span.start;
    let helps = reported.finding.helps.iter();
    let edits: Vec<&Edit> = (helps.filter(|help| help.applicability == Applicability::MachineApplicable))
        .flat_map(|help| &help.edits)
        .collect();
    let shift = |edits: &[&Edit]| -> i64 {
        let grows = |edit: &&Edit| edit.text.len() as i64 - i64::from(edit.place.span.end - edit.place.span.start);
        edits.iter().map(grows).sum()
    };
    let (before, rest): (Vec<&Edit>, Vec<&Edit>) = edits.into_iter().partition(|edit| edit.place.span.end <= at);
    let start = i64::from(at) + shift(&before);
    match rest.iter().find(|edit| edit.place.span.start <= at) {
        Some(edit) => {
            let from = start - i64::from(at - edit.place.span.start);
            (from as u32, (from + edit.text.len() as i64) as u32)
        }
        None => (start as u32, start as u32),
    }
}

#[test]
fn all_fixes_together_compile() {
    let mut fixed = BTreeMap::new();
    let mut count = 0;
    for (rule, file, text) in flagged_files() {
        let (text, applied) = fix_all(&rule, &file, text);
        count += applied;
        fixed.insert((rule, file), text);
    }
    assert!(count > 0, "nothing was fixed");
    compile(&fixed);
}

/// Applies what can be applied until nothing is left, as `--fix` does.
fn fix_all(rule: &str, file: &str, mut text: String) -> (String, usize) {
    let mut applied = 0;
    for _ in 0..ROUNDS {
        let checked = check_text(file, &text, rule);
        let fixes = fixes(&checked);
        if fixes.is_empty() {
            return (text, applied);
        }
        let mut code = CodeFix::new(&text);
        for fix in &fixes {
            match code.apply(&fix.suggestion) {
                Ok(()) => applied += 1,
                // Another fix of this round was there first; the next round sees what is left.
                Err(rustfix::Error::AlreadyReplaced { .. }) => {}
                Err(error) => panic!("{rule}/{file}: {error}"),
            }
        }
        let next = code.finish().expect("UTF-8");
        assert_ne!(next, text, "{rule}/{file}: fixes that change nothing");
        text = next;
    }
    panic!("{rule}/{file}: there is still something to fix after {ROUNDS} rounds");
}

/// Compiles a copy of the crate of the fixtures with these texts.
fn compile(fixed: &BTreeMap<(String, String), String>) {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let package = scratch.path().join("fixtures");
    fs::create_dir_all(&package).expect("a folder is made");
    for name in ["Cargo.toml", "build.rs", "lib.rs"] {
        fs::copy(fixtures().join(name), package.join(name)).expect("a file is copied");
    }
    for ((rule, file), text) in fixed {
        fs::create_dir_all(package.join(rule)).expect("a folder is made");
        fs::write(package.join(rule).join(file), text).expect("a fixture is written");
    }
    fs::write(scratch.path().join("Cargo.toml"), workspace_manifest()).expect("a manifest is written");
    fs::copy(root().join("Cargo.lock"), scratch.path().join("Cargo.lock")).expect("the lock file is copied");

    // With the target folder of this very run its dependencies are built already.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a target folder");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--quiet", "--message-format", "short", "--target-dir"])
        .arg(target)
        .current_dir(scratch.path())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "fixed fixtures do not compile:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// The workspace's manifest with the crate of the fixtures as its only member.
fn workspace_manifest() -> String {
    let manifest: toml::Table = read("Cargo.toml").parse().expect("the manifest");
    let mut workspace = manifest["workspace"].as_table().expect("the workspace").clone();
    workspace.remove("exclude");
    workspace.insert("members".to_owned(), toml::Value::from(vec!["fixtures"]));
    let dependencies = workspace["dependencies"].as_table_mut().expect("its dependencies");
    for dependency in dependencies.iter_mut().filter_map(|(_, dependency)| dependency.as_table_mut()) {
        if let Some(path) = dependency.get("path").and_then(toml::Value::as_str) {
            let path = root().join(path).to_str().expect("UTF-8").to_owned();
            dependency.insert("path".to_owned(), toml::Value::from(path));
        }
    }
    toml::Table::from_iter([("workspace".to_owned(), toml::Value::from(workspace))]).to_string()
}
