//! Macros of asynchronous code: `join!`, `try_join!`, `ready!`, `pin!`.

use proc_macro2::TokenStream;
use syn::parse::{Parse as _, ParseStream};
use syn::{Expr, Ident, Macro, Token};

use super::super::Lowering;
use super::super::body::{Operand, step};
use super::{expressions, parse};
use crate::facts::{Exit, LocalId, LocalKind, OpKind, Place, Span, Step, Terminator, Test};

impl Lowering<'_> {
    /// `join!(a, b)`: all futures are made, then all are awaited; a tuple of the results.
    pub(super) fn join(&mut self, tokens: &TokenStream, span: Span) -> Option<Operand> {
        let results = self.awaited(tokens)?;
        Some(Operand::Temp(self.body.op(span, OpKind::Tuple(results))))
    }

    /// `try_join!(a, b)`: as `join!`, and `Ok` of the tuple of what the results hold in `Ok`, or the
    /// first of them that failed.
    pub(super) fn try_join(&mut self, tokens: &TokenStream, span: Span) -> Option<Operand> {
        let results = self.awaited(tokens)?;
        let value = self.body.temp(span);
        let after = self.body.new_block();
        let mut payloads = Vec::with_capacity(results.len());
        for result in results {
            let place = Place::local(result);
            let at = self.body.body.local_span(result);
            let then = self.body.new_block();
            let other = self.body.new_block();
            self.body.terminate(Terminator::Match { place: place.clone(), test: Test::Success, then, other, span: at });
            self.body.switch(other);
            let error = step(&place, Step::Variant("Err".into(), "0".into()));
            let error = self.body.op(at, OpKind::Use(error));
            let failed = self.wrapped("Err", error, at);
            self.body.emit(at, Some(value), failed);
            self.body.goto(after);
            self.body.switch(then);
            let payload = step(&place, Step::Variant("Ok".into(), "0".into()));
            payloads.push(self.body.op(at, OpKind::Use(payload)));
        }
        let tuple = self.body.op(span, OpKind::Tuple(payloads));
        let kind = self.wrapped("Ok", tuple, span);
        self.body.emit(span, Some(value), kind);
        self.body.goto(after);
        self.body.switch(after);
        Some(Operand::Temp(value))
    }

    fn awaited(&mut self, tokens: &TokenStream) -> Option<Vec<LocalId>> {
        let futures = parse(tokens, |input| {
            super::select::skip_biased(input)?;
            expressions(input)
        })?;
        let made: Vec<(LocalId, Span)> =
            futures.iter().map(|future| (self.value(future), self.span_of(future))).collect();
        Some(made.into_iter().map(|(made, at)| self.body.op(at, OpKind::Await(made))).collect())
    }

    /// `ready!(poll)`: the value of `Poll::Ready`, or `return Poll::Pending`.
    pub(super) fn ready(&mut self, poll: &Expr, span: Span) -> Operand {
        let place = Place::local(self.value(poll));
        let then = self.body.new_block();
        let other = self.body.new_block();
        let test = Test::Variant(self.made_path(&["Poll", "Ready"], span));
        self.body.terminate(Terminator::Match { place: place.clone(), test, then, other, span });
        self.body.switch(other);
        let pending = self.made_path(&["Poll", "Pending"], span);
        let pending = self.body.op(span, OpKind::Path(pending));
        self.body.leave(0, Exit::Return, span);
        self.body.terminate(Terminator::Return(pending));
        self.body.switch(then);
        let payload = step(&place, Step::Variant("Ready".into(), "0".into()));
        Operand::Temp(self.body.op(span, OpKind::Use(payload)))
    }

    /// A path the macro writes, as the compiler would see it.
    fn made_path(&self, names: &[&'static str], span: Span) -> crate::facts::PathRef {
        let segments = names
            .iter()
            .map(|name| crate::facts::Segment {
                name: crate::facts::Name::new_static(name),
                span,
                args: Vec::new(),
                bindings: Vec::new(),
            })
            .collect();
        crate::facts::PathRef { scope: self.scope, global: false, qself: None, segments, span }
    }

    /// `pin!(a, b);` binds the names anew; `pin! { let a = f(); }` binds them at all. False if the
    /// tokens are neither.
    pub(super) fn pin_names(&mut self, mac: &Macro, span: Span) -> bool {
        let names = parse(&mac.tokens, |input| {
            Ok(input.parse_terminated(Ident::parse, Token![,])?.into_iter().collect::<Vec<_>>())
        });
        if let Some(names) = names {
            for ident in names {
                self.pin_name(&ident, span);
            }
            return true;
        }
        let Some(lets) = parse(&mac.tokens, bindings) else { return false };
        for (mutable, ident, init) in lets {
            let operand = self.expr(&init);
            let (name, name_span) = self.text.ident(&ident);
            let kind = LocalKind::Binding;
            let local = self.body.local(Some(name.clone()), name_span, None, kind, mutable);
            self.body.store(local, operand, span);
            self.body.declare(name, local);
        }
        true
    }

    fn pin_name(&mut self, ident: &Ident, span: Span) {
        let (name, name_span) = self.text.ident(ident);
        let Some(old) = self.resolve(&name) else { return };
        let ty = self.body.body.local(old).and_then(|local| local.ty.as_deref().cloned());
        let kind = LocalKind::Binding;
        let local = self.body.local(Some(name.clone()), name_span, ty, kind, true);
        self.body.emit(span, Some(local), OpKind::Use(Place::local(old)));
        self.body.declare(name, local);
    }
}

/// `let mut a = f(); let b = g();`
fn bindings(input: ParseStream<'_>) -> syn::Result<Vec<(bool, Ident, Expr)>> {
    let mut lets = Vec::new();
    while !input.is_empty() {
        input.parse::<Token![let]>()?;
        let mutable = input.parse::<Option<Token![mut]>>()?.is_some();
        let ident: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        let init: Expr = input.parse()?;
        input.parse::<Token![;]>()?;
        lets.push((mutable, ident, init));
    }
    Ok(lets)
}
