//! Expressions without control flow of their own, and the way to the others.

use syn::{BinOp, Expr, UnOp};

use super::body::{Operand, step};
use super::pattern::{elements, literal};
use super::types::mutability;
use super::{Lowering, extent};
use crate::facts::{BinaryOp, Callee, Exit, LocalId, Mutability, OpKind, Place, Span, Step, Terminator, UnaryOp};

impl Lowering<'_> {
    /// Evaluates an expression; a place is not read.
    pub(super) fn expr(&mut self, expr: &Expr) -> Operand {
        // Chains of methods, fields and operators lean to the left and may be long: they are
        // walked down first and then built up in a loop, not by recursion.
        let mut links = Vec::new();
        let mut base = expr;
        while let Some(inner) = left_of(base) {
            links.push(base);
            base = inner;
        }
        let mut operand = self.atom(base);
        if links.is_empty() {
            return operand;
        }
        let first = self.text.span(extent::first(base));
        let mut at = self.span_of(base);
        while let Some(link) = links.pop() {
            let span = first.to(self.text.span(extent::last(link)));
            operand = self.link(link, operand, at, span);
            at = span;
        }
        operand
    }

    /// The local that holds an expression's value.
    pub(super) fn value(&mut self, expr: &Expr) -> LocalId {
        match self.expr(expr) {
            Operand::Temp(value) => value,
            operand => {
                let span = self.span_of(expr);
                self.body.value(operand, span)
            }
        }
    }

    /// A borrow of an expression, which is not moved: for what only looks.
    pub(super) fn look(&mut self, expr: &Expr) -> LocalId {
        match self.expr(expr) {
            Operand::Place(place) => {
                let span = self.span_of(expr);
                self.body.op(span, OpKind::Ref(place, Mutability::Shared))
            }
            other => self.body.value(other, Span::default()),
        }
    }

    /// Evaluates an expression into `dest`, or for its effects alone.
    pub(super) fn into(&mut self, expr: &Expr, dest: Option<LocalId>) {
        match expr {
            Expr::If(e) => self.if_expr(e, dest),
            Expr::Match(e) => self.match_expr(e, dest),
            Expr::Block(e) => self.labelled_block(e, dest),
            Expr::Unsafe(e) => self.block(&e.block, dest),
            Expr::Const(e) => self.block(&e.block, dest),
            Expr::Loop(e) => self.loop_expr(e, dest),
            Expr::While(e) => {
                self.while_expr(e);
                self.unit_into(dest, expr);
            }
            Expr::ForLoop(e) => {
                self.for_expr(e);
                self.unit_into(dest, expr);
            }
            Expr::TryBlock(e) => self.try_block(e, dest),
            Expr::Paren(e) => self.into(&e.expr, dest),
            Expr::Group(e) => self.into(&e.expr, dest),
            _ => {
                let from = self.body.mark();
                let operand = self.expr(expr);
                let span = self.span_of(expr);
                self.deliver(operand, dest, from, span);
            }
        }
    }

    pub(super) fn unit_into(&mut self, dest: Option<LocalId>, expr: &Expr) {
        if let Some(dest) = dest
            && !self.body.is_dead()
        {
            let span = self.span_of(expr);
            self.body.emit(span, Some(dest), OpKind::Tuple(Vec::new()));
        }
    }

    /// One link of a chain, applied to what is left of it.
    fn link(&mut self, expr: &Expr, left: Operand, left_span: Span, span: Span) -> Operand {
        self.anchors.add(span);
        match expr {
            Expr::Field(e) => {
                let place = self.body.place(left);
                let name = self.member(&e.member);
                self.link_anchor(e.dot_token.span, span);
                Operand::Place(place.then(Step::Field(name)))
            }
            Expr::Index(e) => {
                let place = self.body.place(left);
                self.value(&e.index);
                // A part of a collection has the same elements.
                let is_part = matches!(&*e.index, Expr::Range(_));
                Operand::Place(if is_part { place } else { place.then(Step::Index) })
            }
            Expr::MethodCall(e) => {
                let receiver = self.body.place(left);
                self.link_anchor(e.dot_token.span, span);
                let args = e.args.iter().map(|arg| self.value(arg)).collect();
                let (name, name_span) = self.text.ident(&e.method);
                let types = self.turbofish(e.turbofish.as_ref());
                let kind = OpKind::MethodCall { receiver, name, name_span, types, args };
                Operand::Temp(self.body.op(span, kind))
            }
            Expr::Call(e) => {
                let callee = Callee::Value(self.body.place(left));
                let args = e.args.iter().map(|arg| self.value(arg)).collect();
                Operand::Temp(self.body.op(span, OpKind::Call { callee, args }))
            }
            Expr::Await(e) => {
                self.link_anchor(e.dot_token.span, span);
                let future = self.body.value(left, left_span);
                Operand::Temp(self.body.op(span, OpKind::Await(future)))
            }
            Expr::Try(e) => {
                let question = self.text.span(e.question_token.span);
                let value = self.body.value(left, left_span);
                self.question(value, span, question)
            }
            Expr::Cast(e) => {
                let value = self.body.value(left, left_span);
                let ty = self.ty(&e.ty);
                Operand::Temp(self.body.op(span, OpKind::Cast(value, ty)))
            }
            Expr::Binary(e) => self.binary(e, left, left_span, span),
            _ => left,
        }
    }

    /// A link that stands on a line of its own is covered by what stands above that line.
    fn link_anchor(&mut self, dot: proc_macro2::Span, link: Span) {
        if self.anchors.wanted() {
            let start = self.text.span(dot).start;
            self.anchors.add(Span { start, end: link.end });
        }
    }

    fn binary(&mut self, e: &syn::ExprBinary, left: Operand, left_span: Span, span: Span) -> Operand {
        let op = match &e.op {
            BinOp::And(_) => return self.lazy(left, left_span, &e.right, true, span),
            BinOp::Or(_) => return self.lazy(left, left_span, &e.right, false, span),
            BinOp::Eq(_) => BinaryOp::Eq,
            BinOp::Ne(_) => BinaryOp::Ne,
            BinOp::Lt(_) => BinaryOp::Lt,
            BinOp::Le(_) => BinaryOp::Le,
            BinOp::Gt(_) => BinaryOp::Gt,
            BinOp::Ge(_) => BinaryOp::Ge,
            BinOp::Mul(_) => BinaryOp::Mul,
            _ => BinaryOp::Other,
        };
        if matches!(op, BinaryOp::Mul | BinaryOp::Other) {
            let left = self.body.value(left, left_span);
            let right = self.value(&e.right);
            return Operand::Temp(self.body.op(span, OpKind::Binary(op, left, right)));
        }
        // Comparisons borrow both sides.
        let left = match left {
            Operand::Place(place) => self.body.op(left_span, OpKind::Ref(place, Mutability::Shared)),
            other => self.body.value(other, left_span),
        };
        let right = self.look(&e.right);
        Operand::Temp(self.body.op(span, OpKind::Binary(op, left, right)))
    }

    /// `left && right` and `left || right` as values.
    fn lazy(&mut self, left: Operand, left_span: Span, right: &Expr, and: bool, span: Span) -> Operand {
        let condition = self.body.value(left, left_span);
        let result = self.body.temp(span);
        let more = self.body.new_block();
        let known = self.body.new_block();
        let after = self.body.new_block();
        let (then, other) = if and { (more, known) } else { (known, more) };
        self.body.terminate(Terminator::If { condition, then, other });
        self.body.switch(more);
        let value = self.expr(right);
        let right_span = self.span_of(right);
        self.body.store(result, value, right_span);
        self.body.goto(after);
        self.body.switch(known);
        self.body.emit(span, Some(result), OpKind::Lit(crate::facts::Lit::Bool(!and)));
        self.body.goto(after);
        self.body.switch(after);
        Operand::Temp(result)
    }

    /// An expression that is no link of a chain.
    fn atom(&mut self, expr: &Expr) -> Operand {
        match expr {
            Expr::Paren(e) => return self.expr(&e.expr),
            Expr::Group(e) => return self.expr(&e.expr),
            _ => {}
        }
        let span = self.span_of(expr);
        self.anchors.add(span);
        match expr {
            Expr::Path(e) => self.name_or_path(e, span),
            Expr::Lit(e) => {
                let ty = suffix(&e.lit).map(|suffix| self.primitive(suffix, span));
                let dest = self.body.local(None, span, ty, crate::facts::LocalKind::Temp, false);
                self.body.emit(span, Some(dest), OpKind::Lit(literal(&e.lit)));
                Operand::Temp(dest)
            }
            Expr::Call(e) => self.call(e, span),
            Expr::Macro(e) => self.macro_value(&e.mac, span),
            Expr::Closure(e) => self.closure(e, span),
            Expr::Async(e) => self.async_block(e, span),
            Expr::Reference(e) => self.reference(e, span),
            Expr::RawAddr(e) => {
                let operand = self.expr(&e.expr);
                let place = self.body.place(operand);
                let is_mut = matches!(e.mutability, syn::PointerMutability::Mut(_));
                Operand::Temp(self.body.op(span, OpKind::Ref(place, mutability(is_mut))))
            }
            Expr::Unary(e) => self.unary(e, span),
            Expr::Assign(e) => {
                self.assign(e, span);
                Operand::Unit(span)
            }
            // Compound assignment; all other binary operators are links.
            Expr::Binary(e) => {
                let value = self.value(&e.right);
                let operand = self.expr(&e.left);
                let place = self.body.place(operand);
                self.body.emit(span, None, OpKind::AssignOp { place, value });
                Operand::Unit(span)
            }
            Expr::Struct(e) => self.structure(e, span),
            Expr::Tuple(e) => {
                let parts = e.elems.iter().map(|elem| self.value(elem)).collect();
                Operand::Temp(self.body.op(span, OpKind::Tuple(parts)))
            }
            Expr::Array(e) => {
                let parts = self.elements(&e.elems);
                Operand::Temp(self.body.op(span, OpKind::Array(parts)))
            }
            Expr::Repeat(e) => {
                let part = self.value(&e.expr);
                Operand::Temp(self.body.op(span, OpKind::Array(vec![part])))
            }
            Expr::Range(e) => {
                let start = self.bound(e.start.as_deref(), Span::new(span.start, span.start));
                let end = self.bound(e.end.as_deref(), Span::new(span.end, span.end));
                Operand::Temp(self.body.op(span, OpKind::Binary(BinaryOp::Range, start, end)))
            }
            Expr::Return(e) => self.return_expr(e.expr.as_deref(), span),
            Expr::Break(e) => self.break_expr(e, span),
            Expr::Continue(e) => self.continue_expr(e, span),
            Expr::Let(e) => self.let_value(e, span),
            Expr::If(e) if e.else_branch.is_none() => {
                self.if_expr(e, None);
                Operand::Unit(span)
            }
            Expr::While(_) | Expr::ForLoop(_) => {
                self.into(expr, None);
                Operand::Unit(span)
            }
            Expr::If(_)
            | Expr::Match(_)
            | Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::Const(_)
            | Expr::Loop(_)
            | Expr::TryBlock(_) => {
                let dest = self.body.temp(span);
                self.into(expr, Some(dest));
                if self.body.is_dead() { Operand::Never(span) } else { Operand::Temp(dest) }
            }
            Expr::Yield(e) => {
                if let Some(value) = &e.expr {
                    self.value(value);
                }
                Operand::Temp(self.unknown(None, proc_macro2::TokenStream::new(), span))
            }
            Expr::Verbatim(tokens) => Operand::Temp(self.unknown(None, tokens.clone(), span)),
            _ => Operand::Temp(self.unknown(None, proc_macro2::TokenStream::new(), span)),
        }
    }

    /// The elements of an array. Of a long table of constants only the first: the others say
    /// nothing new, and there may be a million of them.
    pub(super) fn elements<'e>(&mut self, elems: impl IntoIterator<Item = &'e Expr>) -> Vec<LocalId> {
        const LONG: usize = 32;
        let mut parts = Vec::new();
        let mut constants = 0;
        for elem in elems {
            if is_constant(elem) {
                constants += 1;
                if constants > 1 && parts.len() >= LONG {
                    continue;
                }
            }
            parts.push(self.value(elem));
        }
        parts
    }

    fn bound(&mut self, expr: Option<&Expr>, span: Span) -> LocalId {
        match expr {
            Some(expr) => self.value(expr),
            None => self.body.op(span, OpKind::Tuple(Vec::new())),
        }
    }

    fn name_or_path(&mut self, e: &syn::ExprPath, span: Span) -> Operand {
        if e.qself.is_none()
            && let Some(ident) = e.path.get_ident()
        {
            let name = self.text.name(ident);
            if let Some(local) = self.resolve(&name) {
                return Operand::Place(Place::local(local));
            }
        }
        let path = self.path(e.qself.as_ref(), &e.path);
        Operand::Temp(self.body.op(span, OpKind::Path(path)))
    }

    /// A call by path; calls of values are links.
    fn call(&mut self, e: &syn::ExprCall, span: Span) -> Operand {
        let callee = match &*e.func {
            Expr::Path(func) => match self.name_of_local(func) {
                Some(local) => Callee::Value(Place::local(local)),
                None => Callee::Path(self.path(func.qself.as_ref(), &func.path)),
            },
            other => {
                let operand = self.expr(other);
                Callee::Value(self.body.place(operand))
            }
        };
        let args = e.args.iter().map(|arg| self.value(arg)).collect();
        Operand::Temp(self.body.op(span, OpKind::Call { callee, args }))
    }

    fn name_of_local(&mut self, e: &syn::ExprPath) -> Option<LocalId> {
        if e.qself.is_some() {
            return None;
        }
        let name = self.text.name(e.path.get_ident()?);
        self.resolve(&name)
    }

    fn reference(&mut self, e: &syn::ExprReference, span: Span) -> Operand {
        let operand = self.expr(&e.expr);
        let place = self.body.place(operand);
        if self.extending.contains(&std::ptr::from_ref(e)) {
            self.extend(&place);
        }
        let kind = OpKind::Ref(place, mutability(e.mutability.is_some()));
        Operand::Temp(self.body.op(span, kind))
    }

    fn unary(&mut self, e: &syn::ExprUnary, span: Span) -> Operand {
        let op = match &e.op {
            UnOp::Deref(_) => {
                let operand = self.expr(&e.expr);
                let place = self.body.place(operand);
                return Operand::Place(step(&place, Step::Deref));
            }
            UnOp::Not(_) => UnaryOp::Not,
            _ => UnaryOp::Neg,
        };
        let value = self.value(&e.expr);
        Operand::Temp(self.body.op(span, OpKind::Unary(op, value)))
    }

    fn structure(&mut self, e: &syn::ExprStruct, span: Span) -> Operand {
        let mut fields = Vec::with_capacity(e.fields.len());
        for field in &e.fields {
            if self.anchors.wanted() {
                let start = self.text.span(extent::member(&field.member));
                let whole = start.to(self.span_of(&field.expr));
                self.node_attributes(&field.attrs, whole);
            }
            let value = self.value(&field.expr);
            fields.push((self.member(&field.member), value));
        }
        let base = e.rest.as_ref().map(|rest| {
            let operand = self.expr(rest);
            self.body.place(operand)
        });
        let path = self.path(e.qself.as_ref(), &e.path);
        Operand::Temp(self.body.op(span, OpKind::Struct { path, fields, base }))
    }

    fn assign(&mut self, e: &syn::ExprAssign, span: Span) {
        let operand = self.expr(&e.right);
        if matches!(&*e.left, Expr::Tuple(_) | Expr::Array(_) | Expr::Struct(_) | Expr::Call(_)) {
            let place = self.body.place(operand);
            self.destructure(&e.left, &place, span);
            return;
        }
        if matches!(&*e.left, Expr::Infer(_)) {
            return;
        }
        let right_span = self.span_of(&e.right);
        let value = self.body.value(operand, right_span);
        let operand = self.expr(&e.left);
        let place = self.body.place(operand);
        self.body.emit(span, None, OpKind::Assign { place, value });
    }

    /// `(a, b) = value`: assigns each part.
    fn destructure(&mut self, left: &Expr, from: &Place, span: Span) {
        match left {
            Expr::Infer(e) => {
                let wild = self.text.span(e.underscore_token.span);
                self.body.emit(wild, None, OpKind::Wild(from.clone()));
            }
            Expr::Paren(e) => self.destructure(&e.expr, from, span),
            Expr::Tuple(e) => self.destructure_row(&e.elems, from, span),
            Expr::Call(e) => self.destructure_row(&e.args, from, span),
            Expr::Array(e) => {
                for (elem, element) in elements(&e.elems, is_rest) {
                    if !is_rest(elem) {
                        self.destructure(elem, &step(from, element), span);
                    }
                }
            }
            Expr::Struct(e) => {
                for field in &e.fields {
                    let name = self.member(&field.member);
                    self.destructure(&field.expr, &step(from, Step::Field(name)), span);
                }
            }
            place => {
                let at = self.span_of(place);
                let value = self.body.op(at, OpKind::Use(from.clone()));
                let operand = self.expr(place);
                let place = self.body.place(operand);
                self.body.emit(span, None, OpKind::Assign { place, value });
            }
        }
    }

    fn destructure_row(&mut self, elems: &syn::punctuated::Punctuated<Expr, syn::Token![,]>, from: &Place, span: Span) {
        let count = elems.len();
        let rest = elems.iter().position(is_rest);
        for (position, elem) in elems.iter().enumerate() {
            let name = match rest {
                Some(rest) if position == rest => continue,
                Some(rest) if position > rest => {
                    smol_str::format_smolstr!("-{}", count - position)
                }
                _ => super::pattern::position_name(position),
            };
            self.destructure(elem, &step(from, Step::Field(name)), span);
        }
    }

    /// `value?`: out of the body, or of the `try` block round it, unless it is a success.
    pub(super) fn question(&mut self, value: LocalId, span: Span, question: Span) -> Operand {
        let place = Place::local(value);
        let then = self.body.new_block();
        let other = self.body.new_block();
        self.body.terminate(Terminator::Match {
            place: place.clone(),
            test: crate::facts::Test::Success,
            then,
            other,
            span: question,
        });
        self.body.switch(other);
        let residual = step(&place, Step::Variant("Err".into(), "0".into()));
        let residual = self.body.op(span, OpKind::Use(residual));
        self.leave_with(residual, Exit::Question, question);
        self.body.switch(then);
        let payload = step(&place, Step::Variant("Ok".into(), "0".into()));
        Operand::Temp(self.body.op(span, OpKind::Use(payload)))
    }
}

