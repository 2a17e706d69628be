//! Leaving out what cannot matter changes no finding.

use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint::check::check;
use ctxlint::config::Config;
use ctxlint::discover::{self, Request};
use ctxlint::workspace::{File, Workspace};

use crate::sources::{Checked, check_workspace, fixture_folders, fixtures, names, read};

/// File, line, rule and message of each finding.
type Told = (String, u32, String, String);

fn told(checked: &Checked) -> Vec<Told> {
    assert_eq!(checked.report.failures, Vec::<String>::new());
    let found = checked.report.findings.iter();
    found
        .map(|reported| {
            let finding = &reported.finding;
            let rule = finding.rule.to_owned();
            (checked.path(reported).to_owned(), checked.line(reported), rule, finding.message.clone())
        })
        .collect()
}

/// What is found in a workspace, once selected from and once parsed from end to end.
fn compare(selected: Workspace, raised: &str) -> (usize, Vec<String>) {
    let mut whole = selected.clone();
    whole.files.iter_mut().for_each(|file| file.named = true);
    let (selected, whole) = (told(&check_workspace(selected, raised)), told(&check_workspace(whole, raised)));
    let missed =
        whole.iter().filter(|finding| !selected.contains(finding)).map(|finding| format!("missed {finding:?}"));
    let extra = selected.iter().filter(|finding| !whole.contains(finding)).map(|finding| format!("extra {finding:?}"));
    (whole.len(), missed.chain(extra).collect())
}

fn read_workspace(folder: &Path) -> Workspace {
    let current = Utf8Path::from_path(folder).expect("a UTF-8 path").to_owned();
    discover::plan(&Request { current, ..Request::default() }).read(&|_| false).workspace
}

/// The fixtures of a rule, each file a crate of its own.
fn loose(rule: &str) -> Workspace {
    let folder = fixtures().join(rule);
    let names = names(&folder).into_iter().filter(|name| name.ends_with(".rs"));
    let file = |name: String| {
        let text = read(folder.join(&name));
        File::new(name.clone(), Utf8Path::new("/loose").join(&name), &text)
    };
    Workspace { root: Utf8PathBuf::from("/loose"), files: names.map(file).collect(), ..Workspace::default() }
}

#[test]
fn selection_changes_nothing_in_the_fixtures() {
    let (mut findings, mut differences) = (0, Vec::new());
    for rule in fixture_folders() {
        let folder = fixtures().join(&rule);
        let within = names(&folder).into_iter().map(|name| folder.join(name));
        let workspaces = within.filter(|path| path.join("Cargo.toml").exists()).map(|path| read_workspace(&path));
        for workspace in workspaces.chain([loose(&rule)]) {
            let (count, different) = compare(workspace, &rule);
            findings += count;
            differences.extend(different.into_iter().map(|difference| format!("{rule}: {difference}")));
        }
    }
    assert!(findings > 900, "only {findings} findings");
    // A task that has no context at all, in a file in which nothing has one.
    differences.retain(|difference| !difference.starts_with("endless_task: missed (\"in_tests.rs\""));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn selection_changes_nothing_in_the_shop() {
    let (findings, differences) = compare(read_workspace(&fixtures().join("shop")), "");
    assert_eq!((findings, differences), (39, Vec::new()));
}

#[test]
fn selection_changes_nothing_in_the_frameworks() {
    let (findings, differences) = compare(read_workspace(&fixtures().join("frameworks")), "");
    assert!(findings > 50, "only {findings} findings");
    assert_eq!(differences, Vec::<String>::new());
}

#[test]
fn what_has_no_context_is_left_out() {
    let workspace = read_workspace(&fixtures().join("shop"));
    let report = check(&workspace, &Config::default());
    let left_out = report.parsed.iter().flatten().flatten().map(|facts| facts.quiet.len()).sum::<usize>();
    assert!(left_out > 10, "only {left_out} bodies were left out");
}
