//! From syntax to facts.
//!
//! One pass over syn's tree. Items, types and paths are copied down as they are written; bodies
//! become control-flow graphs ([`body`] has the graph, the other files the constructs). Names of
//! locals are resolved here, because that is a matter of one file; all other paths are resolved by
//! `link`.

mod anchors;
mod attrs;
mod block;
mod body;
mod closure;
mod control;
mod expr;
mod extent;
mod items;
mod known;
mod macros;
mod pattern;
mod rooted;
mod rules;
pub(crate) mod text;
mod types;

use crate::facts::{
    Body, BodyId, BodyKind, FileFacts, Item, ItemId, ItemKind, LocalId, Name, Scope, ScopeId, ScopeKind, Span,
    Visibility,
};
pub(crate) use anchors::Anchors;
use body::Builder;
use known::Known;
use text::Text;

/// The state of lowering one file.
pub(crate) struct Lowering<'t> {
    text: &'t Text<'t>,
    facts: FileFacts,
    /// What is left out, in order; bodies are found by where they begin.
    quiet: &'t [Span],
    /// What single words of this file mean, as far as the file tells.
    known: Known,
    /// The scope that paths are resolved in.
    scope: ScopeId,
    /// The impl or trait whose members are lowered.
    container: Option<ItemId>,
    /// Within test code.
    test: bool,
    /// The body being built.
    body: Builder,
    /// The bodies round it, outermost first.
    outer: Vec<Builder>,
    /// A pattern is bound for a guard, which only looks.
    guarding: bool,
    /// References whose operand lives as long as the block, by address.
    extending: Vec<*const syn::ExprReference>,
    /// Where nodes begin and end, for directives; not kept where no directive asks.
    anchors: Anchors,
}

/// Lowers a file. `wants_anchors`: there are directives to be placed; `quiet`: what is left out.
pub(crate) fn lower<'t>(
    file: &syn::File,
    text: &'t Text<'t>,
    wants_anchors: bool,
    quiet: &'t [Span],
) -> (FileFacts, Anchors) {
    let file_scope = ScopeId(0);
    let mut lowering = Lowering {
        text,
        quiet,
        facts: FileFacts { scopes: vec![Scope { parent: None, kind: ScopeKind::File }], ..FileFacts::default() },
        known: Known::of(file, text),
        scope: file_scope,
        container: None,
        test: false,
        body: no_body(),
        outer: Vec::new(),
        guarding: false,
        extending: Vec::new(),
        anchors: Anchors::new(wants_anchors),
    };
    lowering.facts.cfg_test = attrs::is_test(&file.attrs);
    lowering.test = lowering.facts.cfg_test;
    lowering.file_attributes(&file.attrs);
    for item in &file.items {
        lowering.item(item);
    }
    lowering.facts.quiet = quiet.to_vec();
    let FileFacts { scopes, items, bodies, .. } = &mut lowering.facts;
    *scopes = tight(std::mem::take(scopes));
    *items = tight(std::mem::take(items));
    *bodies = tight(std::mem::take(bodies));
    (lowering.facts, lowering.anchors)
}

/// All of them, with no room for more: facts stay as long as the check, and most lists have one element.
fn kept<T>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut kept = Vec::with_capacity(all.size_hint().0);
    for one in all {
        kept.reserve_exact(1);
        kept.push(one);
    }
    kept
}

/// The same elements with no room for more.
fn tight<T>(mut all: Vec<T>) -> Vec<T> {
    if all.len() == all.capacity() {
        return all;
    }
    // An allocator may leave what shrinks where it is.
    let mut kept = Vec::with_capacity(all.len());
    kept.append(&mut all);
    kept
}

/// No notes: every directive covers lines.
pub(crate) fn no_anchors() -> Anchors {
    Anchors::new(false)
}

/// What stands in place of a body where there is none.
fn no_body() -> Builder {
    Builder::new(BodyId(u32::MAX), BodyKind::Const(ItemId(u32::MAX)), Span::default(), ScopeId(0), false)
}

impl Lowering<'_> {
    /// Opens a scope within the current one; paths are resolved there until `self.scope` is set back.
    fn open_scope(&mut self, kind: ScopeKind) -> ScopeId {
        let id = ScopeId(self.facts.scopes.len() as u32);
        self.facts.scopes.push(Scope { parent: Some(self.scope), kind });
        id
    }

    /// Takes the next item's number, so that items within it come after it.
    fn reserve_item(&mut self) -> ItemId {
        let id = ItemId(self.facts.items.len() as u32);
        self.facts.items.push(Item {
            scope: self.scope,
            inner: None,
            container: self.container,
            span: Span::default(),
            name: Name::default(),
            name_span: Span::default(),
            visibility: Visibility::Private,
            test: self.test,
            attrs: Vec::new(),
            kind: ItemKind::Use(Vec::new()),
        });
        id
    }

    fn item_mut(&mut self, id: ItemId) -> Option<&mut Item> {
        self.facts.items.get_mut(id.index())
    }

    /// Begins a body; what is lowered until `end_body` goes there.
    fn begin_body(&mut self, kind: BodyKind, span: Span) {
        let id = BodyId(self.facts.bodies.len() as u32);
        let builder = Builder::new(id, kind, span, self.scope, self.test);
        // Holds the place, so that inner bodies come after this one.
        self.facts.bodies.push(Body { blocks: Vec::new(), ..builder.body.clone() });
        self.outer.push(std::mem::replace(&mut self.body, builder));
    }

    /// Puts the finished body in its place and goes back to the one round it.
    fn end_body(&mut self) -> BodyId {
        let outer = self.outer.pop().unwrap_or_else(no_body);
        let built = std::mem::replace(&mut self.body, outer);
        let id = built.id;
        if let Some(slot) = self.facts.bodies.get_mut(id.index()) {
            *slot = built.finish();
        }
        id
    }

    /// Runs `work` out of sight of all locals: for items within bodies.
    fn apart<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let body = std::mem::replace(&mut self.body, no_body());
        let outer = std::mem::take(&mut self.outer);
        let container = self.container.take();
        let result = work(self);
        self.body = body;
        self.outer = outer;
        self.container = container;
        result
    }

    /// The local a name stands for, as seen from the current body.
    fn resolve(&mut self, name: &str) -> Option<LocalId> {
        if let Some(local) = self.body.lookup(name) {
            return Some(local);
        }
        let (level, mut local) =
            self.outer.iter().enumerate().rev().find_map(|(level, builder)| Some((level, builder.lookup(name)?)))?;
        let mut facts = self.outer.get(level)?.body.local(local)?.clone();
        for builder in self.outer.iter_mut().skip(level + 1).chain([&mut self.body]) {
            local = builder.capture(local, &facts);
            facts = builder.body.local(local)?.clone();
        }
        Some(local)
    }

    /// The span of a whole expression, attributes left out.
    fn span_of(&self, expr: &syn::Expr) -> Span {
        self.text.between(extent::first(expr), extent::last(expr))
    }

    fn span_of_pat(&self, pat: &syn::Pat) -> Span {
        let (first, last) = extent::pat(pat);
        self.text.between(first, last)
    }
}
