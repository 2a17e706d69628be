//! Builds the module tree from the files' paths and their `mod` items.

use std::sync::Mutex;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::{Entry, Extern, Module, ModuleId, Names, ScopeTable, prelude};
use crate::facts::{FileFacts, ImportName, ItemId, ItemKind, Name, ScopeId, ScopeKind};
use crate::model::Models;
use crate::source::{Crate, CrateId, CrateKind, Dependency, FileId, Sources};
use crate::types::DefId;

impl Names {
    /// Builds the tree of all crates. A file that no crate reaches becomes a crate of its own, which
    /// is added to `sources`.
    pub fn build(sources: &mut Sources, models: &Models) -> Names {
        let mut names = Names {
            tables: sources.files.par_iter().map(|file| file.facts.as_deref().map_or_else(Vec::new, tables)).collect(),
            home: vec![None; sources.files.len()],
            found: sources.files.iter().map(|_| Mutex::default()).collect(),
            ..Names::default()
        };
        let mut tree = Tree { sources, names: &mut names, by_path: FxHashMap::default() };
        tree.by_path = tree.sources.files.iter().zip(0..).map(|(file, at)| (file.path.clone(), FileId(at))).collect();
        tree.add_crates();
        tree.add_by_convention();
        tree.add_loose();
        names.externs = externs(sources, models);
        names.libraries = sources.crates.iter().map(|krate| is_library(krate, models)).collect();
        names.collect_macros(sources);
        names
    }

    fn collect_macros(&mut self, sources: &Sources) {
        for (file, at) in sources.files.iter().zip(0..) {
            let file_id = FileId(at);
            let (Some(facts), Some(Some(krate))) = (file.facts.as_deref(), self.home.get(file_id.index())) else {
                continue;
            };
            for (item, at) in facts.items.iter().zip(0..) {
                match &item.kind {
                    ItemKind::MacroRules { .. } => {
                        let def = DefId { file: file_id, item: ItemId(at) };
                        self.macros.entry((*krate, item.name.clone())).or_insert(def);
                    }
                    ItemKind::ExternCrate { .. } if item.attrs.iter().any(|attr| attr.path.last() == "macro_use") => {
                        self.macro_use.entry(*krate).or_default().push(item.name.clone());
                    }
                    _ => {}
                }
            }
        }
    }
}

/// The names each scope of a file declares.
fn tables(facts: &FileFacts) -> Vec<ScopeTable> {
    let mut tables: Vec<ScopeTable> = facts.scopes.iter().map(|_| ScopeTable::default()).collect();
    for (item, at) in facts.items.iter().zip(0..) {
        let (Some(table), None) = (tables.get_mut(item.scope.index()), item.container) else {
            continue;
        };
        let id = ItemId(at);
        match &item.kind {
            ItemKind::Use(imports) => {
                for (at, import) in imports.iter().enumerate() {
                    match &import.name {
                        ImportName::Named(name) => {
                            table.names.entry(name.clone()).or_default().push(Entry::Import(id, at));
                        }
                        ImportName::Underscore => table.unnamed.push((id, at)),
                        ImportName::Glob => table.globs.push((id, at)),
                    }
                }
            }
            ItemKind::Impl { .. } | ItemKind::MacroCall { .. } => {}
            _ => table.names.entry(item.name.clone()).or_default().push(Entry::Item(id)),
        }
    }
    tables
}

fn is_library(krate: &Crate, models: &Models) -> bool {
    krate.kind == CrateKind::Lib && models.is_library(&krate.name, &krate.package_name)
}

/// What extern crates are called in each crate.
fn externs(sources: &Sources, models: &Models) -> Vec<FxHashMap<Name, Extern>> {
    let extern_crate = |id: CrateId| match sources.crates.get(id.index()) {
        Some(krate) if is_library(krate, models) => Extern::External(krate.name.clone()),
        _ => Extern::Crate(id),
    };
    let mut tables = Vec::with_capacity(sources.crates.len());
    for krate in &sources.crates {
        let mut table = FxHashMap::default();
        if krate.kind != CrateKind::Lib && krate.kind != CrateKind::Loose && krate.kind != CrateKind::BuildScript {
            // A package's other targets see its library under its name.
            let own = sources
                .crates
                .iter()
                .zip(0..)
                .find(|(other, _)| other.kind == CrateKind::Lib && other.package == krate.package);
            if let Some((library, at)) = own {
                table.insert(library.name.clone(), extern_crate(CrateId(at)));
            }
        }
        for (name, dependency) in &krate.dependencies {
            let meaning = match dependency {
                Dependency::Crate(id) => extern_crate(*id),
                Dependency::External(real) => Extern::External(models.library_of(real).into()),
            };
            table.insert(name.clone(), meaning);
        }
        // `extern crate x as y;` in the root module gives the whole crate the name.
        let root = sources.files.get(krate.root.index()).and_then(|file| file.facts.as_deref());
        for item in root.into_iter().flat_map(|facts| &facts.items) {
            if let ItemKind::ExternCrate { krate: real } = &item.kind
                && item.scope.index() == 0
                && item.name != *real
            {
                let meaning = table.get(real).cloned().unwrap_or_else(|| Extern::External(real.clone()));
                table.insert(item.name.clone(), meaning);
            }
        }
        for name in ["std", "core", "alloc"] {
            debug_assert!(prelude::is_standard_crate(name));
            table.entry(name.into()).or_insert_with(|| Extern::External(name.into()));
        }
        tables.push(table);
    }
    tables
}

