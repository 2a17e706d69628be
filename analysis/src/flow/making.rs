//! Contexts that library functions make, and what is noted of those they are given.

use crate::facts::{Name, Span};
use crate::model::{Bound, FnRole, TypeRole};

use super::events::Seen;
use super::roles::Applied;
use super::run::Run;
use super::value::{Ctx, CtxKind, CtxNode, ObjId, ObjKind, Time, Uses, Val};
use super::world::World;

impl Run<'_> {
    /// The context that was bound last before a place.
    pub(super) fn bound_before(&self, before: Span, world: &World) -> Option<Ctx> {
        let bound = world.env.iter().filter_map(|(local, value)| {
            let known = self.body.local(*local).filter(|known| known.kind != crate::facts::LocalKind::Temp)?;
            let is_outer = known.kind == crate::facts::LocalKind::Capture;
            let start = if is_outer { 0 } else { known.span.start };
            Some((start, value.as_ctx()?)).filter(|(start, _)| *start < before.start)
        });
        bound.max_by_key(|(start, _)| *start).map(|(_, ctx)| ctx.clone())
    }

    pub(super) fn new_ctx(&mut self, call: &Applied<'_>, kind: CtxKind) -> Ctx {
        let id = self.fresh(call.at);
        Ctx::new(CtxNode { id, site: self.site(call.name), kind })
    }

    /// The subject as a context; one that nothing is known of where it is not in view.
    pub(super) fn subject_ctx(&mut self, call: &Applied<'_>, subject: &Val) -> Ctx {
        match subject.as_ctx() {
            Some(ctx) => ctx.clone(),
            None => {
                let id = ObjId { block: call.at.block, op: call.at.op, slot: 998, old: false };
                let kind = match subject.behind() {
                    Val::Input(path) => CtxKind::Input(path.clone()),
                    Val::Obj(id) => match self.ended_by(*id) {
                        Some(ctx) => return ctx,
                        None => CtxKind::Opaque,
                    },
                    _ => CtxKind::Opaque,
                };
                Ctx::new(CtxNode { id, site: self.site(call.name), kind })
            }
        }
    }

    /// The context that a handle or guard ends.
    pub(super) fn ended_by(&self, id: ObjId) -> Option<Ctx> {
        match &self.made(id)?.kind {
            ObjKind::Handle(ctx) | ObjKind::Guard { ctx, .. } => ctx.clone(),
            _ => None,
        }
    }

    pub(super) fn seen_ctx(&mut self, call: &Applied<'_>, subject: &Val, world: &World, value: Val) {
        let ctx = subject.as_ctx().cloned();
        let done = ctx.as_ref().is_some_and(|ctx| world.is_done(ctx));
        let can_end = ctx.as_ref().is_some_and(|ctx| world.can_end(ctx));
        let seen = Seen::Context { role: call.model.role, path: call.path.into(), ctx, done, can_end, value };
        self.record(call.at, call.name, call.whole, seen);
    }

    pub(super) fn ctx_used(&mut self, subject: &Val, uses: Uses) {
        match subject.behind() {
            Val::Ctx(ctx) => {
                let ctx = ctx.clone();
                self.use_ctx(&ctx, uses);
            }
            Val::Input(path) => self.use_input(path, uses.without(Uses::BOUND)),
            _ => {}
        }
    }

    pub(super) fn root(&mut self, call: &Applied<'_>, mut world: World) -> (World, Val) {
        let placeholder = call.model.role == FnRole::Placeholder;
        let ty = self.program.models.function(call.path).and_then(|_| call.path.rsplit_once("::")).map(|(ty, _)| ty);
        let own = ty.and_then(|ty| self.program.models.ty(ty)).is_some_and(|model| model.own_handle);
        let ctx = self.new_ctx(call, if own { CtxKind::Own } else { CtxKind::Root { placeholder } });
        let at_hand = self.at_hand(&world, own);
        let after_done = !world.done.is_empty();
        let seen = Seen::Root { own, id: ctx.id, placeholder, missing: world.missing, after_done, at_hand };
        self.record(call.at, call.whole, call.whole, seen);
        // A root that something ends is like one with a context derived from it in one.
        let ctx = if call.model.bound == Bound::None { ctx } else { self.derived(call, ctx, &mut world) };
        let value = self.made_context(call, ctx);
        (world, value)
    }

    /// What a call gives that makes a context: the context, or the pair of it and what ends it.
    fn made_context(&mut self, call: &Applied<'_>, ctx: Ctx) -> Val {
        let (context, handle) = match (call.model.context, call.model.handle) {
            (None, None) => return Val::Ctx(ctx),
            (context, handle) => (context.unwrap_or(0), handle.unwrap_or(1)),
        };
        let kind = match self.program.models.part(call.model, handle).filter(|ty| ty.role == TypeRole::Guard) {
            Some(guard) => ObjKind::Guard { ctx: Some(ctx.clone()), of: None, on_drop: guard.on_drop },
            None => ObjKind::Handle(Some(ctx.clone())),
        };
        let made = self.object(call, kind);
        let mut parts = vec![Val::Unknown; context.max(handle) + 1];
        if let Some(slot) = parts.get_mut(context) {
            *slot = Val::Ctx(ctx);
        }
        if let Some(slot) = parts.get_mut(handle) {
            *slot = Val::Obj(made);
        }
        Val::tuple(parts)
    }

    /// The last named local that holds a context other than a root or the server's: one that is its
    /// own handle, or one that is not.
    fn at_hand(&self, world: &World, own: bool) -> Option<Name> {
        let named = world.env.iter_back().filter_map(|(local, value)| {
            let ctx = value.as_ctx()?;
            let foreign = !matches!(ctx.origin().kind, CtxKind::Root { .. } | CtxKind::Server | CtxKind::Own);
            let fits = foreign && self.program.is_own_handle(self.type_of(*local)) == own;
            if fits { self.body.local(*local)?.name.clone() } else { None }
        });
        named.into_iter().next()
    }

    pub(super) fn derive(&mut self, call: &Applied<'_>, subject: Val, mut world: World) -> (World, Val) {
        let parent = self.subject_ctx(call, &subject);
        self.seen_ctx(call, &subject, &world, Val::Unknown);
        self.use_ctx(&parent, Uses::DERIVE);
        if call.model.key.is_some() {
            self.key(call, true);
        }
        if let Some(value) = call.model.value {
            let value = call.value(value);
            self.escape(call.at, &mut world, &value, Uses::ESCAPE.and(Uses::USED));
        }
        let ctx = self.derived(call, parent, &mut world);
        self.record(call.at, call.name, call.whole, Seen::Derived { ctx: ctx.clone() });
        let value = self.made_context(call, ctx);
        (world, value)
    }

    /// A context that ends with its parent, or by the bound that the model names.
    fn derived(&mut self, call: &Applied<'_>, parent: Ctx, world: &mut World) -> Ctx {
        let other = call.model.other.and_then(|other| call.value(other).as_ctx().cloned());
        let time = call.model.time.map_or(Time::Unknown, |time| Time::of(&call.value(time)));
        let id = self.fresh(call.at);
        let parent = self.above(id, parent);
        world.done.remove(&id);
        let kind = CtxKind::Derived { parent, bound: call.model.bound, other, time };
        Ctx::new(CtxNode { id, site: self.site(call.name), kind })
    }

    pub(super) fn key(&mut self, call: &Applied<'_>, written: bool) {
        let Some(local) = call.model.key.and_then(|key| call.locals.get(key)).copied() else { return };
        let span = self.body.local_span(local);
        self.record(call.at, span, call.whole, Seen::Key { local: local.0, written });
        if let Some(path) = self.input_of(local) {
            self.use_input(&path, if written { Uses::KEY.and(Uses::WRITTEN_KEY) } else { Uses::KEY });
        }
    }
}
