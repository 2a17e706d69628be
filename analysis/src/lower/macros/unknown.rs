//! Macros nobody knows: what they mention.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::super::Lowering;
use super::format::captures;
use crate::facts::{LocalId, Name, OpKind, PathRef, Place, Segment, Span, Step};

/// Words that are neither locals nor paths.
const KEYWORDS: [&str; 34] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "extern", "false", "fn", "for", "if",
    "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return", "static", "struct", "trait",
    "true", "type", "unsafe", "use", "where", "while",
];

/// What tokens mention.
#[derive(Default)]
struct Mentions {
    locals: Vec<Place>,
    paths: Vec<PathRef>,
    fields: Vec<Name>,
}

impl Mentions {
    fn add(&mut self, place: Option<Place>) {
        self.locals.extend(place.filter(|place| !self.locals.contains(place)));
    }
}

impl Lowering<'_> {
    /// An operation that may do anything with what its tokens mention.
    pub(in super::super) fn unknown(&mut self, path: Option<PathRef>, tokens: TokenStream, span: Span) -> LocalId {
        let mut found = Mentions::default();
        self.mentions(tokens, true, &mut found);
        let kind = OpKind::Unknown { path, mentions: found.locals, paths: found.paths, fields: found.fields };
        self.body.op(span, kind)
    }

    /// The paths and fields that tokens in item position mention.
    pub(super) fn mentioned_by_items(&mut self, tokens: TokenStream) -> (Vec<PathRef>, Vec<Name>) {
        let mut found = Mentions::default();
        self.mentions(tokens, false, &mut found);
        (found.paths, found.fields)
    }

    fn mentions(&mut self, tokens: TokenStream, locals: bool, found: &mut Mentions) {
        let mut path = Words::default();
        // What the last tokens lead to: `self.stop`.
        let mut place: Option<Place> = None;
        let mut tokens = tokens.into_iter().peekable();
        while let Some(tree) = tokens.next() {
            let before = place.take();
            match tree {
                TokenTree::Ident(ident) => {
                    let (name, span) = self.text.ident(&ident);
                    place = before.filter(|_| path.after_dot).map(|place| place.then(Step::Field(name.clone())));
                    found.add(place.clone());
                    if path.after_dot && !tokens.peek().is_some_and(are_arguments) && !found.fields.contains(&name) {
                        found.fields.push(name.clone());
                    }
                    if locals && let Some(local) = self.resolve(&name) {
                        let local = Place::local(local);
                        found.add(Some(local.clone()));
                        place = place.or(Some(local));
                    }
                    if !path.continues() {
                        self.finish(&mut path, locals, found);
                    }
                    path.word(Segment { name, span, args: Vec::new(), bindings: Vec::new() });
                }
                TokenTree::Punct(punct) => match punct.as_char() {
                    ':' => path.colon(),
                    '.' => {
                        self.finish(&mut path, locals, found);
                        path.after_dot = true;
                        place = before;
                    }
                    _ => self.finish(&mut path, locals, found),
                },
                TokenTree::Literal(literal) => {
                    self.finish(&mut path, locals, found);
                    let text = self.text.slice(self.text.span(literal.span()));
                    if locals && text.contains('{') && text.contains('"') {
                        for name in captures(text) {
                            found.add(self.resolve(name).map(Place::local));
                        }
                    }
                }
                TokenTree::Group(group) => {
                    self.finish(&mut path, locals, found);
                    self.mentions(group.stream(), locals, found);
                }
            }
        }
        self.finish(&mut path, locals, found);
    }

    /// Ends the path that was being read.
    fn finish(&mut self, words: &mut Words, locals: bool, found: &mut Mentions) {
        let Words { segments, after_dot, .. } = std::mem::take(words);
        let is_path = match segments.as_slice() {
            [] => false,
            [only] => {
                let is_local = locals && self.resolve(&only.name).is_some();
                !(after_dot || is_local || KEYWORDS.contains(&only.name.as_str()))
            }
            _ => true,
        };
        if is_path {
            found.paths.extend(self.plain_path(segments));
        }
    }
}

fn are_arguments(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis)
}

/// A path being read.
#[derive(Default)]
struct Words {
    segments: Vec<Segment>,
    colons: u32,
    after_dot: bool,
}

impl Words {
    fn continues(&self) -> bool {
        self.segments.is_empty() || self.colons == 2
    }

    fn word(&mut self, segment: Segment) {
        self.segments.push(segment);
        self.colons = 0;
    }

    fn colon(&mut self) {
        self.colons += 1;
    }
}
