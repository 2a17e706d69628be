//! What happens where a future is polled to its end or a context's end is waited for.

use crate::facts::Span;
use crate::model::FnRole;
use crate::summary::Summary;
use crate::types::Ty;

use super::channels::READY;
use super::events::CallKind;
use super::gives::Gives;
use super::roles::Applied;
use super::run::{At, Run};
use super::value::{Ctx, CtxKind, CtxNode, ObjKind, Says, Site, Uses, Val, limits};
use super::world::{Use, World};

impl<'a> Run<'a> {
    /// Work is run, or time waited for, until a context ends.
    pub(super) fn run_under(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> (World, Val) {
        self.seen_ctx(call, subject, &world, Val::Unknown);
        // A wait for the end with a limit, turn by turn, is a wait for the end.
        let waits = self.in_loop(call.at) && call.model.what.as_deref() == Some("wait");
        let uses = if waits { Uses::WAIT } else { Uses::RACE };
        if !call.model.returns_future(&self.program.models) {
            self.ctx_used(subject, uses);
            let ends = self.gives_end(call.model);
            let answer = |ctx: &Ctx| Val::Asked(ctx.clone(), Says::Ended, ends);
            return (world, subject.as_ctx().map_or(Val::Unknown, answer));
        }
        // Whether it has a bound is told where it is waited for.
        self.ctx_used(subject, uses.and(Uses::BOUND));
        let work = match call.model.role {
            FnRole::Run => Val::Work(self.pieces(call), call.gives()),
            _ => Val::Work(Vec::new(), Gives::Unknown),
        };
        let value = match subject.as_ctx() {
            Some(ctx) => Val::Timed(Box::new(work), Some(ctx.clone())),
            None => work,
        };
        (world, value)
    }

    /// What a future or handle holds counts as looked after: it lost a race, or was given a chance.
    pub(super) fn settle(&mut self, world: &mut World, value: &Val) {
        self.look_after_those(value, world, |kind| matches!(kind, ObjKind::Task(_) | ObjKind::TaskSet(_)));
    }

    /// A context's end is waited for, in this way.
    pub(super) fn wait_for_end(&mut self, ctx: &Ctx, how: Uses, world: &mut World) {
        self.use_ctx(ctx, how);
        // Under a limit of time the wait may end before the context does.
        if self.timed == 0 {
            world.done.insert(ctx.id, ());
        }
    }

    /// What a future is to who waits for it: a call of what only waits for the end of a context is that end.
    pub(super) fn end_of(&mut self, name: Span, future: Val) -> Val {
        let (Val::Future(body, inputs) | Val::Closure(body, inputs)) = future.behind() else { return future };
        let summaries = self.summaries;
        let path = summaries.get(*body).and_then(Summary::end_of);
        let site = self.site(name);
        let Some(ctx) = path.and_then(|path| self.ctx_of(&path.among(inputs)?, site)) else { return future };
        self.record_call(*body, name, inputs, CallKind::Direct, false);
        Val::Done(ctx)
    }

    /// The context whose end is all that work waits for.
    fn end_within(&mut self, name: Span, work: &Val) -> Option<Ctx> {
        let Val::Work(pieces, Gives::Either(_, _, given)) = work else { return None };
        let ([piece], Gives::Piece(0)) = (pieces.as_slice(), &**given) else { return None };
        match self.end_of(name, piece.clone()) {
            Val::Done(ctx) => Some(ctx),
            _ => None,
        }
    }

    /// The context that a value is where one is wanted; an input gets this site.
    pub(super) fn ctx_of(&mut self, value: &Val, site: Site) -> Option<Ctx> {
        let (id, site, kind) = match value.behind() {
            Val::Ctx(ctx) => return Some(ctx.clone()),
            Val::Input(path) => (self.input_id(path), site, CtxKind::Input(path.clone())),
            Val::Request(id, site) => (*id, *site, CtxKind::Request),
            Val::Server(id, site) => (*id, *site, CtxKind::Server),
            _ => return None,
        };
        Some(Ctx::new(CtxNode { id, site, kind }))
    }

    /// A future is polled to its end, a task waited for.
    pub(super) fn drive(&mut self, at: At, name: Span, value: Val, mut world: World) -> Vec<(World, Val)> {
        match value.behind().clone() {
            Val::Future(body, inputs) | Val::Closure(body, inputs) => {
                // The block of a function that gives its work back as a future.
                if matches!(value.behind(), Val::Closure(..))
                    && crate::summary::parent(self.program, body) != Some(self.who)
                {
                    self.chained(at, name, None, Some(body), &inputs, &world);
                }
                self.call_body(at, name, body, inputs, CallKind::Direct, world, 0)
            }
            Val::Timed(inner, until) => {
                let end = self.end_within(name, &inner);
                if let Some(ctx) = &until {
                    self.use_ctx(ctx, Uses::RACE);
                }
                let limit = limits(&until);
                self.timed += limit;
                let worlds = self.drive(at, name, *inner, world);
                self.timed -= limit;
                match (until, end) {
                    (Some(ctx), _) => worlds.into_iter().map(|way| answering(&ctx, false, way)).collect(),
                    (None, Some(ctx)) => worlds.into_iter().map(|way| answering(&ctx, true, way)).collect(),
                    (None, None) => worlds,
                }
            }
            Val::Work(pieces, gives) => self.drive_all(at, name, &pieces, &gives, world),
            Val::Many(pieces) => self.drive_all(at, name, &pieces, &Gives::Unknown, world),
            Val::Agg(agg) => {
                for (_, value) in &agg.fields {
                    self.settle(&mut world, value);
                }
                if agg.variant.as_deref() == Some(READY) {
                    return vec![(world, agg.field("0"))];
                }
                self.awaited_end(&value, &Ty::Unknown, world).unwrap_or_else(|world| vec![(world, Val::Unknown)])
            }
            Val::Obj(id) => {
                self.mark(&mut world, id, Use::Real);
                vec![(world, Val::Unknown)]
            }
            Val::Done(ctx) => {
                self.wait_for_end(&ctx, Uses::WAIT, &mut world);
                vec![(world, Val::Unknown)]
            }
            Val::Input(path) => {
                self.call_input(&path, Uses::CALL_RAW);
                vec![(world, Val::Unknown)]
            }
            Val::Called(path, _) => {
                self.call_input(&path, Uses::RESULT_RAW);
                vec![(world, Val::Unknown)]
            }
            _ => vec![(world, Val::Unknown)],
        }
    }
}

/// What work gave that says of a context that it has ended, where it succeeds or where it fails.
fn answering(ctx: &Ctx, says: bool, (mut world, value): (World, Val)) -> (World, Val) {
    match value.succeeds() {
        Some(succeeds) if succeeds == says => {
            world.done.insert(ctx.id, ());
            (world, value)
        }
        None if value.is_unknown() => (world, Val::Asked(ctx.clone(), Says::Ended, says)),
        _ => (world, value),
    }
}
