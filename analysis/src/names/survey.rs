//! What is asked of whole modules and scopes: the traits they import, what they show, whether they
//! are tests.

use rustc_hash::FxHashSet;
use smol_str::SmolStr;

use super::lookup::{Found, Leaf, Lookup, Search};
use super::{Entry, Module, ModuleId, Namespace, Res, prelude};
use crate::facts::{Item, ItemKind, ScopeId, Visibility};
use crate::source::{CrateId, CrateKind, FileId};
use crate::types::DefId;

/// How many modules are followed by globs in search of traits.
const MAX_MODULES: usize = 256;

impl<'a> Lookup<'a> {
    /// Whether the `mod` item that makes a file a module, or one around it, is test code.
    pub(crate) fn is_test_module(self, file: FileId) -> bool {
        let mut next = self.names.module_of_scope.get(&(file, ScopeId(0))).copied();
        while let Some(module) = next.and_then(|id| self.module(id)) {
            let parent = module.parent.and_then(|parent| self.module(parent));
            if let Some(Module { file, scope: Some(scope), .. }) = parent
                && let Some(table) = self.table(*file, *scope)
            {
                let declared = table.names.get(&module.name).into_iter().flatten().any(|entry| match *entry {
                    Entry::Item(id) => self
                        .item(DefId { file: *file, item: id })
                        .is_some_and(|item| item.test && matches!(item.kind, ItemKind::Module { scope: None, .. })),
                    Entry::Import(..) => false,
                });
                if declared {
                    return true;
                }
            }
            next = module.parent;
        }
        false
    }

    /// The traits of libraries that one scope itself imports and that the models know: for methods
    /// that need them.
    pub(crate) fn traits_imported_in(self, file: FileId, scope: ScopeId) -> FxHashSet<SmolStr> {
        let mut traits = FxHashSet::default();
        self.traits_of_scope(file, scope, &mut traits, &mut Vec::new());
        traits
    }

    fn traits_of_scope(
        self,
        file: FileId,
        scope: ScopeId,
        traits: &mut FxHashSet<SmolStr>,
        seen: &mut Vec<(FileId, ScopeId)>,
    ) {
        if seen.contains(&(file, scope)) || seen.len() > MAX_MODULES {
            return;
        }
        seen.push((file, scope));
        let Some(table) = self.table(file, scope) else { return };
        let named = table.names.values().flatten().filter_map(|entry| match *entry {
            Entry::Import(item, at) => Some((item, at)),
            Entry::Item(_) => None,
        });
        for (item, at) in named.chain(table.unnamed.iter().copied()) {
            if let Found::Yes(Res::External(path)) =
                self.import(Leaf { file, item, at }, Namespace::Type, &mut Search::default())
                && self.models.has_methods(&path)
            {
                traits.insert(path);
            }
        }
        for &(id, at) in &table.globs {
            let Some(Item { kind: ItemKind::Use(imports), .. }) = self.item(DefId { file, item: id }) else { continue };
            let Some(import) = imports.get(at) else { continue };
            match self.imported(file, &import.path, Namespace::Type, &mut Search::default()).0 {
                Res::Module(module) => {
                    if let Some(Module { file, scope: Some(scope), .. }) = self.module(module) {
                        self.traits_of_scope(*file, *scope, traits, seen);
                    }
                }
                Res::External(path) => traits.extend(self.models.traits_in(&path).map(SmolStr::new)),
                _ => {}
            }
        }
    }

    /// Whether a trait need not be imported.
    pub fn is_prelude_trait(self, path: &str) -> bool {
        prelude::has_trait(path)
    }

    /// The root modules of crates of some kinds.
    pub(crate) fn roots_of(self, wanted: impl Fn(CrateKind) -> bool) -> impl Iterator<Item = ModuleId> {
        let crates = self.sources.crates.iter().zip(&self.names.roots);
        crates.filter(move |(krate, _)| wanted(krate.kind)).map(|(_, root)| *root)
    }

    /// The public modules and items that a module declares or re-exports.
    pub(crate) fn public_names(self, module: ModuleId) -> (Vec<ModuleId>, Vec<DefId>) {
        let (mut modules, mut defs) = (Vec::new(), Vec::new());
        let mut add = |res| match res {
            Res::Module(module) => modules.push(module),
            Res::Def(def) | Res::Variant(def, _) => defs.push(def),
            _ => {}
        };
        let Some(Module { file, scope: Some(scope), .. }) = self.module(module) else { return (modules, defs) };
        let Some(table) = self.table(*file, *scope) else { return (modules, defs) };
        let is_public =
            |id| self.item(DefId { file: *file, item: id }).is_some_and(|item| item.visibility == Visibility::Public);
        const ALL: [Namespace; 3] = [Namespace::Type, Namespace::Value, Namespace::Macro];
        for entry in table.names.values().flatten() {
            for namespace in ALL {
                match *entry {
                    Entry::Item(id) if is_public(id) => {
                        if let Some(res) = self.of_item(*file, id, namespace) {
                            add(res);
                        }
                    }
                    Entry::Import(id, at) if is_public(id) => {
                        if let Found::Yes(res) =
                            self.import(Leaf { file: *file, item: id, at }, namespace, &mut Search::default())
                        {
                            add(res);
                        }
                    }
                    _ => {}
                }
            }
        }
        for &(id, at) in &table.globs {
            if let Some(Item { kind: ItemKind::Use(imports), visibility: Visibility::Public, .. }) =
                self.item(DefId { file: *file, item: id })
                && let Some(import) = imports.get(at)
            {
                add(self.imported(*file, &import.path, Namespace::Type, &mut Search::default()).0);
            }
        }
        (modules, defs)
    }

    /// The item of the program that a user's model means by this path, if its crate is of the program.
    pub(crate) fn own_item(self, path: &str) -> Option<DefId> {
        let mut segments = path.split("::");
        let krate = segments.next()?;
        let rest: Vec<&str> = segments.collect();
        let crates = self.sources.crates.iter().zip(0..).filter(|(candidate, _)| candidate.name == krate);
        for (_, at) in crates {
            for namespace in [Namespace::Type, Namespace::Value] {
                match self.below_root(CrateId(at), &rest, namespace) {
                    (Res::Def(def), used) if used == rest.len() => return Some(def),
                    _ => {}
                }
            }
        }
        None
    }
}
