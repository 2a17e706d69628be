//! The README and the site's pages say what is: their commands run, their output is the program's, the table lists the rules.
//!
//! `CTXLINT_BLESS=1 cargo test --test it readme -- --test-threads=1` writes what the tests want to see.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level};

use crate::project::{Project, program};
use crate::sources::names;

/// Commands that are right but not for a test to run.
const NOT_RUN: [&str; 2] = ["cargo install --locked --path .", "cargo test --workspace"];

const TABLE: (&str, &str) = ("<!-- rules: kept by tests/it/readme.rs -->\n", "<!-- /rules -->");

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    page("README.md")
}

fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect("the page is there")
}

/// The README and the pages of the site that are not rules.
pub(crate) fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<String> = names(&root().join("docs")).iter().map(|name| format!("docs/{name}")).collect();
    paths.push("README.md".to_owned());
    paths.into_iter().map(|path| (path.clone(), page(&path))).collect()
}

/// Holds a page against what it should be, or makes it so.
fn settle(path: &str, is: &str, should: &str) {
    if is != should && std::env::var_os("CTXLINT_BLESS").is_some() {
        fs::write(root().join(path), should).expect("the page is written");
    } else {
        assert_eq!(is, should, "`CTXLINT_BLESS=1 cargo test --test it readme -- --test-threads=1` mends it");
    }
}

/// The blocks of a language, without their fences.
pub(crate) fn blocks<'t>(text: &'t str, language: &str) -> Vec<&'t str> {
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
    for (path, text) in pages() {
        let should = blocks(&text, "console").into_iter().fold(text.clone(), |page, block| {
            let now = block.split("$ ").skip(1).map(step).collect::<String>();
            page.replacen(block, &now, 1)
        });
        settle(&path, &text, &should);
    }
}

/// A command of a console block with what it says now, as far as that was shown: nothing, all, or what comes
/// before a line of dots.
fn step(text: &str) -> String {
    let (command, shown) = text.split_once('\n').expect("a command ends its line");
    let arguments = command.strip_prefix("ctxlint ").or(command.strip_prefix("cargo run --release -- "));
    let Some(arguments) = arguments else {
        assert!(NOT_RUN.contains(&command), "`{command}` is nothing that the test knows");
        return format!("$ {text}");
    };
    let said = say(arguments);
    match shown.strip_suffix("...\n") {
        // A command may stand alone: not all that is said is worth showing.
        None if shown.is_empty() => format!("$ {command}\n"),
        None => format!("$ {command}\n{said}"),
        Some(first) => {
            let count = first.lines().count();
            let first: String = said.split_inclusive('\n').take(count).collect();
            format!("$ {command}\n{first}...\n")
        }
    }
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
    settle("README.md", &readme, &format!("{before}{}{table}{}{after}", TABLE.0, TABLE.1));
}

#[test]
fn every_configuration_is_one() {
    for (path, text) in pages() {
        // Some are for other programs.
        let is_ours = |block: &&str| ["[rules]", "[[models]]"].iter().any(|table| block.contains(table));
        for config in blocks(&text, "toml").into_iter().filter(is_ours) {
            let project = Project::package("pub fn f() {}\n");
            project.write("ctxlint.toml", config);
            let run = project.run(&[]);
            assert_eq!(run.code, 0, "{path}: {}\n{config}", run.err);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for (path, text) in pages() {
        let folder = root().join(&path).parent().expect("a folder").to_owned();
        let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            let file = target.split('#').next().expect("a path");
            assert!(folder.join(file).exists(), "{path}: {target}");
        }
    }
}
