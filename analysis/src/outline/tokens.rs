//! The tokens of a file with the partners of its brackets.
//!
//! Every file is cut into tokens, and most of them only for its outline, so this is done byte by byte: the
//! compiler's own lexer, which says more of each token, takes several times as long. A test holds the two
//! against each other.

use memchr::{memchr, memchr2, memmem};

use super::Spelling;

/// A token; comments, white space and literals are left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    /// Its first byte; of a raw name the first one of the name.
    pub(crate) start: u32,
    /// One past its last byte.
    pub(crate) end: u32,
    /// For an opening bracket: the index of the token that closes it, or of the last one. For a name: its spelling.
    more: u32,
    /// The punctuation character, [`OTHER`] or [`NAME`].
    pub(crate) mark: u8,
}

impl Token {
    /// What it says, in its file's text.
    pub(crate) fn text<'t>(&self, of: &'t str) -> &'t str {
        of.get(self.start as usize..self.end as usize).unwrap_or("")
    }

    /// The index of the token that closes an opening bracket.
    pub(crate) fn close(&self) -> usize {
        if matches!(self.mark, b'{' | b'(' | b'[') { self.more as usize } else { 0 }
    }

    /// How a name is spelled.
    pub(super) fn spelling(&self) -> Option<Spelling> {
        (self.mark == NAME).then_some(Spelling(self.more))
    }
}

/// The mark of names.
pub(crate) const NAME: u8 = b'a';
/// The mark of what is neither a name nor punctuation of ASCII.
const OTHER: u8 = 0;

/// The tokens of a text.
pub(crate) fn of(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    tokens(text, &mut found, &mut Vec::new());
    found
}

/// Puts the tokens of a text in the place of others; `open` is room for the brackets that are open.
pub(crate) fn tokens(text: &str, found: &mut Vec<Token>, open: &mut Vec<usize>) {
    found.clear();
    open.clear();
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0 };
    while let Some(kind) = lexer.skip_to_token() {
        let start = lexer.at as u32;
        let (start, mark, more) = match kind {
            Kind::Name => (start, NAME, lexer.eat_name().0),
            Kind::RawName => {
                lexer.at += "r#".len();
                (start + 2, NAME, lexer.eat_name().0)
            }
            Kind::Mark(mark) => {
                lexer.at += 1;
                (start, mark, 0)
            }
            Kind::Other(length) => {
                lexer.at += length;
                (start, OTHER, 0)
            }
        };
        match mark {
            b'{' | b'(' | b'[' => open.push(found.len()),
            b'}' | b')' | b']' => {
                let close = found.len() as u32;
                if let Some(opening) = open.pop().and_then(|at| found.get_mut(at)) {
                    opening.more = close;
                }
            }
            _ => {}
        }
        found.push(Token { start, end: lexer.at as u32, more, mark });
    }
    let last = found.len().saturating_sub(1) as u32;
    for opening in open {
        if let Some(opening) = found.get_mut(*opening) {
            opening.more = last;
        }
    }
}

/// What begins at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    /// A name behind `r#`.
    RawName,
    /// Punctuation.
    Mark(u8),
    /// What is no Rust: so many bytes.
    Other(usize),
}

