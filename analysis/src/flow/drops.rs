//! What goes away: at the end of a scope or statement, overwritten, dropped, or taken out for nothing.

use crate::facts::{BlockId, Discard, Exit, LocalId, LocalKind, OpKind, Place, Span, Step, Terminator};
use crate::model::{FnRole, OnDrop, TypeRole};
use crate::types::{Target, Ty, TyCon};

use super::events::{Loss, LossKind, Seen};
use super::roles::{Applied, objects_in};
use super::run::{At, Run};
use super::value::{Agg, ObjKind, Val};
use super::world::{Use, World};

impl<'a> Run<'a> {
    /// Whether a reference only serves to take out what is behind it, and that goes away with nothing done.
    pub(super) fn is_only_emptied(&self, place: &Place, reference: Option<LocalId>) -> bool {
        let Some(reference) = reference else { return false };
        let mut mentions = self.occurrences.mentions(reference).iter().peekable();
        mentions.peek().is_some()
            && mentions.all(|at| {
                matches!(self.role_at(*at), Some(FnRole::Take | FnRole::Replace))
                    && self.only_goes_away(&self.type_at(place), self.dest(*at))
            })
    }

    /// Whether what is taken out of a place of this type goes away, and nothing happens then.
    pub(super) fn only_goes_away(&self, ty: &Ty, taken: Option<LocalId>) -> bool {
        match taken {
            // The place may be a lock's guard, or a collection.
            Some(taken) => {
                (self.ends_silently(ty) || self.ends_silently(self.type_of(taken))) && self.is_thrown_away(taken, 4)
            }
            None => self.ends_silently(ty),
        }
    }

    /// Whether nothing happens when a value of this type is dropped: it is, or may be, a context or handle that does
    /// nothing then.
    pub(super) fn ends_silently(&self, ty: &Ty) -> bool {
        match self.program.inside(ty) {
            // A guard beside it may be what ends it.
            Ty::Tuple(parts) => {
                let is_guard = |ty: &Ty| self.program.role(ty) == Some(TypeRole::Guard);
                parts.iter().any(|part| self.ends_silently(part)) && !parts.iter().any(is_guard)
            }
            ty => self.program.type_model(&ty).is_some_and(|model| {
                matches!(model.role, TypeRole::Context | TypeRole::Handle) && model.on_drop == OnDrop::Nothing
            }),
        }
    }

    /// Whether nothing is done with a value but to drop it, or to ask whether it is there.
    pub(super) fn is_thrown_away(&self, local: LocalId, fuel: u8) -> bool {
        let Some(fuel) = fuel.checked_sub(1) else { return false };
        let is_what_is_there = |place: &Place| place.path.iter().all(|step| matches!(step, Step::Variant(..)));
        self.occurrences.mentions(local).iter().all(|at| {
            match self.body.op(at.block, at.op).map(|op| (&op.kind, op.dest)) {
                None => self.body.block(BlockId(at.block)).is_some_and(|of| matches!(of.end, Terminator::Match { .. })),
                Some((OpKind::Use(place), Some(dest))) => is_what_is_there(place) && self.is_thrown_away(dest, fuel),
                Some((OpKind::Call { .. }, _)) => self.role_at(*at) == Some(FnRole::Drop),
                Some((OpKind::MethodCall { receiver, .. }, _)) => {
                    receiver.base == local && receiver.path.is_empty() && self.role_at(*at) == Some(FnRole::Look)
                }
                _ => false,
            }
        })
    }

    pub(super) fn end_scope(&mut self, at: At, locals: &[LocalId], exit: Exit, span: Span, world: &mut World) {
        // A reference ends, what it leads to does not.
        for local in locals {
            if self.is_lent_param(*local) {
                continue;
            }
            let value = self.taken_apart(*local, world.local(*local));
            world.set(*local, Val::Unknown);
            if self.is_never_moved(*local) {
                self.end_by_drop(*local, &value, span, world);
            }
            self.drop_value(at, &value, LossKind::Exit(exit), span, world);
        }
    }

    /// What goes away with a local. A struct out of which a context is moved has no `Drop`, and no method gets to see
    /// what is left: that goes away by itself, like the rest of a tuple.
    fn taken_apart(&self, local: LocalId, value: Val) -> Val {
        match value {
            Val::Agg(agg) if agg.def.is_some() && self.is_moved_out_of(local) => Val::Agg(Agg { def: None, ..agg }),
            value => value,
        }
    }

    fn is_moved_out_of(&self, local: LocalId) -> bool {
        self.mentions(local).any(|op| match (&op.kind, op.dest) {
            (OpKind::Use(place), Some(dest)) => {
                place.base == local
                    && matches!(place.path[..], [Step::Field(_) | Step::Variant(..)])
                    && !matches!(self.type_of(dest), Ty::Ref(..))
                    && self.program.role(self.type_of(dest)) == Some(TypeRole::Context)
            }
            _ => false,
        })
    }

