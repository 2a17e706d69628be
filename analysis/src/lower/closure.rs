//! Bodies as wholes: functions, closures and `async` blocks.

use syn::{FnArg, Pat};

use super::Lowering;
use super::body::Operand;
use crate::facts::{BodyId, BodyKind, ItemId, LocalId, LocalKind, OpKind, Param, Place, Span, Terminator, TypeRef};

impl Lowering<'_> {
    /// The body of a function or method.
    pub(super) fn function_body(
        &mut self,
        item: ItemId,
        sig: &syn::Signature,
        params: &[Param],
        block: &syn::Block,
    ) -> BodyId {
        let span = self.text.between(block.brace_token.span.open(), block.brace_token.span.close());
        self.begin_body(BodyKind::Function(item), span);
        self.body.body.is_async = sig.asyncness.is_some();
        self.body.body.block = Some(span);
        self.body.open();
        let mut patterns = Vec::new();
        for (input, param) in sig.inputs.iter().zip(params) {
            let (mutable, pat) = match input {
                FnArg::Receiver(receiver) => (receiver.mutability.is_some(), None),
                FnArg::Typed(typed) => match &*typed.pat {
                    Pat::Ident(pat) if !param.name.is_empty() => (pat.mutability.is_some(), None),
                    pat => (false, Some(pat)),
                },
            };
            let local = self.parameter_local(param, mutable);
            patterns.extend(pat.map(|pat| (pat, local, Some(param.ty.clone()))));
        }
        for (pat, local, ty) in patterns {
            self.bind_all(pat, &Place::local(local), ty);
        }
        let operand = self.body_block(block, span);
        let close = self.text.span(block.brace_token.span.close());
        self.finish_body(operand, span, close);
        self.end_body()
    }

    fn parameter_local(&mut self, param: &Param, mutable: bool) -> LocalId {
        let name = (!param.name.is_empty()).then(|| param.name.clone());
        let local = self.body.local(name.clone(), param.pat_span, Some(param.ty.clone()), LocalKind::Param, mutable);
        self.body.body.params.push(local);
        match name {
            Some(name) => self.body.declare(name, local),
            None => self.body.keep(local),
        }
        local
    }

    /// The expression of a body without braces.
    pub(super) fn body_expr(&mut self, body: &syn::Expr, close: Span) -> Operand {
        let from = self.body.mark();
        let value = self.value(body);
        self.body.end_temps(from, self.body.mark(), Some(value), close);
        Operand::Temp(value)
    }

    /// Returns the value of the body's last expression, after the parameters have ended.
    pub(super) fn finish_body(&mut self, operand: Operand, span: Span, close: Span) {
        let value = self.body.value(operand, span);
        self.body.close(close);
        self.body.terminate(Terminator::Return(value));
    }

    /// A closure as a value.
    pub(super) fn closure(&mut self, closure: &syn::ExprClosure, span: Span) -> Operand {
        self.begin_body(BodyKind::Closure(self.body.id), span);
        self.body.body.is_move = closure.capture.is_some();
        self.body.body.is_async = closure.asyncness.is_some();
        self.body.body.ret = self.ret(&closure.output);
        self.body.open();
        let mut patterns = Vec::new();
        for input in &closure.inputs {
            let (pat, ty) = match input {
                Pat::Type(typed) => (&*typed.pat, Some(self.ty(&typed.ty))),
                pat => (pat, None),
            };
            let pat_span = self.span_of_pat(pat);
            self.anchors.add(pat_span);
            match pat {
                Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => {
                    let name = self.text.name(&ident.ident);
                    let mutable = ident.mutability.is_some();
                    let kind = LocalKind::Param;
                    let local = self.body.local(Some(name.clone()), pat_span, ty, kind, mutable);
                    self.body.body.params.push(local);
                    self.body.declare(name, local);
                }
                pat => {
                    let kind = LocalKind::Param;
                    let local = self.body.local(None, pat_span, ty.clone(), kind, false);
                    self.body.body.params.push(local);
                    self.body.keep(local);
                    patterns.push((pat, local, ty));
                }
            }
        }
        for (pat, local, ty) in patterns {
            self.bind_all(pat, &Place::local(local), ty);
        }
        let body_span = self.span_of(&closure.body);
        let close = self.closing(&closure.body, body_span);
        let operand = match &*closure.body {
            syn::Expr::Block(block) if block.label.is_none() => {
                self.body.body.block = Some(body_span);
                self.body_block(&block.block, body_span)
            }
            body => self.body_expr(body, close),
        };
        self.finish_body(operand, body_span, close);
        let id = self.end_body();
        Operand::Temp(self.body.op(span, OpKind::Closure(id)))
    }

    /// An `async` block as a value.
    pub(super) fn async_block(&mut self, block: &syn::ExprAsync, span: Span) -> Operand {
        self.begin_body(BodyKind::AsyncBlock(self.body.id), span);
        self.body.body.is_move = block.capture.is_some();
        self.body.body.is_async = true;
        let braces = block.block.brace_token.span;
        self.body.body.block = Some(self.text.between(braces.open(), braces.close()));
        self.body.open();
        let operand = self.body_block(&block.block, span);
        let close = self.text.span(block.block.brace_token.span.close());
        self.finish_body(operand, span, close);
        let id = self.end_body();
        Operand::Temp(self.body.op(span, OpKind::Closure(id)))
    }

    /// Where the scope round an expression ends: its closing brace, or the point behind it.
    pub(super) fn closing(&self, expr: &syn::Expr, span: Span) -> Span {
        match expr {
            syn::Expr::Block(block) => self.text.span(block.block.brace_token.span.close()),
            syn::Expr::Unsafe(block) => self.text.span(block.block.brace_token.span.close()),
            _ => Span::new(span.end, span.end),
        }
    }

    /// Binds a pattern that cannot fail, and takes a type written behind it apart with it.
    pub(super) fn bind_all(&mut self, pat: &Pat, place: &Place, ty: Option<TypeRef>) {
        let bound = self.declare_bindings(pat, ty.as_ref());
        self.bind(pat, place, &bound);
        self.make_known(bound);
    }
}
