//! The README says what is: its commands run, its output is the program's, its table lists the rules.
//!
//! `CTXLINT_BLESS=1 cargo test --test it readme -- --test-threads=1` writes what the tests want to see.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level};

use crate::project::{Project, program};

/// Commands that are right but not for a test to run.
const NOT_RUN: [&str; 2] = ["cargo install --locked --path .", "cargo test --workspace"];

const TABLE: (&str, &str) = ("<!-- rules: kept by tests/it/readme.rs -->\n", "<!-- /rules -->");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).expect("there is a README")
}

/// Holds the README against what it should be, or makes it so.
fn settle(is: &str, should: &str) {
    if is != should && std::env::var_os("CTXLINT_BLESS").is_some() {
        fs::write(root().join("README.md"), should).expect("the README is written");
    } else {
        assert_eq!(is, should, "`CTXLINT_BLESS=1 cargo test --test it readme -- --test-threads=1` mends it");
    }
}

/// The blocks of a language, without their fences.
fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
    let fence = format!("```{language}\n");
    text.split(fence.as_str()).skip(1).filter_map(|rest| Some(rest.split_once("```")?.0)).collect()
}

/// What the program says in the repository, as a terminal shows it.
fn say(arguments: &str) -> String {
    let mut command = program("ctxlint");
    let output = command.args(arguments.split_whitespace()).current_dir(root()).output().expect("it runs");
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "`ctxlint {arguments}` gives {code:?}");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_console_block_runs_and_says_what_it_shows() {
    let readme = readme();
    let mut should = readme.clone();
    for block in blocks(&readme, "console") {
        let mut now = String::new();
        for step in block.split("$ ").skip(1) {
            let (command, shown) = step.split_once('\n').expect("a command ends its line");
            let _ = writeln!(now, "$ {command}");
            let arguments = command.strip_prefix("ctxlint ").or(command.strip_prefix("cargo run --release -- "));
            let Some(arguments) = arguments else {
                assert!(NOT_RUN.contains(&command), "`{command}` is nothing that the test knows");
                continue;
            };
            let said = say(arguments);
            // A command may stand alone: not all that is said is worth showing.
            if !shown.is_empty() {
                now.push_str(&said);
            }
        }
        should = should.replacen(block, &now, 1);
    }
    settle(&readme, &should);
}

#[test]
fn the_table_lists_every_rule() {
    let readme = readme();
    let (before, rest) = readme.split_once(TABLE.0).expect("the table begins");
    let (_, after) = rest.split_once(TABLE.1).expect("the table ends");
    let mut table = "| rule | group | level | finds |\n|---|---|---|---|\n".to_owned();
    for rule in RULES {
        let group = match rule.group {
            Group::Correctness => "correctness",
            Group::Suspicious => "suspicious",
            Group::Style => "style",
            Group::Perf => "perf",
            Group::Pedantic => "pedantic",
            Group::Restriction => "restriction",
            Group::Meta => "meta",
        };
        let level = match rule.level {
            Level::Allow => "allow",
            Level::Warn => "warn",
            Level::Deny | Level::Forbid => "deny",
        };
        let _ = writeln!(
            table,
            "| [`{name}`](lints/docs/{name}.md) | {group} | {level} | {} |",
            rule.summary,
            name = rule.name
        );
    }
    settle(&readme, &format!("{before}{}{table}{}{after}", TABLE.0, TABLE.1));
}

#[test]
fn the_configuration_is_one() {
    let readme = readme();
    let config = blocks(&readme, "toml").into_iter().find(|block| block.contains("[rules]")).expect("there is one");
    let project = Project::package("pub fn f() {}\n");
    project.write("ctxlint.toml", config);
    let run = project.run(&[]);
    assert_eq!(run.code, 0, "{}", run.err);
}

#[test]
fn every_link_leads_somewhere() {
    let readme = readme();
    let targets = readme.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
    for target in targets.filter(|target| !target.contains("://")) {
        assert!(root().join(target).exists(), "{target}");
    }
}
