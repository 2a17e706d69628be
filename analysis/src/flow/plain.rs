//! Plain values: options, locks, references and lengths of time, and what they hold.

use std::borrow::Cow;

use crate::facts::{Name, Step};
use crate::model::{FnRole, Shape, TypeRole};
use crate::types::Ty;

use super::contents::OPTION;
use super::events::LossKind;
use super::roles::{Applied, objects_in};
use super::run::{At, Run};
use super::value::{CtxKind, CtxNode, Uses, Val};
use super::world::{Use, World};

impl<'a> Run<'a> {
    pub(super) fn subject_role(&self, call: &Applied<'_>) -> Option<TypeRole> {
        self.program.role(&*self.subject_type(call)?)
    }

    /// The type of what a call is about.
    pub(super) fn subject_type(&self, call: &Applied<'_>) -> Option<Cow<'a, Ty>> {
        match call.receiver {
            Some(place) if call.model.subject == 0 => Some(self.type_at(place)),
            _ => Some(Cow::Borrowed(self.type_of(*call.locals.get(call.model.subject)?))),
        }
    }

    pub(super) fn inner(&mut self, call: &Applied<'_>, subject: Val, mut world: World) -> Vec<(World, Val)> {
        if subject.succeeds() == Some(false) {
            return Vec::new();
        }
        if let Val::Asked(ctx, says, true) = subject.behind() {
            self.learn(ctx, *says, &mut world);
            return vec![(world, Val::Unknown)];
        }
        let value = match subject.behind() {
            Val::Input(_) if self.subject_role(call) != Some(TypeRole::Maybe) => subject.clone(),
            Val::Agg(agg) if agg.variant.is_none() => subject.clone(),
            _ => subject.project(&some()),
        };
        vec![(world, value)]
    }

    /// `unwrap_or_else`, `or_else`: what the subject holds, or else something that replaces it.
    pub(super) fn or(&mut self, call: &Applied<'_>, subject: Val, world: World) -> Vec<(World, Val)> {
        let unwraps = call.model.role == FnRole::InnerOr;
        // Something is there where the work does not run; not so where the work is shown it, and decides whether it stays.
        let is_there = self.subject_role(call) == Some(TypeRole::Maybe)
            && call.model.other.is_none()
            && !call.model.gives.iter().any(|given| matches!(given, Shape::Ref(_)));
        let shown = |value: &Val| match value {
            value if unwraps => value.project(&some()),
            Val::Unknown if is_there => Val::success("Some", Val::Unknown),
            value => value.clone(),
        };
        let mut out = Vec::new();
        let succeeds = subject.succeeds();
        if succeeds != Some(false) {
            out.push((world.clone(), shown(&subject)));
        }
        if succeeds == Some(true) {
            return out;
        }
        let before = world.missing;
        let mut world = world;
        let is_context = self.may_stand_for_context(call);
        world.missing |= is_context;
        if let Some(other) = call.model.other {
            let other = call.value(other);
            self.replaces(&other);
            world.missing = before;
            out.push((world, other));
            return out;
        }
        if is_context {
            self.note_replacing(call);
        }
        for work in call.work() {
            for (mut world, value) in self.call_value(call.at, call.name, work.clone(), Vec::new(), world.clone()) {
                world.missing = before;
                out.push((world, value));
            }
        }
        out
    }

    /// Whether what may be missing in the subject may be a context, or stand for one.
    fn may_stand_for_context(&self, call: &Applied<'_>) -> bool {
        let Some(ty) = self.subject_type(call) else { return true };
        let held = self.program.held(self.program.peel(&ty));
        !matches!(held, Ty::Prim(_)) && !self.program.is_inert(&held)
    }

    pub(super) fn map(&mut self, call: &Applied<'_>, subject: Val, world: World) -> Vec<(World, Val)> {
        let wraps = call.model.role == FnRole::Map;
        let succeeds = subject.succeeds();
        let mut out = self.otherwise(call, succeeds, &world);
        if succeeds == Some(false) {
            return if out.is_empty() { vec![(world, subject)] } else { out };
        }
        let has_other = !out.is_empty();
        let is_maybe = self.subject_role(call) == Some(TypeRole::Maybe);
        let inner = if is_maybe { subject.project(&some()) } else { subject.project(&Step::Index) };
        let before = world.clone();
        let mut interesting = false;
        for work in call.work() {
            for (mut world, value) in self.call_value(call.at, call.name, work, vec![inner.clone()], world.clone()) {
                interesting |= !value.is_unknown();
                if !(is_maybe && succeeds.is_some()) {
                    world = world.perhaps_after(&before);
                }
                let value = match (wraps, is_maybe, value) {
                    (_, _, Val::Unknown) => Val::Unknown,
                    (true, true, value) => Val::success("Some", value),
                    (true, false, value) => self.gathered(call, &mut world, value),
                    (false, _, value) => value,
                };
                out.push((world, value));
            }
        }
        if interesting && is_maybe && succeeds.is_none() && !has_other {
            out.push((world, Val::variant("None")));
        }
        out
    }

    /// What a call that maps gives where there is nothing to map, if that is something of its own: a value, or what
    /// other work gives.
    fn otherwise(&mut self, call: &Applied<'_>, succeeds: Option<bool>, world: &World) -> Vec<(World, Val)> {
        let other = call.model.other.filter(|_| !call.model.work.is_empty() && succeeds != Some(true));
        let Some(other) = other.map(|other| call.value(other)) else { return Vec::new() };
        self.replaces(&other);
        if !matches!(other.behind(), Val::Closure(..) | Val::Function(_)) {
            return vec![(world.clone(), other)];
        }
        let mut nothing = world.clone();
        nothing.missing = true;
        let out = self.call_value(call.at, call.name, other, vec![Val::Unknown], nothing);
        let settled = |(after, value): (World, Val)| {
            let mut after = if succeeds.is_some() { after } else { after.perhaps_after(world) };
            after.missing = world.missing;
            (after, value)
        };
        out.into_iter().map(settled).collect()
    }

    /// The roots in a value, or that it makes when it is run, stand for what is missing.
    fn replaces(&mut self, other: &Val) {
        if let Val::Closure(body, _) = other.behind() {
            self.replacing.insert(*body);
        }
        other.walk(&mut |value, _, _| {
            if let Val::Ctx(ctx) = value
                && let CtxKind::Root { .. } = ctx.origin().kind
            {
                self.replacements.insert(ctx.origin().id);
            }
        });
    }

    /// Whether a call makes one optional pair of two optional values.
    pub(super) fn pairs(&self, call: &Applied<'_>) -> bool {
        let pair = match &call.model.returns {
            Some(Shape::Named(path, args)) if path == OPTION => args.first(),
            _ => None,
        };
        matches!(pair, Some(Shape::Tuple(_))) && call.model.other.is_some()
    }

    /// The pair of what two optional values hold, or nothing where one of them holds nothing.
    pub(super) fn paired(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> Vec<(World, Val)> {
        let both = [subject.clone(), call.value(call.model.other.unwrap_or(1))];
        let mut out = Vec::new();
        if both.iter().any(|value| value.succeeds() != Some(true)) {
            let mut nothing = world.clone();
            for value in &both {
                self.drop_value(call.at, value, LossKind::Ignored, call.whole, &mut nothing);
            }
            out.push((nothing, Val::variant("None")));
        }
        if both.iter().all(|value| value.succeeds() != Some(false)) {
            let parts = both.iter().map(|value| value.project(&some())).collect();
            out.push((world, Val::success("Some", Val::tuple(parts))));
        }
        out
    }

    /// `get_or_insert_with`, `get_or_init`, `get_or_insert`: what is there, or else what is made or given and put there.
    pub(super) fn filled(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> Vec<(World, Val)> {
        let succeeds = subject.succeeds();
        let mut ways = Vec::new();
        if succeeds != Some(false) {
            let mut world = world.clone();
            if let Some(other) = call.model.other.map(|other| call.value(other)) {
                match succeeds {
                    Some(_) => self.drop_value(call.at, &other, LossKind::Ignored, call.whole, &mut world),
                    // Whether it is dropped nobody knows.
                    None => self.escape(call.at, &mut world, &other, Uses::ESCAPE),
                }
            }
            ways.push((world, subject.project(&some()).borrowed(None)));
        }
        if succeeds != Some(true) {
            let made = match call.model.other {
                Some(other) => vec![(world, call.value(other))],
                None => self.once(call, world),
            };
            for (mut world, value) in made {
                self.escape(call.at, &mut world, &value, Uses::ESCAPE);
                if succeeds == Some(false) {
                    self.put(call.at, subject, Val::success("Some", value.without_objects()), &mut world);
                }
                ways.push((world, value.borrowed(None)));
            }
        }
        ways
    }

    /// A collection of what some work gives whenever it is run. Tasks and tokens are followed into collections; what
    /// else is kept there is looked after.
    pub(super) fn gathered(&mut self, call: &Applied<'_>, world: &mut World, value: Val) -> Val {
        if value.is_unknown() {
            return Val::Unknown;
        }
        if !self.holds_task(&value) && !is_own_token(&value) {
            self.escape(call.at, world, &value, Uses::ESCAPE);
        }
        let is_made_here = |node: &CtxNode| (node.id.block, node.id.op) == (call.at.block, call.at.op);
        Val::Many(vec![value.one_of_several(&is_made_here)])
    }

    /// Whether a task is all there is to look after in a value.
    pub(super) fn holds_task(&self, value: &Val) -> bool {
        let objects = objects_in(value);
        let is_task = |id: &super::value::ObjId| matches!(self.kind(*id), Some(super::value::ObjKind::Task(_)));
        !objects.is_empty() && objects.iter().all(is_task)
    }

    pub(super) fn holds_guard(&self, value: &Val) -> bool {
        let is_guard = |id: &super::value::ObjId| matches!(self.kind(*id), Some(super::value::ObjKind::Guard { .. }));
        objects_in(value).iter().any(is_guard)
    }

    pub(super) fn look(&mut self, call: &Applied<'_>, subject: &Val) -> Val {
        let Some(says) = call.model.asks_success() else { return Val::Unknown };
        match subject.behind() {
            Val::Asked(ctx, what, meaning) => Val::Asked(ctx.clone(), *what, *meaning == says),
            value => value.succeeds().map_or(Val::Unknown, |succeeds| Val::Bool(succeeds == says)),
        }
    }

    /// `is_some_and`: what is there is shown to a closure.
    pub(super) fn ask(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> Vec<(World, Val)> {
        let before = world.clone();
        let worlds = self.invoke_all(call, world, Some(shown_to_work(subject)));
        worlds.into_iter().map(|(world, _)| (world.perhaps_after(&before), Val::Unknown)).collect()
    }

    /// Puts `new` where the subject is and gives what was there; `subject` is a reference to it.
    pub(super) fn put(&mut self, at: At, subject: &Val, new: Val, world: &mut World) -> Val {
        match subject {
            Val::Ref(_, Some(place)) => self.keep_at(place, &new),
            other => self.keep_in(other, &new),
        }
        match subject {
            Val::Ref(inner, Some(place)) if !is_outside(inner) && self.is_given(&self.behind(place, world), world) => {
                let to = world.written_by(&self.behind(place, world));
                self.store(at, &to, &new, world);
                world.overlay(&to, &new);
                inner.behind().clone()
            }
            Val::Ref(inner, Some(place)) if !is_outside(inner) => {
                self.share(at, place, &new, world);
                match world.replace(place, new.clone()) {
                    Some(old) => old,
                    None => {
                        self.escape(at, world, &new, Uses::ESCAPE);
                        inner.behind().clone()
                    }
                }
            }
            other => {
                match other.behind() {
                    Val::Server(id, _) if self.statics.contains_key(id) => {
                        let def = self.statics.get(id).copied();
                        for (id, def) in objects_in(&new).into_iter().zip(def) {
                            self.mark(world, id, Use::Stored(def, Name::default()));
                        }
                    }
                    _ if self.stays_in_slot(at, other, &new, world) => {}
                    _ => self.escape(at, world, &new, Uses::ESCAPE.and(Uses::USED)),
                }
                let old = other.behind().clone();
                if let Val::Ref(_, Some(place)) = other {
                    world.overlay(place, &new);
                }
                old
            }
        }
    }

    pub(super) fn exchange(&mut self, subject: &Val, new: Val, world: &mut World) -> Val {
        match subject {
            Val::Ref(inner, Some(place)) if !is_outside(inner) => {
                let old = world.read(place);
                match world.replace(&place.clone(), new) {
                    Some(Val::Unknown) => old.behind().clone(),
                    Some(old) => old,
                    None => inner.behind().clone(),
                }
            }
            other => other.behind().clone(),
        }
    }

    pub(super) fn duration(&self, call: &Applied<'_>) -> Val {
        let number = |value: &Val| if let Val::Nanos(number) = value { Some(*number) } else { None };
        let numbers: Option<Vec<u128>> = call.values.iter().map(number).collect();
        numbers.and_then(|numbers| super::constants::length(call.path, &numbers)).map_or(Val::Unknown, Val::Nanos)
    }
}

/// Whether it is a context that is made here, and its own handle.
fn is_own_token(value: &Val) -> bool {
    matches!(value, Val::Ctx(ctx) if ctx.sources().iter().all(|source| source.kind == CtxKind::Own))
}

/// What a closure is shown of what it is asked about.
pub(super) fn shown_to_work(subject: &Val) -> Val {
    match subject.behind() {
        Val::Many(_) => subject.project(&Step::Index),
        _ => subject.project(&some()),
    }
}

pub(super) fn some() -> Step {
    Step::Variant("Ok".into(), "0".into())
}

/// Whether a place holds something that is kept elsewhere, so that what is put into it goes out of sight.
fn is_outside(value: &Val) -> bool {
    matches!(value.behind(), Val::Input(_) | Val::Server(..) | Val::Request(..))
}
