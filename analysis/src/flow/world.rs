//! What holds at one point on one way through a body.
//!
//! Several worlds are kept for a point while they differ in something that matters (a handle used
//! in one and not in the other), each with the conditions it was reached under, so that a second
//! test of the same condition is decided. Beyond [`MAX_WORLDS`] they are joined into one that
//! knows only what all agree on, and where in doubt takes what keeps rules silent.

use std::rc::Rc;

use crate::facts::{LocalId, Name, Place};
use crate::types::DefId;

use super::conditions::Cond;
use super::map::{Map, Mark, Marked};
use super::value::{Agg, CtxNode, InputPath, ObjId, Site, Val};

/// How many worlds are kept apart at one point.
pub(super) const MAX_WORLDS: usize = 10;

/// What was done with an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// It was stored in this field, and whether anybody uses that is not decided here.
    Stored(DefId, Name),
    /// It was used, or may have been.
    Real,
}

/// What has become of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TaskState {
    /// It was started, and nothing was waited for since.
    Fresh,
    /// Its context ended here before anything was waited for.
    Cut(Site),
    /// Something was waited for since: it may have done its work.
    Settled,
}

/// What holds. All of it is shared with the worlds it came from as far as it is the same.
#[derive(Clone, Default, PartialEq)]
pub(super) struct World {
    /// What locals hold; those that are not here hold nothing of interest.
    pub(super) env: Map<LocalId, Rc<Val>>,
    /// What was done with objects.
    pub(super) used: Map<ObjId, Use>,
    /// Contexts that are certainly done.
    pub(super) done: Map<ObjId, ()>,
    /// Contexts that were asked whether they can end, and can.
    pub(super) can_end: Map<ObjId, ()>,
    /// Tasks that were started, and what has become of them.
    pub(super) tasks: Map<ObjId, TaskState>,
    /// Inputs whose handle has been cancelled.
    pub(super) cancelled: Map<InputPath, ()>,
    /// A context that may be missing is known to be missing.
    pub(super) missing: bool,
    /// Such a context is known to be there.
    pub(super) present: bool,
    /// Conditions that led here.
    assume: Map<Rc<Cond>, bool>,
    /// The conditions by the locals they read; some of those may not be assumed any more. No condition
    /// stands before all of a local's.
    asked: Map<(LocalId, Option<Rc<Cond>>), ()>,
}

/// Whether a context, or one it ends with, is one of these.
fn is_among(known: &Map<ObjId, ()>, ctx: &CtxNode) -> bool {
    // What is known of one of several is not known of another.
    !known.is_empty() && ctx.line().iter().any(|node| !node.id.old && known.contains(&node.id))
}

/// The first and the last of the objects that values mention.
#[derive(Clone, Default)]
pub(super) struct Mentioned(Option<(ObjId, ObjId)>);

impl Mentioned {
    /// Whether one between these may be among them.
    fn meets(&self, first: ObjId, last: ObjId) -> bool {
        self.0.is_some_and(|(from, to)| from <= last && first <= to)
    }
}

impl Mark for Mentioned {
    fn add(&mut self, other: &Mentioned) {
        self.0 = match (self.0, other.0) {
            (Some((from, to)), Some((first, last))) => Some((from.min(first), to.max(last))),
            (ours, theirs) => ours.or(theirs),
        };
    }
}

impl Marked for Rc<Val> {
    type Mark = Mentioned;

    fn mark(&self) -> Mentioned {
        let mut mentioned = Mentioned::default();
        self.walk(&mut |value, _, _| {
            if let Val::Obj(id) = value {
                mentioned.add(&Mentioned(Some((*id, *id))));
            }
        });
        mentioned
    }
}

/// Values that nobody looks for.
macro_rules! unmarked {
    ($($ty:ty),*) => {$(
        impl Marked for $ty {
            type Mark = ();
            fn mark(&self) {}
        }
    )*};
}

unmarked!(Use, (), bool);

/// Whether a task is one for which nothing was waited for since it was started.
#[derive(Clone, Default)]
pub(super) struct AnyFresh(pub(super) bool);

