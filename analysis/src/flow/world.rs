//! What holds at one point on one way through a body.
//!
//! Several worlds are kept for a point while they differ in something that matters (a handle used
//! in one and not in the other), each with the conditions it was reached under, so that a second
//! test of the same condition is decided. Beyond [`MAX_WORLDS`] they are joined into one that
//! knows only what all agree on, and where in doubt takes what keeps rules silent.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{LocalId, Name, Place};
use crate::types::DefId;

use super::conditions::Cond;
use super::value::{Agg, InputPath, ObjId, Site, Val};

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

/// What holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct World {
    /// What locals hold; those that are not here hold nothing of interest.
    pub(super) env: BTreeMap<LocalId, Val>,
    /// What was done with objects.
    pub(super) used: BTreeMap<ObjId, Use>,
    /// Contexts that are certainly done.
    pub(super) done: BTreeSet<ObjId>,
    /// Tasks that were started, and what has become of them.
    pub(super) tasks: BTreeMap<ObjId, TaskState>,
    /// Inputs whose handle has been cancelled.
    pub(super) cancelled: BTreeSet<InputPath>,
    /// A context that may be missing is known to be missing.
    pub(super) missing: bool,
    /// Conditions that led here.
    pub(super) assume: BTreeMap<Cond, bool>,
}

impl World {
    /// What a place holds.
    pub(super) fn read(&self, place: &Place) -> Val {
        let mut value = self.env.get(&place.base).cloned().unwrap_or_default();
        for step in &place.path {
            value = value.project(step);
        }
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

    fn read_through(&self, place: &Place, fuel: u8) -> Option<Val> {
        let mut value = self.env.get(&place.base)?.clone();
        for step in &place.path {
            value = value.project(step);
        }
        match value {
            Val::Ref(_, Some(target)) if fuel > 0 && target.base != place.base => self.read_through(&target, fuel - 1),
            other => Some(other),
        }
    }

    /// Gives a local a value.
    pub(super) fn set(&mut self, local: LocalId, value: Val) {
        self.assume.retain(|cond, _| !cond.bases.contains(&local));
        match value {
            Val::Unknown => self.env.remove(&local),
            value => self.env.insert(local, value),
        };
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
            if let Some(Val::Ref(_, Some(_)) | Val::Input(_)) = self.env.get(&place.base)
                && !matches!(value, Val::Moved)
            {
                self.set(place.base, value);
                return Some(Val::Unknown);
            }
            let old = self.env.get(&place.base).cloned().unwrap_or_default();
            self.set(place.base, value);
            return Some(old);
        }
        let mut root = self.env.get(&place.base).cloned().unwrap_or_default();
        if let Val::Ref(_, Some(target)) = &root {
            let mut target = target.clone();
            target.path.extend(place.path.iter().filter(|step| !matches!(step, crate::facts::Step::Deref)).cloned());
            if target.base == place.base {
                return None;
            }
            return self.replace(&target, value);
        }
        let old = put(&mut root, &place.path, value)?;
        self.env.insert(place.base, root);
        self.assume.retain(|cond, _| !cond.bases.contains(&place.base));
        Some(old)
    }

    /// A value is written into what the body was given, by reference or as a part of it. What is
    /// written as a whole replaces what is known, so does a field; deeper ways through pointers do not.
    pub(super) fn overlay(&mut self, place: &Place, value: &Val) {
        use crate::facts::Step;
        let Some(root) = self.env.get_mut(&place.base) else { return };
        let value = value.without_objects();
        if place.path.iter().all(|step| *step == Step::Deref) {
            *root = value;
        } else if matches!(root, Val::Input(_) | Val::Agg(_)) {
            let path: Vec<Step> = place.path.iter().filter(|step| **step != Step::Deref).cloned().collect();
            let _ = put(root, &path, value);
        }
    }

    /// What a local was given is no longer what it was where it was written.
    pub(super) fn forget_written(&mut self, local: LocalId) {
        if let Some(Val::Agg(agg)) = self.env.get_mut(&local)
            && agg.rest.is_some()
        {
            agg.fields.iter_mut().for_each(|(_, value)| *value = Val::Unknown);
        }
    }

    /// Whether another place than those already dropped owns the object.
    pub(super) fn owned_elsewhere(&self, id: ObjId) -> bool {
        self.env.values().any(|value| owned_in(value, id))
    }

    /// Notes that an object was used.
    pub(super) fn mark(&mut self, id: ObjId, how: Use) {
        let entry = self.used.entry(id).or_insert_with(|| how.clone());
        if how > *entry {
            *entry = how;
        }
    }