    /// What is dropped may end contexts, like a guard. Behind a pointer it is dropped with the last one.
    pub(super) fn end_by_drop(&mut self, local: LocalId, value: &Val, span: Span, world: &mut World) {
        let (Val::Agg(agg), ty @ Ty::Adt(TyCon::Def(def), _)) = (value, self.type_of(local)) else { return };
        let summaries = self.summaries;
        let body = self.program.drop_impl(ty).filter(|_| agg.def == Some(*def)).and_then(|method| self.body_of(method));
        if let Some(summary) = body.and_then(|body| summaries.get(body)) {
            self.end_given(span, summary, &[value.clone().borrowed(None)], world);
        }
    }

    /// Whether nobody but its scope drops what is in a local.
    fn is_never_moved(&self, local: LocalId) -> bool {
        let is_lent = |at: &At| match self.body.op(at.block, at.op).map(|op| &op.kind) {
            Some(OpKind::Ref(..)) => true,
            Some(OpKind::Use(place)) => !place.path.is_empty(),
            Some(OpKind::MethodCall { .. }) => match self.target(*at) {
                Target::Def(def) => matches!(self.program.param_types(*def).first(), Some(Ty::Ref(..))),
                _ => false,
            },
            _ => false,
        };
        self.occurrences.mentions(local).iter().all(is_lent)
    }

    pub(super) fn end_temps(
        &mut self,
        at: At,
        from: LocalId,
        to: LocalId,
        discard: Discard,
        span: Span,
        world: &mut World,
    ) {
        let is_temp = |local: &LocalId| self.body.local(*local).is_some_and(|local| local.kind == LocalKind::Temp);
        let dying: Vec<LocalId> = world.env.keys_in(&from, &to).into_iter().filter(is_temp).collect();
        let last = dying.last().copied();
        for local in dying {
            let value = self.taken_apart(local, world.local(local));
            world.set(local, Val::Unknown);
            let whole = Some(local) == last && discard != Discard::No;
            self.guards_dropped(at, local, &value, if whole { discard } else { Discard::No }, world);
            self.drop_value(at, &value, LossKind::Discarded, span, world);
        }
    }

    /// Guards that a statement makes and throws away.
    fn guards_dropped(&mut self, at: At, local: LocalId, value: &Val, discard: Discard, world: &World) {
        let mut found = Vec::new();
        // Of what is taken apart for its context what nobody takes is thrown away. While the context
        // is only used within the statement, its guard lives as well.
        let mut taken_apart = None;
        value.walk(&mut |value, path, borrowed| {
            if let (Val::Obj(id), false) = (value, borrowed)
                && (discard != Discard::No
                    || (!path.is_empty()
                        && (self.is_left_at(*id, at)
                            || *taken_apart.get_or_insert_with(|| self.gives_away_context(local, world)))))
                && !path.iter().any(|step| step == "()")
            {
                found.push(*id);
            }
        });
        for id in found {
            let Some(object) = self.made(id) else { continue };
            let is_guard = matches!(&object.kind, ObjKind::Guard { .. });
            if is_guard && object.name.is_none() && !world.owned_elsewhere(id) {
                let span = object.name_site.span;
                self.record(at, span, self.body.local_span(local), Seen::GuardDropped { id, discard });
            }
        }
    }

    /// `drop(value)`. A guard that is made for that is a misuse of its own.
    pub(super) fn drop_given(&mut self, call: &Applied<'_>, subject: &Val, world: &mut World) {
        // A reference, or a lock's guard, leaves what it leads to as it is.
        let is_borrowed = matches!(subject, Val::Ref(..));
        if !is_borrowed && !call.locals.first().is_some_and(|local| self.ends_silently(self.type_of(*local))) {
            self.input_used(subject);
        }
        let mut how = LossKind::Dropped;
        for id in objects_in(subject) {
            let fresh = self.made(id).filter(|object| object.name.is_none());
            let guard = fresh.filter(|object| matches!(object.kind, ObjKind::Guard { .. }));
            if let Some(span) = guard.map(|object| object.name_site.span)
                && !world.owned_elsewhere(id)
            {
                self.record(call.at, span, call.whole, Seen::GuardDropped { id, discard: Discard::No });
                how = LossKind::Discarded;
            }
        }
        if let Some(local) = call.locals.first() {
            self.end_by_drop(*local, subject, call.whole, world);
        }
        self.drop_value(call.at, subject, how, call.whole, world);
    }

