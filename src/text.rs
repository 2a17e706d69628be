//! Positions in a text: from bytes to lines and columns.

use std::ops::Range;

use ctxlint_analysis::facts::Span;

/// Where the lines of a text begin.
#[derive(Clone, Debug, Default)]
pub struct LineIndex {
    starts: Vec<u32>,
}

/// A position as people count: both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
}

impl LineIndex {
    /// Finds the lines of a text.
    pub fn new(text: &str) -> LineIndex {
        let after_breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1);
        LineIndex { starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// How many lines there are; a text that ends with a line break has an empty last one.
    pub fn lines(&self) -> u32 {
        self.starts.len() as u32
    }

    /// The line a byte is in, from 0.
    pub fn line_of(&self, byte: u32) -> u32 {
        self.starts.partition_point(|&start| start <= byte).saturating_sub(1) as u32
    }

    /// The bytes of a line (counted from 0), its line break included.
    pub fn line_range(&self, line: u32, text: &str) -> Range<usize> {
        let end = text.len();
        let start = self.starts.get(line as usize).map_or(end, |&start| start as usize);
        let next = self.starts.get(line as usize + 1).map_or(end, |&start| start as usize);
        start.min(end)..next.min(end)
    }

    /// A line (counted from 0) without its line break.
    pub fn line<'t>(&self, line: u32, text: &'t str) -> &'t str {
        let whole = text.get(self.line_range(line, text)).unwrap_or("");
        whole.trim_end_matches('\n').trim_end_matches('\r')
    }

    /// The position of a byte.
    pub fn position(&self, byte: u32, text: &str) -> Position {
        let line = self.line_of(byte);
        let range = self.line_range(line, text);
        let before = text.get(range.start..floor_boundary(text, byte as usize)).unwrap_or("");
        Position { line: line + 1, column: before.chars().count() as u32 + 1 }
    }

    /// The positions of a span's first byte and of the byte after its last.
    pub fn positions(&self, span: Span, text: &str) -> (Position, Position) {
        (self.position(span.start, text), self.position(span.end.max(span.start), text))
    }
}

/// The nearest character boundary at or before a byte.
pub fn floor_boundary(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The bytes of a span, cut down to what the text has.
pub fn clamp(span: Span, text: &str) -> Range<usize> {
    let start = floor_boundary(text, span.start as usize);
    start..floor_boundary(text, span.end as usize).max(start)
}

/// The candidate most like `word`, if any is near enough to be meant: by a few letters, or as the
/// only one that holds it.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let limit = (word.chars().count() / 3).max(2);
    let by_letters = candidates.iter().map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate));
    if let Some((_, near)) = by_letters.filter(|(distance, _)| *distance <= limit).min() {
        return Some(near);
    }
    let mut holders = candidates.iter().filter(|candidate| word.len() > 2 && candidate.contains(word));
    match (holders.next(), holders.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "aé\r\n\tb";
        let index = LineIndex::new(text);
        assert_eq!(index.position(3, text), Position { line: 1, column: 3 });
        assert_eq!(index.position(6, text), Position { line: 2, column: 2 });
        assert_eq!(index.line(0, text), "aé");
        assert_eq!(index.lines(), 2);
    }

    #[test]
    fn positions_past_the_end_are_the_end() {
        let text = "ab";
        let index = LineIndex::new(text);
        assert_eq!(index.position(9, text), Position { line: 1, column: 3 });
        assert_eq!(clamp(Span::new(1, 9), text), 1..2);
        assert_eq!(LineIndex::new("").position(0, ""), Position { line: 1, column: 1 });
    }

    #[test]
    fn nearest_name_is_found_only_when_near() {
        let names = ["lost_cancel", "broken_chain"];
        assert_eq!(nearest("lost_cancle", names), Some("lost_cancel"));
        assert_eq!(nearest("something_else", names), None);
        assert_eq!(nearest("cancel", names), Some("lost_cancel"));
        assert_eq!(nearest("a", ["x_a_y_z"]), None);
    }
}
