//! Imports with a leading `::` within braces, `use {::a::b, c}`, which syn leaves as tokens.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Token, UseTree, Visibility, braced, token};

/// What such an item imports.
pub(super) struct Uses {
    pub(super) attrs: Vec<Attribute>,
    pub(super) vis: Visibility,
    pub(super) keyword: Token![use],
    /// What is imported, and whether it stands behind a leading `::`.
    pub(super) trees: Vec<(UseTree, bool)>,
    pub(super) semi: Token![;],
}

impl Uses {
    /// Reads the tokens of an item; none if it is none of these.
    pub(super) fn of(tokens: &TokenStream) -> Option<Uses> {
        Uses::parse.parse2(tokens.clone()).ok()
    }

    fn parse(input: ParseStream<'_>) -> syn::Result<Uses> {
        let attrs = input.call(Attribute::parse_outer)?;
        let (vis, keyword) = (input.parse()?, input.parse()?);
        let mut trees = Vec::new();
        tree(input, &mut trees)?;
        Ok(Uses { attrs, vis, keyword, trees, semi: input.parse()? })
    }
}

/// One tree before which no path stands: there alone a `::` may lead.
fn tree(input: ParseStream<'_>, trees: &mut Vec<(UseTree, bool)>) -> syn::Result<()> {
    if input.parse::<Option<Token![::]>>()?.is_some() {
        trees.push((input.parse()?, true));
        return Ok(());
    }
    if !input.peek(token::Brace) {
        trees.push((input.parse()?, false));
        return Ok(());
    }
    let within;
    braced!(within in input);
    while !within.is_empty() {
        tree(&within, trees)?;
        if !within.is_empty() {
            within.parse::<Token![,]>()?;
        }
    }
    Ok(())
}
