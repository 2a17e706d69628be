//! Makes the site: an mdBook of the README, the rules' pages, the contribution guide and the change log.
//!
//! Nothing of it is kept: the pages are the source, and the book is made from them into `target/book`.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::Result;

const BOOK: &str = "\
[book]
title = \"ctxlint\"
language = \"en\"

[output.html]
git-repository-url = \"https://github.com/ctxlint/ctxlint\"
";

/// Where links go that leave the book.
const REPOSITORY: &str = "https://github.com/ctxlint/ctxlint/tree/main/";

/// The chapters that are files of the repository.
const CHAPTERS: [(&str, &str, &str); 3] = [
    ("README.md", "introduction.md", "ctxlint"),
    ("CONTRIBUTING.md", "contributing.md", "Contributing"),
    ("CHANGELOG.md", "changelog.md", "Changes"),
];

/// Writes the sources of the book.
pub(crate) fn run(root: &Path) -> Result<()> {
    let book = root.join("target/book");
    write(root, &book)?;
    writeln!(std::io::stdout(), "mdbook build {}", book.display())?;
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

    let rules = rules(root)?;
    for rule in &rules {
        fs::copy(root.join(format!("lints/docs/{rule}.md")), src.join(format!("rules/{rule}.md")))?;
    }
    for (from, to, _) in CHAPTERS {
        fs::write(src.join(to), relinked(&fs::read_to_string(root.join(from))?))?;
    }
    fs::write(src.join("SUMMARY.md"), summary(&rules)?)?;
    Ok(())
}

/// The rules that have a page, by name.
fn rules(root: &Path) -> Result<Vec<String>> {
    let mut rules = Vec::new();
    for entry in fs::read_dir(root.join("lints/docs"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        rules.extend(name.strip_suffix(".md").map(str::to_owned));
    }
    rules.sort();
    Ok(rules)
}

fn summary(rules: &[String]) -> Result<String> {
    let mut summary = "# Summary\n\n".to_owned();
    let [introduction, rest @ ..] = CHAPTERS;
    writeln!(summary, "[{}]({})\n\n# Rules\n", introduction.2, introduction.1)?;
    for rule in rules {
        writeln!(summary, "- [{rule}](rules/{rule}.md)")?;
    }
    summary.push_str("\n# The project\n\n");
    for (_, page, title) in rest {
        writeln!(summary, "- [{title}]({page})")?;
    }
    Ok(summary)
}

/// A file of the repository with its links as the book has them: to pages of the book where they are
/// some, to the repository otherwise.
fn relinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (target, tail) = after.split_once(')').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str("](");
        out.push_str(&link(target));
        out.push(')');
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn link(target: &str) -> String {
    let chapter = CHAPTERS.iter().find(|(from, ..)| *from == target);
    match (chapter, target.strip_prefix("lints/docs/")) {
        (Some((_, page, _)), _) => (*page).to_owned(),
        (None, Some(page)) => format!("rules/{page}"),
        (None, None) if target.contains("://") || target.starts_with('#') => target.to_owned(),
        (None, None) => format!("{REPOSITORY}{target}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_the_book_or_to_the_repository() {
        let text = "See [the rule](lints/docs/lost_cancel.md), [how](CONTRIBUTING.md), [code](context) and [Rust](https://rust-lang.org).";
        assert_eq!(
            relinked(text),
            "See [the rule](rules/lost_cancel.md), [how](contributing.md), \
             [code](https://github.com/ctxlint/ctxlint/tree/main/context) and [Rust](https://rust-lang.org)."
        );
        assert_eq!(
            relinked("no link, an [open](one"),
            "no link, an [open](https://github.com/ctxlint/ctxlint/tree/main/one)"
        );
    }

    #[test]
    fn every_page_is_a_chapter_and_every_chapter_a_page() {
        let root = crate::root();
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let book = folder.path().join("book");
        fs::create_dir_all(book.join("src")).unwrap();
        fs::write(book.join("src/stale.md"), "gone").unwrap();
        write(root, &book).expect("the book is written");
        assert!(!book.join("src/stale.md").exists());
        let summary = fs::read_to_string(book.join("src/SUMMARY.md")).unwrap();
        let pages: Vec<&str> = summary.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect();
        assert_eq!(pages.len(), rules(root).unwrap().len() + CHAPTERS.len());
        for page in pages {
            assert!(book.join("src").join(page).exists(), "{page}");
        }
    }
}
