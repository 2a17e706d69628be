//! Blocks and statements.

use syn::{Attribute, Expr, Item, Pat, Stmt};

use super::body::Operand;
use super::rooted::Uses;
use super::{Lowering, attrs, extent};
use crate::facts::{Discard, LocalId, LocalKind, OpKind, Place, ScopeId, ScopeKind, Span};

impl Lowering<'_> {
    /// A block whose value, if anybody wants it, goes to `dest`.
    pub(super) fn block(&mut self, block: &syn::Block, dest: Option<LocalId>) {
        let close = self.text.span(block.brace_token.span.close());
        let outer = self.enter_block(&block.stmts);
        match self.statements(&block.stmts) {
            Some(Tail::Expr(tail)) => self.into(tail, dest),
            Some(Tail::Macro(tail)) => {
                let from = self.body.mark();
                let span = self.macro_span(&tail.mac);
                let operand = self.macro_value(&tail.mac, span);
                self.deliver(operand, dest, from, span);
            }
            None => {
                if let Some(dest) = dest
                    && !self.body.is_dead()
                {
                    self.body.emit(close, Some(dest), OpKind::Tuple(Vec::new()));
                }
            }
        }
        self.body.close(close);
        self.scope = outer;
    }

    /// Puts a value where it is wanted, or throws it away.
    pub(super) fn deliver(&mut self, operand: Operand, dest: Option<LocalId>, from: LocalId, span: Span) {
        match dest {
            Some(dest) => self.body.store(dest, operand, span),
            None => self.throw_away(operand, from, Discard::Statement, span),
        }
    }

    /// The block of a body: its last expression is read, and its temporaries end, before its
    /// locals do.
    pub(super) fn body_block(&mut self, block: &syn::Block, span: Span) -> Operand {
        let close = self.text.span(block.brace_token.span.close());
        let outer = self.enter_block(&block.stmts);
        let tail = self.statements(&block.stmts);
        let from = self.body.mark();
        let operand = match tail {
            Some(Tail::Expr(tail)) => {
                let span = self.span_of(tail);
                let operand = self.expr(tail);
                self.settle(operand, span)
            }
            Some(Tail::Macro(tail)) => {
                let span = self.macro_span(&tail.mac);
                let operand = self.macro_value(&tail.mac, span);
                self.settle(operand, span)
            }
            None if self.body.is_dead() => Operand::Never(span),
            None => Operand::Unit(close),
        };
        let value = match &operand {
            Operand::Temp(value) => Some(*value),
            _ => None,
        };
        self.body.end_temps(from, self.body.mark(), value, close);
        self.body.close(close);
        self.scope = outer;
        operand
    }

    /// Reads an operand that is a place, so that it can outlive the place.
    pub(super) fn settle(&mut self, operand: Operand, span: Span) -> Operand {
        match operand {
            Operand::Place(place) => Operand::Temp(self.body.op(span, OpKind::Use(place))),
            other => other,
        }
    }

    /// Opens the scopes of a block; gives the scope of paths to go back to.
    fn enter_block(&mut self, stmts: &[Stmt]) -> ScopeId {
        let outer = self.scope;
        self.body.open();
        let items = || {
            stmts.iter().filter_map(|stmt| match stmt {
                Stmt::Item(item) => Some(item),
                _ => None,
            })
        };
        let statics = stmts.iter().any(|stmt| matches!(stmt, Stmt::Macro(stmt) if self.declares_statics(&stmt.mac)));
        if statics || items().any(declares) {
            self.scope = self.open_scope(ScopeKind::Block);
            self.known.block(items(), self.text);
        }
        outer
    }

    /// Lowers all statements but a last expression, which is the block's value.
    fn statements<'b>(&mut self, stmts: &'b [Stmt]) -> Option<Tail<'b>> {
        let (last, before) = stmts.split_last()?;
        for stmt in before {
            self.stmt(stmt);
        }
        match last {
            Stmt::Expr(expr, None) => {
                self.note_statement(last, attributes(expr));
                Some(Tail::Expr(expr))
            }
            Stmt::Macro(stmt) if stmt.semi_token.is_none() => {
                self.note_statement(last, &stmt.attrs);
                Some(Tail::Macro(stmt))
            }
            _ => {
                self.stmt(last);
                None
            }
        }
    }

    fn note_statement(&mut self, stmt: &Stmt, attrs: &[Attribute]) {
        if let Some((first, last)) = extent::stmt(stmt)
            && self.anchors.wanted()
        {
            let span = self.text.between(first, last);
            let whole = self.with_attrs(attrs, span);
            self.node_attributes(attrs, whole);
            self.anchors.add(Span { start: span.start, end: whole.end });
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        let outer_test = self.test;
        match stmt {
            Stmt::Local(local) => {
                self.note_statement(stmt, &local.attrs);
                self.test |= attrs::is_test(&local.attrs);
                self.local(local);
            }
            Stmt::Item(item) => self.apart(|this| this.item(item)),
            // A `;` too many.
            Stmt::Expr(Expr::Verbatim(tokens), _) if tokens.is_empty() => {}
            Stmt::Expr(expr, _) => {
                let attributes = attributes(expr);
                self.note_statement(stmt, attributes);
                self.test |= attrs::is_test(attributes);
                self.expr_stmt(expr);
            }
            Stmt::Macro(mac) if self.declares_statics(&mac.mac) => {
                self.apart(|this| this.macro_item(&mac.attrs, None, &mac.mac));
            }
            Stmt::Macro(mac) => {
                self.note_statement(stmt, &mac.attrs);
                let span = self.macro_span(&mac.mac);
                let from = self.body.mark();
                let operand = self.macro_stmt(&mac.mac, span);
                self.throw_away(operand, from, Discard::Statement, span);
            }
        }
        self.test = outer_test;
    }

    fn expr_stmt(&mut self, expr: &Expr) {
        let from = self.body.mark();
        let span = self.span_of(expr);
        match expr {
            // What their last expressions yield is thrown away within them.
            _ if is_block_like(expr) => self.into(expr, None),
            Expr::Assign(assign) if matches!(&*assign.left, Expr::Infer(_)) => {
                let wild = self.text.span(extent::first(&assign.left));
                let operand = self.expr(&assign.right);
                self.throw_away(operand, from, Discard::AssignWild(wild), span);
                return;
            }
            _ => {
                // `place;` moves the value out and drops it.
                let operand = self.expr(expr);
                let operand = self.settle(operand, span);
                self.throw_away(operand, from, Discard::Statement, span);
                return;
            }
        }
        self.body.end_temps(from, self.body.mark(), None, span);
    }

    /// Ends a statement's temporaries since `from`; the operand's value is thrown away.
    pub(super) fn throw_away(&mut self, operand: Operand, from: LocalId, how: Discard, span: Span) {
        let to = self.body.mark();
        match operand {
            Operand::Temp(value) => self.body.discard(value, from, to, how, span),
            Operand::Place(place) => self.body.discard(place.base, from, to, how, span),
            Operand::Unit(_) | Operand::Never(_) => self.body.end_temps(from, to, None, span),
        }
    }

    fn local(&mut self, local: &syn::Local) {
        let from = self.body.mark();
        let span = self.text.between(local.let_token.span, local.semi_token.span);
        let (pat, ty) = match &local.pat {
            Pat::Type(typed) => (&*typed.pat, Some(self.ty(&typed.ty))),
            pat => (pat, None),
        };
        let Some(init) = &local.init else {
            let bound = self.declare_bindings(pat, ty.as_ref());
            self.make_known(bound);
            return;
        };
        let outer_extending = std::mem::take(&mut self.extending);
        collect_extended(&init.expr, &mut self.extending);
        let operand = self.expr(&init.expr);
        self.extending = outer_extending;

        if let Some((otherwise, diverge)) = &init.diverge {
            let otherwise = self.text.span(otherwise.span);
            self.let_else(pat, ty.as_ref(), operand, (otherwise, diverge), from, span);
            return;
        }
        if let Pat::Wild(wild) = pat {
            let wild = self.text.span(wild.underscore_token.span);
            self.throw_away(operand, from, Discard::LetWild(wild), span);
            return;
        }
        match self.plain_binding(pat) {
            Some((ident, mutable)) => {
                let to = self.body.mark();
                let (name, name_span) = self.text.ident(ident);
                let kind = LocalKind::Binding;
                let binding = self.body.local(Some(name.clone()), name_span, ty, kind, mutable);
                self.body.store(binding, operand, span);
                self.body.declare(name, binding);
                self.body.end_temps(from, to, None, span);
            }
            None => {
                let place = self.body.place(operand);
                if binds_by_reference(pat) {
                    self.extend(&place);
                }
                let to = self.body.mark();
                self.bind_all(pat, &place, ty);
                self.body.end_temps(from, to, None, span);
            }
        }
    }

    fn let_else(
        &mut self,
        pat: &Pat,
        ty: Option<&crate::facts::TypeRef>,
        operand: Operand,
        (otherwise, diverge): (Span, &Expr),
        from: LocalId,
        span: Span,
    ) {
        let place = self.body.place(operand);
        let to = self.body.mark();
        let fail = self.body.new_block();
        self.tests(pat, &place, fail);
        let matched = self.body.new_block();
        self.body.goto(matched);

        self.body.switch(fail);
        self.body.end_temps(from, to, None, otherwise);
        let start = self.body.mark();
        self.into(diverge, None);
        self.body.end_temps(start, self.body.mark(), None, span);
        // The block cannot be left at its end.
        self.body.terminate(crate::facts::Terminator::Diverge);

        self.body.switch(matched);
        let bound = self.declare_bindings(pat, ty);
        self.bind(pat, &place, &bound);
        self.make_known(bound);
        self.body.end_temps(from, to, None, span);
    }

    /// Lets the temporary a place starts from live to the end of the block.
    pub(super) fn extend(&mut self, place: &Place) {
        if self.body.is_temp(place.base) && !self.body.extended.contains(&place.base) {
            self.body.extended.push(place.base);
            self.body.keep(place.base);
        }
    }
}

