//! Pieces of source with what is said of them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use ctxlint_lints::finding::{Finding, Place};

use super::{View, escape, inline};
use crate::text::clamp;
use crate::workspace::File;

/// Of a place over many lines, so many are shown.
const MOST_LINES: u32 = 8;

/// What is said of a place.
struct Said<'f> {
    place: Place,
    text: &'f str,
    primary: bool,
}

impl Said<'_> {
    fn class(&self) -> &'static str {
        if self.primary { "primary" } else { "secondary" }
    }
}

/// All places of a finding: the primary one's file first, and what is near in one piece.
pub(super) fn snippets(view: View<'_>, finding: &Finding) -> String {
    let primary = Said { place: finding.primary, text: &finding.label, primary: true };
    let labels = finding.labels.iter().map(|label| Said { place: label.place, text: &label.text, primary: false });
    let mut by_file: BTreeMap<(bool, Place), Vec<Said<'_>>> = BTreeMap::new();
    for said in std::iter::once(primary).chain(labels) {
        let elsewhere = said.place.file != finding.primary.file;
        let first = Place { span: Default::default(), ..said.place };
        by_file.entry((elsewhere, first)).or_default().push(said);
    }
    let mut html = String::new();
    for ((elsewhere, first), mut said) in by_file {
        let Some(file) = view.file(first) else { continue };
        said.sort_by_key(|said| (said.place, said.primary));
        if elsewhere {
            let line = said.first().map_or(1, |said| view.positions(said.place).0.line);
            let _ = writeln!(html, "<p class=\"where\">{}:{line}</p>", escape(&file.path));
        }
        for lines in pieces(view, file, &said) {
            html.push_str(&piece(view, file, lines, &said));
        }
    }
    html
}

/// The lines of all places with one around each; pieces that touch are one.
fn pieces(view: View<'_>, file: &File, said: &[Said<'_>]) -> Vec<Range<u32>> {
    let lines = |said: &Said<'_>| {
        let (start, end) = view.positions(said.place);
        let last = end.line.min(start.line + MOST_LINES - 1);
        start.line.saturating_sub(1).max(1)..(last + 2).min(file.lines.lines() + 1)
    };
    let mut ranges: Vec<Range<u32>> = said.iter().map(lines).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u32>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

fn piece(view: View<'_>, file: &File, lines: Range<u32>, said: &[Said<'_>]) -> String {
    let mut html = "<pre class=\"code\">".to_owned();
    let shown = lines.clone();
    for number in lines {
        let line = file.lines.line(number - 1, &file.text);
        let base = file.lines.line_range(number - 1, &file.text).start;
        let _ = writeln!(html, "<i>{number:>4}</i> {}", marked(file, line, base, said));
        for said in said.iter().filter(|said| !said.text.is_empty()) {
            let (start, end) = view.positions(said.place);
            // What is said of a long place stands where the piece ends.
            let at = if shown.contains(&end.line) { end.line } else { shown.end.saturating_sub(1) };
            if at == number && shown.contains(&start.line) {
                let under = if start.line == end.line { start.column } else { 1 };
                let _ = writeln!(
                    html,
                    "     {}<em class=\"{}\">{}</em>",
                    indent(line, under),
                    said.class(),
                    inline(said.text)
                );
            }
        }
    }
    html + "</pre>\n"
}

/// As much blank as stands before a column, tabs kept.
fn indent(line: &str, column: u32) -> String {
    let before = line.chars().take(column.saturating_sub(1) as usize);
    before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect()
}

/// A line with its marked parts; where marks overlap, the primary one is seen.
fn marked(file: &File, line: &str, base: usize, said: &[Said<'_>]) -> String {
    let spans: Vec<(Range<usize>, &Said<'_>)> = said
        .iter()
        .map(|said| {
            let span = clamp(said.place.span, &file.text);
            let cut = |at: usize| at.saturating_sub(base).min(line.len());
            (cut(span.start)..cut(span.end), said)
        })
        .filter(|(range, _)| !range.is_empty())
        .collect();
    let mut cuts: Vec<usize> = spans.iter().flat_map(|(range, _)| [range.start, range.end]).collect();
    cuts.extend([0, line.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    let mut html = String::new();
    for (from, to) in cuts.iter().zip(cuts.iter().skip(1)) {
        let text = escape(line.get(*from..*to).unwrap_or(""));
        let over = spans.iter().filter(|(range, _)| range.contains(from));
        match over.map(|(_, said)| said).max_by_key(|said| said.primary) {
            Some(said) => {
                let _ = write!(html, "<mark class=\"{}\">{text}</mark>", said.class());
            }
            None => html.push_str(&text),
        }
    }
    html
}
