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

    #[test]
    fn ranges_that_are_not_there_are_near_ones() {
        assert_eq!(after("ab", json!([part((7, 7), (9, 9), "c")])), "abc");
        assert_eq!(after("ab", json!([part((0, 2), (0, 1), "c")])), "ac", "the wrong way round");
        assert_eq!(after("", json!([part((0, 5), (0, 6), "x")])), "x");
    }
}