/// What a block ends with.
enum Tail<'b> {
    Expr(&'b Expr),
    Macro(&'b syn::StmtMacro),
}

/// Whether an item gives names to the block it stands in.
fn declares(item: &Item) -> bool {
    match item {
        Item::Impl(_) => false,
        Item::Verbatim(tokens) => Uses::of(tokens).is_some(),
        Item::Macro(mac) => mac.ident.is_some(),
        _ => true,
    }
}

/// Constructs that write their value on several ways, or not at all.
pub(super) fn is_block_like(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::If(_)
            | Expr::Match(_)
            | Expr::Block(_)
            | Expr::Unsafe(_)
            | Expr::Const(_)
            | Expr::Loop(_)
            | Expr::While(_)
            | Expr::ForLoop(_)
    )
}

/// The attributes of an expression.
pub(super) fn attributes(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Array(e) => &e.attrs,
        Expr::Assign(e) => attributes(&e.left),
        Expr::Async(e) => &e.attrs,
        Expr::Await(e) => &e.attrs,
        Expr::Binary(e) => attributes(&e.left),
        Expr::Block(e) => &e.attrs,
        Expr::Break(e) => &e.attrs,
        Expr::Call(e) => &e.attrs,
        Expr::Cast(e) => attributes(&e.expr),
        Expr::Closure(e) => &e.attrs,
        Expr::Const(e) => &e.attrs,
        Expr::Continue(e) => &e.attrs,
        Expr::Field(e) => &e.attrs,
        Expr::ForLoop(e) => &e.attrs,
        Expr::If(e) => &e.attrs,
        Expr::Index(e) => &e.attrs,
        Expr::Lit(e) => &e.attrs,
        Expr::Loop(e) => &e.attrs,
        Expr::Macro(e) => &e.attrs,
        Expr::Match(e) => &e.attrs,
        Expr::MethodCall(e) => &e.attrs,
        Expr::Paren(e) => &e.attrs,
        Expr::Path(e) => &e.attrs,
        Expr::Reference(e) => &e.attrs,
        Expr::Return(e) => &e.attrs,
        Expr::Struct(e) => &e.attrs,
        Expr::Try(e) => &e.attrs,
        Expr::Tuple(e) => &e.attrs,
        Expr::Unary(e) => &e.attrs,
        Expr::Unsafe(e) => &e.attrs,
        Expr::While(e) => &e.attrs,
        _ => &[],
    }
}

