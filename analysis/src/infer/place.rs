//! The type of a place, and of what comes out of a future.

use super::tree::{Frame, Tree};
use crate::facts::{Place, Step};
use crate::link::Program;
use crate::model::TypeRole;
use crate::types::{Bound, Ty, TyCon};

impl<'a> Tree<'a> {
    /// The type of a place.
    pub(super) fn place(&self, frame: &Frame<'a>, place: &Place) -> Ty {
        let mut ty = frame.local(place.base);
        for (at, step) in place.path.iter().enumerate() {
            if ty.is_unknown() {
                return ty;
            }
            ty = match step {
                Step::Field(name) => self.program.field_type(&ty, name),
                Step::Variant(variant, field) => self.program.variant_field_type(&ty, variant, field),
                Step::Deref => self.program.deref(&ty).unwrap_or(ty),
                Step::Nth(_) => self.program.item_of(&ty, false),
                Step::Index => {
                    let before = Place { base: place.base, path: place.path.get(..at).unwrap_or_default().to_vec() };
                    self.program.item_of(&ty, frame.looped.contains(&before))
                }
            };
        }
        ty
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
