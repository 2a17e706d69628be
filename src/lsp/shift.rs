//! Where the places of an older text are in a newer one.

use std::ops::Range;
use std::time::Duration;

use ctxlint_analysis::facts::Span;
use similar::{ChangeTag, DiffOp, TextDiff};

/// Comparing two texts that have nothing in common must not take longer than this; what comes out then
/// is coarser.
const PATIENCE: Duration = Duration::from_millis(30);

/// The way from an older text to a newer one: pieces that stayed the same, and pieces between.
#[derive(Clone, Debug, Default)]
pub(super) struct Shift {
    /// Bytes of the older text with those of the newer, in order and without gaps.
    same: Vec<(Range<u32>, u32)>,
}

impl Shift {
    /// Compares two texts: by lines, what differs by words, and what still differs by its ends.
    pub(super) fn new(old: &str, new: &str) -> Shift {
        let mut same = Vec::new();
        let lines = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
        for (old_lines, new_lines, is_same) in pieces(&lines) {
            let (Some(before), Some(after)) = (old.get(old_lines.clone()), new.get(new_lines.clone())) else {
                continue;
            };
            if is_same {
                same.push((old_lines.start as u32..old_lines.end as u32, new_lines.start as u32));
            } else if !before.is_empty() && !after.is_empty() {
                let words = TextDiff::configure().timeout(PATIENCE).diff_words(before, after);
                for (old_words, new_words, is_same) in pieces(&words) {
                    let old_words = old_lines.start + old_words.start..old_lines.start + old_words.end;
                    let new_words = new_lines.start + new_words.start..new_lines.start + new_words.end;
                    match is_same {
                        true => same.push((old_words.start as u32..old_words.end as u32, new_words.start as u32)),
                        false => same.extend(within(old, &old_words, new, &new_words)),
                    }
                }
            }
        }
        Shift { same }
    }

    /// Where a span is now; nowhere if its first byte is gone.
    pub(super) fn span(&self, span: Span) -> Option<Span> {
        let start = self.byte(span.start)?;
        let last = span.end.checked_sub(1).filter(|last| *last >= span.start);
        let end = last.and_then(|last| self.byte(last)).map_or(start, |last| last + 1);
        Some(Span::new(start, end.max(start)))
    }

    fn byte(&self, byte: u32) -> Option<u32> {
        let (old, new) = self.same.iter().find(|(old, _)| old.contains(&byte))?;
        Some(new + (byte - old.start))
    }
}

/// The pieces of a comparison: the bytes of each in the older and in the newer text, and whether they
/// are the same.
fn pieces(diff: &TextDiff<'_, '_, str>) -> Vec<(Range<usize>, Range<usize>, bool)> {
    let (mut old, mut new) = (0, 0);
    let mut pieces = Vec::new();
    for op in diff.ops() {
        let start = (old, new);
        for change in diff.iter_changes(op) {
            let length = change.value().len();
            old += if change.tag() == ChangeTag::Insert { 0 } else { length };
            new += if change.tag() == ChangeTag::Delete { 0 } else { length };
        }
        pieces.push((start.0..old, start.1..new, matches!(op, DiffOp::Equal { .. })));
    }
    pieces
}

/// What stayed the same at both ends of a piece that changed: for words that are being typed on.
fn within(old: &str, old_bytes: &Range<usize>, new: &str, new_bytes: &Range<usize>) -> Vec<(Range<u32>, u32)> {
    let (Some(before), Some(after)) = (old.get(old_bytes.clone()), new.get(new_bytes.clone())) else {
        return Vec::new();
    };
    let prefix = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    let room = before.len().min(after.len()) - prefix;
    let suffix = before.bytes().rev().zip(after.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    let (start, end) = (old_bytes.start as u32, old_bytes.end as u32);
    let head = (start..start + prefix as u32, new_bytes.start as u32);
    let tail = (end - suffix as u32..end, (new_bytes.end - suffix) as u32);
    vec![head, tail]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shifted(old: &str, new: &str, what: &str) -> Option<String> {
        let start = old.find(what).expect("it is there") as u32;
        let span = Shift::new(old, new).span(Span::new(start, start + what.len() as u32))?;
        Some(new[span.start as usize..span.end as usize].to_owned())
    }

    #[test]
    fn what_stays_is_found_again() {
        let old = "fn a() {}\nlet one = 1;\nlet two = 2;\n";
        assert_eq!(shifted(old, &format!("// é\n{old}"), "two").as_deref(), Some("two"));
        let both = "fn a( {}\nlet one = 1;\nmore\nlet two = ;\n";
        assert_eq!(shifted(old, both, "one").as_deref(), Some("one"));
        assert_eq!(shifted(old, both, "two").as_deref(), Some("two"));
        assert_eq!(shifted(old, &old.replace("\n", "\r\n"), "two").as_deref(), Some("two"));
        assert_eq!(shifted(old, &old.replace("one", "o ne"), "one").as_deref(), Some("o ne"));
    }

    #[test]
    fn what_is_gone_is_nowhere() {
        let old = "fn a() {}\nlet one = 1;\nlet two = 2;\n";
        assert_eq!(shifted(old, "fn a() {}\nlet two = 2;\n", "one"), None);
        assert_eq!(shifted(old, "", "one"), None);
        assert_eq!(shifted("", "x", ""), None);
    }
}
