//! The types of a body's locals, and what its calls call, as far as the code says.
//!
//! Forward and without control flow: each local has one type, the operations of a body are gone
//! through twice in order, and what is not known is filled in from what comes later. A closure is
//! gone through where it is made and again where a call says what it will be given.

mod call;
mod model;
mod place;
mod tree;

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{BlockId, ItemId, ItemKind, LocalId, Name, OpKind, PathRef, Place};
use crate::link::Program;
use crate::names::Namespace;
use crate::source::FileId;
use crate::types::{DefId, Target, Ty};

/// What is known of the types in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypedBody {
    /// By local.
    pub locals: Vec<Ty>,
    /// What each operation calls or names, by block and operation; [`Target::Unknown`] for those
    /// that call nothing.
    pub targets: Vec<Vec<Target>>,
    /// What the body yields: a closure's result, a future's output.
    pub output: Ty,
    /// Where the program's own types are dereferenced without being asked: by the block, the operation and the
    /// argument, of methods the receiver first, the fields that leads through.
    pub(crate) derefs: BTreeMap<(u32, u32, u32), Vec<Name>>,
    /// The same of places that are read or written: with the fields spelled out.
    spelled: FxHashMap<Place, Place>,
}

impl TypedBody {
    /// A local's type.
    pub fn local(&self, id: LocalId) -> &Ty {
        static UNKNOWN: Ty = Ty::Unknown;
        self.locals.get(id.index()).unwrap_or(&UNKNOWN)
    }

    /// A place with what the program's own types on the way dereference to spelled out, if there are such types.
    pub(crate) fn spelled(&self, place: &Place) -> Option<&Place> {
        if place.path.is_empty() || self.spelled.is_empty() { None } else { self.spelled.get(place) }
    }

    /// The fields through which arguments of an operation are dereferenced, if there are such arguments.
    pub(crate) fn derefs_at(&self, block: u32, op: u32) -> impl Iterator<Item = (u32, &[Name])> {
        let found = (!self.derefs.is_empty()).then(|| self.derefs.range((block, op, 0)..=(block, op, u32::MAX)));
        found.into_iter().flatten().map(|(at, fields)| (at.2, fields.as_slice()))
    }

    /// What an operation calls or names.
    pub fn target(&self, block: BlockId, op: usize) -> &Target {
        static UNKNOWN: Target = Target::Unknown;
        self.targets.get(block.index()).and_then(|ops| ops.get(op)).unwrap_or(&UNKNOWN)
    }
}

/// The types in a file's bodies.
#[derive(Debug, Default)]
pub(crate) struct FileTypes {
    /// By body.
    pub(crate) bodies: Vec<TypedBody>,
    /// Of each function's parameters, by item.
    pub(crate) params: Vec<Vec<Ty>>,
    /// Functions that the file mentions otherwise than as what is called.
    pub(crate) values: FxHashSet<DefId>,
}

/// Goes through all bodies of a file.
pub(crate) fn file(program: &Program, file: FileId) -> FileTypes {
    let Some(facts) = program.facts(file) else {
        return FileTypes::default();
    };
    let items = (0..facts.items.len() as u32).map(|item| DefId { file, item: ItemId(item) });
    let params: Vec<Vec<Ty>> = items.map(|def| program.resolve_params(def)).collect();
    let bodies = tree::infer(program, file, facts, &params);
    let mut values = FxHashSet::default();
    let mut mention = |path: &PathRef| {
        if let Target::Def(def) = program.value_path(file, path).target {
            values.insert(def);
        }
    };
    for item in &facts.items {
        if let ItemKind::MacroCall { mentions, .. } = &item.kind {
            mentions.iter().for_each(&mut mention);
        }
    }
    for body in &facts.bodies {
        for op in body.blocks.iter().flat_map(|block| &block.ops) {
            if let OpKind::Unknown { paths, .. } = &op.kind {
                paths.iter().for_each(&mut mention);
            }
        }
    }
    for (body, typed) in facts.bodies.iter().zip(&bodies) {
        for (block, targets) in body.blocks.iter().zip(&typed.targets) {
            for (op, target) in block.ops.iter().zip(targets) {
                if let (OpKind::Path(_), Target::Def(def)) = (&op.kind, target) {
                    values.insert(*def);
                }
            }
        }
    }
    FileTypes { bodies, params, values }
}

/// The canonical path of a macro.
pub(crate) fn macro_path(program: &Program, file: FileId, path: &PathRef) -> Option<smol_str::SmolStr> {
    match program.resolve_path(file, path, Namespace::Macro) {
        crate::names::Res::External(path) => Some(path),
        _ => None,
    }
}