impl Mark for AnyFresh {
    fn add(&mut self, other: &AnyFresh) {
        self.0 |= other.0;
    }
}

impl Marked for TaskState {
    type Mark = AnyFresh;

    fn mark(&self) -> AnyFresh {
        AnyFresh(*self == TaskState::Fresh)
    }
}

impl World {
    /// What a place holds.
    pub(super) fn read(&self, place: &Place) -> Val {
        let value = self.env.get(&place.base).map_or(Val::Unknown, |value| value.follow(&place.path));
        match value {
            // What a reference to a place of this body shows is what that place holds now.
            Val::Ref(shown, Some(target)) if target.base != place.base => {
                let now = self.read_through(&target, 4).map(|now| now.behind().clone());
                // What is given to the body says what it is only where it is read with its type.
                let now =
                    now.filter(|now| !matches!(now, Val::Input(_) | Val::Request(..) | Val::Server(..) | Val::Unknown));
                Val::Ref(Box::new(now.unwrap_or(*shown)), Some(target))
            }
            other => other,
        }
    }

    /// What a local holds.
    pub(super) fn local(&self, local: LocalId) -> Val {
        self.env.get(&local).map_or(Val::Unknown, |value| Val::clone(value))
    }

    fn read_through(&self, place: &Place, fuel: u8) -> Option<Val> {
        match self.env.get(&place.base)?.follow(&place.path) {
            Val::Ref(_, Some(target)) if fuel > 0 && target.base != place.base => self.read_through(&target, fuel - 1),
            other => Some(other),
        }
    }

    /// The place that a place is by way of a reference, or itself.
    pub(super) fn leads_to(&self, place: &Place) -> Place {
        let mut at = place.clone();
        for _ in 0..4 {
            match self.env.get(&at.base).map(Rc::as_ref) {
                Some(Val::Ref(_, Some(target))) if target.base != at.base => {
                    let rest = at.path.strip_prefix(&[crate::facts::Step::Deref]).unwrap_or(&at.path);
                    let path = target.path.iter().chain(rest).cloned().collect();
                    at = Place { base: target.base, path };
                }
                _ => break,
            }
        }
        at
    }

    /// The place that is written to: what a reference leads to that is still there, unless it is the reference itself.
    pub(super) fn written_by(&self, place: &Place) -> Place {
        let to = Some(self.leads_to(place)).filter(|to| !place.path.is_empty() && self.env.get(&to.base).is_some());
        to.unwrap_or_else(|| place.clone())
    }

    /// Gives a local a value.
    pub(super) fn set(&mut self, local: LocalId, value: Val) {
        self.forget(local);
        match value {
            Val::Unknown => self.env.remove(&local),
            value => self.env.insert(local, Rc::new(value)),
        }
    }

    /// Reads a place by value: what it owned is owned by the reader from then on.
    pub(super) fn take(&mut self, place: &Place) -> Val {
        let value = self.read(place);
        if value.owns() {
            self.replace(place, Val::Moved);
        }
        value
    }

    /// Puts a value into a place of this body and gives what was there; none if the place is not
    /// known to be one of this body's.
    pub(super) fn replace(&mut self, place: &Place, value: Val) -> Option<Val> {
        if place.path.is_empty() {
            if let Some(Val::Ref(_, Some(_)) | Val::Input(_)) = self.env.get(&place.base).map(Rc::as_ref)
                && !matches!(value, Val::Moved)
            {
                self.set(place.base, value);
                return Some(Val::Unknown);
            }
            let old = self.local(place.base);
            self.set(place.base, value);
            return Some(old);
        }
        let mut root = self.local(place.base);
        if let Val::Ref(_, Some(target)) = &root {
            let mut target = target.clone();
            target.path.extend(place.path.iter().filter(|step| !matches!(step, crate::facts::Step::Deref)).cloned());
            if target.base == place.base {
                return None;
            }
            return self.replace(&target, value);
        }
        let old = put(&mut root, &place.path, value)?;
        self.env.insert(place.base, Rc::new(root));
        self.forget(place.base);
        Some(old)
    }

