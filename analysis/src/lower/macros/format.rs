//! Macros that look at their arguments: formatting, logging, tracing.

use proc_macro2::Span as TokenSpan;
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Token, token};

use super::super::Lowering;
use crate::facts::{LocalId, Mutability, OpKind, Place};

/// One argument.
pub(super) enum Argument {
    /// A value, named or not.
    Value(Expr),
    /// A text with possible captures.
    Format(String, TokenSpan),
}

/// The arguments of a formatting or logging macro, in the union of all their syntaxes:
/// `"text"`, `value`, `name = value`, `?value`, `%value`, `target: "…"`, `{ fields }`, `key = value; "text"`.
pub(super) fn arguments(input: ParseStream<'_>) -> syn::Result<Vec<Argument>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        argument(input, &mut found)?;
        if input.is_empty() {
            break;
        }
        if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
        } else {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(found)
}

/// A condition, then the arguments of its message.
pub(super) fn checked(input: ParseStream<'_>) -> syn::Result<(Expr, Vec<Argument>)> {
    let condition: Expr = input.parse()?;
    if input.is_empty() {
        return Ok((condition, Vec::new()));
    }
    input.parse::<Token![,]>()?;
    Ok((condition, arguments(input)?))
}

fn argument(input: ParseStream<'_>, found: &mut Vec<Argument>) -> syn::Result<()> {
    // Fields in braces: `info!({ a = 1 }, "text")`. A block as an argument parses as one too.
    if input.peek(token::Brace) {
        let fork = input.fork();
        if let Ok(fields) = braced(&fork)
            && (fork.is_empty() || fork.peek(Token![,]))
        {
            braced(input)?;
            found.extend(fields);
            return Ok(());
        }
    }
    skip_name(input)?;
    if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
    } else if input.peek(Token![%]) {
        input.parse::<Token![%]>()?;
    }
    let value: Expr = input.parse()?;
    match &value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => {
            found.push(Argument::Format(text.value(), text.span()));
        }
        _ => found.push(Argument::Value(value)),
    }
    Ok(())
}

fn braced(input: ParseStream<'_>) -> syn::Result<Vec<Argument>> {
    let content;
    syn::braced!(content in input);
    arguments(&content)
}

/// Skips `name =`, `a.b =`, `"name" =`, `key:? =`, `target:`.
fn skip_name(input: ParseStream<'_>) -> syn::Result<()> {
    let literal = input.peek(syn::LitStr) && input.peek2(Token![=]) && !input.peek2(Token![==]);
    if literal {
        input.parse::<syn::LitStr>()?;
        input.parse::<Token![=]>()?;
        return Ok(());
    }
    if !input.peek(Ident::peek_any) {
        return Ok(());
    }
    let ahead = input.fork();
    ahead.call(Ident::parse_any)?;
    while ahead.peek(Token![.]) && ahead.peek2(Ident::peek_any) {
        ahead.parse::<Token![.]>()?;
        ahead.call(Ident::parse_any)?;
    }
    if ahead.peek(Token![:]) && !ahead.peek(Token![::]) {
        ahead.parse::<Token![:]>()?;
        let sigil = ahead.peek(Token![?]) || ahead.peek(Token![%]) || ahead.peek(Ident::peek_any);
        if sigil && ahead.peek2(Token![=]) && !ahead.peek2(Token![==]) {
            ahead.parse::<proc_macro2::TokenTree>()?;
            ahead.parse::<Token![=]>()?;
        }
    } else if ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]) {
        ahead.parse::<Token![=]>()?;
    } else {
        return Ok(());
    }
    syn::parse::discouraged::Speculative::advance_to(input, &ahead);
    Ok(())
}

impl Lowering<'_> {
    /// Evaluates arguments; places are borrowed, never moved.
    pub(super) fn inspected(&mut self, args: &[Argument]) -> Vec<LocalId> {
        let mut locals = Vec::new();
        for arg in args {
            match arg {
                Argument::Value(expr) => locals.push(self.look(expr)),
                Argument::Format(text, span) => {
                    for name in captures(text) {
                        if let Some(local) = self.resolve(name) {
                            let span = self.text.span(*span);
                            let kind = OpKind::Ref(Place::local(local), Mutability::Shared);
                            locals.push(self.body.op(span, kind));
                        }
                    }
                }
            }
        }
        locals
    }
}

/// The names a format string captures: `{name}`, `{name:?}`, `{:>width$}`, `{:.*}`.
pub(super) fn captures(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        rest = rest.get(open + 1..).unwrap_or("");
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
            continue;
        }
        let Some(close) = rest.find('}') else { break };
        let inside = rest.get(..close).unwrap_or("");
        rest = rest.get(close + 1..).unwrap_or("");
        let (name, spec) = inside.split_once(':').unwrap_or((inside, ""));
        names.extend(Some(name.trim()).filter(|name| is_name(name)));
        for (at, _) in spec.match_indices('$') {
            let before = spec.get(..at).unwrap_or("");
            let start = before
                .char_indices()
                .rev()
                .take_while(|(_, c)| c.is_alphanumeric() || *c == '_')
                .last()
                .map_or(at, |(start, _)| start);
            let name = before.get(start..).unwrap_or("");
            names.extend(Some(name).filter(|name| is_name(name)));
        }
    }
    names
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_') && chars.all(|c| c.is_alphanumeric() || c == '_')
}
