//! Positions as the protocol counts them: lines from 0, columns in code units of an encoding that the
//! two sides agree on.

use ctxlint_analysis::facts::Span;
use gen_lsp_types::{Position, PositionEncodingKind, Range};
use serde_json::Value;

use crate::text::{LineIndex, floor_boundary};

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// What everyone understands: what a client means that says nothing.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The one that costs least of those that the client offers.
    pub(super) fn negotiate(capabilities: &Value) -> Encoding {
        let offered = capabilities.pointer("/general/positionEncodings").and_then(Value::as_array);
        let offers = |name: &str| offered.is_some_and(|offered| offered.iter().any(|it| it == name));
        match () {
            () if offers("utf-8") => Encoding::Utf8,
            () if offers("utf-32") && !offers("utf-16") => Encoding::Utf32,
            () => Encoding::Utf16,
        }
    }

    /// As the protocol calls it.
    pub(super) fn kind(self) -> PositionEncodingKind {
        match self {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }
    }

    fn units(self, c: char) -> u32 {
        match self {
            Encoding::Utf8 => c.len_utf8() as u32,
            Encoding::Utf16 => c.len_utf16() as u32,
            Encoding::Utf32 => 1,
        }
    }

    /// The position of a byte; that of the end for one beyond it.
    pub(super) fn position(self, byte: u32, lines: &LineIndex, text: &str) -> Position {
        let byte = floor_boundary(text, byte as usize);
        let line = lines.line_of(byte as u32);
        let before = text.get(lines.line_range(line, text).start..byte).unwrap_or("");
        Position { line, character: before.chars().map(|c| self.units(c)).sum() }
    }

    /// The range of a span.
    pub(super) fn range(self, span: Span, lines: &LineIndex, text: &str) -> Range {
        let start = self.position(span.start, lines, text);
        Range { start, end: self.position(span.end.max(span.start), lines, text) }
    }

    /// The byte of a position; the end of the line for one beyond that, the end of the text for one
    /// beyond the last line, and the character's first byte for one within a character.
    pub(super) fn byte(self, position: Position, lines: &LineIndex, text: &str) -> usize {
        if position.line >= lines.lines() {
            return text.len();
        }
        let start = lines.line_range(position.line, text).start;
        let mut left = position.character;
        let mut byte = start;
        for c in lines.line(position.line, text).chars() {
            match left.checked_sub(self.units(c)) {
                Some(rest) if left > 0 => left = rest,
                _ => break,
            }
            byte += c.len_utf8();
        }
        byte
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_are_in_units_of_the_encoding() {
        let text = "let 𝄞é = 1;\r\nx";
        let lines = LineIndex::new(text);
        for (encoding, column) in [(Encoding::Utf8, 10), (Encoding::Utf16, 7), (Encoding::Utf32, 6)] {
            let position = encoding.position(10, &lines, text);
            assert_eq!((position.line, position.character), (0, column), "{encoding:?}");
            assert_eq!(encoding.byte(position, &lines, text), 10, "{encoding:?}");
        }
    }

    #[test]
    fn positions_that_are_not_there_are_near_ones() {
        let text = "a𝄞\r\nb";
        let lines = LineIndex::new(text);
        let byte = |line, character| Encoding::Utf16.byte(Position { line, character }, &lines, text);
        assert_eq!(byte(0, 2), 1, "the middle of a pair");
        assert_eq!(byte(0, 99), 5, "before the line break");
        assert_eq!(byte(1, u32::MAX), 8);
        assert_eq!(byte(u32::MAX, 0), 8);
        assert_eq!(Encoding::Utf16.position(99, &lines, text), Position { line: 1, character: 1 });
        assert_eq!(Encoding::Utf8.byte(Position { line: 0, character: 0 }, &LineIndex::new(""), ""), 0);
    }

    #[test]
    fn the_encoding_is_one_that_is_offered() {
        let negotiated = |offered: Value| Encoding::negotiate(&json!({ "general": { "positionEncodings": offered } }));
        assert_eq!(negotiated(json!(["utf-16", "utf-8"])), Encoding::Utf8);
        assert_eq!(negotiated(json!(["utf-32"])), Encoding::Utf32);
        assert_eq!(negotiated(json!(["utf-16", "utf-32"])), Encoding::Utf16);
        assert_eq!(negotiated(json!("nonsense")), Encoding::Utf16);
        assert_eq!(Encoding::negotiate(&json!(null)), Encoding::Utf16);
    }
}