    /// Whether a context is certainly done, or one it ends with.
    pub(super) fn is_done(&self, ctx: &CtxNode) -> bool {
        is_among(&self.done, ctx)
    }

    /// Whether a context is known to be able to end, because it or one it ends with was asked.
    pub(super) fn can_end(&self, ctx: &CtxNode) -> bool {
        is_among(&self.can_end, ctx)
    }

    /// What holds after something that may not have been done at all: what ended in it may not have ended.
    /// Handles that it uses count as used.
    pub(super) fn perhaps_after(mut self, before: &World) -> World {
        self.done = before.done.clone();
        self.can_end = before.can_end.clone();
        self.cancelled = before.cancelled.clone();
        let is_cut = |(_, state): &(&ObjId, &TaskState)| matches!(state, TaskState::Cut(_));
        let cut: Vec<ObjId> = self.tasks.iter().filter(is_cut).map(|(id, _)| *id).collect();
        for id in cut {
            if let Some(state) = before.tasks.get(&id) {
                self.tasks.insert(id, *state);
            }
        }
        self
    }

    /// A value is written into what the body was given, by reference or as a part of it. What is
    /// written as a whole replaces what is known, so does a field; deeper ways through pointers do not.
    pub(super) fn overlay(&mut self, place: &Place, value: &Val) {
        use crate::facts::Step;
        let Some(root) = self.env.get(&place.base) else { return };
        let mut root = Val::clone(root);
        let value = value.without_objects();
        if place.path.iter().all(|step| *step == Step::Deref || root.stands_for(step)) {
            root = value;
        } else if matches!(root, Val::Input(_) | Val::Agg(_)) {
            let path: Vec<Step> = place.path.iter().filter(|step| **step != Step::Deref).cloned().collect();
            let _ = put(&mut root, &path, value);
        }
        self.env.insert(place.base, Rc::new(root));
    }

    /// What a local was given is no longer what it was where it was written.
    pub(super) fn forget_written(&mut self, local: LocalId) {
        if let Some(Val::Agg(agg)) = self.env.get(&local).map(Rc::as_ref)
            && agg.rest.is_some()
        {
            let mut agg = agg.clone();
            agg.fields.iter_mut().for_each(|(_, value)| *value = Val::Unknown);
            self.env.insert(local, Rc::new(Val::Agg(agg)));
        }
    }

    /// Whether another place than those already dropped owns the object.
    pub(super) fn owned_elsewhere(&self, id: ObjId) -> bool {
        self.env.any(&|mentioned| mentioned.meets(id, id), &|value| owned_in(value, id))
    }

    /// Notes that an object was used.
    pub(super) fn mark(&mut self, id: ObjId, how: Use) {
        if self.used.get(&id).is_none_or(|known| how > *known) {
            self.used.insert(id, how);
        }
    }

    /// Notes that a task was started, unless that is known.
    pub(super) fn started(&mut self, id: ObjId) {
        if !self.tasks.contains(&id) {
            self.tasks.insert(id, TaskState::Fresh);
        }
    }

    /// Whether an object was used.
    pub(super) fn is_used(&self, id: ObjId) -> bool {
        self.used.contains(&id)
    }

    /// Takes a condition to hold or not; false if the opposite is known.
    pub(super) fn suppose(&mut self, cond: &Cond, truth: bool) -> bool {
        let cond = Rc::new(cond.clone());
        if let Some(known) = self.assume.get(&cond) {
            return *known == truth;
        }
        for base in &cond.bases {
            self.asked.insert((*base, Some(cond.clone())), ());
        }
        self.assume.insert(cond, truth);
        true
    }

    /// The same with no condition assumed.
    pub(super) fn unasked(&self) -> World {
        World { assume: Map::default(), asked: Map::default(), ..self.clone() }
    }

    /// Forgets what the conditions on this local said.
    pub(super) fn forget(&mut self, local: LocalId) {
        if self.asked.is_empty() {
            return;
        }
        for key in self.asked.keys_in(&(local, None), &(LocalId(local.0.saturating_add(1)), None)) {
            self.asked.remove(&key);
            key.1.iter().for_each(|cond| self.assume.remove(cond));
        }
    }

