//! What references and the guards of locks lead to: what is written there is not the body's own.

use crate::facts::{Place, Step};
use crate::model::{FnModel, Shape, TypeRole};
use crate::types::Ty;

use super::channels::READY;
use super::run::Run;
use super::value::Val;
use super::world::World;

impl Run<'_> {
    /// Whether a place is part of something given: what is written there is for others to see.
    pub(super) fn is_given(&self, place: &Place, world: &World) -> bool {
        let to = world.written_by(place);
        match world.env.get(&to.base).map(std::rc::Rc::as_ref) {
            Some(Val::Input(_) | Val::Ctx(_) | Val::Server(..)) => {
                !to.path.is_empty() || (!place.path.is_empty() && self.is_pointer(self.type_of(place.base)))
            }
            Some(Val::Ref(inner, None)) => !to.path.is_empty() || matches!(**inner, Val::Input(_)),
            // To what a guard of one's own leads.
            Some(Val::Agg(agg)) if agg.def.is_some() => to.path.first() == Some(&Step::Deref),
            // Something given of which a field was written before.
            Some(Val::Agg(agg)) => matches!(agg.rest.as_deref(), Some(Val::Input(_))),
            // A reference that came from somewhere, or a lock's guard.
            None => match to.path.first() {
                Some(Step::Deref) => true,
                Some(_) => self.leads_elsewhere(self.type_of(to.base)),
                None => false,
            },
            _ => false,
        }
    }

    /// The place that is written to by way of one: what a reference or a lock's guard leads to that came from
    /// somewhere.
    pub(super) fn behind(&self, place: &Place, world: &World) -> Place {
        let mut place = place.clone();
        let is_from_somewhere = place.path.is_empty() && world.local(place.base).is_unknown();
        if is_from_somewhere && self.leads_elsewhere(self.type_of(place.base)) {
            place.path.push(Step::Deref);
        }
        place
    }

    /// Whether what is written by a value of this type is behind it.
    fn leads_elsewhere(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ref(_, true)) || self.is_pointer(ty)
    }

    /// Whether it is a pointer or a lock's guard itself, behind no reference.
    fn is_pointer(&self, ty: &Ty) -> bool {
        self.program.type_model(ty).is_some_and(|model| model.role == TypeRole::Pointer)
    }

    /// Whether what a function gives in the end leads to what its subject holds: the guard of a lock.
    pub(super) fn gives_guard(&self, model: &FnModel) -> bool {
        let given = match &model.returns {
            Some(Shape::Future(given)) => given,
            Some(given) => given,
            None => return false,
        };
        matches!(given, Shape::Named(path, _) if self.program.models.ty(path).is_some_and(|ty| ty.role == TypeRole::Pointer))
    }
}

/// What waiting for a lock gives: its guard, which stands for what is locked.
pub(super) fn locked(model: &FnModel, subject: Val) -> Val {
    let place = if let Val::Ref(_, place) = &subject { place.clone() } else { None };
    let guard = subject.borrowed(place);
    if matches!(model.returns, Some(Shape::Future(_))) { Val::success(READY, guard) } else { guard }
}
