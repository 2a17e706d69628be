//! Makes the site: an mdBook of the README, the pages of `docs/`, the rules' pages with their proofs, the
//! contribution guide and the change log.
//!
//! Nothing of it is kept: the pages are the source, and the book is made from them into `target/book`.

mod links;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level, Rule};

use crate::Result;

const BOOK: &str = "\
[book]
title = \"ctxlint\"
language = \"en\"

[output.html]
no-section-label = true
git-repository-url = \"https://github.com/ctxlint/ctxlint\"
additional-css = [\"site.css\"]

[output.html.playground]
runnable = false
";

/// Bad and good examples are told apart.
const CSS: &str = "\
code.bad { border-left: 4px solid #c0392b; }
code.good { border-left: 4px solid #2e8b57; }
";

/// The chapters that are not rules, by part: the file in the repository, the page of the book, its title.
const PARTS: [(&str, &[Chapter]); 2] = [
    (
        "Use",
        &[
            ("docs/start.md", "start.md", "Five minutes"),
            ("docs/adopting.md", "adopting.md", "Adopting it"),
            ("docs/configuration.md", "configuration.md", "Configuration"),
            ("docs/models.md", "models.md", "Models"),
            ("docs/graph.md", "graph.md", "The context graph"),
            ("README.md#in-an-editor", "editors.md", "In an editor"),
            ("docs/ci.md", "ci.md", "In CI"),
        ],
    ),
    (
        "Background",
        &[
            ("docs/comparison.md", "comparison.md", "Beside Go's linters, Clippy and rustc"),
            ("docs/how-it-works.md", "how-it-works.md", "How it works"),
            ("docs/writing-a-rule.md", "writing-a-rule.md", "How to write a rule"),
            ("CONTRIBUTING.md", "contributing.md", "Contributing"),
            ("CHANGELOG.md", "changelog.md", "Changes"),
        ],
    ),
];

const INTRODUCTION: Chapter = ("README.md", "introduction.md", "ctxlint");

/// Where it is, which page it becomes, and the page's title.
type Chapter = (&'static str, &'static str, &'static str);

const GROUPS: [(Group, &str); 7] = [
    (Group::Correctness, "correctness"),
    (Group::Suspicious, "suspicious"),
    (Group::Style, "style"),
    (Group::Perf, "perf"),
    (Group::Pedantic, "pedantic"),
    (Group::Restriction, "restriction"),
    (Group::Meta, "meta"),
];

fn chapters() -> impl Iterator<Item = &'static Chapter> {
    std::iter::once(&INTRODUCTION).chain(PARTS.iter().flat_map(|(_, chapters)| *chapters))
}

/// Writes the sources of the book, and builds it where mdbook is installed.
pub(crate) fn run(root: &Path) -> Result<()> {
    let book = root.join("target/book");
    write(root, &book)?;
    let mut out = std::io::stdout();
    match Command::new("mdbook").arg("build").arg(&book).status() {
        Ok(status) if status.success() => writeln!(out, "{}", book.join("book/index.html").display())?,
        Ok(status) => return Err(format!("mdbook: {status}").into()),
        Err(_) => writeln!(out, "mdbook is not installed: `mdbook build {}` makes the pages", book.display())?,
    }
    Ok(())
}

fn write(root: &Path, book: &Path) -> Result<()> {
    // What was a page once must not stay.
    if book.exists() {
        fs::remove_dir_all(book)?;
    }
    let src = book.join("src");
    fs::create_dir_all(src.join("rules"))?;
    fs::write(book.join("book.toml"), BOOK)?;
    fs::write(book.join("site.css"), CSS)?;
    for (from, page, _) in chapters() {
        let text = match from.split_once('#') {
            None => fs::read_to_string(root.join(from))?,
            Some((file, anchor)) => section(&fs::read_to_string(root.join(file))?, anchor)?,
        };
        let file = from.split('#').next().unwrap_or(from);
        fs::write(src.join(page), links::relinked(&text, file, page))?;
    }
    for rule in RULES {
        let file = format!("lints/docs/{}.md", rule.name);
        let page = format!("rules/{}.md", rule.name);
        let text = links::relinked(&rule_page(root, rule)?, &file, &page);
        fs::write(src.join(page), text)?;
    }
    fs::write(src.join("SUMMARY.md"), summary()?)?;
    Ok(())
}

/// A section of a page as a page of its own.
fn section(text: &str, anchor: &str) -> Result<String> {
    let mut lines = text.lines().skip_while(|line| links::anchor(line).as_deref() != Some(anchor));
    let heading = lines.next().ok_or_else(|| format!("no section `{anchor}`"))?;
    let mut page = format!("# {}\n", heading.trim_start_matches('#').trim_start());
    let mut fenced = false;
    for line in lines {
        fenced ^= line.starts_with("```");
        if !fenced && line.starts_with("## ") {
            break;
        }
        // What was below the section's heading is below the page's.
        let deeper = line.strip_prefix('#').filter(|_| !fenced && line.starts_with("###"));
        page.push_str(deeper.unwrap_or(line));
        page.push('\n');
    }
    Ok(page)
}

/// A rule's page with what its head does not say, and its proof.
fn rule_page(root: &Path, rule: &Rule) -> Result<String> {
    let group = GROUPS.iter().find(|(group, _)| *group == rule.group).map_or("", |(_, name)| name);
    let level = match rule.level {
        Level::Allow => "off",
        Level::Warn => "warn",
        Level::Deny | Level::Forbid => "deny",
    };
    let tests = if rule.in_tests { "" } else { ", not in tests" };
    let fix = if rule.fixable { ", with suggestions that can be applied" } else { "" };
    let (title, rest) = rule.docs.split_once('\n').unwrap_or((rule.docs, ""));
    let mut page = format!("{title}\n\n*{group}: {level} by default{tests}{fix}*\n{rest}");
    let proof = root.join(format!("tests/it/proofs/{}.rs", rule.name));
    if proof.exists() {
        let proof = fs::read_to_string(proof)?;
        write!(
            page,
            "\n## Proof\n\nThe tests that observe the harm of the bad code, and that the good code does none:\n\n\
             ```rust,proof\n{proof}```\n"
        )?;
    }
    Ok(page)
}

fn summary() -> Result<String> {
    let mut summary = "# Summary\n\n".to_owned();
    writeln!(summary, "[{}]({})", INTRODUCTION.2, INTRODUCTION.1)?;
    let [first, rest @ ..] = PARTS;
    part(&mut summary, first)?;
    for (group, name) in GROUPS {
        writeln!(summary, "\n# Rules: {name}\n")?;
        for rule in RULES.iter().filter(|rule| rule.group == group) {
            writeln!(summary, "- [{name}](rules/{name}.md)", name = rule.name)?;
        }
    }
    for later in rest {
        part(&mut summary, later)?;
    }
    Ok(summary)
}

fn part(summary: &mut String, (title, chapters): (&str, &[Chapter])) -> Result<()> {
    writeln!(summary, "\n# {title}\n")?;
    for (_, page, title) in chapters {
        writeln!(summary, "- [{title}]({page})")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The book in a folder of its own.
    fn book() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let book = folder.path().join("book");
        fs::create_dir_all(book.join("src")).unwrap();
        fs::write(book.join("src/stale.md"), "gone").unwrap();
        write(crate::root(), &book).expect("the book is written");
        folder
    }

    /// The targets of a page's links, code left out.
    fn targets(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut fenced = false;
        for line in text.lines() {
            fenced ^= line.starts_with("```");
            if !fenced {
                found.extend(line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
            }
        }
        found
    }

    #[test]
    fn every_page_is_a_chapter_and_every_chapter_a_page() {
        let folder = book();
        let src = folder.path().join("book/src");
        assert!(!src.join("stale.md").exists());
        let summary = fs::read_to_string(src.join("SUMMARY.md")).unwrap();
        let listed: BTreeSet<String> = targets(&summary).into_iter().collect();
        assert_eq!(listed.len(), RULES.len() + chapters().count());
        for page in &listed {
            assert!(src.join(page).exists(), "{page}");
        }
        for entry in fs::read_dir(crate::root().join("docs")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(listed.contains(&name), "docs/{name} is no chapter");
        }
    }

    #[test]
    fn every_link_of_the_book_leads_somewhere() {
        let folder = book();
        let src = folder.path().join("book/src");
        let pages: Vec<String> = targets(&fs::read_to_string(src.join("SUMMARY.md")).unwrap());
        for page in &pages {
            let text = fs::read_to_string(src.join(page)).unwrap();
            for target in targets(&text) {
                if let Some(path) = target.strip_prefix(links::REPOSITORY) {
                    assert!(crate::root().join(path).exists(), "{page}: {target}");
                } else if !target.contains("://") {
                    let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
                    let at = if file.is_empty() { src.join(page) } else { src.join(page).parent().unwrap().join(file) };
                    let other = fs::read_to_string(&at).unwrap_or_else(|_| panic!("{page}: {target}"));
                    let known: BTreeSet<String> = other.lines().filter_map(links::anchor).collect();
                    assert!(anchor.is_empty() || known.contains(anchor), "{page}: {target}");
                }
            }
        }
    }

    #[test]
    fn rules_have_their_group_and_their_proof() {
        let folder = book();
        let page = fs::read_to_string(folder.path().join("book/src/rules/lost_cancel.md")).unwrap();
        assert!(page.starts_with("# lost_cancel\n\n*correctness: deny by default"), "{page}");
        assert!(page.contains("```rust,bad\n") && page.contains("```rust,good\n"));
        assert!(page.contains("## Proof") && page.contains("#[tokio::test]"));
        let meta = fs::read_to_string(folder.path().join("book/src/rules/unknown_rule.md")).unwrap();
        assert!(!meta.contains("## Proof"));
    }

    #[test]
    fn a_section_becomes_a_page() {
        let text = "# T\n\n## One\n\na\n\n### Deep\n\n```sh\n# no heading\n## nor this\n```\n\n## Two\n\nb\n";
        assert_eq!(section(text, "one").unwrap(), "# One\n\na\n\n## Deep\n\n```sh\n# no heading\n## nor this\n```\n\n");
        assert!(section(text, "three").is_err());
    }
}
