//! Names: the tree of modules, and what a path in it means.
//!
//! Look-up is lazy and follows Rust's rules: from the innermost scope out to the module, items and
//! named imports before globs, then extern crates, the prelude and built-in types. A name that is
//! not found while a glob is in scope whose contents are not known stays unknown.

mod lookup;
mod prelude;
mod survey;
mod tree;

use std::sync::Mutex;

use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use crate::facts::{ItemId, Name, ScopeId};
use crate::source::{CrateId, FileId};
use crate::types::DefId;

pub use lookup::Lookup;
pub(crate) use lookup::generics;
pub(crate) use tree::enclosing_module;

/// A module in [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleId(pub u32);

/// Which of Rust's three tables of names is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Modules, types, traits, crates.
    Type,
    /// Functions, constants, statics, constructors.
    Value,
    /// Macros.
    Macro,
}

/// What a name means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Res {
    /// Nobody knows.
    #[default]
    Unknown,
    /// A module of the program.
    Module(ModuleId),
    /// An item of the program: type, trait, function, constant, static, macro.
    Def(DefId),
    /// A variant of an enum of the program.
    Variant(DefId, Name),
    /// Something of a library, or a library: its canonical path.
    External(SmolStr),
    /// A type parameter: the item that declares it, and its name.
    Param(DefId, Name),
    /// `Self` in an impl or in a type's own declaration: that item.
    SelfType(DefId),
    /// `Self` in a trait.
    SelfOf(DefId),
    /// A built-in type.
    Prim(Name),
}

/// The module tree with the names each scope declares.
#[derive(Debug, Default)]
pub struct Names {
    /// All modules; a parent stands before its children.
    modules: Vec<Module>,
    /// Modules by the scope they are.
    module_of_scope: FxHashMap<(FileId, ScopeId), ModuleId>,
    /// The declared names, by file and scope.
    tables: Vec<Vec<ScopeTable>>,
    /// The root module of each crate.
    roots: Vec<ModuleId>,
    /// The crate each file is looked at as part of.
    home: Vec<Option<CrateId>>,
    /// What other crates are called in each crate.
    externs: Vec<FxHashMap<Name, Extern>>,
    /// Crates of the workspace that are modelled libraries.
    libraries: Vec<bool>,
    /// Items of the program that users' models speak of: their canonical paths.
    modelled: FxHashMap<DefId, SmolStr>,
    /// What names were found to mean in modules, by file: most occur many times.
    found: Vec<Mutex<FxHashMap<NameInModule, Res>>>,
    /// `macro_rules!` by crate and name.
    macros: FxHashMap<(CrateId, Name), DefId>,
    /// Libraries whose macros are everywhere in a crate: `#[macro_use] extern crate rocket;`.
    macro_use: FxHashMap<CrateId, Vec<Name>>,
}

/// A name looked up from a module's scope; whether more of a path follows it makes a difference.
type NameInModule = (ScopeId, Name, Namespace, bool);

/// A module.
#[derive(Debug)]
struct Module {
    file: FileId,
    /// None if the file was not parsed: what it declares is not known.
    scope: Option<ScopeId>,
    parent: Option<ModuleId>,
    krate: CrateId,
    name: Name,
    children: FxHashMap<Name, ModuleId>,
    /// The folder in which the files of its child modules are, without a slash at the end.
    folder: String,
}

/// The names a scope declares.
#[derive(Debug, Default)]
struct ScopeTable {
    names: FxHashMap<Name, Vec<Entry>>,
    /// Glob imports and `as _` imports: the `use` and the place in it.
    globs: Vec<(ItemId, usize)>,
    unnamed: Vec<(ItemId, usize)>,
}

/// One declaration of a name.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Item(ItemId),
    Import(ItemId, usize),
}

/// What the name of an extern crate stands for.
#[derive(Clone, Debug)]
enum Extern {
    Crate(CrateId),
    External(Name),
}

impl Names {
    /// Notes which items of the program users' models speak of.
    pub(crate) fn set_modelled(&mut self, modelled: Vec<(DefId, SmolStr)>) {
        self.modelled = modelled.into_iter().collect();
        // What was found before did not know of them.
        self.found.iter_mut().for_each(|found| *found = Mutex::default());
    }
}
