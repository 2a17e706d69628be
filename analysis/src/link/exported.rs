//! Which items code outside the crate can name.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::Program;
use crate::names::ModuleId;
use crate::source::CrateKind;
use crate::types::DefId;

/// Everything public that is reached from the roots of libraries through public modules and
/// re-exports, members included.
pub(super) fn collect(program: &Program) -> FxHashSet<DefId> {
    let lookup = program.lookup();
    let mut exported = FxHashSet::default();
    let mut seen: FxHashSet<ModuleId> = FxHashSet::default();
    let mut open: Vec<ModuleId> = lookup.roots_of(|kind| matches!(kind, CrateKind::Lib | CrateKind::Loose)).collect();
    while let Some(module) = open.pop() {
        if !seen.insert(module) {
            continue;
        }
        let (modules, defs) = lookup.public_names(module);
        open.extend(modules);
        exported.extend(defs);
    }
    let members: Vec<DefId> = program.par_items().filter(|def| is_exported_member(program, *def, &exported)).collect();
    exported.extend(members);
    exported
}

fn is_exported_member(program: &Program, def: DefId, exported: &FxHashSet<DefId>) -> bool {
    let Some(item) = program.item(def) else { return false };
    let Some(container) = item.container else { return false };
    let container = DefId { file: def.file, item: container };
    match program.item(container).map(|item| &item.kind) {
        Some(crate::facts::ItemKind::Trait { .. }) => exported.contains(&container),
        Some(crate::facts::ItemKind::Impl { of_trait, .. }) => {
            let is_public = of_trait.is_some() || item.visibility == crate::facts::Visibility::Public;
            is_public
                && match program.self_type(container, 16).unreferenced() {
                    crate::types::Ty::Adt(crate::types::TyCon::Def(def), _) => exported.contains(def),
                    _ => of_trait.is_some(),
                }
        }
        _ => false,
    }
}
