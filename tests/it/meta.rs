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