struct Tree<'a> {
    sources: &'a mut Sources,
    names: &'a mut Names,
    by_path: FxHashMap<String, FileId>,
}

impl Tree<'_> {
    /// Libraries first: a file that a library and a program share is looked at as the library's.
    fn add_crates(&mut self) {
        let mut order: Vec<usize> = (0..self.sources.crates.len()).collect();
        order.sort_by_key(|&at| {
            let kind = self.sources.crates.get(at).map(|krate| krate.kind);
            match kind {
                Some(CrateKind::Lib) => 0,
                Some(CrateKind::Bin) => 1,
                Some(CrateKind::Loose) | None => 3,
                Some(_) => 2,
            }
        });
        self.names.roots = vec![ModuleId(u32::MAX); self.sources.crates.len()];
        for at in order {
            let Some(krate) = self.sources.crates.get(at) else { continue };
            let (root, name) = (krate.root, krate.name.clone());
            let module = self.add_file(root, None, name, CrateId(at as u32), true);
            if let (Some(module), Some(slot)) = (module, self.names.roots.get_mut(at)) {
                *slot = module;
            }
        }
    }

    /// Files below a file that was not parsed belong to it by their paths.
    fn add_by_convention(&mut self) {
        let mut open: Vec<FileId> = (0..self.sources.files.len())
            .map(|at| FileId(at as u32))
            .filter(|file| self.home(*file).is_none())
            .collect();
        open.sort_by_key(|&file| {
            let path = self.path(file);
            (path.matches('/').count(), !path.ends_with("/mod.rs"), path.to_owned())
        });
        for file in open {
            if self.home(file).is_some() {
                continue;
            }
            let path = self.path(file).to_owned();
            let (name, folder) = module_of_path(&path);
            let parents =
                [format!("{folder}/mod.rs"), format!("{folder}.rs"), join(folder, "lib.rs"), join(folder, "main.rs")];
            let parent = parents.iter().filter(|parent| **parent != path).find_map(|parent| {
                let parent = self.by_path.get(parent)?;
                let module = self.opaque_module(*parent)?;
                Some((module, self.home(*parent)?))
            });
            if let Some((parent, krate)) = parent {
                let name: Name = SmolStr::new(name);
                if let Some(module) = self.add_file(file, Some(parent), name.clone(), krate, path.ends_with("/mod.rs"))
                    && let Some(parent) = self.names.modules.get_mut(parent.0 as usize)
                {
                    parent.children.entry(name).or_insert(module);
                }
            }
        }
    }

    /// What is left belongs to nobody.
    fn add_loose(&mut self) {
        for at in 0..self.sources.files.len() {
            let file = FileId(at as u32);
            if self.home(file).is_some() {
                continue;
            }
            let (name, _) = module_of_path(self.path(file));
            let name: Name = name.replace('-', "_").into();
            let krate = CrateId(self.sources.crates.len() as u32);
            self.sources.crates.push(Crate {
                name: name.clone(),
                root: file,
                kind: CrateKind::Loose,
                package: u32::MAX - krate.0,
                package_name: Name::default(),
                edition: 2024,
                dependencies: Vec::new(),
            });
            let module = self.add_file(file, None, name, krate, true).unwrap_or(ModuleId(u32::MAX));
            self.names.roots.push(module);
        }
    }

    fn home(&self, file: FileId) -> Option<CrateId> {
        self.names.home.get(file.index()).copied().flatten()
    }

    fn path(&self, file: FileId) -> &str {
        self.sources.files.get(file.index()).map_or("", |file| &file.path)
    }

    fn opaque_module(&self, file: FileId) -> Option<ModuleId> {
        let at = self.names.modules.iter().position(|module| module.file == file && module.scope.is_none())?;
        Some(ModuleId(at as u32))
    }

    /// Adds a file's module with everything below it; gives the module the file already is.
    fn add_file(
        &mut self,
        file: FileId,
        parent: Option<ModuleId>,
        name: Name,
        krate: CrateId,
        owns_folder: bool,
    ) -> Option<ModuleId> {
        let source = self.sources.files.get(file.index())?;
        if self.home(file).is_some() {
            let scoped = self.names.module_of_scope.get(&(file, ScopeId(0))).copied();
            return scoped.or_else(|| self.opaque_module(file));
        }
        if let Some(home) = self.names.home.get_mut(file.index()) {
            *home = Some(krate);
        }
        let folder = if owns_folder { parent_folder(&source.path) } else { source.path.trim_end_matches(".rs") };
        let facts = source.facts.clone();
        let module = Module {
            file,
            scope: facts.is_some().then_some(ScopeId(0)),
            parent,
            krate,
            name,
            children: FxHashMap::default(),
            folder: folder.to_owned(),
        };
        let module = self.push(module);
        if let Some(facts) = facts {
            self.names.module_of_scope.insert((file, ScopeId(0)), module);
            self.add_items(file, &facts, krate);
        }
        Some(module)
    }

    fn push(&mut self, module: Module) -> ModuleId {
        let id = ModuleId(self.names.modules.len() as u32);
        self.names.modules.push(module);
        id
    }

    fn add_items(&mut self, file: FileId, facts: &FileFacts, krate: CrateId) {
        for item in &facts.items {
            let ItemKind::Module { scope, path_attr } = &item.kind else { continue };
            let Some(parent) = enclosing_module(facts, item.scope)
                .and_then(|scope| self.names.module_of_scope.get(&(file, scope)).copied())
            else {
                continue;
            };
            let Some(folder) = self.names.modules.get(parent.0 as usize).map(|module| module.folder.clone()) else {
                continue;
            };
            let child = match scope {
                Some(scope) => {
                    let module = Module {
                        file,
                        scope: Some(*scope),
                        parent: Some(parent),
                        krate,
                        name: item.name.clone(),
                        children: FxHashMap::default(),
                        folder: join(&folder, path_attr.as_deref().unwrap_or(&item.name)),
                    };
                    let id = self.push(module);
                    self.names.module_of_scope.insert((file, *scope), id);
                    Some(id)
                }
                None => {
                    let in_file = enclosing_module(facts, item.scope) == Some(ScopeId(0));
                    let base = if in_file { parent_folder(self.path(file)).to_owned() } else { folder.clone() };
                    let found = match path_attr {
                        Some(path) => self.by_path.get(&normalize(&join(&base, path))).map(|file| (*file, true)),
                        None => self.child_file(&folder, &item.name),
                    };
                    found.and_then(|(file, owns)| self.add_file(file, Some(parent), item.name.clone(), krate, owns))
                }
            };
            if let (Some(child), Some(module)) = (child, self.names.modules.get_mut(parent.0 as usize)) {
                module.children.entry(item.name.clone()).or_insert(child);
            }
        }
    }

    /// The file of `mod name;`, and whether its children are beside it.
    fn child_file(&self, folder: &str, name: &str) -> Option<(FileId, bool)> {
        let plain = self.by_path.get(&join(folder, &format!("{name}.rs"))).map(|file| (*file, false));
        plain.or_else(|| self.by_path.get(&join(folder, &format!("{name}/mod.rs"))).map(|file| (*file, true)))
    }
}

