//! Types in which nothing can be that is followed.
//!
//! Most of what a function is given is plain data. Without following where it goes, the flows have less to carry,
//! and the functions of a circle less to tell each other.

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::Program;
use crate::facts::{Field, ItemKind};
use crate::model::TypeRole;
use crate::types::{DefId, Ty, TyCon};

/// The structs and enums of the program in which nothing is that is followed, however deep: the largest set of
/// them whose fields are all of types that hold nothing but such.
pub(super) fn collect(program: &Program) -> FxHashSet<DefId> {
    let found: Vec<(DefId, Option<Vec<DefId>>)> =
        program.par_items().filter_map(|def| Some((def, needs(program, def)?))).collect();
    let mut inert: FxHashSet<DefId> = FxHashSet::default();
    let mut users: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
    for (def, needs) in found {
        for of in needs.iter().flatten() {
            users.entry(*of).or_default().push(def);
        }
        if needs.is_some() {
            inert.insert(def);
        }
    }
    let mut left: Vec<DefId> = users.keys().filter(|def| !inert.contains(def)).copied().collect();
    while let Some(def) = left.pop() {
        left.extend(users.get(&def).into_iter().flatten().filter(|user| inert.remove(user)));
    }
    inert
}

/// The structs and enums that must be inert for this one to be; the inner is none if it is not in any case, the
/// outer if it is neither struct nor enum.
fn needs(program: &Program, def: DefId) -> Option<Option<Vec<DefId>>> {
    let (generics, fields): (_, Vec<&Field>) = match &program.item(def)?.kind {
        ItemKind::Struct { generics, fields, .. } => (generics, fields.iter().collect()),
        ItemKind::Enum { generics, variants } => {
            (generics, variants.iter().flat_map(|variant| &variant.fields).collect())
        }
        _ => return None,
    };
    let mut needs = Vec::new();
    let is_plain = |field: &&Field| {
        let ty = program.resolve_type(def.file, &field.ty);
        program.is_plain(&ty, &mut |of| {
            needs.push(of);
            true
        })
    };
    Some((generics.params.is_empty() && fields.iter().all(is_plain)).then_some(needs))
}

impl Program {
    /// Whether nothing that is followed can be in a value of this type. Keys, truths and lengths of time are
    /// followed where they stand by themselves.
    pub(crate) fn is_inert(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Ref(inner, _) | Ty::Slice(inner) => self.is_inert(inner),
            Ty::Adt(TyCon::Def(_), _) => self.is_plain(ty, &mut |def| self.inert.contains(&def)),
            Ty::Adt(TyCon::External(path), args) => match self.models.ty(path).map(|model| model.role) {
                None => self.is_plain(ty, &mut |def| self.inert.contains(&def)),
                Some(TypeRole::Pointer | TypeRole::Maybe | TypeRole::Collection) => {
                    !args.is_empty() && args.iter().all(|arg| self.is_inert(arg))
                }
                Some(_) => false,
            },
            _ => false,
        }
    }

    /// The same of a type that stands in another, if `is_inert` says which structs and enums are.
    fn is_plain(&self, ty: &Ty, is_inert: &mut dyn FnMut(DefId) -> bool) -> bool {
        match ty {
            Ty::Never | Ty::Prim(_) => true,
            Ty::Ref(inner, _) | Ty::Slice(inner) => self.is_plain(inner, is_inert),
            Ty::Tuple(parts) => parts.iter().all(|part| self.is_plain(part, is_inert)),
            Ty::Adt(TyCon::Def(def), args) => args.is_empty() && is_inert(*def),
            Ty::Adt(TyCon::External(path), args) => {
                let holds_its_arguments = match self.models.ty(path).map(|model| model.role) {
                    None => !self.models.knows(path),
                    Some(role) => matches!(
                        role,
                        TypeRole::Pointer
                            | TypeRole::Maybe
                            | TypeRole::Collection
                            | TypeRole::Text
                            | TypeRole::Primitive
                    ),
                };
                holds_its_arguments && args.iter().all(|arg| self.is_plain(arg, is_inert))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::facts::ItemKind;
    use crate::model::Models;
    use crate::tests::link_with;

    /// The structs and enums of a program that are inert, by name.
    fn inert(text: &str) -> Vec<String> {
        let program = link_with(text, Models::builtin().expect("models"));
        let of = |def: &crate::types::DefId| program.item(*def).map(|item| item.name.to_string());
        let mut names: Vec<String> = program.inert.iter().filter_map(of).collect();
        names.sort();
        assert!(program.inert.iter().all(|def| {
            matches!(program.item(*def).map(|item| &item.kind), Some(ItemKind::Struct { .. } | ItemKind::Enum { .. }))
        }));
        names
    }

    #[test]
    fn plain_data_is_inert_however_it_goes_round() {
        let text = "
            struct Unit;
            struct Row { id: u64, names: Vec<String>, next: Option<Box<Row>>, at: other::Place }
            enum Expr { Lit(Row), Both { left: Box<Expr>, right: Box<Expr> }, Of(Query) }
            struct Query { by: Expr }
        ";
        assert_eq!(inert(text), ["Expr", "Query", "Row", "Unit"]);
    }

    #[test]
    fn what_may_hold_something_is_not() {
        let text = "
            use context::Context;
            struct Job { ctx: Context }
            struct Behind { job: std::sync::Arc<Job>, of: Round }
            enum Round { Again(Box<Behind>) }
            struct Timed { limit: std::time::Duration }
            struct Calls { then: Box<dyn FnOnce()>, pointer: fn() }
            struct Any<T> { of: T }
            struct OfAny { of: Any<u8> }
            struct Hidden { of: __Unknown }
            struct Plain;
        ";
        assert_eq!(inert(text), ["Plain"]);
    }
}
