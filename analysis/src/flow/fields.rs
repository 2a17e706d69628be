//! Which fields a place is in.

use crate::facts::{Name, Place, Step};
use crate::infer::TypedBody;
use crate::link::Program;
use crate::types::{DefId, Ty, TyCon};

/// A field by its name and its struct, if that is known.
pub(crate) type FieldName = (Option<DefId>, Name);

/// The fields on the way to a place.
pub(super) fn of_place(program: &Program, typed: &TypedBody, place: &Place) -> Vec<FieldName> {
    let mut found = Vec::new();
    let mut ty = typed.local(place.base).clone();
    for (at, step) in place.path.iter().enumerate() {
        let (Step::Field(name) | Step::Variant(_, name)) = step else { continue };
        // A struct that does not declare a field has it through its `Deref`.
        let (owner, field) = match step {
            Step::Variant(variant, name) => (ty.clone(), program.variant_field_type(&ty, variant, name)),
            _ => program.field(&ty, name).unwrap_or_else(|| (ty.clone(), Ty::Unknown)),
        };
        let def = match program.peel(&owner) {
            Ty::Adt(TyCon::Def(def), _) => Some(*def),
            Ty::SelfOf(_) | Ty::Unknown | Ty::Param(..) => None,
            _ => return found,
        };
        ty = field;
        // Of a tuple in a field only the part that is read is used.
        if let (Ty::Tuple(_), Some(parts)) = (program.peel(&ty), place.path.get(at + 1..)) {
            let parts = parts.iter().map_while(|step| match step {
                Step::Field(part) => Some(part.clone()),
                _ => None,
            });
            found.push((def, part_of(name, &parts.collect::<Vec<_>>())));
            return found;
        }
        found.push((def, name.clone()));
    }
    found
}

/// The name of a part of what is in a field: `pair.1`.
pub(super) fn part_of(name: &Name, path: &[Name]) -> Name {
    path.iter().fold(name.clone(), |name, step| smol_str::format_smolstr!("{name}.{step}"))
}