/// The references in an initialiser whose operand lives as long as the block does.
fn collect_extended(mut expr: &Expr, found: &mut Vec<*const syn::ExprReference>) {
    loop {
        expr = match expr {
            Expr::Reference(e) => {
                found.push(e);
                &e.expr
            }
            Expr::Paren(e) => &e.expr,
            Expr::Group(e) => &e.expr,
            Expr::Cast(e) => &e.expr,
            Expr::Tuple(e) => {
                e.elems.iter().for_each(|elem| collect_extended(elem, found));
                return;
            }
            Expr::Array(e) => {
                e.elems.iter().for_each(|elem| collect_extended(elem, found));
                return;
            }
            Expr::Struct(e) => {
                e.fields.iter().for_each(|field| collect_extended(&field.expr, found));
                return;
            }
            Expr::Call(e) => {
                // Tuple structs and variants extend as braced ones do.
                if matches!(&*e.func, Expr::Path(path) if path.path.segments.last().is_some_and(|s| super::known::starts_upper(&s.ident.to_string())))
                {
                    e.args.iter().for_each(|arg| collect_extended(arg, found));
                }
                return;
            }
            Expr::Block(e) => match e.block.stmts.last() {
                Some(Stmt::Expr(tail, None)) => tail,
                _ => return,
            },
            _ => return,
        };
    }
}

/// Whether a pattern takes references into what it matches.
fn binds_by_reference(pat: &Pat) -> bool {
    match pat {
        Pat::Ident(p) => p.by_ref.is_some() || p.subpat.as_ref().is_some_and(|(_, sub)| binds_by_reference(sub)),
        Pat::Or(p) => p.cases.iter().any(binds_by_reference),
        Pat::Paren(p) => binds_by_reference(&p.pat),
        Pat::Slice(p) => p.elems.iter().any(binds_by_reference),
        Pat::Struct(p) => p.fields.iter().any(|field| binds_by_reference(&field.pat)),
        Pat::Tuple(p) => p.elems.iter().any(binds_by_reference),
        Pat::TupleStruct(p) => p.elems.iter().any(binds_by_reference),
        Pat::Type(p) => binds_by_reference(&p.pat),
        _ => false,
    }
}
