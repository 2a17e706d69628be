//! From syn's spans to byte ranges of the file, without asking for more than a binary search.
//!
//! `Span::byte_range` keeps a tree of every position ever asked for; line and column are cheaper to
//! get, and together with the starts of the lines they give the byte at once wherever a line is
//! ASCII. The lines lead past what is left out, too.

use proc_macro2::{LineColumn, Span as TokenSpan};
use smol_str::SmolStr;

use crate::facts::{Name, Span};

/// The text of one file, what syn saw of it, and where its lines begin.
pub(crate) struct Text<'t> {
    /// The whole file, as given.
    whole: &'t str,
    /// What syn saw.
    code: String,
    /// For each line of the code.
    lines: Vec<Line>,
    /// Where documentation of items was that syn did not see.
    docs: &'t [Span],
}

/// A line of what syn saw: one part of a line of the file.
struct Line {
    /// Its first byte in the file.
    start: u32,
    /// Its first byte in the code.
    at: u32,
    /// It holds more than ASCII.
    wide: bool,
}

impl<'t> Text<'t> {
    /// Syn sees only some pieces of the file, which are in order; each begins on a line of its own. `docs` is where
    /// there was documentation of items between them, in order.
    pub(crate) fn new(whole: &'t str, pieces: &[Span], docs: &'t [Span]) -> Text<'t> {
        let length: u32 = pieces.iter().map(|piece| piece.end - piece.start + 1).sum();
        let mut code = String::with_capacity(length as usize);
        let mut lines: Vec<Line> = Vec::with_capacity(length as usize / 32 + 1);
        for piece in pieces {
            if !code.is_empty() && !code.ends_with('\n') {
                code.push('\n');
            }
            let mut start = piece.start;
            for line in whole.get(piece.start as usize..piece.end as usize).unwrap_or("").split_inclusive('\n') {
                lines.push(Line { start, at: code.len() as u32, wide: !line.is_ascii() });
                code.push_str(line);
                start += line.len() as u32;
            }
        }
        // A position behind the last line break is on a line of its own.
        lines.push(Line { start: whole.len() as u32, at: code.len() as u32, wide: false });
        Text { whole, code, lines, docs }
    }

    /// What syn saw.
    pub(crate) fn code(&self) -> &str {
        &self.code
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
        let Some(&Line { start, at: in_code, wide }) = self.lines.get(at.line.wrapping_sub(1)) else {
            return self.whole.len() as u32;
        };
        if !wide {
            return start.saturating_add(at.column as u32).min(self.whole.len() as u32);
        }
        // Counting characters is linear in the line; on a very long one the tree pays.
        if at.column > 2000 {
            let range = span.byte_range();
            return start + (if end { range.end } else { range.start } as u32).saturating_sub(in_code);
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
