//! Comments that speak to ctxlint, and what stands round them.

use ra_ap_rustc_lexer::{DocStyle, FrontmatterAllowed, TokenKind, tokenize};

use crate::facts::Span;

/// A comment whose text begins with `ctxlint:`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    /// The comment.
    pub(super) span: Span,
    /// What follows `ctxlint:`, without the end of a block comment.
    pub(super) body: Span,
    /// `//!`, `///` or neither.
    pub(super) doc: Doc,
    /// Code stands before it on its line.
    pub(super) trailing: bool,
    /// No code stands before it in the file; inner attributes are not code.
    pub(super) on_top: bool,
    /// The first byte of code behind it, documentation and attributes included; none at the end.
    pub(super) next: Option<u32>,
}

/// Which kind of documentation a comment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doc {
    /// `//!`, `/*!`
    Inner,
    /// `///`, `/**`
    Outer,
    /// None.
    Plain,
}

/// Finds the comments in the code that begins at `base`.
pub(super) fn find(text: &str, base: usize) -> Vec<Comment> {
    let code = text.get(base..).unwrap_or("");
    let mut found: Vec<Comment> = Vec::new();
    // Comments that do not know yet what follows.
    let mut waiting = 0_usize;
    let mut at = base;
    let mut code_on_line = false;
    let mut top = Top::default();
    for token in tokenize(code, FrontmatterAllowed::No) {
        let start = at;
        at += token.len as usize;
        let piece = text.get(start..at).unwrap_or("");
        let doc = match token.kind {
            TokenKind::Whitespace => {
                if piece.contains('\n') {
                    code_on_line = false;
                }
                continue;
            }
            TokenKind::LineComment { doc_style } | TokenKind::BlockComment { doc_style, .. } => match doc_style {
                Some(DocStyle::Inner) => Doc::Inner,
                Some(DocStyle::Outer) => Doc::Outer,
                None => Doc::Plain,
            },
            kind => {
                resolve(&mut found, &mut waiting, start);
                code_on_line = true;
                top.see(kind);
                continue;
            }
        };
        if let Some(body) = body_of(piece, start, doc) {
            found.push(Comment {
                span: Span::new(start as u32, at as u32),
                body,
                doc,
                trailing: code_on_line,
                on_top: top.is_open(),
                next: None,
            });
        } else if doc == Doc::Outer {
            // Documentation is an attribute of what it documents, which begins with it.
            resolve(&mut found, &mut waiting, start);
        }
        if piece.contains('\n') {
            code_on_line = false;
        }
    }
    found
}

/// Tells the comments that wait what follows them.
fn resolve(found: &mut [Comment], waiting: &mut usize, start: usize) {
    for comment in found.iter_mut().skip(*waiting) {
        comment.next = Some(start as u32);
    }
    *waiting = found.len();
}

/// The text behind `ctxlint:`, if the comment's text begins with that.
fn body_of(piece: &str, start: usize, doc: Doc) -> Option<Span> {
    let (inner, block) =
        if let Some(inner) = piece.strip_prefix("//") { (inner, false) } else { (piece.strip_prefix("/*")?, true) };
    let inner = match doc {
        Doc::Inner => inner.strip_prefix('!')?,
        Doc::Outer => inner.strip_prefix(['/', '*'])?,
        Doc::Plain => inner,
    };
    let inner = if block { inner.strip_suffix("*/").unwrap_or(inner) } else { inner };
    let body = inner.trim_start().strip_prefix("ctxlint")?.trim_start().strip_prefix(':')?;
    let body_start = start + (body.as_ptr() as usize).checked_sub(piece.as_ptr() as usize)?;
    Some(Span::new(body_start as u32, (body_start + body.len()) as u32))
}

/// Whether only inner attributes have been seen so far.
#[derive(Default)]
struct Top {
    closed: bool,
    /// Tokens of an inner attribute: `#`, `!`, then brackets.
    seen: u8,
    brackets: u32,
}

impl Top {
    fn is_open(&self) -> bool {
        !self.closed
    }

    fn see(&mut self, kind: TokenKind) {
        if self.closed {
            return;
        }
        match (self.seen, kind) {
            (0, TokenKind::Pound) => self.seen = 1,
            (1, TokenKind::Bang) => self.seen = 2,
            (2, TokenKind::OpenBracket) => {
                self.seen = 3;
                self.brackets = 1;
            }
            (3, TokenKind::OpenBracket) => self.brackets += 1,
            (3, TokenKind::CloseBracket) => {
                self.brackets -= 1;
                if self.brackets == 0 {
                    self.seen = 0;
                }
            }
            (3, _) => {}
            _ => self.closed = true,
        }
    }
}
