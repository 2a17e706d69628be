//! How deep syntax nests, measured on tokens.
//!
//! syn, the lowering and the dropping of syn's tree recurse: once a level of brackets, prefix
//! operators, generics, closures and so on, and for dropping once a link of a chain. The measure
//! counts every token that may open a level and forgets it where the level must have ended, so it
//! never falls short by more than a constant factor; what it takes for deep without being so only
//! gets a larger stack.

use ra_ap_rustc_lexer::{DocStyle, FrontmatterAllowed, TokenKind, tokenize};

use crate::facts::Span;

/// Levels that are parsed on the caller's stack.
const USUAL: u32 = 200;

/// Open brackets within each other that are parsed at all.
const BRACKETS: usize = 1000;

/// Levels of all kinds that are parsed at all.
const DEEPEST: u32 = 4000;

/// Links of chains (`.a()`, `+ b`, `else if`) that stay on the caller's stack, and that are parsed at all.
const USUAL_LINKS: u32 = 2_000;
const MOST_LINKS: u32 = 400_000;

/// What the measure says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// As people write.
    Usual,
    /// Needs a larger stack.
    Deep,
    /// Needs a larger stack than there is; the byte at which that is clear.
    TooDeep(u32),
}

/// What is open within one pair of brackets.
#[derive(Default)]
struct Level {
    /// Tokens since the last `;` or `,` that may each open a level: prefix operators, `=`, `->`, keywords.
    pending: u32,
    /// `<` without `>`.
    angles: u32,
    /// Links of the current chain.
    links: u32,
    /// Between the bars of a closure's parameters, where a comma ends nothing.
    bars: bool,
}

/// The token before, trivia left out.
#[derive(Clone, Copy)]
struct Before {
    kind: TokenKind,
    /// It may end an operand: what follows is no prefix operator.
    operand: bool,
    /// It is the first half of a binary `&&` or `||`, if the other half follows at once.
    half: bool,
    /// It is `else`.
    is_else: bool,
    /// One past its last byte.
    end: usize,
}

/// Measures the nesting of the pieces of a file's code; tells the places of its documentation too, since that takes
/// the same way through the tokens: none if something documents nothing, which is an error.
pub(super) fn measure(text: &str, pieces: &[Span]) -> (Depth, Vec<(DocStyle, Span)>) {
    let mut docs: Vec<(DocStyle, Span)> = Vec::new();
    let (mut open, mut dangling) = (false, false);
    let mut measure = Measure { levels: vec![Level::default()], ..Measure::default() };
    let mut before = Before { kind: TokenKind::Semi, operand: false, half: false, is_else: false, end: 0 };
    let tokens = pieces.iter().flat_map(|piece| {
        let mut at = piece.start as usize;
        let code = text.get(at..piece.end as usize).unwrap_or("");
        tokenize(code, FrontmatterAllowed::No).map(move |token| {
            let start = at;
            at += token.len as usize;
            (token.kind, start, at)
        })
    });
    for (kind, start, at) in tokens {
        match kind {
            TokenKind::LineComment { doc_style: Some(style) }
            | TokenKind::BlockComment { doc_style: Some(style), .. } => {
                docs.push((style, Span::new(start as u32, at as u32)));
                open = style == DocStyle::Outer;
                continue;
            }
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => continue,
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => dangling |= open,
            _ => {}
        }
        open = false;
        let seen = Seen {
            kind,
            text: text.get(start..at).unwrap_or(""),
            next: text.as_bytes().get(at).copied(),
            joint: before.end == start,
        };
        let binary = before.operand;
        let operand = measure.see(&seen, before);
        let half = binary && matches!(seen.kind, TokenKind::And | TokenKind::Or);
        before = Before { kind: seen.kind, operand, half, is_else: seen.text == "else", end: at };
        if measure.levels.len() > BRACKETS || measure.deepest > DEEPEST || measure.longest > MOST_LINKS {
            return (Depth::TooDeep(start as u32), docs);
        }
    }
    if open || dangling {
        docs.clear();
    }
    let is_usual = measure.deepest <= USUAL && measure.longest <= USUAL_LINKS;
    (if is_usual { Depth::Usual } else { Depth::Deep }, docs)
}

/// A token.
struct Seen<'c> {
    kind: TokenKind,
    text: &'c str,
    /// The byte behind it.
    next: Option<u8>,
    /// Nothing stands between it and the token before.
    joint: bool,
}

#[derive(Default)]
struct Measure {
    levels: Vec<Level>,
    /// The sum of `pending` and `angles` over all levels, and of the levels themselves.
    depth: u32,
    deepest: u32,
    longest: u32,
}