struct Lexer<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Lexer<'_> {
    /// The byte so many behind the place; 0 behind the end.
    fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or(&[])
    }

    /// The character so many bytes behind the place.
    fn char(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead..)?.chars().next()
    }

    /// Goes over what is left out to the next token, and tells what begins there.
    fn skip_to_token(&mut self) -> Option<Kind> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' => self.skip_spaces(),
                b'\n' | b'\t' | b'\r' | b'\x0b' | b'\x0c' => self.at += 1,
                b'/' if self.byte(1) == b'/' => self.skip_past(memchr(b'\n', self.rest())),
                b'/' if self.byte(1) == b'*' => self.skip_block_comment(),
                b'"' => self.skip_string(),
                b'\'' => self.skip_quoted(),
                b'0'..=b'9' => self.skip_number(),
                b'r' if self.byte(1) == b'#' && self.starts_name(2) => return Some(Kind::RawName),
                b'r' if matches!(self.byte(1), b'"' | b'#') => self.skip_raw_string(1),
                b'b' | b'c' if self.byte(1) == b'"' => {
                    self.at += 1;
                    self.skip_string();
                }
                b'b' | b'c' if self.byte(1) == b'r' && matches!(self.byte(2), b'"' | b'#') => self.skip_raw_string(2),
                b'b' if self.byte(1) == b'\'' => {
                    self.at += 1;
                    self.skip_char();
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => return Some(Kind::Name),
                0..=0x7f => return Some(Kind::Mark(byte)),
                _ => match self.char(0) {
                    Some(char) if char.is_alphabetic() => return Some(Kind::Name),
                    Some(char) if is_white_space(char) => self.at += char.len_utf8(),
                    other => return Some(Kind::Other(other.map_or(1, char::len_utf8))),
                },
            }
        }
        None
    }

    /// Spaces, of which most stand before lines, by the indentation's width.
    fn skip_spaces(&mut self) {
        while self.rest().starts_with(b"    ") {
            self.at += 4;
        }
        while self.byte(0) == b' ' {
            self.at += 1;
        }
    }

    fn skip_past(&mut self, found: Option<usize>) {
        self.at = found.map_or(self.bytes.len(), |at| self.at + at + 1);
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match memchr2(b'/', b'*', self.rest()) {
                Some(ahead) => self.at += ahead,
                None => return self.skip_past(None),
            }
            match (self.byte(0), self.byte(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.at += 1,
            }
        }
    }

    /// A string, from its first quotation mark.
    fn skip_string(&mut self) {
        self.at += 1;
        loop {
            match memchr2(b'"', b'\\', self.rest()) {
                Some(ahead) => self.at += ahead,
                None => return self.skip_past(None),
            }
            if self.byte(0) == b'"' {
                self.at += 1;
                return self.eat_suffix();
            }
            self.skip_escaped();
        }
    }

    /// A backslash and the character behind it.
    fn skip_escaped(&mut self) {
        self.at += 1;
        self.at += self.char(0).map_or(0, char::len_utf8);
    }

    /// A raw string with so many letters before its number signs.
    fn skip_raw_string(&mut self, letters: usize) {
        self.at += letters;
        let marks = self.rest().iter().take_while(|byte| **byte == b'#').count();
        self.at += marks;
        if self.byte(0) != b'"' {
            return;
        }
        self.at += 1;
        let mut end = String::from("\"");
        end.extend(std::iter::repeat_n('#', marks));
        match memmem::find(self.rest(), end.as_bytes()) {
            Some(ahead) => {
                self.at += ahead + end.len();
                self.eat_suffix();
            }
            None => self.skip_past(None),
        }
    }

    /// A lifetime or a character.
    fn skip_quoted(&mut self) {
        if self.byte(1) == b'r' && self.byte(2) == b'#' && self.starts_name(3) {
            self.at += "'r#".len();
            self.skip_name();
            return;
        }
        let first = self.char(1);
        let is_one = first.is_some_and(|first| self.byte(1 + first.len_utf8()) == b'\'');
        if is_one || !(self.starts_name(1) || self.byte(1).is_ascii_digit()) {
            return self.skip_char();
        }
        self.at += 1;
        self.skip_name();
        if self.byte(0) == b'\'' {
            self.at += 1;
        }
    }

    /// A character, from its first quotation mark; what is none ends with its line.
    fn skip_char(&mut self) {
        self.at += 1;
        let first = self.char(0).filter(|first| *first != '\\');
        if let Some(first) = first.filter(|first| self.byte(first.len_utf8()) == b'\'') {
            self.at += first.len_utf8() + 1;
            return self.eat_suffix();
        }
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\'' => {
                    self.at += 1;
                    return self.eat_suffix();
                }
                b'/' => return,
                b'\n' if self.byte(1) != b'\'' => return,
                b'\\' => self.skip_escaped(),
                _ => self.at += 1,
            }
        }
    }

    fn skip_number(&mut self) {
        let base = if self.byte(0) == b'0' { self.byte(1) } else { 0 };
        if matches!(base, b'x' | b'o' | b'b') {
            self.at += 2;
            let is_digit = |byte: &u8| match base {
                b'x' => byte.is_ascii_hexdigit() || *byte == b'_',
                _ => byte.is_ascii_digit() || *byte == b'_',
            };
            self.at += self.rest().iter().take_while(|byte| is_digit(byte)).count();
        } else {
            self.eat_digits();
        }
        // `1.max(2)` and `0..n` are no fractions.
        if self.byte(0) == b'.' && self.byte(1) != b'.' && !self.starts_name(1) {
            self.at += 1;
            self.eat_digits();
        }
        if matches!(self.byte(0), b'e' | b'E') {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(0), b'+' | b'-'));
            self.eat_digits();
        }
        self.eat_suffix();
    }

    fn eat_digits(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
    }

    /// What stands directly behind a literal belongs to it.
    fn eat_suffix(&mut self) {
        if self.starts_name(0) {
            self.skip_name();
        }
    }

    fn starts_name(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => true,
            0..=0x7f => false,
            _ => self.char(ahead).is_some_and(char::is_alphabetic),
        }
    }

    fn eat_name(&mut self) -> Spelling {
        let start = self.at;
        self.skip_name();
        Spelling::of_bytes(self.bytes.get(start..self.at).unwrap_or(&[]))
    }

    /// The next eight bytes, the first one lowest.
    fn part(&self) -> u64 {
        let rest = self.rest();
        rest.first_chunk().map_or_else(|| padded(rest), |part| u64::from_le_bytes(*part))
    }

    fn skip_name(&mut self) {
        loop {
            let length = name_length(self.part());
            self.at += length;
            if length == 8 {
                continue;
            }
            match self.char(0) {
                Some(char) if !char.is_ascii() && char.is_alphanumeric() => self.at += char.len_utf8(),
                _ => return,
            }
        }
    }
}

