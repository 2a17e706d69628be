//! What must hold of all facts, whatever file they come from; for tests and fuzzing.

use crate::facts::{
    BlockId, Body, BodyId, BodyKind, Callee, FileFacts, ItemId, ItemKind, LocalId, LoopId, OpKind, PathRef, Place,
    ScopeId, ScopeKind, Span, Terminator, Test, TypeRef,
};

/// Names every broken invariant: spans outside the text or within a character, indices of nothing.
pub fn violations(facts: &FileFacts, text: &str) -> Vec<String> {
    let mut check = Check { facts, text, found: Vec::new(), place: String::new() };
    check.file();
    check.found
}

struct Check<'f> {
    facts: &'f FileFacts,
    text: &'f str,
    found: Vec<String>,
    /// What is being looked at, for messages.
    place: String,
}

impl Check<'_> {
    fn fail(&mut self, what: impl AsRef<str>) {
        self.found.push(format!("{}: {}", self.place, what.as_ref()));
    }

    fn expect(&mut self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    fn span(&mut self, span: Span) {
        if self.text.get(span.start as usize..span.end as usize).is_none() {
            self.fail(format!("span {}..{} is no range of the text", span.start, span.end));
        }
    }

    fn scope(&mut self, scope: ScopeId) {
        self.expect(scope.index() < self.facts.scopes.len(), "no such scope");
    }

    fn item(&mut self, item: ItemId) {
        self.expect(item.index() < self.facts.items.len(), "no such item");
    }

    fn body(&mut self, body: BodyId) {
        self.expect(body.index() < self.facts.bodies.len(), "no such body");
    }

    fn path(&mut self, path: &PathRef) {
        self.scope(path.scope);
        self.span(path.span);
        self.expect(path.qself.is_some() || !path.segments.is_empty(), "a path without segments");
        if let Some(qself) = &path.qself {
            self.ty(qself);
        }
        for segment in &path.segments {
            self.span(segment.span);
            segment.args.iter().for_each(|arg| self.ty(arg));
            segment.bindings.iter().for_each(|(_, ty)| self.ty(ty));
        }
    }

    fn ty(&mut self, ty: &TypeRef) {
        match ty {
            TypeRef::Path(path) => self.path(path),
            TypeRef::Ref(ty, _) | TypeRef::Ptr(ty) | TypeRef::Slice(ty) | TypeRef::Array(ty) => {
                self.ty(ty);
            }
            TypeRef::Tuple(all) | TypeRef::ImplTrait(all) | TypeRef::DynTrait(all) => {
                all.iter().for_each(|ty| self.ty(ty));
            }
            TypeRef::Fn { params, ret } => {
                params.iter().for_each(|ty| self.ty(ty));
                self.ty(ret);
            }
            TypeRef::Never | TypeRef::Infer | TypeRef::Unknown => {}
        }
    }

    fn file(&mut self) {
        self.place = "scopes".to_owned();
        for (id, scope) in self.facts.scopes.iter().enumerate() {
            let inner = scope.parent.is_none_or(|parent| parent.index() < id);
            self.expect(inner, "a scope before its parent");
            match scope.kind {
                ScopeKind::Module(item) | ScopeKind::Generics(item) => self.item(item),
                ScopeKind::File | ScopeKind::Block => {}
            }
        }
        for (id, item) in self.facts.items.iter().enumerate() {
            self.place = format!("item {id} {}", item.name);
            self.scope(item.scope);
            item.inner.into_iter().for_each(|scope| self.scope(scope));
            item.container.into_iter().for_each(|item| self.item(item));
            self.span(item.span);
            self.span(item.name_span);
            for attr in &item.attrs {
                self.path(&attr.path);
                attr.args.iter().for_each(|arg| self.path(arg));
                self.span(attr.span);
            }
            self.kind(&item.kind);
        }
        for (id, body) in self.facts.bodies.iter().enumerate() {
            self.place = format!("body {id}");
            self.whole_body(body);
        }
        self.place = "directives".to_owned();
        for directive in &self.facts.directives {
            self.span(directive.span);
            self.span(directive.covers);
            for (name, span) in &directive.rules {
                let same = self.text.get(span.start as usize..span.end as usize) == Some(name.as_str());
                self.expect(same, "a rule's span is not its name");
            }
        }
    }

    fn kind(&mut self, kind: &ItemKind) {
        match kind {
            ItemKind::Module { scope, .. } => scope.iter().for_each(|scope| self.scope(*scope)),
            ItemKind::Use(imports) => {
                for import in imports {
                    self.path(&import.path);
                    self.span(import.span);
                }
            }
            ItemKind::Function(function) => {
                function.body.iter().for_each(|body| self.body(*body));
                function.ret.iter().for_each(|ty| self.ty(ty));
                for param in &function.params {
                    self.span(param.span);
                    self.span(param.pat_span);
                    self.ty(&param.ty);
                }
            }
            ItemKind::Struct { fields, .. } => {
                for field in fields {
                    self.span(field.span);
                    self.ty(&field.ty);
                }
            }
            ItemKind::Enum { variants, .. } => {
                for variant in variants {
                    self.span(variant.span);
                    variant.fields.iter().for_each(|field| self.ty(&field.ty));
                }
            }
            ItemKind::Const { ty, body } | ItemKind::Static { ty, body } => {
                self.ty(ty);
                body.iter().for_each(|body| self.body(*body));
            }
            ItemKind::Impl { self_ty, of_trait, .. } => {
                self.ty(self_ty);
                of_trait.iter().for_each(|path| self.path(path));
            }
            ItemKind::MacroCall { path, mentions, fields: _ } => {
                self.path(path);
                mentions.iter().for_each(|path| self.path(path));
            }
            ItemKind::ExternCrate { .. }
            | ItemKind::TypeAlias { .. }
            | ItemKind::Trait { .. }
            | ItemKind::MacroRules { .. } => {}
        }
    }

    fn whole_body(&mut self, body: &Body) {
        self.span(body.span);
        self.scope(body.scope);
        match body.kind {
            BodyKind::Function(item) | BodyKind::Const(item) => self.item(item),
            BodyKind::Closure(outer) | BodyKind::AsyncBlock(outer) => {
                self.body(outer);
                let locals = self.facts.body(outer).map_or(0, |outer| outer.locals.len());
                for (outer, _) in &body.captures {
                    self.expect(outer.index() < locals, "captures no local of the outer body");
                }
            }
        }
        body.params.iter().for_each(|id| self.local(body, *id));
        body.captures.iter().for_each(|(_, inner)| self.local(body, *inner));
        for local in &body.locals {
            self.span(local.span);
            local.ty.iter().for_each(|ty| self.ty(ty));
        }
        self.expect(!body.blocks.is_empty(), "no entry block");
        for found in &body.loops {
            self.span(found.keyword);
            self.span(found.span);
            found.condition.iter().for_each(|span| self.span(*span));
            self.block(body, found.head);
            found.parent.iter().for_each(|id| self.a_loop(body, *id));
        }
        let reachable = reachable(body);
        for (id, block) in body.blocks.iter().enumerate() {
            let here = format!("{} block {id}", self.place);
            let outer = std::mem::replace(&mut self.place, here);
            block.in_loop.iter().for_each(|id| self.a_loop(body, *id));
            for op in &block.ops {
                self.span(op.span);
                op.dest.iter().for_each(|id| self.local(body, *id));
                self.op(body, &op.kind);
            }
            self.end(body, &block.end);
            if !reachable.get(id).is_some_and(|reached| *reached) {
                let marked = matches!(block.end, Terminator::Diverge);
                self.expect(marked, "not reachable, and not marked as such");
            }
            self.place = outer;
        }
    }

    fn local(&mut self, body: &Body, id: LocalId) {
        self.expect(id.index() < body.locals.len(), "no such local");
    }

    fn block(&mut self, body: &Body, id: BlockId) {
        self.expect(id.index() < body.blocks.len(), "no such block");
    }

    fn a_loop(&mut self, body: &Body, id: LoopId) {
        self.expect(id.index() < body.loops.len(), "no such loop");
    }

    fn place(&mut self, body: &Body, place: &Place) {
        self.local(body, place.base);
    }

    fn locals(&mut self, body: &Body, ids: &[LocalId]) {
        ids.iter().for_each(|id| self.local(body, *id));
    }

    fn op(&mut self, body: &Body, kind: &OpKind) {
        match kind {
            OpKind::Use(place) | OpKind::Ref(place, _) | OpKind::Wild(place) => self.place(body, place),
            OpKind::Assign { place, value } | OpKind::AssignOp { place, value } => {
                self.place(body, place);
                self.local(body, *value);
            }
            OpKind::Lit(_) => {}
            OpKind::Path(path) => self.path(path),
            OpKind::Call { callee, args } => {
                match callee {
                    Callee::Path(path) => self.path(path),
                    Callee::Value(place) => self.place(body, place),
                }
                self.locals(body, args);
            }
            OpKind::MethodCall { receiver, name, name_span, types, args } => {
                self.place(body, receiver);
                self.span(*name_span);
                let written = self.text.get(name_span.start as usize..name_span.end as usize);
                let same = written.is_some_and(|text| text.trim_start_matches("r#") == name.as_str());
                self.expect(same, "a method's span is not its name");
                types.iter().for_each(|ty| self.ty(ty));
                self.locals(body, args);
            }
            OpKind::Struct { path, fields, base } => {
                self.path(path);
                fields.iter().for_each(|(_, value)| self.local(body, *value));
                base.iter().for_each(|place| self.place(body, place));
            }
            OpKind::Tuple(ids) | OpKind::Array(ids) => self.locals(body, ids),
            OpKind::Closure(id) => self.body(*id),
            OpKind::Await(id) | OpKind::Unary(_, id) => self.local(body, *id),
            OpKind::Cast(id, ty) => {
                self.local(body, *id);
                self.ty(ty);
            }
            OpKind::Binary(_, left, right) => self.locals(body, &[*left, *right]),
            OpKind::Inspect { path, args } => {
                self.path(path);
                self.locals(body, args);
            }
            OpKind::Unknown { path, mentions, paths, fields: _ } => {
                path.iter().chain(paths).for_each(|path| self.path(path));
                mentions.iter().for_each(|place| self.place(body, place));
            }
            OpKind::EndScope { locals, .. } => {
                self.expect(!locals.is_empty(), "the end of no local");
                self.locals(body, locals);
            }
            OpKind::EndTemps { from, to, .. } => {
                self.expect(from < to, "the end of no temporary");
                self.expect(to.index() <= body.locals.len(), "the end of locals that are not there");
            }
        }
    }

    fn end(&mut self, body: &Body, end: &Terminator) {
        match end {
            Terminator::Goto(to) => self.block(body, *to),
            Terminator::If { condition, then, other } => {
                self.local(body, *condition);
                self.block(body, *then);
                self.block(body, *other);
            }
            Terminator::Match { place, test, then, other, span } => {
                self.place(body, place);
                if let Test::Variant(path) = test {
                    self.path(path);
                }
                self.block(body, *then);
                self.block(body, *other);
                self.span(*span);
            }
            Terminator::Select { arms, other, span } => {
                self.span(*span);
                other.iter().for_each(|to| self.block(body, *to));
                for arm in arms {
                    self.locals(body, &[arm.future, arm.output]);
                    self.block(body, arm.block);
                    self.span(arm.body_span);
                }
            }
            Terminator::Return(value) => self.local(body, *value),
            Terminator::Diverge => {}
        }
    }
}

/// For each block whether the entry leads there.
fn reachable(body: &Body) -> Vec<bool> {
    let mut reached = vec![false; body.blocks.len()];
    let mut open = vec![BlockId(0)];
    while let Some(id) = open.pop() {
        match reached.get_mut(id.index()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        let Some(block) = body.block(id) else { continue };
        open.extend(block.end.successors());
    }
    reached
}
