//! How deep syntax nests, measured on tokens.
//!
//! syn, the lowering and the dropping of syn's tree recurse: once a level of brackets, prefix
//! operators, generics, closures and so on, and for dropping once a link of a chain. The measure
//! counts every token that may open a level and forgets it where the level must have ended, so it
//! never falls short by more than a constant factor; what it takes for deep without being so only
//! gets a larger stack.

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

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
    TooDeep(usize),
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
}

/// Measures the nesting of a file's code.
pub(super) fn measure(code: &str) -> Depth {
    let mut levels = vec![Level::default()];
    // The sum of `pending` and `angles` over all levels, and of the levels themselves.
    let mut depth = 0_u32;
    let mut deepest = 0_u32;
    let mut longest = 0_u32;
    let mut at = 0_usize;
    let mut last = TokenKind::Whitespace;
    for token in tokenize(code, FrontmatterAllowed::No) {
        let start = at;
        at += token.len as usize;
        let before = std::mem::replace(&mut last, token.kind);
        let Some(level) = levels.last_mut() else { break };
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => continue,
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                levels.push(Level::default());
                depth += 1;
            }
            TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                if levels.len() > 1
                    && let Some(closed) = levels.pop()
                {
                    depth = depth.saturating_sub(1 + closed.pending + closed.angles);
                }
                // Brackets are links too: calls of calls, statements without a semicolon.
                if let Some(level) = levels.last_mut() {
                    level.links += 1;
                    longest = longest.max(level.links);
                }
            }
            TokenKind::Semi => {
                depth = depth.saturating_sub(level.pending + level.angles);
                *level = Level::default();
            }
            // Within generics a comma ends nothing.
            TokenKind::Comma if level.angles == 0 => {
                depth = depth.saturating_sub(level.pending);
                *level = Level::default();
            }
            TokenKind::Lt => {
                level.angles += 1;
                depth += 1;
            }
            // `->` and `=>` close nothing.
            TokenKind::Gt if level.angles > 0 && !matches!(before, TokenKind::Minus | TokenKind::Eq) => {
                level.angles -= 1;
                depth = depth.saturating_sub(1);
            }
            TokenKind::And
            | TokenKind::Star
            | TokenKind::Bang
            | TokenKind::Minus
            | TokenKind::Or
            | TokenKind::Eq
            | TokenKind::Question
            | TokenKind::At
            | TokenKind::Pound => {
                level.pending += 1;
                level.links += 1;
                depth += 1;
                longest = longest.max(level.links);
            }
            TokenKind::Ident => {
                let word = code.get(start..at).unwrap_or("");
                if opens(word) {
                    level.pending += 1;
                    depth += 1;
                }
            }
            TokenKind::Dot
            | TokenKind::Plus
            | TokenKind::Slash
            | TokenKind::Caret
            | TokenKind::Percent
            | TokenKind::Colon => {
                level.links += 1;
                longest = longest.max(level.links);
            }
            _ => {}
        }
        deepest = deepest.max(depth);
        if levels.len() > BRACKETS || deepest > DEEPEST || longest > MOST_LINKS {
            return Depth::TooDeep(start);
        }
    }
    if deepest <= USUAL && longest <= USUAL_LINKS { Depth::Usual } else { Depth::Deep }
}

/// Keywords behind which an expression or a type nests without brackets.
fn opens(word: &str) -> bool {
    matches!(
        word,
        "return" | "break" | "yield" | "move" | "static" | "fn" | "impl" | "dyn" | "for" | "let" | "box" | "raw"
    )
}