/// Fewer than eight bytes, the first one lowest, with zeros behind them.
pub(super) fn padded(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |part, byte| part << 8 | u64::from(*byte))
}

/// How many of eight bytes, from the first one on, a name of ASCII may have behind its first one; all eight are
/// looked at together (L. Lamport, Multiple byte processing with full-word instructions, 1975).
fn name_length(part: u64) -> usize {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH * 0x80;
    let low = part & !HIGH;
    // The high bit of each byte that is not below `least`.
    let from = |bytes: u64, least: u8| bytes + EACH * u64::from(0x80 - least);
    let within = |bytes: u64, least: u8, most: u8| from(bytes, least) & !from(bytes, most + 1);
    let letters = within(low | (EACH * 0x20), b'a', b'z');
    let digits = within(low, b'0', b'9');
    let underscores = !from(low ^ (EACH * u64::from(b'_')), 1);
    let others = !(letters | digits | underscores) | part;
    ((others & HIGH).trailing_zeros() / 8) as usize
}

/// White space of the language beyond ASCII: the Rust Reference, "Whitespace".
fn is_white_space(char: char) -> bool {
    matches!(char, '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_they_are_looked_for() {
        let names = [
            "a",
            "_",
            "r2d2",
            "seven77",
            "eight_88",
            "nine_9999",
            "CancellationToken",
            "sixteen_letters_",
            "größe",
            "eight_8ä",
            "ñ",
            "Z",
        ];
        for name in names {
            for text in [name.to_owned(), format!("{name} + 1"), format!("({name})"), format!("r#{name}.x")] {
                let spellings: Vec<Spelling> = of(&text).iter().filter_map(Token::spelling).collect();
                assert_eq!(spellings.first(), Some(&Spelling::of(name)), "{text}");
            }
        }
    }

    #[test]
    fn the_length_of_a_name_is_that_of_its_bytes() {
        for byte in 0..=u8::MAX {
            for at in 0..8 {
                let mut part = *b"aZ_09zAb";
                part[at] = byte;
                let goes_on = byte.is_ascii_alphanumeric() || byte == b'_';
                assert_eq!(name_length(u64::from_le_bytes(part)), if goes_on { 8 } else { at }, "{byte} at {at}");
            }
        }
    }
}
