//! `select!` of tokio and of futures.

use syn::parse::ParseStream;
use syn::{Expr, Ident, Macro, Pat, Token, token};

use super::super::Lowering;
use super::super::body::Operand;
use super::parse;
use crate::facts::{Arm, BlockId, LocalId, Place, Span, Terminator};

/// An arm as written.
struct Branch {
    pat: Pat,
    future: Expr,
    guard: Option<Expr>,
    handler: Expr,
}

/// The arms, and what is done where none can come: `else`, `complete`, `default`.
struct Branches {
    arms: Vec<Branch>,
    others: Vec<Expr>,
}

impl Lowering<'_> {
    /// Preconditions are evaluated first, then all futures; the first that is ready decides. Arms
    /// whose pattern does not match go on in the `else` arm, or behind the macro.
    pub(super) fn select(&mut self, mac: &Macro, span: Span) -> Option<Operand> {
        let Branches { arms: branches, others } = parse(&mac.tokens, branches)?;
        let result = self.body.temp(span);
        for guard in branches.iter().filter_map(|branch| branch.guard.as_ref()) {
            self.value(guard);
        }
        let futures: Vec<LocalId> = branches.iter().map(|branch| self.value(&branch.future)).collect();
        let after = self.body.new_block();
        let other = (!others.is_empty()).then(|| self.body.new_block());
        let mut arms = Vec::with_capacity(branches.len());
        for (branch, future) in branches.iter().zip(futures) {
            let output = self.body.temp(self.span_of(&branch.future));
            let block = self.body.new_block();
            let guarded = branch.guard.is_some();
            let body_span = self.handler_span(&branch.handler);
            arms.push(Arm { future, output, block, body_span, guarded });
        }
        let name = mac.path.segments.last().map(|segment| self.text.span(segment.ident.span()));
        self.body.terminate(Terminator::Select { arms: arms.clone(), other, span: name.unwrap_or(span) });
        for (branch, arm) in branches.iter().zip(&arms) {
            self.body.switch(arm.block);
            self.select_arm(branch, arm.output, other.unwrap_or(after), result);
            self.body.goto(after);
        }
        if let Some(other) = other {
            self.body.switch(other);
            for handler in &others {
                self.into(handler, Some(result));
            }
            self.body.goto(after);
        }
        self.body.switch(after);
        Some(if self.body.is_dead() { Operand::Never(span) } else { Operand::Temp(result) })
    }

    fn select_arm(&mut self, branch: &Branch, output: LocalId, fail: BlockId, result: LocalId) {
        let place = Place::local(output);
        if self.anchors.wanted() {
            let whole = self.span_of_pat(&branch.pat).to(self.span_of(&branch.handler));
            self.anchors.add(whole);
        }
        self.body.open();
        self.match_pattern(&branch.pat, &place, fail);
        self.into(&branch.handler, Some(result));
        let span = self.span_of(&branch.handler);
        let close = self.closing(&branch.handler, span);
        self.body.close(close);
    }

    /// The handler's place; empty if it does nothing.
    fn handler_span(&self, handler: &Expr) -> Span {
        let span = self.span_of(handler);
        let empty = match handler {
            Expr::Block(block) => block.block.stmts.is_empty(),
            Expr::Tuple(tuple) => tuple.elems.is_empty(),
            _ => false,
        };
        if empty { Span::new(span.start, span.start) } else { span }
    }
}

/// Skips `biased;`.
pub(super) fn skip_biased(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
    }
    Ok(())
}

fn branches(input: ParseStream<'_>) -> syn::Result<Branches> {
    let mut all = Branches { arms: Vec::new(), others: Vec::new() };
    skip_biased(input)?;
    while !input.is_empty() {
        if input.peek2(Token![=>]) && (input.peek(Token![else]) || is_word(input)) {
            input.parse::<proc_macro2::TokenTree>()?;
            input.parse::<Token![=>]>()?;
            all.others.push(handler(input)?);
            continue;
        }
        let pat = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![=]>()?;
        let future: Expr = input.parse()?;
        let mut guard = None;
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
            input.parse::<Token![if]>()?;
            guard = Some(input.parse()?);
        }
        input.parse::<Token![=>]>()?;
        let handler = handler(input)?;
        all.arms.push(Branch { pat, future, guard, handler });
    }
    Ok(all)
}

/// `complete` or `default`.
fn is_word(input: ParseStream<'_>) -> bool {
    input.fork().parse::<Ident>().is_ok_and(|ident| ident == "complete" || ident == "default")
        || input.peek(Token![default])
}

/// A block, with or without a comma behind it, or an expression up to a comma or the end.
fn handler(input: ParseStream<'_>) -> syn::Result<Expr> {
    let handler = if input.peek(token::Brace) {
        let block = input.parse()?;
        Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block })
    } else {
        let handler: Expr = input.parse()?;
        if !input.is_empty() && !input.peek(Token![,]) {
            return Err(input.error("expected a comma"));
        }
        handler
    };
    input.parse::<Option<Token![,]>>()?;
    Ok(handler)
}
