//! Attributes: what makes test code, what facts keep, and the attribute form of directives.

use proc_macro2::{TokenStream, TokenTree};
use syn::{AttrStyle, Attribute, Meta};

use super::{Lowering, kept};
use crate::facts::{Attr, PathRef, Segment, Span};

/// Attributes, by their last segment, that make a function a test.
const TEST_ATTRIBUTES: [&str; 7] =
    ["test", "rstest", "bench", "proptest", "quickcheck", "test_case", "wasm_bindgen_test"];

/// Whether the attributes mark test code.
pub(super) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let path = attr.path();
        if path.is_ident("cfg") {
            return match &attr.meta {
                Meta::List(list) => names_test(list.tokens.clone()),
                _ => false,
            };
        }
        path.segments.last().is_some_and(|segment| TEST_ATTRIBUTES.iter().any(|name| segment.ident == name))
    })
}

/// Whether a `cfg` predicate holds in tests only, as far as words tell: `test`, `all(test, …)`,
/// `any(test, …)`, but not `not(test)`.
fn names_test(tokens: TokenStream) -> bool {
    let mut skip = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => {
                if ident == "test" {
                    return true;
                }
                skip = ident == "not";
            }
            TokenTree::Group(group) => {
                if !skip && names_test(group.stream()) {
                    return true;
                }
                skip = false;
            }
            _ => skip = false,
        }
    }
    false
}

/// `#[path = "…"]`.
pub(super) fn path_attr(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().find_map(|attr| match &attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// `#[cfg_attr(ctxlint, …)]`: what stands behind the comma.
fn directive_tokens(attr: &Attribute) -> Option<&TokenStream> {
    let Meta::List(list) = &attr.meta else { return None };
    if !list.path.is_ident("cfg_attr") {
        return None;
    }
    match list.tokens.clone().into_iter().next() {
        Some(TokenTree::Ident(ident)) if ident == "ctxlint" => Some(&list.tokens),
        _ => None,
    }
}

impl Lowering<'_> {
    /// The whole attribute.
    pub(super) fn attr_span(&self, attr: &Attribute) -> Span {
        self.text.between(attr.pound_token.span, attr.bracket_token.span.close())
    }

    /// Attributes as facts keep them; documentation and directives are left out.
    pub(super) fn attrs(&self, attrs: &[Attribute]) -> Vec<Attr> {
        let attrs = attrs.iter().filter(|attr| !attr.path().is_ident("doc") && directive_tokens(attr).is_none());
        kept(attrs.map(|attr| Attr {
            path: self.path(None, attr.path()),
            args: match &attr.meta {
                Meta::List(list) => self.paths_in(list.tokens.clone()),
                _ => Vec::new(),
            },
            span: self.attr_span(attr),
        }))
    }

    /// The arguments of a list that are plain paths.
    fn paths_in(&self, tokens: TokenStream) -> Vec<PathRef> {
        let mut paths = Vec::new();
        let mut segments: Vec<Segment> = Vec::new();
        let mut plain = true;
        for tree in tokens {
            match tree {
                TokenTree::Ident(ident) => {
                    let (name, span) = self.text.ident(&ident);
                    segments.push(Segment { name, span, args: Vec::new(), bindings: Vec::new() });
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {}
                TokenTree::Punct(punct) if punct.as_char() == ',' => {
                    let segments = std::mem::take(&mut segments);
                    paths.extend(self.plain_path(segments).filter(|_| plain));
                    plain = true;
                }
                _ => plain = false,
            }
        }
        paths.extend(self.plain_path(segments).filter(|_| plain));
        paths
    }

    /// A path made of plain segments; none if there are none.
    pub(super) fn plain_path(&self, segments: Vec<Segment>) -> Option<PathRef> {
        let span = segments.first()?.span.to(segments.last()?.span);
        Some(PathRef { scope: self.scope, global: false, qself: None, segments, span })
    }

    /// `#![cfg_attr(ctxlint, …)]` at the top of the file.
    pub(super) fn file_attributes(&mut self, attrs: &[Attribute]) {
        for attr in attrs.iter().filter(|attr| directive_tokens(attr).is_some()) {
            let span = self.attr_span(attr);
            self.anchors.attribute(span, None);
        }
    }

    /// Notes the directives among a node's attributes: outer ones cover the node, and so do inner ones.
    pub(super) fn node_attributes(&mut self, attrs: &[Attribute], node: Span) {
        if !self.anchors.wanted() {
            return;
        }
        for attr in attrs {
            let span = self.attr_span(attr);
            if directive_tokens(attr).is_some() {
                self.anchors.attribute(span, Some(node));
            } else if matches!(attr.style, AttrStyle::Outer) {
                self.anchors.add(Span { start: span.start, end: node.end.max(span.end) });
            }
        }
        self.anchors.add(node);
    }

    /// `node` with the attributes and the documentation before it.
    pub(super) fn with_attrs(&self, attrs: &[Attribute], node: Span) -> Span {
        // They stand in source order, so the first reaches furthest.
        let node = match attrs.iter().find(|attr| matches!(attr.style, AttrStyle::Outer)) {
            Some(first) => node.to(self.attr_span(first)),
            None => node,
        };
        Span { start: self.text.documented_from(node.start), end: node.end }
    }
}
