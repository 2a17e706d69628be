//! What edits make of the lines they touch, for people to read.

use ctxlint_analysis::source::FileId;
use ctxlint_lints::finding::{Edit, Help};

use super::View;
use crate::text::clamp;
use crate::workspace::File;

/// A line before or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1, in the text before.
    pub number: u32,
    /// Whether it is the new one.
    pub added: bool,
    /// The line.
    pub text: String,
}

/// Lines of one file that change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunk {
    /// The file.
    pub file: FileId,
    /// Old lines, then new ones.
    pub lines: Vec<Line>,
}

/// The changes of a suggestion, by file and line.
pub fn hunks(view: View<'_>, help: &Help) -> Vec<Hunk> {
    let mut edits: Vec<&Edit> = help.edits.iter().collect();
    edits.sort_by_key(|edit| edit.place);
    let mut hunks = Vec::new();
    let mut cluster: Vec<&Edit> = Vec::new();
    for edit in edits {
        let Some(file) = view.file(edit.place) else { continue };
        let joins = cluster.last().is_none_or(|last| {
            last.place.file == edit.place.file
                && file.lines.line_of(edit.place.span.start) <= file.lines.line_of(last.place.span.end) + 1
        });
        if !joins {
            hunks.extend(hunk(view, &cluster));
            cluster.clear();
        }
        cluster.push(edit);
    }
    hunks.extend(hunk(view, &cluster));
    hunks
}

fn hunk(view: View<'_>, edits: &[&Edit]) -> Option<Hunk> {
    let first = edits.first()?;
    let file = view.file(first.place)?;
    let from = file.lines.line_of(first.place.span.start);
    let to = edits.iter().map(|edit| file.lines.line_of(edit.place.span.end)).max()?;
    let start = file.lines.line_range(from, &file.text).start;
    let end = file.lines.line_range(to, &file.text).end;
    let old = file.text.get(start..end)?;
    let new = edited(file, edits, start, end)?;
    let old: Vec<&str> = old.lines().collect();
    let new: Vec<&str> = new.lines().collect();
    let same_before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - same_before;
    let same_after = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let changed = |lines: &[&str], added: bool| {
        let kept = lines.len() - same_before - same_after;
        let lines = lines.iter().enumerate().skip(same_before).take(kept);
        let line = |(at, text): (usize, &&str)| Line { number: from + at as u32 + 1, added, text: (*text).to_owned() };
        lines.map(line).collect::<Vec<_>>()
    };
    let lines = [changed(&old, false), changed(&new, true)].concat();
    Some(Hunk { file: first.place.file, lines })
}

/// The text from `start` to `end` after the edits, which are sorted.
fn edited(file: &File, edits: &[&Edit], start: usize, end: usize) -> Option<String> {
    let mut out = String::new();
    let mut at = start;
    for edit in edits {
        let range = clamp(edit.place.span, &file.text);
        out.push_str(file.text.get(at..range.start)?);
        out.push_str(&edit.text);
        at = range.end;
    }
    out.push_str(file.text.get(at..end)?);
    Some(out)
}
