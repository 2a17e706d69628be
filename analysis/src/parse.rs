//! From the text of one file to its facts.
//!
//! The lexer goes first: it finds the comments with directives, and it measures how deep the syntax
//! nests, because syn parses by recursion and a stack that overflows cannot be caught.

mod comments;
mod directives;
mod nesting;

use ra_ap_rustc_lexer::{DocStyle, FrontmatterAllowed, TokenKind, tokenize};

use crate::facts::{Directive, FileFacts, Span};
use crate::lower::{self, text::Text};
use crate::outline::tokens;

/// Files beyond this size are not parsed, in bytes.
const LARGEST: usize = 16 << 20;

/// The stack on which deep syntax is parsed, in bytes. Only what is used of it costs memory.
const DEEP_STACK: usize = 1 << 30;

/// Why a file has no facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// Lexes, parses and lowers the text of one file.
///
/// One call is one job on one thread: it makes all spans that proc-macro2 holds for the thread
/// invalid. The thread should have a stack of some tens of megabytes; what nests deeper than a
/// person writes is moved to a thread with a larger one.
///
/// # Errors
/// If the text is no Rust, too large, or nested deeper than can be parsed.
pub fn parse(text: &str) -> Result<FileFacts, ParseError> {
    parse_mended(text, &[])
}

/// The same, but leaves the given places out: what stands between the braces of functions, whose bodies are then not
/// known to the facts, and whole functions. They are not looked at, as long as the rest is Rust without them.
///
/// # Errors
/// As for [`parse`].
pub fn parse_but(text: &str, quiet: &[Span]) -> Result<FileFacts, ParseError> {
    if quiet.is_empty() {
        return parse(text);
    }
    parse_mended(text, quiet).or_else(|_| parse(text))
}

/// Before a macro has seen it, an impl may have a visibility (`#[ext] pub impl S {}`): to the compiler's parser that is
/// Rust, to syn it is not.
fn parse_mended(text: &str, quiet: &[Span]) -> Result<FileFacts, ParseError> {
    parse_all_but(text, quiet, &[]).or_else(|error| match visibilities_of_impls(text) {
        none if none.is_empty() => Err(error),
        mended => parse_all_but(text, quiet, &mended),
    })
}

/// `mended` is what is left out besides, for syn's sake.
fn parse_all_but(text: &str, quiet: &[Span], mended: &[Span]) -> Result<FileFacts, ParseError> {
    if text.len() > LARGEST {
        return Err(ParseError {
            message: format!("the file is too large to be checked: more than {} MiB", LARGEST >> 20),
            span: Span::default(),
        });
    }
    let code = Span::new(code_start(text) as u32, text.len() as u32);
    let (depth, docs) = nesting::measure(text, &all_but(code, quiet));
    // To syn every line of documentation is an attribute, a tenth of what it does; nothing here reads them.
    // Where directives are, what they stand before begins with its documentation.
    let docs = if speaks_of_us(text) { Vec::new() } else { docs };
    let docs_gone = docs.iter().map(|(_, span)| span);
    let mut gone: Vec<Span> = quiet.iter().chain(mended).chain(docs_gone).copied().collect();
    gone.sort_unstable();
    let pieces = all_but(code, &gone);
    let of_items = docs.iter().filter(|(style, _)| *style == DocStyle::Outer);
    let docs: Vec<Span> = of_items.map(|(_, span)| *span).collect();
    let source = Source { text, code, pieces: &pieces, docs: &docs, quiet };
    match depth {
        nesting::Depth::Usual => parse_here(&source),
        nesting::Depth::Deep => std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(DEEP_STACK)
                .spawn_scoped(scope, || parse_here(&source))
                .ok()
                .and_then(|thread| thread.join().ok())
                .unwrap_or_else(|| Err(too_deep(code.start)))
        }),
        nesting::Depth::TooDeep(at) => Err(too_deep(at)),
    }
}

