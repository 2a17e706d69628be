//! Macros in item position.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, Macro, Token, Type};

use super::super::Lowering;
use super::super::items::{head, visibility, visible_first};
use super::parse;
use crate::facts::{ItemKind, Name, Visibility};

/// A `static` within `thread_local!` or `lazy_static!`.
struct Static {
    attrs: Vec<Attribute>,
    vis: syn::Visibility,
    keyword: Token![static],
    ident: Ident,
    ty: Type,
    value: Expr,
}

impl Lowering<'_> {
    /// `macro_rules!` or a macro called where items stand.
    pub(in super::super) fn macro_item(&mut self, attrs: &[Attribute], ident: Option<&Ident>, mac: &Macro) {
        let span = self.macro_span(mac);
        if let Some(ident) = ident {
            let head = head(attrs, Some(ident), Visibility::Private, span);
            self.simple(head, |this| {
                let mut mentions = Vec::new();
                this.words(mac.tokens.clone(), &mut mentions);
                mentions.sort_unstable();
                mentions.dedup();
                this.scan_rules(mac.tokens.clone());
                ItemKind::MacroRules { mentions }
            });
            return;
        }
        if self.declares_statics(mac)
            && let Some(statics) = parse(&mac.tokens, statics)
        {
            for item in &statics {
                let first = visible_first(&item.vis).unwrap_or(item.keyword.span);
                let span = self.text.between(first, super::super::extent::last(&item.value));
                let head = head(&item.attrs, Some(&item.ident), visibility(&item.vis), span);
                self.constant(head, Some(&item.ty), Some(&item.value), true);
            }
            return;
        }
        let head = head(attrs, None, Visibility::Private, span);
        self.simple(head, |this| {
            let (mentions, fields) = this.mentioned_by_items(mac.tokens.clone());
            ItemKind::MacroCall { path: this.path(None, &mac.path), mentions, fields }
        });
    }

    /// All identifiers in a macro's rules, but for those that stand for what it is given (`$name`).
    fn words(&self, tokens: TokenStream, found: &mut Vec<Name>) {
        let mut is_given = false;
        for tree in tokens {
            match &tree {
                TokenTree::Ident(ident) if !is_given => found.push(self.text.name(ident)),
                TokenTree::Group(group) => self.words(group.stream(), found),
                _ => {}
            }
            is_given = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '$');
        }
    }
}

fn statics(input: ParseStream<'_>) -> syn::Result<Vec<Static>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let keyword = input.parse()?;
        input.parse::<Option<Token![ref]>>()?;
        let ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![;]>()?;
        }
        all.push(Static { attrs, vis, keyword, ident, ty, value });
    }
    Ok(all)
}
