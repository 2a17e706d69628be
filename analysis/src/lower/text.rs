//! From syn's spans to byte ranges of the file, without asking for more than a binary search.
//!
//! `Span::byte_range` keeps a tree of every position ever asked for; line and column are cheaper to
//! get, and together with the starts of the lines they give the byte at once wherever a line is
//! ASCII.

use proc_macro2::{LineColumn, Span as TokenSpan};
use smol_str::SmolStr;

use crate::facts::{Name, Span};

/// The text of one file and where its lines begin.
pub(crate) struct Text<'t> {
    /// The whole file, as given.
    whole: &'t str,
    /// Where the part that syn saw begins: behind a byte order mark and a shebang.
    base: u32,
    /// For each line of that part, its first byte and whether it holds more than ASCII.
    lines: Vec<(u32, bool)>,
    /// Where documentation of items was that syn did not see.
    docs: &'t [Span],
}

impl<'t> Text<'t> {
    /// `base` is the byte at which the text that is given to syn begins; `docs` are the blanks in it that
    /// stand for the documentation of items, in order.
    pub(crate) fn new(whole: &'t str, base: u32, docs: &'t [Span]) -> Text<'t> {
        let code = whole.get(base as usize..).unwrap_or("");
        let mut lines = Vec::with_capacity(code.len() / 32 + 1);
        let mut start = base;
        for line in code.split_inclusive('\n') {
            lines.push((start, !line.is_ascii()));
            start = start.saturating_add(line.len() as u32);
        }
        // A position behind the last line break is on a line of its own.
        lines.push((start, false));
        Text { whole, base, lines, docs }
    }

    /// The part that syn saw.
    pub(crate) fn code(&self) -> &'t str {
        self.whole.get(self.base as usize..).unwrap_or("")
    }

    /// One past the last byte of the file.
    pub(crate) fn end(&self) -> u32 {
        self.whole.len() as u32
    }

    /// The byte range of a token.
    pub(crate) fn span(&self, span: TokenSpan) -> Span {
        Span { start: self.byte(span.start(), span, false), end: self.byte(span.end(), span, true) }
    }

    /// The byte range from the start of one token to the end of another.
    pub(crate) fn between(&self, first: TokenSpan, last: TokenSpan) -> Span {
        let start = self.byte(first.start(), first, false);
        let end = self.byte(last.end(), last, true);
        Span { start, end: end.max(start) }
    }

    fn byte(&self, at: LineColumn, span: TokenSpan, end: bool) -> u32 {
        let Some(&(start, wide)) = self.lines.get(at.line.wrapping_sub(1)) else {
            return self.whole.len() as u32;
        };
        if !wide {
            return start.saturating_add(at.column as u32).min(self.whole.len() as u32);
        }
        // Counting characters is linear in the line; on a very long one the tree pays.
        if at.column > 2000 {
            let range = span.byte_range();
            return self.base + (if end { range.end } else { range.start }) as u32;
        }
        let line = self.whole.get(start as usize..).unwrap_or("");
        match line.char_indices().nth(at.column) {
            Some((offset, _)) => start + offset as u32,
            None => self.whole.len() as u32,
        }
    }

    /// Where the documentation in front of a byte begins; the byte if there is none.
    pub(crate) fn documented_from(&self, at: u32) -> u32 {
        let before = self.docs.partition_point(|doc| doc.end <= at);
        let mut start = at;
        for doc in self.docs.iter().take(before).rev() {
            let between = self.slice(Span::new(doc.end, start));
            if !between.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with("//")) {
                break;
            }
            start = doc.start;
        }
        start
    }

    /// The bytes of a range; empty if it is none of this file.
    pub(crate) fn slice(&self, span: Span) -> &'t str {
        self.whole.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// An identifier's name, without `r#`, and its place.
    pub(crate) fn ident(&self, ident: &proc_macro2::Ident) -> (Name, Span) {
        let at = ident.span();
        let start = self.byte(at.start(), at, false);
        let rest = self.whole.get(start as usize..).unwrap_or("");
        // Most names say themselves where they end, which is faster than to look for the place.
        let length = rest.bytes().take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count();
        let goes_on = |byte: u8| byte == b'#' || !byte.is_ascii();
        if length == 0 || rest.as_bytes().get(length).copied().is_some_and(goes_on) {
            let span = Span { start, end: self.byte(at.end(), at, true) };
            let text = self.slice(span);
            return (SmolStr::new(text.strip_prefix("r#").unwrap_or(text)), span);
        }
        (SmolStr::new(rest.get(..length).unwrap_or("")), Span { start, end: start + length as u32 })
    }

    /// An identifier's name, without `r#`.
    pub(crate) fn name(&self, ident: &proc_macro2::Ident) -> Name {
        self.ident(ident).0
    }
}
