//! The type of a place, and of what comes out of a future.

use super::tree::{Frame, Tree};
use crate::facts::{Name, Place, Step};
use crate::link::Program;
use crate::model::TypeRole;
use crate::types::{Bound, Ty, TyCon};

impl<'a> Tree<'a> {
    /// The type of a place.
    pub(super) fn place(&self, frame: &Frame<'a>, place: &Place) -> Ty {
        let mut ty = frame.local(place.base);
        // What the program's own types dereference to on the way: the fields in front of a step.
        let mut through: Vec<(usize, Vec<Name>)> = Vec::new();
        for (at, step) in place.path.iter().enumerate() {
            if ty.is_unknown() {
                return ty;
            }
            ty = match step {
                Step::Field(name) => {
                    let Some((owner, field)) = self.program.field(&ty, name) else { return Ty::Unknown };
                    if let Some(fields) = self.deref_fields(&ty, |ty| *ty == owner) {
                        through.push((at, fields));
                    }
                    field
                }
                Step::Variant(variant, field) => self.program.variant_field_type(&ty, variant, field),
                Step::Deref => {
                    let to = self.program.deref(&ty);
                    if let (Ty::Adt(TyCon::Def(_), _), Some(to)) = (&ty, &to)
                        && let Some(fields) = self.deref_fields(&ty, |ty| ty == to)
                    {
                        through.push((at, fields));
                    }
                    to.unwrap_or(ty)
                }
                Step::Nth(_) => self.program.item_of(&ty, false),
                Step::Index => {
                    let before = Place { base: place.base, path: place.path.get(..at).unwrap_or_default().to_vec() };
                    self.program.item_of(&ty, frame.looped.contains(&before))
                }
            };
        }
        if !through.is_empty() {
            let mut spelled = Place::local(place.base);
            for (step, at) in place.path.iter().zip(0..) {
                if let Some((_, fields)) = through.iter().find(|(before, _)| *before == at) {
                    spelled = spelled.along(fields);
                }
                spelled = spelled.then(step.clone());
            }
            frame.spelled.borrow_mut().insert(place.clone(), spelled);
        }
        ty
    }

    /// The fields by way of which a type of the program's own dereferences to another.
    pub(super) fn deref_fields(&self, from: &Ty, is_wanted: impl Fn(&Ty) -> bool) -> Option<Vec<Name>> {
        let own = self.program.peel(from);
        if !matches!(own, Ty::Adt(TyCon::Def(_), _)) || is_wanted(own) {
            return None;
        }
        self.program.deref_fields(own, is_wanted)
    }

    /// What awaiting a value gives.
    pub(super) fn awaited(&self, ty: &Ty) -> Ty {
        self.program.awaited(ty)
    }
}

impl Program {
    /// What awaiting a value of this type gives.
    pub fn awaited(&self, ty: &Ty) -> Ty {
        match self.peel(ty) {
            Ty::Future(output) => (**output).clone(),
            ty @ (Ty::Bounds(_) | Ty::Param(..)) => {
                let output = self.bounds_of(ty).into_iter().find_map(|bound| match bound {
                    Bound::Future(output) => Some(*output),
                    _ => None,
                });
                output.unwrap_or_default()
            }
            ty @ Ty::Adt(TyCon::External(path), _) => {
                let shape = self.models.ty(path).and_then(|model| model.fields.get(".await"));
                shape.map_or(Ty::Unknown, |shape| self.shape_of_type(shape, ty))
            }
            ty @ Ty::Adt(TyCon::Def(_), _) => {
                let of = ["std::future::Future", "std::future::IntoFuture"];
                let implementation = of.iter().find_map(|of| self.impl_of(ty, of));
                implementation.and_then(|of| self.associated_in(of, "Output", ty)).unwrap_or_default()
            }
            _ => Ty::Unknown,
        }
    }

    /// What indexing or, if `looped`, going over a value in a `for` loop gives.
    pub fn item_of(&self, ty: &Ty, looped: bool) -> Ty {
        match self.peel(ty) {
            Ty::Slice(item) => (**item).clone(),
            ty @ Ty::Adt(TyCon::External(path), args) => {
                let Some(model) = self.models.ty(path) else { return Ty::Unknown };
                match &model.items {
                    Some(shape) if looped => self.shape_of_type(shape, ty),
                    _ if matches!(model.role, TypeRole::Collection | TypeRole::Channel | TypeRole::Maybe) => {
                        args.get(model.holds.unwrap_or(0)).cloned().unwrap_or_default()
                    }
                    _ => Ty::Unknown,
                }
            }
            ty @ Ty::Adt(TyCon::Def(_), _) => {
                let names: &[(&str, &str)] = if looped {
                    &[("std::iter::Iterator", "Item"), ("std::iter::IntoIterator", "Item")]
                } else {
                    &[("std::ops::Index", "Output")]
                };
                let item = names.iter().find_map(|(of, name)| self.associated_in(self.impl_of(ty, of)?, name, ty));
                item.unwrap_or_default()
            }
            _ => Ty::Unknown,
        }
    }
}
