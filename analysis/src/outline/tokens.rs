//! The tokens of a file with the partners of its brackets.

use ra_ap_rustc_lexer::{FrontmatterAllowed, TokenKind, tokenize};

/// A token; comments, white space and literals are left out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    /// A name, or one punctuation character.
    pub(super) text: &'t str,
    pub(super) is_name: bool,
    /// Its first byte.
    pub(super) start: u32,
    /// For an opening bracket: the index of the token that closes it, or of the last one.
    pub(super) close: u32,
}

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::with_capacity(text.len() / 5);
    let mut open: Vec<usize> = Vec::new();
    let mut at = 0_usize;
    for token in tokenize(text, FrontmatterAllowed::No) {
        let start = at;
        at += token.len as usize;
        let is_name = matches!(token.kind, TokenKind::Ident | TokenKind::RawIdent);
        match token.kind {
            TokenKind::Whitespace
            | TokenKind::LineComment { .. }
            | TokenKind::BlockComment { .. }
            | TokenKind::Literal { .. }
            | TokenKind::Lifetime { .. }
            | TokenKind::RawLifetime => continue,
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => open.push(found.len()),
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                let close = found.len() as u32;
                if let Some(opening) = open.pop().and_then(|at| found.get_mut(at)) {
                    opening.close = close;
                }
            }
            _ => {}
        }
        let text = text.get(start..at).unwrap_or("");
        let text = if is_name { text.strip_prefix("r#").unwrap_or(text) } else { text };
        found.push(Token { text, is_name, start: start as u32, close: 0 });
    }
    let last = found.len().saturating_sub(1) as u32;
    for opening in open {
        if let Some(opening) = found.get_mut(opening) {
            opening.close = last;
        }
    }
    found
}
