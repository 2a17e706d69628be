//! Control flow: branches, loops and the ways out.

use syn::{BinOp, Expr, UnOp};

use super::Lowering;
use super::body::{Operand, Target, TargetKind};
use crate::facts::{
    BlockId, Exit, Lit, LocalId, Loop, LoopId, LoopKind, Name, OpKind, Place, Span, Step, Terminator, Test,
};

impl Lowering<'_> {
    /// Branches on a condition. Temporaries end before the branch, those of a `let` apart.
    pub(super) fn condition(&mut self, expr: &Expr, then: BlockId, other: BlockId) {
        match expr {
            Expr::Paren(e) => self.condition(&e.expr, then, other),
            Expr::Group(e) => self.condition(&e.expr, then, other),
            Expr::Unary(e) if matches!(e.op, UnOp::Not(_)) => self.condition(&e.expr, other, then),
            Expr::Binary(e) if matches!(e.op, BinOp::And(_)) => {
                let before = self.body.bound();
                for operand in operands(expr, true) {
                    let next = self.body.new_block();
                    if self.body.bound() == before {
                        self.condition(operand, next, other);
                    } else {
                        // What a `let` before it bound ends where the chain does not hold.
                        let failed = self.body.new_block();
                        self.condition(operand, next, failed);
                        self.body.switch(failed);
                        self.body.unbind(before, self.span_of(operand));
                        self.body.goto(other);
                    }
                    self.body.switch(next);
                }
                self.body.goto(then);
            }
            Expr::Binary(e) if matches!(e.op, BinOp::Or(_)) => {
                for operand in operands(expr, false) {
                    let next = self.body.new_block();
                    self.condition(operand, then, next);
                    self.body.switch(next);
                }
                self.body.goto(other);
            }
            Expr::Let(e) => {
                self.let_condition(e, other);
                self.body.goto(then);
            }
            _ => {
                let from = self.body.mark();
                let span = self.span_of(expr);
                let condition = self.value(expr);
                let to = self.body.mark();
                self.body.end_temps(from, to, Some(condition), span);
                self.body.terminate(Terminator::If { condition, then, other });
            }
        }
    }

    /// `let pat = expr` as a condition; its names are known to what follows in the same scope.
    fn let_condition(&mut self, e: &syn::ExprLet, other: BlockId) {
        let operand = self.expr(&e.expr);
        let place = self.body.place(operand);
        self.match_pattern(&e.pat, &place, other);
    }

    /// `let pat = expr` where a value is wanted.
    pub(super) fn let_value(&mut self, e: &syn::ExprLet, span: Span) -> Operand {
        let result = self.body.temp(span);
        let other = self.body.new_block();
        let after = self.body.new_block();
        self.let_condition(e, other);
        self.truth(result, true, span, after);
        self.body.switch(other);
        self.truth(result, false, span, after);
        self.body.switch(after);
        Operand::Temp(result)
    }

    pub(super) fn truth(&mut self, result: LocalId, value: bool, span: Span, after: BlockId) {
        self.body.emit(span, Some(result), OpKind::Lit(Lit::Bool(value)));
        self.body.goto(after);
    }

    pub(super) fn if_expr(&mut self, mut e: &syn::ExprIf, dest: Option<LocalId>) {
        let after = self.body.new_block();
        loop {
            let close = self.text.span(e.then_branch.brace_token.span.close());
            let then = self.body.new_block();
            let other = self.body.new_block();
            self.body.open();
            self.condition(&e.cond, then, other);
            self.body.switch(then);
            self.block(&e.then_branch, dest);
            self.body.close(close);
            self.body.goto(after);
            self.body.switch(other);
            match e.else_branch.as_ref().map(|(_, branch)| &**branch) {
                Some(Expr::If(next)) => e = next,
                Some(branch) => {
                    self.into(branch, dest);
                    break;
                }
                None => {
                    if let Some(dest) = dest {
                        self.body.emit(close, Some(dest), OpKind::Tuple(Vec::new()));
                    }
                    break;
                }
            }
        }
        self.body.goto(after);
        self.body.switch(after);
    }

    pub(super) fn match_expr(&mut self, e: &syn::ExprMatch, dest: Option<LocalId>) {
        let operand = self.expr(&e.expr);
        let place = self.body.place(operand);
        let after = self.body.new_block();
        for arm in &e.arms {
            let next = self.body.new_block();
            self.arm(arm, &place, next, dest);
            self.body.goto(after);
            self.body.switch(next);
        }
        // Some arm matches: the compiler has seen to that.
        self.body.terminate(Terminator::Diverge);
        self.body.switch(after);
    }

    fn arm(&mut self, arm: &syn::Arm, place: &Place, next: BlockId, dest: Option<LocalId>) {
        let outer_test = self.test;
        self.test |= super::attrs::is_test(&arm.attrs);
        let body_span = self.span_of(&arm.body);
        if self.anchors.wanted() {
            let whole = self.span_of_pat(&arm.pat).to(body_span);
            let whole = self.with_attrs(&arm.attrs, whole);
            self.node_attributes(&arm.attrs, whole);
            self.anchors.add(Span { start: self.span_of_pat(&arm.pat).start, end: whole.end });
        }
        self.body.open();
        match &arm.pat {
            syn::Pat::Guard(guarded) => self.match_guarded(&guarded.pat, &guarded.guard, place, next),
            pat => self.match_pattern(pat, place, next),
        }
        self.into(&arm.body, dest);
        let close = self.closing(&arm.body, body_span);
        self.body.close(close);
        self.test = outer_test;
    }

    // Loops.

    fn begin_loop(
        &mut self,
        kind: LoopKind,
        keyword: proc_macro2::Span,
        span: Span,
        condition: Option<Span>,
    ) -> (LoopId, BlockId) {
        let id = LoopId(self.body.body.loops.len() as u32);
        let parent = self.body.in_loop;
        self.body.in_loop = Some(id);
        let head = self.body.new_block();
        let keyword = self.text.span(keyword);
        self.body.body.loops.push(Loop { kind, keyword, span, condition, head, parent });
        self.body.goto(head);
        self.body.switch(head);
        (id, head)
    }

    fn end_loop(&mut self, id: LoopId, after: BlockId) {
        self.body.targets.pop();
        let parent = self.body.body.loops.get(id.index()).and_then(|this| this.parent);
        self.body.in_loop = parent;
        self.body.switch(after);
    }

    fn push_loop(&mut self, label: Option<&syn::Label>, after: BlockId, head: BlockId, result: Option<LocalId>) {
        let label = label.map(|label| self.text.name(&label.name.ident));
        let depth = self.body.depth();
        let kind = TargetKind::Loop(head);
        self.body.targets.push(Target { label, kind, after, result, depth });
    }

    pub(super) fn loop_expr(&mut self, e: &syn::ExprLoop, dest: Option<LocalId>) {
        let first = e.label.as_ref().map_or(e.loop_token.span, |label| label.name.apostrophe);
        let span = self.text.between(first, e.body.brace_token.span.close());
        let after = self.body.new_block();
        let (id, head) = self.begin_loop(LoopKind::Loop, e.loop_token.span, span, None);
        self.push_loop(e.label.as_ref(), after, head, dest);
        self.block(&e.body, None);
        self.body.goto(head);
        self.end_loop(id, after);
    }

    pub(super) fn while_expr(&mut self, e: &syn::ExprWhile) {
        let close = self.text.span(e.body.brace_token.span.close());
        let first = e.label.as_ref().map_or(e.while_token.span, |label| label.name.apostrophe);
        let span = self.text.span(first).to(close);
        let condition = self.span_of(&e.cond);
        let after = self.body.new_block();
        let (id, head) = self.begin_loop(LoopKind::While, e.while_token.span, span, Some(condition));
        // Where a turn ends: what the condition's `let` borrowed from dies there.
        let latch = self.body.new_block();
        self.push_loop(e.label.as_ref(), after, latch, None);
        let body = self.body.new_block();
        self.body.open();
        let from = self.body.mark();
        self.condition(&e.cond, body, after);
        let to = self.body.mark();
        self.body.switch(body);
        self.block(&e.body, None);
        self.body.close(close);
        self.body.goto(latch);
        self.body.switch(latch);
        if has_let(&e.cond) {
            self.body.end_temps(from, to, None, condition);
        }
        self.body.goto(head);
        self.end_loop(id, after);
    }

    pub(super) fn for_expr(&mut self, e: &syn::ExprForLoop) {
        let close = self.text.span(e.body.brace_token.span.close());
        let first = e.label.as_ref().map_or(e.for_token.span, |label| label.name.apostrophe);
        let span = self.text.span(first).to(close);
        let iterator = Place::local(self.value(&e.expr));
        let after = self.body.new_block();
        let (id, head) = self.begin_loop(LoopKind::For, e.for_token.span, span, None);
        self.push_loop(e.label.as_ref(), after, head, None);
        let body = self.body.new_block();
        let pat_span = self.span_of_pat(&e.pat);
        self.body.terminate(Terminator::Match {
            place: iterator.clone(),
            test: Test::Next,
            then: body,
            other: after,
            span: pat_span,
        });
        self.body.switch(body);
        self.body.open();
        self.bind_all(&e.pat, &iterator.then(Step::Index), None);
        self.block(&e.body, None);
        self.body.close(close);
        self.body.goto(head);
        self.end_loop(id, after);
    }

    // Blocks that can be left.

    pub(super) fn labelled_block(&mut self, e: &syn::ExprBlock, dest: Option<LocalId>) {
        let Some(label) = &e.label else {
            self.block(&e.block, dest);
            return;
        };
        let label = Some(self.text.name(&label.name.ident));
        let after = self.body.new_block();
        let depth = self.body.depth();
        let kind = TargetKind::Block;
        self.body.targets.push(Target { label, kind, after, result: dest, depth });
        self.block(&e.block, dest);
        self.body.goto(after);
        self.body.targets.pop();
        self.body.switch(after);
    }

    /// `try { … }`: its value is the success of the last expression, or what a `?` left it with.
    pub(super) fn try_block(&mut self, e: &syn::ExprTryBlock, dest: Option<LocalId>) {
        let close = self.text.span(e.block.brace_token.span.close());
        let span = self.text.span(e.try_token.span).to(close);
        let after = self.body.new_block();
        let depth = self.body.depth();
        let kind = TargetKind::Try;
        self.body.targets.push(Target { label: None, kind, after, result: dest, depth });
        let operand = self.body_block(&e.block, span);
        if let Some(dest) = dest
            && !self.body.is_dead()
        {
            let value = self.body.value(operand, span);
            let kind = self.wrapped("Ok", value, span);
            self.body.emit(span, Some(dest), kind);
        }
        self.body.goto(after);
        self.body.targets.pop();
        self.body.switch(after);
    }

    // Ways out.

    pub(super) fn return_expr(&mut self, value: Option<&Expr>, span: Span) -> Operand {
        let value = match value {
            Some(value) => self.value(value),
            None => self.body.op(span, OpKind::Tuple(Vec::new())),
        };
        self.return_local(value, span);
        Operand::Never(span)
    }

    /// Ends all scopes and returns.
    pub(super) fn return_local(&mut self, value: LocalId, span: Span) {
        self.body.leave(0, Exit::Return, span);
        self.body.terminate_dead(Terminator::Return(value));
    }

    /// Leaves the innermost `try` block or the body with a residual.
    pub(super) fn leave_with(&mut self, residual: LocalId, exit: Exit, span: Span) {
        let target = self.body.targets.iter().rev().find_map(|target| match target.kind {
            TargetKind::Try => Some((target.depth, target.result, target.after)),
            _ => None,
        });
        match target {
            Some((depth, result, after)) => {
                if let Some(result) = result {
                    let kind = self.wrapped("Err", residual, span);
                    self.body.emit(span, Some(result), kind);
                }
                self.body.leave(depth, exit, span);
                self.body.goto(after);
            }
            None => {
                self.body.leave(0, exit, span);
                self.body.terminate(Terminator::Return(residual));
            }
        }
    }

    fn target(&self, label: Option<&Name>) -> Option<(usize, Option<LocalId>, BlockId, &TargetKind)> {
        self.body
            .targets
            .iter()
            .rev()
            .find(|target| match label {
                Some(label) => target.label.as_ref() == Some(label),
                None => matches!(target.kind, TargetKind::Loop(_)),
            })
            .map(|target| (target.depth, target.result, target.after, &target.kind))
    }

    pub(super) fn break_expr(&mut self, e: &syn::ExprBreak, span: Span) -> Operand {
        let label = e.label.as_ref().map(|label| self.text.name(&label.ident));
        let target = self.target(label.as_ref()).map(|(depth, result, after, _)| (depth, result, after));
        let Some((depth, result, after)) = target else {
            // Not valid Rust; nothing is known of what follows.
            self.body.terminate_dead(Terminator::Diverge);
            return Operand::Never(span);
        };
        match &e.expr {
            Some(value) => self.into(value, result),
            None => {
                if let Some(result) = result {
                    self.body.emit(span, Some(result), OpKind::Tuple(Vec::new()));
                }
            }
        }
        self.body.leave(depth, Exit::Break, span);
        self.body.terminate_dead(Terminator::Goto(after));
        Operand::Never(span)
    }

    pub(super) fn continue_expr(&mut self, e: &syn::ExprContinue, span: Span) -> Operand {
        let label = e.label.as_ref().map(|label| self.text.name(&label.ident));
        let target = self.target(label.as_ref()).and_then(|(depth, _, _, kind)| match kind {
            TargetKind::Loop(head) => Some((depth, *head)),
            _ => None,
        });
        match target {
            Some((depth, head)) => {
                self.body.leave(depth, Exit::Continue, span);
                self.body.terminate_dead(Terminator::Goto(head));
            }
            None => self.body.terminate_dead(Terminator::Diverge),
        }
        Operand::Never(span)
    }
}

/// The operands of a chain of `&&` (or of `||`), left to right.
fn operands(expr: &Expr, and: bool) -> Vec<&Expr> {
    let mut reversed = Vec::new();
    let mut rest = expr;
    loop {
        match rest {
            Expr::Binary(e) if (and && matches!(e.op, BinOp::And(_))) || (!and && matches!(e.op, BinOp::Or(_))) => {
                reversed.push(&*e.right);
                rest = &e.left;
            }
            _ => {
                reversed.push(rest);
                reversed.reverse();
                return reversed;
            }
        }
    }
}

/// Whether a condition has a `let`, whose temporaries outlive the test.
fn has_let(expr: &Expr) -> bool {
    operands(expr, true).iter().any(|operand| matches!(operand, Expr::Let(_)))
}
