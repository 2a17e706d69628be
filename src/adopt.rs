//! `--add-suppressions`: a suppression with a reason for every finding, so that a codebase can begin
//! with a clean report.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::facts::Span;
use ctxlint_lints::finding::Finding;

use crate::engine;
use crate::report::Report;
use crate::workspace::{File, Workspace};

/// The files with suppressions put in, by index, and how many findings could not be suppressed.
pub fn suppress_all(workspace: &Workspace, report: &Report, reason: &str) -> (BTreeMap<usize, File>, usize) {
    let mut by_file: BTreeMap<usize, Vec<&Finding>> = BTreeMap::new();
    for reported in &report.findings {
        by_file.entry(reported.finding.primary.file.index()).or_default().push(&reported.finding);
    }
    let mut changed = BTreeMap::new();
    let mut left = 0;
    for (index, findings) in by_file {
        let Some(file) = workspace.files.get(index) else { continue };
        let (new, failed) = suppress(file, &findings, reason);
        left += failed;
        if new.text != file.text {
            changed.insert(index, new);
        }
    }
    (changed, left)
}

/// A file with suppressions of these findings of it put in, and how many of them could not be. From the
/// last line to the first, so that the places of those before stay.
pub fn suppress(file: &File, findings: &[&Finding], reason: &str) -> (File, usize) {
    let mut by_line: BTreeMap<u32, Vec<&Finding>> = BTreeMap::new();
    let mut left = 0;
    for finding in findings {
        match is_about_the_check(finding) {
            true => left += 1,
            false => by_line.entry(file.lines.line_of(finding.primary.span.start)).or_default().push(finding),
        }
    }
    let mut current = file.clone();
    for (line, findings) in by_line.into_iter().rev() {
        let rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule).collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        let reason = reason.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
        let comment = format!("// ctxlint: allow({}, reason = \"{reason}\")", rules.join(", "));
        let spans: Vec<Span> = findings.iter().map(|finding| finding.primary.span).collect();
        let forms = [above(&current, line, &comment), behind(&current, line, &comment)];
        match forms.into_iter().flatten().find(|form| covers_all(form, &spans, &rules)) {
            Some(form) => current = file.with_text(&form.text),
            None => left += findings.len(),
        }
    }
    (current, left)
}

/// A file that does not parse, or a suppression that is wrong, is to be mended.
fn is_about_the_check(finding: &Finding) -> bool {
    let rule = ctxlint_lints::RULES.iter().find(|rule| rule.name == finding.rule);
    rule.is_none_or(|rule| rule.group == ctxlint_lints::rule::Group::Meta)
}

/// A text with a comment put in.
struct Form {
    text: String,
    /// Where the comment begins, and how many bytes came in.
    at: u32,
    length: u32,
}

/// On a line of its own above the line.
fn above(file: &File, line: u32, comment: &str) -> Option<Form> {
    let text = file.lines.line(line, &file.text);
    let indent = text.get(..text.len() - text.trim_start().len())?;
    let range = file.lines.line_range(line, &file.text);
    let inserted = format!("{indent}{comment}{}", line_break(&file.text));
    insert(&file.text, range.start, &inserted)
}

/// At the end of the line.
fn behind(file: &File, line: u32, comment: &str) -> Option<Form> {
    let start = file.lines.line_range(line, &file.text).start;
    let end = start + file.lines.line(line, &file.text).trim_end().len();
    insert(&file.text, end, &format!(" {comment}"))
}

fn insert(text: &str, at: usize, inserted: &str) -> Option<Form> {
    let text = format!("{}{inserted}{}", text.get(..at)?, text.get(at..)?);
    Some(Form { text, at: at as u32, length: inserted.len() as u32 })
}

fn line_break(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// Whether the new comment is read as a suppression of these rules that covers these places.
fn covers_all(form: &Form, spans: &[Span], rules: &[&str]) -> bool {
    let Ok(facts) = engine::parse(&form.text) else { return false };
    let moved = |at: u32| if at >= form.at { at + form.length } else { at };
    let new = facts.directives.iter().find(|directive| {
        (form.at..form.at + form.length).contains(&directive.span.start)
            && directive.rules.iter().map(|(name, _)| name.as_str()).eq(rules.iter().copied())
    });
    new.is_some_and(|directive| {
        spans.iter().all(|span| {
            let start = moved(span.start);
            directive.covers.start <= start && start <= directive.covers.end
        })
    })
}
