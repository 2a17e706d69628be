//! What is open in the editor.

use std::sync::Arc;

use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::position::Encoding;
use crate::text::LineIndex;

/// A file as the editor has it.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    /// As the editor calls it.
    pub(super) uri: Uri,
    /// The editor's number for this text.
    pub(super) version: i32,
    /// All of it.
    pub(super) text: Arc<str>,
    /// Whether the text is not, or may not be, what is on disk.
    pub(super) unsaved: bool,
}

/// A text after changes, one on top of the other.
pub(super) fn changed(text: &str, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) -> String {
    let mut text = text.to_owned();
    for change in changes {
        match change {
            TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(whole) => text = whole.text,
            TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                let lines = LineIndex::new(&text);
                let start = encoding.byte(part.range.start, &lines, &text);
                let end = encoding.byte(part.range.end, &lines, &text);
                text.replace_range(start.min(end)..end.max(start), &part.text);
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn after(text: &str, changes: Value) -> String {
        changed(text, serde_json::from_value(changes).expect("changes"), Encoding::Utf16)
    }

    fn part(start: (u32, u32), end: (u32, u32), text: &str) -> Value {
        let position = |(line, character): (u32, u32)| json!({ "line": line, "character": character });
        json!({ "range": { "start": position(start), "end": position(end) }, "text": text })
    }

    #[test]
    fn changes_are_applied_in_order() {
        let changes = json!([part((0, 1), (0, 2), "𝄞"), part((0, 3), (1, 0), "-")]);
        assert_eq!(after("abc\ndef", changes), "a𝄞-def");
        assert_eq!(after("abc", json!([{ "text": "new" }, part((0, 3), (0, 3), "er")])), "newer");
    }

    /// The same change by the book: code units in lines.
    fn by_the_book(text: &str, start: (u32, u32), end: (u32, u32), new: &str) -> String {
        let units: Vec<u16> = text.encode_utf16().collect();
        let offset = |(line, character): (u32, u32)| {
            let lines: usize =
                text.split_inclusive('\n').take(line as usize).map(|line| line.encode_utf16().count()).sum();
            lines + character as usize
        };
        let (before, after) = (&units[..offset(start)], &units[offset(end)..]);
        format!("{}{new}{}", String::from_utf16_lossy(before), String::from_utf16_lossy(after))
    }

    #[test]
    fn many_changes_leave_what_they_should() {
        let mut seed = 7_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below.max(1)
        };
        let pieces = ["a", "é", "𝄞", "\n", "\r\n", "fn f() {\n", ""];
        let mut text = String::from("one\ntwo é\n𝄞𝄞\n");
        for _ in 0..2000 {
            let mut places: Vec<usize> = (0..2).map(|_| random(text.chars().count() + 1)).collect();
            places.sort_unstable();
            let positions: Vec<(u32, u32)> = places
                .iter()
                .map(|&place| {
                    let before: String = text.chars().take(place).collect();
                    let line = before.rsplit('\n').next().unwrap_or("");
                    (before.matches('\n').count() as u32, line.encode_utf16().count() as u32)
                })
                .collect();
            let within_break = places.iter().any(|&place| {
                text.chars().nth(place) == Some('\n') && place > 0 && text.chars().nth(place - 1) == Some('\r')
            });
            if within_break {
                // A column behind the end of a line is that end: nobody can mean the middle of a line break.
                continue;
            }
            let new = pieces[random(pieces.len())];
            let expected = by_the_book(&text, positions[0], positions[1], new);
            assert_eq!(after(&text, json!([part(positions[0], positions[1], new)])), expected);
            text = if expected.len() > 300 { String::new() } else { expected };
        }
    }

    #[test]
    fn ranges_that_are_not_there_are_near_ones() {
        assert_eq!(after("ab", json!([part((7, 7), (9, 9), "c")])), "abc");
        assert_eq!(after("ab", json!([part((0, 2), (0, 1), "c")])), "ac", "the wrong way round");
        assert_eq!(after("", json!([part((0, 5), (0, 6), "x")])), "x");
    }
}