    /// A local may be changed out of sight: what is known of numbers, times and
    /// collections in it no longer holds.
    pub(super) fn unfix(&mut self, local: LocalId) {
        if let Some(value) = self.env.get(&local).filter(|value| value.is_fixed()) {
            let mut value = Val::clone(value);
            value.unfix();
            self.env.insert(local, Rc::new(value));
        }
    }

    /// Makes room for the objects that an operation is about to make again: what it made before
    /// is told apart as old.
    pub(super) fn retire(&mut self, block: u32, op: u32) {
        let is_ours = |id: &ObjId| id.block == block && id.op == op && !id.old;
        let first = ObjId { block, op, slot: 0, old: false };
        let last = ObjId { block, op, slot: u16::MAX, old: true };
        let may_be = |mentioned: &Mentioned| mentioned.meets(first, last);
        let mentions = |value: &Val| {
            let mut hit = false;
            value.walk(&mut |value, _, _| hit |= matches!(value, Val::Obj(id) if is_ours(id)));
            hit
        };
        let of_map = |keys: Vec<ObjId>| keys.into_iter().filter(is_ours).collect::<Vec<_>>();
        let used = of_map(self.used.keys_in(&first, &last));
        let done = of_map(self.done.keys_in(&first, &last));
        let can_end = of_map(self.can_end.keys_in(&first, &last));
        if used.is_empty() && done.is_empty() && can_end.is_empty() && !self.env.any(&may_be, &|value| mentions(value))
        {
            return;
        }
        let rename = |id: ObjId| if is_ours(&id) { ObjId { old: true, ..id } } else { id };
        self.env.change(&may_be, &|value| mentions(value).then(|| Rc::new(value.renamed(&rename))));
        // Old objects of several turns share one name: what was done to the first of them stays.
        for id in used {
            if let Some(how) = self.used.get(&id).cloned() {
                self.used.remove(&id);
                if !self.used.contains(&rename(id)) {
                    self.used.insert(rename(id), how);
                }
            }
        }
        for id in done {
            self.done.remove(&id);
        }
        for id in can_end {
            self.can_end.remove(&id);
        }
        for id in of_map(self.tasks.keys_in(&first, &last)) {
            if let Some(state) = self.tasks.get(&id).copied() {
                self.tasks.remove(&id);
                if !self.tasks.contains(&rename(id)) {
                    self.tasks.insert(rename(id), state);
                }
            }
        }
    }

    /// Whether both are the same in all that matters: what differs is how they were reached, or in
    /// values that no context, handle or task is part of.
    pub(super) fn same_state(&self, other: &World) -> bool {
        self.missing == other.missing
            && self.present == other.present
            && self.used == other.used
            && self.done == other.done
            && self.can_end == other.can_end
            && self.tasks == other.tasks
            && self.cancelled == other.cancelled
            && self.same_values(other)
    }

    fn same_values(&self, other: &World) -> bool {
        self.env.differences(&other.env, &mut |_, ours, theirs| {
            [ours, theirs].into_iter().flatten().all(|value| !value.matters())
        })
    }

    /// Whether both are the same in all that matters, and no local has another variant in the one than in
    /// the other that is to be told apart: because it holds something in a third.
    pub(super) fn same_but(&self, other: &World, is_told_apart: &dyn Fn(&LocalId) -> bool) -> bool {
        self.same_state(other)
            && self.env.differences(&other.env, &mut |local, ours, theirs| {
                !(ours.is_some_and(|value| value.is_variant())
                    && theirs.is_some_and(|value| value.is_variant())
                    && is_told_apart(local))
            })
    }

    /// Whether what a local holds matters.
    pub(super) fn matters(&self, local: &LocalId) -> bool {
        self.env.get(local).is_some_and(|value| value.matters())
    }

