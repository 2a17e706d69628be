//! Leaving out what cannot matter changes no finding.

use camino::Utf8PathBuf;
use ctxlint::check::check;
use ctxlint::config::Config;
use ctxlint::discover::{self, Request};
use ctxlint::workspace::Workspace;

fn workspace(folder: &str) -> Workspace {
    let folder = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let request = Request { current: folder.clone(), paths: vec![folder], ..Request::default() };
    discover::plan(&request).read(&|_| false).workspace
}

/// File, first byte, rule and message of each finding.
fn findings(workspace: &Workspace) -> Vec<(String, u32, String, String)> {
    let report = check(workspace, &Config::default());
    assert_eq!(report.failures, Vec::<String>::new());
    let path = |file: usize| workspace.files[file].path.clone();
    let found = report.findings.iter().map(|reported| &reported.finding);
    found
        .map(|found| {
            let place = &found.primary;
            (path(place.file.index()), place.span.start, found.rule.to_owned(), found.message.clone())
        })
        .collect()
}

fn selection_changes_nothing_in(folder: &str, at_least: usize) {
    let selected = workspace(folder);
    let mut whole = selected.clone();
    // A file that is named is parsed from end to end.
    whole.files.iter_mut().for_each(|file| file.named = true);
    let expected = findings(&whole);
    assert!(expected.len() >= at_least, "only {} findings in {folder}", expected.len());
    let found = findings(&selected);
    let missed: Vec<_> = expected.iter().filter(|finding| !found.contains(finding)).collect();
    let extra: Vec<_> = found.iter().filter(|finding| !expected.contains(finding)).collect();
    assert!(missed.is_empty() && extra.is_empty(), "missed: {missed:#?}\nextra: {extra:#?}");
}

#[test]
fn selection_changes_nothing_in_the_fixtures() {
    selection_changes_nothing_in("tests/fixtures", 900);
}

#[test]
fn selection_changes_nothing_in_the_shop() {
    selection_changes_nothing_in("tests/fixtures/shop", 39);
}

#[test]
fn most_of_what_has_no_context_is_left_out() {
    let workspace = workspace("context");
    let report = check(&workspace, &Config::default());
    let left_out = report.parsed.iter().flatten().flatten().filter(|facts| !facts.quiet.is_empty()).count();
    assert!(left_out > 5, "bodies were left out of {left_out} files only");
}