impl Measure {
    /// Takes a token in; says whether it may end an operand.
    fn see(&mut self, token: &Seen<'_>, before: Before) -> bool {
        // A new statement, item or arm behind a block: nothing before it goes on.
        let fresh = match token.kind {
            TokenKind::Ident => !matches!(token.text, "else" | "as"),
            TokenKind::Pound => true,
            _ => false,
        };
        if fresh && before.kind == TokenKind::CloseBrace {
            self.reset();
        }
        match token.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                self.levels.push(Level::default());
                self.deepen();
                false
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                if self.levels.len() > 1 {
                    self.reset();
                    self.levels.pop();
                    self.depth = self.depth.saturating_sub(1);
                }
                // Brackets are links too: calls of calls, blocks in a row.
                self.link();
                true
            }
            TokenKind::Ident => self.word(token.text, before),
            TokenKind::RawIdent | TokenKind::Literal { .. } => true,
            // Postfix in expressions; in types a prefix that does not nest.
            TokenKind::Question => {
                self.link();
                before.operand
            }
            _ => {
                self.punctuation(token, before);
                false
            }
        }
    }

    fn word(&mut self, word: &str, before: Before) -> bool {
        let opens = match word {
            "if" => !before.is_else,
            "return" | "break" | "yield" | "move" | "static" | "fn" | "impl" | "dyn" | "for" | "let" | "box"
            | "raw" | "match" | "while" | "become" => true,
            _ => false,
        };
        if opens {
            self.pend();
        }
        let prefix = matches!(word, "if" | "in" | "else" | "mut" | "ref" | "const" | "async" | "as" | "where");
        !opens && !prefix
    }

    fn punctuation(&mut self, token: &Seen<'_>, before: Before) {
        match token.kind {
            TokenKind::Semi => self.reset(),
            // Within generics, and between the bars of a closure, a comma ends nothing.
            TokenKind::Comma if self.levels.last().is_some_and(|level| level.angles == 0 && !level.bars) => {
                self.reset();
            }
            TokenKind::Lt if token.next == Some(b'=') => self.link(),
            TokenKind::Lt => {
                if let Some(level) = self.levels.last_mut() {
                    level.angles += 1;
                    self.deepen();
                }
            }
            TokenKind::Gt => {
                let arrow = token.joint && matches!(before.kind, TokenKind::Minus | TokenKind::Eq);
                if let Some(level) = self.levels.last_mut()
                    && level.angles > 0
                    && !arrow
                {
                    level.angles -= 1;
                    self.depth = self.depth.saturating_sub(1);
                }
            }
            TokenKind::Eq => self.equals(token, before),
            TokenKind::Or => {
                let closes = self.levels.last_mut().is_some_and(|level| std::mem::take(&mut level.bars));
                if closes || before.operand || (before.half && token.joint) {
                    self.link();
                    return;
                }
                self.pend();
                if let Some(level) = self.levels.last_mut() {
                    level.bars = true;
                }
            }
            TokenKind::And if before.half && token.joint => self.link(),
            // The arrow of a function type nests, subtraction does not.
            TokenKind::Minus if token.next == Some(b'>') => self.pend(),
            TokenKind::And | TokenKind::Star | TokenKind::Bang | TokenKind::Minus | TokenKind::Dot => {
                if before.operand { self.link() } else { self.pend() }
            }
            TokenKind::At => self.pend(),
            TokenKind::Plus | TokenKind::Slash | TokenKind::Caret | TokenKind::Percent | TokenKind::Colon => {
                self.link()
            }
            _ => {}
        }
    }

    /// `=` and `+=` nest to the right; `==`, `!=`, `..=` and `=>` do not.
    fn equals(&mut self, token: &Seen<'_>, before: Before) {
        if token.next == Some(b'>')
            && let Some(level) = self.levels.last_mut()
        {
            level.bars = false;
        }
        let second = token.joint && matches!(before.kind, TokenKind::Eq | TokenKind::Bang | TokenKind::Dot);
        if second || matches!(token.next, Some(b'=' | b'>')) { self.link() } else { self.pend() }
    }

    /// What was pending in the innermost brackets has ended.
    fn reset(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.depth = self.depth.saturating_sub(level.pending + level.angles);
            *level = Level::default();
        }
    }

    fn deepen(&mut self) {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
    }

    fn pend(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.pending += 1;
            self.deepen();
        }
        self.link();
    }

    fn link(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.links += 1;
            self.longest = self.longest.max(level.links);
        }
    }
}