    /// Takes from `other`, which is the same in all that matters, only what both know. Whether
    /// anything was given up.
    pub(super) fn weaken(&mut self, other: &World) -> bool {
        let mut locals = Vec::new();
        self.env.differences(&other.env, &mut |local, ours, theirs| {
            if let Some(ours) = ours.filter(|value| !value.matters()) {
                let both = theirs.and_then(|theirs| ours.common_variant(theirs));
                if both.as_ref() != Some(&**ours) {
                    locals.push((*local, both));
                }
            }
            true
        });
        let mut conditions = Vec::new();
        self.assume.differences(&other.assume, &mut |cond, ours, _| {
            conditions.extend(ours.map(|_| cond.clone()));
            true
        });
        for (local, both) in &locals {
            match both {
                Some(both) => self.env.insert(*local, Rc::new(both.clone())),
                None => self.env.remove(local),
            }
        }
        conditions.iter().for_each(|cond| self.assume.remove(cond));
        !locals.is_empty() || !conditions.is_empty()
    }

    /// What both agree on. Whether anything was given up.
    pub(super) fn join(&mut self, other: &World) -> bool {
        let before = self.clone();
        let (mut locals, mut lost) = (Vec::new(), Vec::new());
        before.env.differences(&other.env, &mut |local, ours, theirs| {
            locals.extend(ours.map(|_| *local));
            lost.extend([ours, theirs].into_iter().flatten().cloned());
            true
        });
        locals.iter().for_each(|local| self.env.remove(local));
        before.used.differences(&other.used, &mut |id, _, theirs| {
            theirs.into_iter().for_each(|how| self.mark(*id, how.clone()));
            true
        });
        // What is no longer in sight is taken as used.
        for value in lost {
            value.walk(&mut |value, _, _| {
                if let Val::Obj(id) = value {
                    self.used.insert(*id, Use::Real);
                }
            });
        }
        before.done.differences(&other.done, &mut |id, ours, _| {
            ours.into_iter().for_each(|()| self.done.remove(id));
            true
        });
        before.can_end.differences(&other.can_end, &mut |id, ours, _| {
            ours.into_iter().for_each(|()| self.can_end.remove(id));
            true
        });
        before.tasks.differences(&other.tasks, &mut |id, ours, theirs| {
            let latest = ours.max(theirs).copied();
            latest.into_iter().for_each(|state| self.tasks.insert(*id, state));
            true
        });
        before.cancelled.differences(&other.cancelled, &mut |input, ours, _| {
            ours.into_iter().for_each(|()| self.cancelled.remove(input));
            true
        });
        self.missing |= other.missing;
        self.present |= other.present;
        self.weaken(other);
        *self != before
    }
}

/// Whether the value owns the object.
fn owned_in(value: &Val, id: ObjId) -> bool {
    let mut hit = false;
    value.walk(&mut |value, _, borrowed| hit |= !borrowed && *value == Val::Obj(id));
    hit
}

/// Puts a value at the end of a way into another and gives what was there.
fn put(root: &mut Val, path: &[crate::facts::Step], value: Val) -> Option<Val> {
    use crate::facts::Step;
    let Some((step, rest)) = path.split_first() else {
        return Some(std::mem::replace(root, value));
    };
    if let (Val::Input(_), Step::Field(_)) = (&*root, step) {
        let given = std::mem::take(root);
        *root = Val::Agg(Agg { rest: Some(Box::new(given)), ..Agg::default() });
    }
    match (root, step) {
        (root, Step::Deref) if !matches!(root, Val::Ref(..) | Val::Input(_)) => put(root, rest, value),
        (Val::Agg(agg), Step::Field(name) | Step::Variant(_, name)) => {
            if let Some((_, slot)) = agg.fields.iter_mut().find(|(field, _)| field == name) {
                return put(slot, rest, value);
            }
            let mut field = agg.field(name);
            if rest.is_empty() {
                agg.fields.push((name.clone(), value));
                return Some(field.without_objects());
            }
            let old = put(&mut field, rest, value)?;
            agg.fields.push((name.clone(), field));
            Some(old)
        }
        (Val::Many(values), Step::Nth(at)) => put(values.get_mut(*at as usize)?, rest, value),
        (root @ Val::Unknown, Step::Field(_)) if rest.is_empty() && matches!(value, Val::Moved) => {
            Some(std::mem::take(root))
        }
        _ => None,
    }
}