    /// Whether an object was used.
    pub(super) fn is_used(&self, id: ObjId) -> bool {
        self.used.contains_key(&id)
    }

    /// Takes a condition to hold or not; false if the opposite is known.
    pub(super) fn suppose(&mut self, cond: &Cond, truth: bool) -> bool {
        match self.assume.get(cond) {
            Some(known) => *known == truth,
            None => {
                self.assume.insert(cond.clone(), truth);
                true
            }
        }
    }

    /// Forgets what the conditions on this local said.
    pub(super) fn forget(&mut self, local: LocalId) {
        self.assume.retain(|cond, _| !cond.bases.contains(&local));
    }

    /// A local may be changed out of sight: what is known of numbers and times in it no longer holds.
    pub(super) fn unfix(&mut self, local: LocalId) {
        if let Some(value) = self.env.get_mut(&local) {
            value.unfix();
        }
    }

    /// Makes room for the objects that an operation is about to make again: what it made before
    /// is told apart as old.
    pub(super) fn retire(&mut self, block: u32, op: u32) {
        let is_ours = |id: &ObjId| id.block == block && id.op == op && !id.old;
        let touched = self.used.keys().any(is_ours)
            || self.done.iter().any(is_ours)
            || self.env.values().any(|value| {
                let mut hit = false;
                value.walk(&mut |value, _, _| hit |= matches!(value, Val::Obj(id) if is_ours(id)));
                hit
            });
        if !touched {
            return;
        }
        let rename = |id: ObjId| if is_ours(&id) { ObjId { old: true, ..id } } else { id };
        let env = std::mem::take(&mut self.env);
        self.env = env.into_iter().map(|(local, value)| (local, value.renamed(&rename))).collect();
        // Old objects of several turns share one name: they count as used only if the last is.
        let used = std::mem::take(&mut self.used);
        for (id, how) in used {
            self.used.insert(rename(id), how);
        }
        self.done.retain(|id| !is_ours(id));
        let tasks = std::mem::take(&mut self.tasks);
        self.tasks = tasks.into_iter().map(|(id, state)| (rename(id), state)).collect();
    }

    /// Whether both are the same in all that matters: what differs is how they were reached, or in
    /// values that no context, handle or task is part of.
    pub(super) fn same_state(&self, other: &World) -> bool {
        self.same_values(other)
            && self.used == other.used
            && self.done == other.done
            && self.tasks == other.tasks
            && self.cancelled == other.cancelled
            && self.missing == other.missing
    }

    fn same_values(&self, other: &World) -> bool {
        let ours = self.env.iter().filter(|(local, value)| other.env.get(local) != Some(value));
        let theirs = other.env.iter().filter(|(local, value)| self.env.get(local) != Some(value));
        ours.chain(theirs).all(|(_, value)| !value.matters())
    }

    /// Takes from `other`, which is the same in all that matters, only what both know. Whether
    /// anything was given up.
    pub(super) fn weaken(&mut self, other: &World) -> bool {
        let before = (self.assume.len(), self.env.len());
        self.env.retain(|local, value| value.matters() || other.env.get(local) == Some(value));
        self.assume.retain(|cond, truth| other.assume.get(cond) == Some(truth));
        before != (self.assume.len(), self.env.len())
    }

    /// What both agree on. Whether anything was given up.
    pub(super) fn join(&mut self, other: &World) -> bool {
        let before = self.clone();
        let mut lost = Vec::new();
        let env = std::mem::take(&mut self.env);
        for (local, value) in env {
            match other.env.get(&local) {
                Some(theirs) if *theirs == value => {
                    self.env.insert(local, value);
                }
                theirs => {
                    lost.push(value);
                    lost.extend(theirs.cloned());
                }
            }
        }
        lost.extend(
            other.env.iter().filter(|(local, _)| !before.env.contains_key(local)).map(|(_, value)| value.clone()),
        );
        for (id, how) in &other.used {
            self.mark(*id, how.clone());
        }
        // What is no longer in sight is taken as used.
        for value in lost {
            value.walk(&mut |value, _, _| {
                if let Val::Obj(id) = value {
                    self.used.insert(*id, Use::Real);
                }
            });
        }
        self.done.retain(|id| other.done.contains(id));
        for (id, state) in &other.tasks {
            let entry = self.tasks.entry(*id).or_insert(*state);
            *entry = (*entry).max(*state);
        }
        self.cancelled.retain(|input| other.cancelled.contains(input));
        self.missing |= other.missing;
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
