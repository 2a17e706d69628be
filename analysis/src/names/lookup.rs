//! What a path means in a scope.

use rustc_hash::FxHashMap;
use smol_str::{SmolStr, format_smolstr};

use super::tree::enclosing_module;
use super::{Entry, Extern, Module, ModuleId, Names, Namespace, Res, ScopeTable, prelude};
use crate::facts::{
    FileFacts, Generics, Import, Item, ItemId, ItemKind, Name, PathRef, ScopeId, ScopeKind, Visibility,
};
use crate::model::Models;
use crate::outline::Word;
use crate::source::{CrateId, FileId, Sources};
use crate::types::DefId;

/// How deep imports may lead to imports before they are given up as circular.
const MAX_DEPTH: usize = 48;

/// Looks names up. Cheap to make and to copy.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) models: &'a Models,
    pub(crate) names: &'a Names,
}

/// How many imports one search may look at. Circles of many imports by one name have more ways round
/// than can be gone; nobody writes them.
const MAX_STEPS: usize = 4096;

/// One search: what is being resolved at the moment, so that circles end.
#[derive(Default)]
pub(super) struct Search {
    imports: Vec<Leaf>,
    /// What the globs of a scope bring, for each name asked of them; none while that is being found
    /// out. The path of each glob is itself looked for among the others: without this, as often as
    /// they can be put in order.
    globs: FxHashMap<GlobKey, Option<Found>>,
    depth: usize,
    steps: usize,
}

/// A scope, a name looked for among its globs, and the module that asks.
type GlobKey = (FileId, ScopeId, Name, Namespace, Option<ModuleId>);

impl Search {
    /// Whether nothing was looked into yet.
    fn is_fresh(&self) -> bool {
        self.imports.is_empty() && self.globs.is_empty()
    }
}

/// One name that a `use` brings in: the item, and the place in its list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) file: FileId,
    pub(super) item: ItemId,
    pub(super) at: usize,
}

/// The answer for a name in a scope or module.
#[derive(Clone)]
pub(super) enum Found {
    Yes(Res),
    No,
    /// Not among what is known; a glob with unknown contents may bring it.
    Perhaps,
}

