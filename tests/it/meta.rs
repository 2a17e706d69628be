//! What belongs to a rule is there: file, page, fixtures, proof, a line in the README; and nothing else is.

use std::collections::BTreeSet;

use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level};

use crate::fixtures::{FOLDERS, marks};
use crate::sources::{fixture_folders, fixtures, names, read, rules, stems};

const SECTIONS: &[&str] = &["What it does", "Why is this bad?", "Example", "Known limits"];

/// Files of the rules' crate that hold no rule.
fn is_no_rule(name: &str) -> bool {
    !read(format!("lints/src/{name}.rs")).contains(" RULE: Rule = Rule {")
}

fn known() -> BTreeSet<String> {
    RULES.iter().map(|rule| rule.name).map(str::to_owned).collect()
}

#[test]
fn every_rule_has_its_file_and_every_file_its_rule() {
    let files: BTreeSet<String> = stems("lints/src", ".rs").into_iter().filter(|name| !is_no_rule(name)).collect();
    assert_eq!(files, RULES.iter().map(|rule| rule.name.to_owned()).collect());
}

#[test]
fn every_rule_has_its_page_and_every_page_its_rule() {
    let pages: BTreeSet<String> = stems("lints/docs", ".md").into_iter().collect();
    assert_eq!(pages, known());
    for rule in RULES {
        assert_eq!(rule.docs, read(format!("lints/docs/{}.md", rule.name)), "{}", rule.name);
    }
}

#[test]
fn every_page_is_in_form() {
    for name in stems("lints/docs", ".md") {
        let page = read(format!("lints/docs/{name}.md"));
        assert_eq!(page.lines().next(), Some(format!("# {name}").as_str()));
        let sections: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        for section in SECTIONS {
            assert!(sections.contains(section), "{name}: no section `{section}`");
        }
    }
}

#[test]
fn every_rule_has_its_fixtures_and_every_folder_its_rule() {
    let folders = fixture_folders();
    assert_eq!(folders, FOLDERS, "the list in fixtures.rs");
    let about_contexts = rules().map(|rule| rule.name);
    assert_eq!(folders.into_iter().collect::<BTreeSet<_>>(), about_contexts.map(str::to_owned).collect());
}

#[test]
fn every_mark_names_a_rule() {
    let known = known();
    for rule in fixture_folders() {
        let mut flagged = 0;
        for file in names(&fixtures().join(&rule)).into_iter().filter(|name| name.ends_with(".rs")) {
            for (_, line, name) in marks(&file, &read(fixtures().join(&rule).join(&file))) {
                assert!(known.contains(&name), "{rule}/{file}:{line}: `{name}` is no rule");
                flagged += usize::from(name == rule);
            }
        }
        assert!(flagged > 0, "{rule}: nothing is flagged");
    }
}

/// How many cases of each kind a rule that speaks of harm has at least.
const CASES: usize = 6;

/// A case is a function: flagged with a mark of the folder's rule, silent without one. What other
/// fixtures call is no case, but what they are made of.
#[test]
fn every_rule_is_silent_at_least_as_often_as_it_speaks() {
    let mut lacking = Vec::new();
    for rule in rules().filter(|rule| FOLDERS.contains(&rule.name)) {
        let (flagged, silent) = cases(rule.name);
        let grave = matches!(rule.group, Group::Correctness | Group::Suspicious);
        if silent < flagged || (grave && flagged.min(silent) < CASES) {
            lacking.push(format!("{}: {flagged} flagged, {silent} silent", rule.name));
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
}

fn cases(rule: &str) -> (usize, usize) {
    let folder = fixtures().join(rule);
    let files: Vec<String> = names(&folder).into_iter().filter(|name| name.ends_with(".rs")).collect();
    let texts: Vec<String> = files.iter().map(|name| read(folder.join(name))).collect();
    let all = texts.concat();
    let (mut flagged, mut silent) = (0, 0);
    for (file, text) in files.iter().zip(&texts) {
        let marks: Vec<u32> =
            marks(file, text).into_iter().filter(|(_, _, name)| name == rule).map(|(_, line, _)| line).collect();
        let functions: Vec<(u32, &str)> =
            (1..).zip(text.lines()).filter_map(|(at, line)| Some((at, function(line)?))).collect();
        for (index, (from, name)) in functions.iter().enumerate() {
            let to = functions.get(index + 1).map_or(u32::MAX, |(next, _)| *next);
            if marks.iter().any(|line| (*from..to).contains(line)) {
                flagged += 1;
            } else if !is_called(&all, name) {
                silent += 1;
            }
        }
    }
    (flagged, silent)
}

/// The name of the function that is declared on a line.
fn function(line: &str) -> Option<&str> {
    let (before, rest) = line.split_once("fn ")?;
    let words = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\"", "default"];
    let is_declared = before.split_whitespace().all(|word| words.contains(&word));
    let end = rest.find(|char: char| !char.is_alphanumeric() && char != '_')?;
    rest.get(..end).filter(|name| is_declared && !name.is_empty())
}

/// Whether `name(` stands in a text otherwise than behind `fn`.
fn is_called(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}(")).any(|(at, _)| {
        let before = &text[..at];
        let is_whole = !before.ends_with(|char: char| char.is_alphanumeric() || char == '_');
        is_whole && !before.ends_with("fn ")
    })
}

#[test]
fn every_grave_rule_has_its_proof() {
    let proofs = stems("tests/it/proofs", ".rs");
    let list = read("tests/it/proofs.rs");
    for proof in &proofs {
        assert!(list.contains(&format!("\nmod {proof};")), "the proof `{proof}` is not run");
        assert!(known().contains(proof), "a proof of no rule: `{proof}`");
    }
    for rule in rules().filter(|rule| matches!(rule.group, Group::Correctness | Group::Suspicious)) {
        assert!(proofs.iter().any(|proof| proof == rule.name), "{} has no proof", rule.name);
    }
}

#[test]
fn levels_follow_groups() {
    for rule in rules() {
        let level = match rule.group {
            Group::Correctness => Level::Deny,
            Group::Suspicious | Group::Style | Group::Perf => Level::Warn,
            Group::Pedantic | Group::Restriction => Level::Allow,
            Group::Meta => continue,
        };
        assert_eq!(rule.level, level, "{}", rule.name);
    }
}

/// The README's table has a row for each rule: `| [name](…) | group | level | … |`.
#[test]
fn every_rule_is_in_the_readme() {
    let readme = read("README.md");
    for rule in rules() {
        let rows = readme.lines().filter(|line| line.starts_with('|') && line.contains(&format!("`{}`", rule.name)));
        assert_eq!(rows.count(), 1, "{} in the table of the README", rule.name);
    }
}