/// Where `pub` and the like stand in front of impls.
fn visibilities_of_impls(text: &str) -> Vec<Span> {
    let tokens = tokens::of(text);
    let says = |at: usize| tokens.get(at).map_or("", |token| token.text(text));
    let found = tokens.iter().enumerate().filter(|(_, token)| token.text(text) == "pub").filter_map(|(at, token)| {
        let last = tokens.get(at + 1).filter(|next| next.mark == b'(').map_or(at, tokens::Token::close);
        let item = if matches!(says(last + 1), "unsafe" | "default") { last + 2 } else { last + 1 };
        (says(item) == "impl").then_some(Span::new(token.start, tokens.get(last)?.end))
    });
    found.collect()
}

/// What is left of a range without some others, which are in order.
fn all_but(range: Span, others: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(others.len() + 1);
    let mut at = range.start;
    for other in others.iter().filter(|other| other.start < other.end && other.end <= range.end) {
        if at < other.start {
            left.push(Span::new(at, other.start));
        }
        at = at.max(other.end);
    }
    if at < range.end {
        left.push(Span::new(at, range.end));
    }
    left
}

/// What is given to syn.
struct Source<'t> {
    text: &'t str,
    /// Where its code is.
    code: Span,
    /// What of that syn sees.
    pieces: &'t [Span],
    /// Where the documentation of its items is.
    docs: &'t [Span],
    /// Where there is what is left out.
    quiet: &'t [Span],
}

/// Whether there may be a directive in a text.
pub(crate) fn speaks_of_us(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"ctxlint").is_some()
}

/// The directives of a file that does not parse, each covering lines only.
pub fn directives_only(text: &str) -> Vec<Directive> {
    if text.len() > LARGEST || !speaks_of_us(text) {
        return Vec::new();
    }
    let comments = comments::find(text, code_start(text));
    directives::place(text, &comments, &lower::no_anchors())
}

fn too_deep(at: u32) -> ParseError {
    ParseError { message: "nested too deeply to be parsed".to_owned(), span: Span::new(at, at) }
}

fn parse_here(source: &Source<'_>) -> Result<FileFacts, ParseError> {
    proc_macro2::extra::invalidate_current_thread_spans();
    let Source { text, code, pieces, docs, quiet } = *source;
    let located = Text::new(text, pieces, docs);
    let file = syn::parse_str::<syn::File>(located.code()).map_err(|error| failure(&error, &located))?;
    let wants_directives = speaks_of_us(text);
    let (mut facts, mut anchors) = lower::lower(&file, &located, wants_directives, quiet);
    if wants_directives {
        anchors.sort();
        let comments = comments::find(text, code.start as usize);
        facts.directives = directives::place(text, &comments, &anchors);
    }
    Ok(facts)
}

/// What syn says, in words for whoever wrote the code.
fn failure(error: &syn::Error, located: &Text<'_>) -> ParseError {
    let span = error.span();
    // syn knows no place for what is missing at the end of the file.
    if span.byte_range() == (0..0) {
        let end = located.end();
        return ParseError { message: error.to_string(), span: Span::new(end, end) };
    }
    let span = located.span(span);
    let message = match error.to_string() {
        lexical if lexical.starts_with("cannot parse string") => {
            let rest = located.slice(Span::new(span.start, located.end()));
            match rest.chars().next() {
                Some('(' | '[' | '{') => "this bracket is never closed",
                Some(')' | ']' | '}') => "this bracket closes none, or one of another kind",
                _ => "this is no token of Rust",
            }
            .to_owned()
        }
        message => message,
    };
    ParseError { message, span }
}

/// Where the code begins: behind a byte order mark, a shebang line and a frontmatter.
fn code_start(text: &str) -> usize {
    let bom = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let rest = text.get(bom..).unwrap_or("");
    let start = bom + ra_ap_rustc_lexer::strip_shebang(rest).unwrap_or(0);
    let mut at = start;
    for token in tokenize(text.get(start..).unwrap_or(""), FrontmatterAllowed::Yes) {
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace => {}
            TokenKind::Frontmatter { .. } => return at,
            _ => break,
        }
    }
    start
}