    /// A value ends here.
    pub(super) fn drop_value(&mut self, at: At, value: &Val, how: LossKind, span: Span, world: &mut World) {
        match value {
            Val::Agg(agg) => {
                if let Some(def) = agg.def
                    && let Some(method) = self.program.drop_impl(&Ty::Adt(TyCon::Def(def), Vec::new()))
                {
                    self.look_after_tasks(value, world);
                    if let Some(body) = self.body_of(method) {
                        self.apply_effects(at, span, body, &[value.clone().borrowed(None)], world);
                    }
                }
                for (name, value) in &agg.fields {
                    // Whether a struct's handle is lost depends on what its methods do with it.
                    match (agg.def, value) {
                        (Some(def), Val::Obj(id)) if self.is_handle(*id) && !self.is_left(*id) => {
                            if !world.owned_elsewhere(*id) {
                                self.mark(world, *id, Use::Stored(def, name.clone()));
                            }
                        }
                        _ => self.drop_value(at, value, how.clone(), span, world),
                    }
                }
            }
            Val::Many(values) => {
                // A handle that is kept in a collection is taken as looked after.
                self.look_after_those(value, world, |kind| matches!(kind, ObjKind::Handle(_)));
                for value in values {
                    self.drop_value(at, value, how.clone(), span, world);
                }
            }
            Val::Work(values, _) | Val::Closure(_, values) | Val::Future(_, values) => {
                for value in values {
                    self.drop_value(at, value, how.clone(), span, world);
                }
            }
            Val::Obj(id) => self.drop_object(*id, how, span, world),
            _ => {}
        }
    }

    /// Whoever says what happens when a type is dropped looks after the tasks in it; what is said there need not be
    /// read, since to abort a task has nothing to do with contexts.
    fn look_after_tasks(&mut self, value: &Val, world: &mut World) {
        let is_task = |kind: &ObjKind| matches!(kind, ObjKind::Task(_) | ObjKind::TaskSet(_) | ObjKind::Aborter(_));
        self.look_after_those(value, world, is_task);
    }

    fn drop_object(&mut self, id: super::value::ObjId, how: LossKind, span: Span, world: &mut World) {
        if world.owned_elsewhere(id) {
            return;
        }
        let Some(object) = self.made(id) else { return };
        match object.kind.clone() {
            ObjKind::Handle(_) if !world.is_used(id) && self.recording => {
                let site = self.site(span);
                self.losses.entry(id).or_default().insert(Loss { site, how });
            }
            ObjKind::Guard { ctx: Some(ctx), on_drop: OnDrop::Cancel, .. } => {
                if world.is_used(id) {
                    return;
                }
                // A guard that is thrown away where it is made is a misuse of its own, and one that goes
                // away with work ends when the work does.
                if !matches!(how, LossKind::Discarded | LossKind::Ignored) {
                    self.end_context(&ctx, span, world);
                }
            }
            ObjKind::Guard { of: Some(handle), on_drop: OnDrop::Cancel, .. }
                if !world.is_used(id) && !matches!(how, LossKind::Discarded | LossKind::Ignored) =>
            {
                world.cancelled.insert(handle, ());
            }
            _ => {}
        }
    }

    /// Whether a context that is part of a temporary goes on living after its statement.
    fn gives_away_context(&self, temp: LocalId, world: &World) -> bool {
        self.mentions(temp).any(|op| match (&op.kind, op.dest) {
            (OpKind::Use(place), Some(dest)) if !place.path.is_empty() => {
                self.program.role(self.type_of(dest)) == Some(TypeRole::Context) && self.is_kept(dest, world, 4)
            }
            _ => false,
        })
    }

    /// Whether a value is bound to a name that is still there, put into a place or given back.
    fn is_kept(&self, local: LocalId, world: &World, fuel: u8) -> bool {
        let Some(fuel) = fuel.checked_sub(1) else { return false };
        let is_name = self.body.local(local).is_some_and(|local| local.kind == LocalKind::Binding);
        let is_bound = is_name && world.env.get(&local).is_some_and(|value| !matches!(**value, Val::Ref(..)));
        let is_returned = self.occurrences.mentions(local).iter().any(|at| {
            let block = self.body.blocks.get(at.block as usize);
            block.is_some_and(|block| {
                at.op as usize == block.ops.len() && matches!(block.end, crate::facts::Terminator::Return(_))
            })
        });
        is_bound
            || is_returned
            || self.mentions(local).any(|op| match &op.kind {
                OpKind::Assign { value, .. } => *value == local,
                OpKind::Use(place) if place.path.is_empty() => {
                    op.dest.is_some_and(|dest| self.is_kept(dest, world, fuel))
                }
                _ => false,
            })
    }

    /// Whether a pattern left an object to a `_`.
    fn is_left(&self, id: super::value::ObjId) -> bool {
        self.made(id).is_some_and(|object| object.wild.is_some())
    }

    /// Whether a pattern left it to a `_` and ends with that: where a pattern has a body, as in a `match`, what it
    /// leaves lives as long.
    fn is_left_at(&self, id: super::value::ObjId, end: At) -> bool {
        let Some(wild) = self.made(id).and_then(|object| object.wild) else { return false };
        let ops = self.body.block(crate::facts::BlockId(end.block)).map_or(&[][..], |block| &block.ops);
        let before = ops.iter().take(end.op as usize).rev();
        let mut taken_apart = before.take_while(|op| {
            matches!(op.kind, OpKind::Use(_) | OpKind::Ref(..) | OpKind::Wild(_) | OpKind::EndTemps { .. })
        });
        taken_apart.any(|op| matches!(op.kind, OpKind::Wild(_)) && op.span == wild.span)
    }
}