/// The nearest scope outwards that is a module.
pub(crate) fn enclosing_module(facts: &FileFacts, scope: ScopeId) -> Option<ScopeId> {
    let mut scope = scope;
    for _ in 0..=facts.scopes.len() {
        let found = facts.scope(scope)?;
        match found.kind {
            ScopeKind::File | ScopeKind::Module(_) => return Some(scope),
            ScopeKind::Generics(_) | ScopeKind::Block => scope = found.parent?,
        }
    }
    None
}

/// A file's module name, and the folder its parent module's children are in.
fn module_of_path(path: &str) -> (&str, &str) {
    let stem = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    stem.rsplit_once('/').map_or((stem, ""), |(folder, name)| (name, folder))
}

fn parent_folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// `a/./b/../c` as `a/c`.
fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| *last != ".." && !last.is_empty()) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalized() {
        assert_eq!(normalize("src/a/../b.rs"), "src/b.rs");
        assert_eq!(normalize("../x/./y.rs"), "../x/y.rs");
        assert_eq!(normalize("/a/../b"), "/b");
    }

    #[test]
    fn module_names_follow_paths() {
        assert_eq!(module_of_path("src/a/b.rs"), ("b", "src/a"));
        assert_eq!(module_of_path("src/a/mod.rs"), ("a", "src"));
        assert_eq!(module_of_path("x.rs"), ("x", ""));
    }
}