/// What is left of a link in a chain; none for all that is no link.
fn left_of(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Field(e) => Some(&e.base),
        Expr::Index(e) => Some(&e.expr),
        Expr::MethodCall(e) => Some(&e.receiver),
        Expr::Await(e) => Some(&e.base),
        Expr::Try(e) => Some(&e.expr),
        Expr::Cast(e) => Some(&e.expr),
        Expr::Call(e) if !matches!(&*e.func, Expr::Path(_)) => Some(&e.func),
        Expr::Binary(e) if !is_compound(&e.op) => Some(&e.left),
        _ => None,
    }
}

fn is_compound(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Whether an expression is made of literals alone.
fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Unary(e) => is_constant(&e.expr),
        Expr::Reference(e) => is_constant(&e.expr),
        Expr::Tuple(e) => e.elems.iter().all(is_constant),
        Expr::Array(e) => e.elems.iter().all(is_constant),
        _ => false,
    }
}

/// `..` in a destructuring assignment.
fn is_rest(expr: &Expr) -> bool {
    matches!(expr, Expr::Range(range) if range.start.is_none() && range.end.is_none())
}

/// The type a number's suffix gives it.
fn suffix(lit: &syn::Lit) -> Option<&str> {
    let suffix = match lit {
        syn::Lit::Int(number) => number.suffix(),
        syn::Lit::Float(number) => number.suffix(),
        _ => "",
    };
    (!suffix.is_empty()).then_some(suffix)
}