impl<'a> Lookup<'a> {
    /// The facts of a file.
    pub(crate) fn facts(self, file: FileId) -> Option<&'a FileFacts> {
        self.sources.files.get(file.index())?.facts.as_deref()
    }

    /// An item.
    pub(crate) fn item(self, def: DefId) -> Option<&'a Item> {
        self.facts(def.file)?.item(def.item)
    }

    pub(super) fn module(self, id: ModuleId) -> Option<&'a Module> {
        self.names.modules.get(id.0 as usize)
    }

    pub(super) fn table(self, file: FileId, scope: ScopeId) -> Option<&'a ScopeTable> {
        self.names.tables.get(file.index())?.get(scope.index())
    }

    /// The module a scope is in.
    pub fn module_of(self, file: FileId, scope: ScopeId) -> Option<ModuleId> {
        let scope = enclosing_module(self.facts(file)?, scope)?;
        self.names.module_of_scope.get(&(file, scope)).copied()
    }

    /// The crate a file is looked at as part of.
    pub fn crate_of(self, file: FileId) -> Option<CrateId> {
        self.names.home.get(file.index()).copied().flatten()
    }

    /// The module's names from the crate's down.
    pub(crate) fn module_path(self, module: ModuleId) -> Vec<&'a str> {
        let mut path = Vec::new();
        let mut next = Some(module);
        while let Some(module) = next.and_then(|id| self.module(id)) {
            path.push(module.name.as_str());
            next = module.parent;
        }
        path.reverse();
        path
    }

    /// What the first segments of a path mean, and how many of them: the rest, if any, names
    /// something associated with a type.
    pub fn prefix(self, file: FileId, path: &PathRef, namespace: Namespace) -> (Res, usize) {
        let names: Vec<&Name> = path.segments.iter().map(|segment| &segment.name).collect();
        self.segments(file, path.scope, path.global, &names, namespace, &mut Search::default())
    }

    /// What a bare name means in a scope.
    pub fn name(self, file: FileId, scope: ScopeId, name: &Name, namespace: Namespace) -> Res {
        self.segments(file, scope, false, &[name], namespace, &mut Search::default()).0
    }

    /// What a path from a crate's root means: `module`, then `Type`.
    pub(crate) fn below_root(self, krate: CrateId, names: &[&str], namespace: Namespace) -> (Res, usize) {
        let Some(root) = self.names.roots.get(krate.index()) else { return (Res::Unknown, 0) };
        let names: Vec<Name> = names.iter().copied().map(Name::new).collect();
        let names: Vec<&Name> = names.iter().collect();
        self.descend(Res::Module(*root), &names, 0, namespace, *root, &mut Search::default())
    }

    fn segments(
        self,
        file: FileId,
        scope: ScopeId,
        global: bool,
        names: &[&Name],
        namespace: Namespace,
        search: &mut Search,
    ) -> (Res, usize) {
        let (Some(module), Some(krate)) = (self.module_of(file, scope), self.crate_of(file)) else {
            return (Res::Unknown, 0);
        };
        let Some(first) = names.first() else { return (Res::Unknown, 0) };
        let of_first = if names.len() == 1 { namespace } else { Namespace::Type };
        let start = match first.as_str() {
            _ if global => self.extern_crate(krate, first).unwrap_or(Res::Unknown),
            "crate" | "$crate" => self.names.roots.get(krate.index()).map_or(Res::Unknown, |root| Res::Module(*root)),
            "self" => Res::Module(module),
            "super" => self.super_of(module),
            _ => self.first(file, scope, first, of_first, names.len() > 1, search),
        };
        self.descend(start, names, 1, namespace, module, search)
    }

    fn super_of(self, module: ModuleId) -> Res {
        self.module(module).and_then(|module| module.parent).map_or(Res::Unknown, Res::Module)
    }

    /// Follows `names[done..]` from `start` as far as modules, enums and libraries go.
    fn descend(
        self,
        start: Res,
        names: &[&Name],
        done: usize,
        namespace: Namespace,
        from: ModuleId,
        search: &mut Search,
    ) -> (Res, usize) {
        let mut at = start;
        for (position, name) in names.iter().enumerate().skip(done) {
            let last = position + 1 == names.len();
            let wanted = if last { namespace } else { Namespace::Type };
            at = match at {
                Res::Module(module) if name.as_str() == "super" => self.super_of(module),
                Res::Module(module) if name.as_str() == "self" => Res::Module(module),
                Res::Module(module) => match self.in_module(module, name, wanted, from, search) {
                    Found::Yes(found) => found,
                    Found::No | Found::Perhaps => return (Res::Unknown, position + 1),
                },
                Res::External(path) => {
                    if name.as_str() == "self" {
                        Res::External(path)
                    } else {
                        self.external(&format_smolstr!("{path}::{name}"))
                    }
                }
                Res::Def(def) => match self.item(def).map(|item| &item.kind) {
                    Some(ItemKind::Enum { variants, .. }) if variants.iter().any(|variant| variant.name == **name) => {
                        Res::Variant(def, (*name).clone())
                    }
                    _ => return (Res::Def(def), position),
                },
                other => return (other, position),
            };
        }
        (at, names.len())
    }

    fn external(self, path: &str) -> Res {
        Res::External(SmolStr::new(self.models.canonical(path)))
    }

    /// An item of the program as what it is: a library's, if a user's model speaks of it.
    fn def(self, def: DefId) -> Res {
        match self.names.modelled.get(&def) {
            Some(path) => Res::External(path.clone()),
            None => Res::Def(def),
        }
    }

    /// The canonical path of an item of the program that a user's model speaks of.
    pub(crate) fn known_as(self, def: DefId) -> Option<SmolStr> {
        self.names.modelled.get(&def).cloned()
    }

    /// An extern crate by the name it has in this crate; any name may be one.
    fn extern_crate(self, krate: CrateId, name: &Name) -> Option<Res> {
        Some(match self.names.externs.get(krate.index())?.get(name) {
            Some(Extern::Crate(id)) => Res::Module(*self.names.roots.get(id.index())?),
            Some(Extern::External(real)) => self.external(real),
            None => self.external(name),
        })
    }

    /// Whether the name is surely an extern crate's.
    fn is_extern_crate(self, krate: CrateId, name: &Name) -> bool {
        self.names.externs.get(krate.index()).is_some_and(|table| table.contains_key(name))
            || self.models.knows(name)
            || prelude::is_standard_crate(name)
    }

    /// The first segment of a path: from the scope outwards, then what is known everywhere.
    fn first(
        self,
        file: FileId,
        scope: ScopeId,
        name: &Name,
        namespace: Namespace,
        more: bool,
        search: &mut Search,
    ) -> Res {
        let mut perhaps = false;
        let mut scope = scope;
        let Some(facts) = self.facts(file) else { return Res::Unknown };
        let Some(krate) = self.crate_of(file) else { return Res::Unknown };
        let module = self.module_of(file, scope);
        for _ in 0..=facts.scopes.len() {
            let Some(found) = facts.scope(scope) else { break };
            if matches!(found.kind, ScopeKind::File | ScopeKind::Module(_)) {
                break;
            }
            if let ScopeKind::Generics(item) = found.kind
                && namespace == Namespace::Type
                && let Some(found) = self.in_generics(DefId { file, item }, name)
            {
                return found;
            }
            match self.in_scope(file, scope, name, namespace, module, search) {
                Found::Yes(found) => return self.as_prefix(krate, name, more, found),
                Found::No => {}
                Found::Perhaps => perhaps = true,
            }
            match found.parent {
                Some(parent) => scope = parent,
                None => break,
            }
        }
        // Within a search that is under way an import may be left out: that is no answer for others.
        let known = if perhaps || !search.is_fresh() { None } else { self.names.found.get(file.index()) };
        let key = (scope, name.clone(), namespace, more);
        if let Some(found) = known.and_then(|known| known.lock().ok()?.get(&key).cloned()) {
            return found;
        }
        let found = match self.in_scope(file, scope, name, namespace, module, search) {
            Found::Yes(found) => self.as_prefix(krate, name, more, found),
            Found::No => self.everywhere(krate, name, namespace, more, perhaps),
            Found::Perhaps => self.everywhere(krate, name, namespace, more, true),
        };
        if let Some(mut known) = known.and_then(|known| known.lock().ok()) {
            known.insert(key, found.clone());
        }
        found
    }

    /// `use anyhow::anyhow;` brings a macro and a function; before `::` the name is the crate's.
    fn as_prefix(self, krate: CrateId, name: &Name, more: bool, found: Res) -> Res {
        match found {
            Res::External(path) if more && is_doubled(&path, name) && self.models.ty(&path).is_none() => {
                self.extern_crate(krate, name).unwrap_or(Res::Unknown)
            }
            found => found,
        }
    }

    fn everywhere(self, krate: CrateId, name: &Name, namespace: Namespace, more: bool, perhaps: bool) -> Res {
        if namespace == Namespace::Macro
            && let Some(def) = self.names.macros.get(&(krate, name.clone()))
        {
            return Res::Def(*def);
        }
        if namespace == Namespace::Macro {
            for library in self.names.macro_use.get(&krate).into_iter().flatten() {
                if let Some(Res::External(path)) = self.extern_crate(krate, library) {
                    let path = format_smolstr!("{path}::{name}");
                    if self.models.knows(&path) {
                        return self.external(&path);
                    }
                }
            }
        }
        if let Some(path) = prelude::standard(name, namespace) {
            return Res::External(path.into());
        }
        if namespace != Namespace::Type {
            return Res::Unknown;
        }
        if prelude::is_built_in(name) {
            return Res::Prim(name.clone());
        }
        // Any name before `::` that nothing declares is a crate's; alone, or beside a glob that may
        // bring it, only one that is known to be.
        if self.is_extern_crate(krate, name) || (more && !perhaps) {
            return self.extern_crate(krate, name).unwrap_or(Res::Unknown);
        }
        Res::Unknown
    }

    fn in_generics(self, def: DefId, name: &Name) -> Option<Res> {
        let item = self.item(def)?;
        if name == "Self" {
            return match &item.kind {
                ItemKind::Trait { .. } => Some(Res::SelfOf(def)),
                ItemKind::Impl { .. } | ItemKind::Struct { .. } | ItemKind::Enum { .. } => Some(Res::SelfType(def)),
                _ => None,
            };
        }
        let declares = generics(item)?.params.iter().any(|param| param.name == *name);
        declares.then(|| Res::Param(def, name.clone()))
    }

    /// A name in a module as seen from the module `from`.
    fn in_module(
        self,
        module: ModuleId,
        name: &Name,
        namespace: Namespace,
        from: ModuleId,
        search: &mut Search,
    ) -> Found {
        let Some(found) = self.module(module) else { return Found::Perhaps };
        match found.scope {
            Some(scope) => self.in_scope(found.file, scope, name, namespace, Some(from), search),
            None => match found.children.get(name) {
                Some(child) if namespace == Namespace::Type => Found::Yes(Res::Module(*child)),
                None if namespace == Namespace::Type && self.is_plain(found.file, name) => {
                    let within = self.module_path(module).join("::");
                    Found::Yes(self.external(&format_smolstr!("{within}::{name}")))
                }
                _ => Found::Perhaps,
            },
        }
    }

    /// Whether a file that was not parsed declares a type of that name. Then the type is what a library's would be
    /// that no model speaks of.
    fn is_plain(self, file: FileId, name: &Name) -> bool {
        let word = Word::name(name);
        self.sources.files.get(file.index()).is_some_and(|file| file.plain.contains(&word))
    }

    /// A name among what one scope declares and imports.
    fn in_scope(
        self,
        file: FileId,
        scope: ScopeId,
        name: &Name,
        namespace: Namespace,
        from: Option<ModuleId>,
        search: &mut Search,
    ) -> Found {
        let Some(table) = self.table(file, scope) else { return Found::No };
        let mut perhaps = false;
        for entry in table.names.get(name).into_iter().flatten() {
            match *entry {
                Entry::Item(item) => {
                    if let Some(found) = self.of_item(file, item, namespace) {
                        return Found::Yes(found);
                    }
                }
                Entry::Import(item, at) => match self.import(Leaf { file, item, at }, namespace, search) {
                    Found::Yes(found) => return Found::Yes(found),
                    Found::Perhaps => perhaps = true,
                    Found::No => {}
                },
            }
        }
        if perhaps {
            // Imported by this very name from somewhere that is not known: no glob may speak for it.
            return Found::Yes(Res::Unknown);
        }
        if table.globs.is_empty() {
            return Found::No;
        }
        let key = (file, scope, name.clone(), namespace, from);
        match search.globs.get(&key) {
            Some(Some(found)) => return found.clone(),
            // Asked again on the way to its own answer.
            Some(None) => return Found::No,
            None => search.globs.insert(key.clone(), None),
        };
        let found = self.in_globs(file, &table.globs, name, namespace, from, search);
        search.globs.insert(key, Some(found.clone()));
        found
    }

    /// A name among what the globs of a scope bring.
    fn in_globs(
        self,
        file: FileId,
        globs: &[(ItemId, usize)],
        name: &Name,
        namespace: Namespace,
        from: Option<ModuleId>,
        search: &mut Search,
    ) -> Found {
        let mut perhaps = false;
        for &(item, at) in globs {
            match self.glob(Leaf { file, item, at }, name, namespace, from, search) {
                Found::Yes(found) => return Found::Yes(found),
                Found::Perhaps => perhaps = true,
                Found::No => {}
            }
        }
        if perhaps { Found::Perhaps } else { Found::No }
    }

    pub(super) fn of_item(self, file: FileId, id: ItemId, namespace: Namespace) -> Option<Res> {
        let def = DefId { file, item: id };
        let item = self.item(def)?;
        let fits = match &item.kind {
            ItemKind::Module { scope, .. } => {
                if namespace != Namespace::Type {
                    return None;
                }
                let module = match scope {
                    Some(scope) => self.names.module_of_scope.get(&(file, *scope)).copied(),
                    None => {
                        let parent = self.module_of(file, item.scope).and_then(|parent| self.module(parent));
                        parent.and_then(|parent| parent.children.get(&item.name).copied())
                    }
                };
                return Some(module.map_or(Res::Unknown, Res::Module));
            }
            ItemKind::ExternCrate { krate } => {
                if namespace != Namespace::Type {
                    return None;
                }
                let home = self.crate_of(file)?;
                if krate == "self" {
                    return self.names.roots.get(home.index()).map(|root| Res::Module(*root));
                }
                return self.extern_crate(home, krate);
            }
            ItemKind::Function(_) | ItemKind::Const { .. } | ItemKind::Static { .. } => namespace == Namespace::Value,
            ItemKind::Struct { fields, tuple, .. } => {
                namespace == Namespace::Type || (namespace == Namespace::Value && (*tuple || fields.is_empty()))
            }
            ItemKind::Enum { .. } | ItemKind::TypeAlias { .. } | ItemKind::Trait { .. } => namespace == Namespace::Type,
            ItemKind::MacroRules { .. } => namespace == Namespace::Macro,
            ItemKind::Use(_) | ItemKind::Impl { .. } | ItemKind::MacroCall { .. } => false,
        };
        fits.then(|| self.def(def))
    }

    /// The leaf's import with its item, unless it is being resolved already.
    fn leaf(self, leaf: Leaf, search: &mut Search) -> Option<(&'a Item, &'a Import)> {
        search.steps += 1;
        if search.imports.contains(&leaf) || search.imports.len() > MAX_DEPTH || search.steps > MAX_STEPS {
            return None;
        }
        let item = self.item(DefId { file: leaf.file, item: leaf.item })?;
        match &item.kind {
            ItemKind::Use(imports) => Some((item, imports.get(leaf.at)?)),
            _ => None,
        }
    }

    pub(super) fn import(self, leaf: Leaf, namespace: Namespace, search: &mut Search) -> Found {
        let Some((_, import)) = self.leaf(leaf, search) else { return Found::No };
        search.imports.push(leaf);
        let found = self.imported(leaf.file, &import.path, namespace, search);
        search.imports.pop();
        match found {
            (Res::Unknown, _) => Found::Perhaps,
            (found, used) if used == import.path.segments.len() => Found::Yes(found),
            // Something below a type or function: not in this namespace.
            _ => Found::No,
        }
    }

    /// A `use` path; in the 2015 edition it starts at the crate's root.
    pub(super) fn imported(
        self,
        file: FileId,
        path: &PathRef,
        namespace: Namespace,
        search: &mut Search,
    ) -> (Res, usize) {
        let names: Vec<&Name> = path.segments.iter().map(|segment| &segment.name).collect();
        let krate = self.crate_of(file);
        let old =
            krate.and_then(|krate| self.sources.crates.get(krate.index())).is_some_and(|krate| krate.edition < 2018);
        let relative =
            names.first().is_some_and(|first| matches!(first.as_str(), "self" | "super" | "crate" | "$crate"));
        if old
            && !relative
            && let Some(root) = krate.and_then(|krate| self.names.roots.get(krate.index()))
        {
            let found = self.descend(Res::Module(*root), &names, 0, namespace, *root, search);
            if found.0 != Res::Unknown {
                return found;
            }
        }
        let found = self.segments(file, path.scope, path.global, &names, namespace, search);
        // `use tokio;`: a crate's name alone.
        if let (Res::Unknown, [only], Some(krate)) = (&found.0, names.as_slice(), krate)
            && namespace == Namespace::Type
            && self.is_extern_crate(krate, only)
        {
            return (self.extern_crate(krate, only).unwrap_or(Res::Unknown), 1);
        }
        found
    }

    /// A name through a glob import.
    fn glob(self, leaf: Leaf, name: &Name, namespace: Namespace, from: Option<ModuleId>, search: &mut Search) -> Found {
        let Some((item, import)) = self.leaf(leaf, search) else { return Found::No };
        let own = self.module_of(leaf.file, item.scope);
        if own.is_none() || (own != from && !self.sees(from, &item.visibility, own)) {
            return Found::No;
        }
        search.imports.push(leaf);
        let (target, used) = self.imported(leaf.file, &import.path, Namespace::Type, search);
        search.imports.pop();
        if used != import.path.segments.len() && !import.path.segments.is_empty() {
            return Found::Perhaps;
        }
        match target {
            Res::Module(module) => {
                if search.depth > MAX_DEPTH {
                    return Found::No;
                }
                search.depth += 1;
                let found = self.in_module(module, name, namespace, own.unwrap_or(module), search);
                search.depth -= 1;
                match found {
                    Found::Yes(_) if !self.glob_sees(own, module, name, namespace) => Found::No,
                    found => found,
                }
            }
            Res::External(path) => {
                let path = format_smolstr!("{path}::{name}");
                // A module that a feature brings may not be there, and then the name is that of a crate.
                let may_be_crate =
                    namespace == Namespace::Type && self.models.knows(name) && self.models.ty(&path).is_none();
                let is_known = self.models.knows(&path) && !may_be_crate;
                if is_known { Found::Yes(self.external(&path)) } else { Found::Perhaps }
            }
            Res::Def(def) => match self.item(def).map(|item| &item.kind) {
                Some(ItemKind::Enum { variants, .. }) => {
                    let found = variants.iter().any(|variant| variant.name == *name);
                    if found { Found::Yes(Res::Variant(def, name.clone())) } else { Found::No }
                }
                _ => Found::Perhaps,
            },
            _ => Found::Perhaps,
        }
    }

    /// Whether a glob in `from` may bring the name that `module` itself declares; what it has by
    /// globs of its own was looked at on the way.
    fn glob_sees(self, from: Option<ModuleId>, module: ModuleId, name: &Name, namespace: Namespace) -> bool {
        let Some(found) = self.module(module) else { return true };
        let table = found.scope.and_then(|scope| self.table(found.file, scope));
        let entries = table.and_then(|table| table.names.get(name));
        let mut declared = entries.into_iter().flatten().filter_map(|entry| match *entry {
            Entry::Item(item) => {
                self.of_item(found.file, item, namespace)?;
                self.item(DefId { file: found.file, item })
            }
            Entry::Import(item, _) => self.item(DefId { file: found.file, item }),
        });
        declared.next().is_none_or(|item| self.sees(from, &item.visibility, Some(module)))
    }

    /// Whether something of this visibility in `module` is seen from `from`.
    pub(crate) fn sees(self, from: Option<ModuleId>, visibility: &Visibility, module: Option<ModuleId>) -> bool {
        let (Some(from), Some(module)) = (from, module) else { return true };
        match visibility {
            Visibility::Public => true,
            Visibility::Restricted => {
                self.module(from).map(|module| module.krate) == self.module(module).map(|module| module.krate)
            }
            Visibility::Private => {
                let mut next = Some(from);
                while let Some(at) = next {
                    if at == module {
                        return true;
                    }
                    next = self.module(at).and_then(|module| module.parent);
                }
                false
            }
        }
    }
}

/// `anyhow::anyhow`.
fn is_doubled(path: &str, name: &str) -> bool {
    path.split_once("::").is_some_and(|(krate, rest)| krate == rest && rest == name)
}

/// The generics of an item that can have some.
pub(crate) fn generics(item: &Item) -> Option<&Generics> {
    match &item.kind {
        ItemKind::Function(function) => Some(&function.generics),
        ItemKind::Struct { generics, .. }
        | ItemKind::Enum { generics, .. }
        | ItemKind::TypeAlias { generics, .. }
        | ItemKind::Trait { generics, .. }
        | ItemKind::Impl { generics, .. } => Some(generics),
        _ => None,
    }
}
