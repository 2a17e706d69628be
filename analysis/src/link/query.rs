//! What the program is asked.

use std::borrow::Cow;
use std::sync::Arc;

use smol_str::SmolStr;

use super::Program;
use crate::facts::{
    Attr, Body, BodyKind, Field, FileFacts, Function, Item, ItemKind, Op, PathRef, Place, ScopeId, Step, Variant,
    Visibility,
};
use crate::handlers::Handler;
use crate::infer::{FileTypes, TypedBody};
use crate::model::{AttributeRole, FnModel, TypeModel, TypeRole};
use crate::names::{Namespace, Res};
use crate::source::{Crate, CrateKind, FileId};
use crate::types::{BodyRef, DefId, Substitution, Target, Ty, TyCon};

/// How many wrappers are looked through.
const MAX_WRAPPERS: usize = 16;

static UNKNOWN: Ty = Ty::Unknown;

/// Bodies, items and files.
impl Program {
    /// The facts of a file, if it was parsed.
    pub fn facts(&self, file: FileId) -> Option<&FileFacts> {
        self.sources.files.get(file.index())?.facts.as_deref()
    }

    /// A file's path.
    pub fn path(&self, file: FileId) -> &str {
        self.sources.files.get(file.index()).map_or("", |file| &file.path)
    }

    /// The crate a file is looked at as part of.
    pub fn crate_of(&self, file: FileId) -> Option<&Crate> {
        self.sources.crates.get(self.lookup().crate_of(file)?.index())
    }

    /// All bodies, by file and place.
    pub fn bodies(&self) -> &[BodyRef] {
        &self.bodies
    }

    /// A body.
    pub fn body(&self, id: BodyRef) -> Option<&Body> {
        self.facts(id.file)?.body(id.body)
    }

    /// The types of a body's locals and what its calls call.
    pub fn typed(&self, id: BodyRef) -> Option<&TypedBody> {
        self.types_of(id.file)?.bodies.get(id.body.index())
    }

    /// The operations of a body, each with what it calls or names.
    pub fn operations(&self, id: BodyRef) -> impl Iterator<Item = (&Op, &Target)> {
        let ops = self.body(id).into_iter().flat_map(|body| &body.blocks).flat_map(|block| &block.ops);
        ops.zip(self.typed(id).into_iter().flat_map(|typed| &typed.targets).flatten())
    }

    /// The types in all bodies of a file.
    pub(crate) fn types_of(&self, file: FileId) -> Option<&Arc<FileTypes>> {
        self.typed.get(file.index())
    }

    /// An item.
    pub fn item(&self, def: DefId) -> Option<&Item> {
        self.facts(def.file)?.item(def.item)
    }

    /// An item that is a function.
    pub fn function(&self, def: DefId) -> Option<&Function> {
        match &self.item(def)?.kind {
            ItemKind::Function(function) => Some(function),
            _ => None,
        }
    }

    /// The function item that a body is the body of.
    pub fn function_of(&self, id: BodyRef) -> Option<DefId> {
        let def = self.owners.get(&id).copied()?;
        self.function(def).map(|_| def)
    }

    /// The body that a closure or `async` block stands in, outermost; a function's own body itself.
    pub fn enclosing_body(&self, id: BodyRef) -> BodyRef {
        let mut id = id;
        for _ in 0..=self.facts(id.file).map_or(0, |facts| facts.bodies.len()) {
            match self.body(id).map(|body| body.kind) {
                Some(BodyKind::Closure(outer) | BodyKind::AsyncBlock(outer)) => id.body = outer,
                _ => break,
            }
        }
        id
    }

    /// The function item around a body, closures and `async` blocks included.
    pub fn enclosing_function(&self, id: BodyRef) -> Option<DefId> {
        self.function_of(self.enclosing_body(id))
    }

    /// A function's body, or a constant's.
    pub fn body_of(&self, def: DefId) -> Option<BodyRef> {
        let body = match &self.item(def)?.kind {
            ItemKind::Function(function) => function.body,
            ItemKind::Const { body, .. } | ItemKind::Static { body, .. } => *body,
            _ => None,
        };
        Some(BodyRef { file: def.file, body: body? })
    }

    /// The impl or trait that an item is a member of.
    pub fn container(&self, def: DefId) -> Option<DefId> {
        Some(DefId { file: def.file, item: self.item(def)?.container? })
    }

    /// Whether this is the body of a program's `main`; tasks and closures in it are not.
    pub fn is_main(&self, id: BodyRef) -> bool {
        let Some(def) = self.function_of(id) else { return false };
        let Some(item) = self.item(def) else { return false };
        if item.attrs.iter().any(|attr| self.attribute_role(def.file, &attr.path) == Some(AttributeRole::Main)) {
            return true;
        }
        let is_root = self.crate_of(def.file).is_some_and(|krate| krate.root == def.file);
        item.name == "main" && item.container.is_none() && item.scope.index() == 0 && is_root
    }

    /// Whether a body is test code: `#[cfg(test)]`, `#[test]`, or in a test, bench or example crate.
    pub fn is_test(&self, id: BodyRef) -> bool {
        let in_test_crate = self.crate_of(id.file).is_some_and(|krate| krate.kind.is_test());
        in_test_crate || self.is_test_file(id.file) || self.body(id).is_some_and(|body| body.test)
    }

    /// Whether an item is test code.
    pub fn is_test_item(&self, def: DefId) -> bool {
        let in_test_crate = self.crate_of(def.file).is_some_and(|krate| krate.kind.is_test());
        in_test_crate || self.is_test_file(def.file) || self.item(def).is_some_and(|item| item.test)
    }

    /// Whether a whole file is test code by `#![cfg(test)]` or by the `mod` that names it.
    fn is_test_file(&self, file: FileId) -> bool {
        self.facts(file).is_some_and(|facts| facts.cfg_test) || self.lookup().is_test_module(file)
    }

    /// The model's role for an attribute.
    pub fn attribute_role(&self, file: FileId, path: &PathRef) -> Option<AttributeRole> {
        self.attribute_path(file, path).and_then(|path| self.models.attribute(&path)).map(|model| model.role)
    }

    /// The canonical path of an attribute: macros live in a table of their own.
    pub(crate) fn attribute_path(&self, file: FileId, path: &PathRef) -> Option<SmolStr> {
        match self.resolve_path(file, path, Namespace::Macro) {
            Res::External(path) => Some(path),
            _ => None,
        }
    }

    /// A name for messages: `shop::audit::Recorder::record`.
    pub fn path_text(&self, def: DefId) -> String {
        let Some(item) = self.item(def) else { return String::new() };
        let lookup = self.lookup();
        let mut parts: Vec<String> = lookup
            .module_of(def.file, item.scope)
            .map_or_else(Vec::new, |module| lookup.module_path(module).into_iter().map(str::to_owned).collect());
        if let Some(container) = self.container(def) {
            match self.self_type(container, 16).unreferenced() {
                Ty::Adt(TyCon::Def(of), _) => {
                    if let Some(of) = self.item(*of) {
                        parts.push(of.name.to_string());
                    }
                }
                Ty::Adt(TyCon::External(path), _) => parts.push(crate::model::last_segment(path).to_owned()),
                Ty::SelfOf(of) => {
                    if let Some(of) = self.item(*of) {
                        parts.push(of.name.to_string());
                    }
                }
                _ => {}
            }
        }
        parts.push(item.name.to_string());
        parts.join("::")
    }

    /// Whether a function is mentioned otherwise than as what is called: passed as a value, in a
    /// macro whose meaning is not known.
    pub fn used_as_value(&self, def: DefId) -> bool {
        self.values.contains(&def)
    }

    /// Whether code outside the crate can name an item.
    pub fn is_exported(&self, def: DefId) -> bool {
        self.exported.contains(&def)
    }

    /// How a body is a handler, if it is.
    pub fn handler(&self, id: BodyRef) -> Option<&Handler> {
        self.handlers.get(&id)
    }

    /// Whether an item's crate is a library.
    pub fn is_library(&self, file: FileId) -> bool {
        self.crate_of(file).is_some_and(|krate| krate.kind == CrateKind::Lib)
    }
}

/// Names.
impl Program {
    /// What a path means; a path to something associated with a type means that function or constant.
    pub fn resolve_path(&self, file: FileId, path: &PathRef, namespace: Namespace) -> Res {
        let (res, used) = self.lookup().prefix(file, path, namespace);
        if path.qself.is_none() && used == path.segments.len() {
            return res;
        }
        if namespace != Namespace::Value {
            return match self.resolve_type(file, &crate::facts::TypeRef::Path(path.clone())) {
                Ty::Adt(TyCon::Def(def), _) => Res::Def(def),
                Ty::Adt(TyCon::External(path), _) => Res::External(path),
                Ty::Param(def, name) => Res::Param(def, name),
                _ => Res::Unknown,
            };
        }
        match self.value_path(file, path).target {
            Target::Def(def) | Target::Value(def) => Res::Def(def),
            Target::External(path) | Target::TraitMethod(path) => Res::External(path),
            Target::Constructor(name, ty) => match *ty {
                Ty::Adt(TyCon::Def(def), _) => match self.item(def).map(|item| &item.kind) {
                    Some(ItemKind::Enum { .. }) => Res::Variant(def, name),
                    _ => Res::Def(def),
                },
                Ty::Adt(TyCon::External(path), _) => Res::External(path),
                _ => Res::Unknown,
            },
            Target::Closure(_) | Target::Unknown => Res::Unknown,
        }
    }

    /// What is known of the function a call calls.
    pub fn model_of(&self, target: &Target) -> Option<&FnModel> {
        match target {
            Target::External(path) | Target::TraitMethod(path) => self.models.function(path),
            _ => None,
        }
    }
}

/// Types.
impl Program {
    /// What is known of a type itself.
    pub fn type_model(&self, ty: &Ty) -> Option<&TypeModel> {
        match ty {
            Ty::Adt(TyCon::External(path), _) => self.models.ty(path),
            Ty::Prim(name) => self.models.ty(name),
            _ => None,
        }
    }

    /// The type behind references and wrappers that are looked through (`Arc`, `Box`, `MutexGuard`).
    pub fn peel<'a>(&'a self, ty: &'a Ty) -> &'a Ty {
        let mut ty = ty;
        for _ in 0..MAX_WRAPPERS {
            ty = match ty {
                Ty::Ref(inner, _) => inner,
                Ty::Adt(TyCon::External(path), args) => match self.models.ty(path) {
                    Some(model) if model.role == TypeRole::Pointer => {
                        args.get(model.holds.unwrap_or(0)).unwrap_or(&UNKNOWN)
                    }
                    _ => return ty,
                },
                _ => return ty,
            };
        }
        ty
    }

    /// What the type behind references and pointers is.
    pub fn role(&self, ty: &Ty) -> Option<TypeRole> {
        self.type_model(self.peel(ty)).map(|model| model.role)
    }

    /// Whether what is put into a place of this type is got at from there only, and by code that knows what it is: no
    /// lock or collection that others may have, too, and nothing generic, which goes through the hands of code that
    /// says nothing of contexts.
    pub fn is_own_place(&self, ty: &Ty) -> bool {
        let (mut ty, mut is_shared) = (ty, false);
        for _ in 0..MAX_WRAPPERS {
            ty = match ty {
                Ty::Ref(_, true) | Ty::Param(..) | Ty::Unknown => return false,
                Ty::Ref(inner, false) => {
                    is_shared = true;
                    inner
                }
                Ty::Tuple(parts) => return parts.iter().all(|part| self.is_own_place(part)),
                Ty::Adt(TyCon::External(_), args) => match self.type_model(ty) {
                    Some(model) => {
                        let changes = !matches!(model.role, TypeRole::Pointer | TypeRole::Maybe);
                        is_shared |= model.role == TypeRole::Pointer && model.shared;
                        match args.get(model.holds.unwrap_or(0)) {
                            Some(_) if changes && is_shared => return false,
                            Some(held) => held,
                            None => return true,
                        }
                    }
                    None => return !is_shared,
                },
                _ => return true,
            };
        }
        false
    }

    /// Whether a value of this type is a context or has one in reach: in a field, a tuple, an option.
    /// What is its own handle does not count: nothing but its own kind derives from it.
    pub fn holds_context(&self, ty: &Ty) -> bool {
        self.holds_context_within(ty, 3)
    }

    /// Whether a type is a context and its own handle.
    pub fn is_own_handle(&self, ty: &Ty) -> bool {
        self.type_model(self.peel(ty)).is_some_and(|model| model.own_handle)
    }

    fn holds_context_within(&self, ty: &Ty, fuel: u8) -> bool {
        let ty = self.peel(ty);
        if self.role(ty) == Some(TypeRole::Context) {
            return !self.is_own_handle(ty);
        }
        let Some(fuel) = fuel.checked_sub(1) else { return false };
        if self.type_model(ty).is_some_and(|model| !model.context_fields.is_empty()) {
            return true;
        }
        match ty {
            Ty::Tuple(parts) => parts.iter().any(|part| self.holds_context_within(part, fuel)),
            Ty::Adt(TyCon::External(_), args) => match self.role(ty) {
                Some(TypeRole::ServerOwned) => false,
                Some(TypeRole::Maybe | TypeRole::Extractor) => {
                    args.iter().any(|arg| self.holds_context_within(arg, fuel))
                }
                _ => false,
            },
            Ty::Adt(TyCon::Def(def), _) => match self.item(*def).map(|item| &item.kind) {
                Some(ItemKind::Struct { fields, .. }) => {
                    fields.iter().any(|field| self.holds_context_within(&self.field_type(ty, &field.name), fuel))
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// What a container, wrapper or extractor holds: the type argument its model names.
    pub fn held(&self, ty: &Ty) -> Ty {
        let ty = ty.unreferenced();
        match ty {
            Ty::Adt(TyCon::External(path), args) => {
                let Some(model) = self.models.ty(path) else { return Ty::Unknown };
                args.get(model.holds.unwrap_or(0)).cloned().unwrap_or_default()
            }
            Ty::Slice(item) => (**item).clone(),
            _ => Ty::Unknown,
        }
    }

    /// What a value that may be missing is where it is there; another type itself.
    pub(crate) fn inside(&self, ty: &Ty) -> Ty {
        if self.role(ty) == Some(TypeRole::Maybe) { self.held(self.peel(ty)) } else { ty.clone() }
    }

    /// The type of a field, looked up through references and pointers.
    pub fn field_type(&self, ty: &Ty, field: &str) -> Ty {
        self.field(ty, field).map_or(Ty::Unknown, |(_, found)| found)
    }

    /// The type that has a field, found through references and pointers, and the field's type.
    pub fn field(&self, ty: &Ty, field: &str) -> Option<(Ty, Ty)> {
        let mut at = Some(ty.clone());
        for _ in 0..MAX_WRAPPERS {
            let ty = at?;
            if let Some(found) = self.own_field(&ty, field) {
                return Some((ty, found));
            }
            at = self.deref(&ty);
        }
        None
    }

    /// A struct's field, as it is declared.
    pub fn declared_field(&self, def: DefId, name: &str) -> Option<&Field> {
        match &self.item(def)?.kind {
            ItemKind::Struct { fields, .. } => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }

    /// Whether code that is not in view can reach a field, or a static (which has no field's name).
    pub fn is_exposed(&self, def: DefId, field: &str) -> bool {
        let Some(item) = self.item(def) else { return true };
        let is_public = |visibility: &Visibility| *visibility == Visibility::Public;
        match &item.kind {
            ItemKind::Struct { .. } => self
                .declared_field(def, field)
                .is_none_or(|known| is_public(&item.visibility) && is_public(&known.visibility)),
            _ => is_public(&item.visibility),
        }
    }

    /// Whether code in a scope may say a struct's field's name.
    pub fn sees_field(&self, (file, scope): (FileId, ScopeId), def: DefId, field: &str) -> bool {
        let (Some(item), Some(known)) = (self.item(def), self.declared_field(def, field)) else { return true };
        // A file of no target may be a module by way of a macro: below the one that says so.
        if file != def.file && self.crate_of(file).is_none_or(|krate| krate.kind == CrateKind::Loose) {
            let folder = self.path(def.file).rsplit_once('/').map_or("", |(folder, _)| folder);
            return self.path(file).starts_with(folder);
        }
        let lookup = self.lookup();
        let (from, module) = (lookup.module_of(file, scope), lookup.module_of(def.file, item.scope));
        // A value of a private type may get to wherever its crate's code gives it.
        let of_type = if item.visibility == Visibility::Public { Visibility::Public } else { Visibility::Restricted };
        lookup.sees(from, &known.visibility, module) && lookup.sees(from, &of_type, module)
    }

    /// The same of a body.
    pub fn may_say(&self, who: BodyRef, def: DefId, field: &str) -> bool {
        self.body(who).is_none_or(|body| self.sees_field((who.file, body.scope), def, field))
    }

    /// Whether an item stands in the module of another.
    pub fn is_beside(&self, (file, scope): (FileId, ScopeId), def: DefId) -> bool {
        let lookup = self.lookup();
        self.item(def).is_some_and(|item| lookup.module_of(file, scope) == lookup.module_of(def.file, item.scope))
    }

    /// Whether a struct's field keeps a token, or may: who gets at it says its name, and is in view.
    pub fn keeps_token(&self, def: DefId, field: &str) -> bool {
        let (Some(item), Some(known)) = (self.item(def), self.declared_field(def, field)) else { return false };
        let ty = self.resolve_type(def.file, &known.ty);
        (self.may_be_token(&ty) || self.is_slot_of_tokens(&ty))
            && !self.is_exposed(def, field)
            && item.attrs.iter().all(leaves_fields_alone)
    }

    /// Whether a macro that nobody knows may make code of a struct that uses its fields.
    pub fn is_given_to_macros(&self, def: DefId) -> bool {
        self.item(def).is_some_and(|item| !item.attrs.iter().all(leaves_fields_alone))
    }

    /// Whether a field keeps tokens behind a lock or in a collection: which of them it is that somebody takes out
    /// nobody knows.
    pub fn keeps_in_slot(&self, def: DefId, field: &str) -> bool {
        let known = self.declared_field(def, field);
        known.is_some_and(|known| !self.may_be_token(&self.resolve_type(def.file, &known.ty)))
    }

    fn is_slot_of_tokens(&self, ty: &Ty) -> bool {
        let mut held = self.peel(ty).clone();
        for _ in 0..MAX_WRAPPERS {
            held = match self.role(&held) {
                Some(TypeRole::Collection | TypeRole::Maybe | TypeRole::ServerOwned) => {
                    self.peel(&self.held(self.peel(&held))).clone()
                }
                _ => break,
            };
        }
        let is_token = |ty: &Ty| self.may_be_token(ty);
        let keeps = is_token(&held) || matches!(&held, Ty::Tuple(parts) if parts.iter().any(is_token));
        keeps && self.is_own_place(ty)
    }

    /// Whether a value of the type is a token, behind pointers, or may be one.
    pub fn may_be_token(&self, ty: &Ty) -> bool {
        self.is_own_handle(ty)
            || (self.role(ty) == Some(TypeRole::Maybe) && self.is_own_handle(&self.held(self.peel(ty))))
    }

    fn own_field(&self, ty: &Ty, field: &str) -> Option<Ty> {
        match ty {
            Ty::Tuple(parts) => parts.get(field.parse::<usize>().ok()?).cloned(),
            Ty::Adt(TyCon::Def(def), args) => {
                let found = self.declared_field(*def, field)?;
                let with: Substitution = self.arguments(*def, args);
                Some(self.resolve_type(def.file, &found.ty).substitute(&with))
            }
            Ty::Adt(TyCon::External(path), args) => {
                let model = self.models.ty(path)?;
                match model.fields.get(field) {
                    Some(shape) => Some(self.shape_of_type(shape, ty)),
                    None if field == "0" && model.role != TypeRole::Pointer => args.get(model.holds?).cloned(),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// The type of a field of an enum's variant; of a struct's, if the name is the struct's.
    pub fn variant_field_type(&self, ty: &Ty, variant: &str, field: &str) -> Ty {
        match self.peel(ty) {
            Ty::Adt(TyCon::Def(def), args) => match self.item(*def).map(|item| &item.kind) {
                Some(ItemKind::Enum { variants, .. }) => {
                    let found = variants.iter().find(|known| known.name == variant);
                    let Some(found) =
                        found.and_then(|found: &Variant| found.fields.iter().find(|known| known.name == field))
                    else {
                        return Ty::Unknown;
                    };
                    let with: Substitution = self.arguments(*def, args);
                    self.resolve_type(def.file, &found.ty).substitute(&with)
                }
                _ => self.field_type(ty, field),
            },
            Ty::Adt(TyCon::External(path), args) => match self.models.ty(path).map(|model| model.role) {
                Some(TypeRole::Other) => self.field_type(ty, &format!("{variant}.{field}")),
                // `Option`, `Result`, `Poll`, `ControlFlow`: the second argument is the other variant's.
                Some(TypeRole::Maybe) => {
                    let other = matches!(variant, "Err" | "Break");
                    args.get(usize::from(other)).cloned().unwrap_or_default()
                }
                _ => self.field_type(ty, field),
            },
            _ => self.field_type(ty, field),
        }
    }

    /// The type of a place in a body.
    pub fn type_at<'t>(&self, typed: &'t TypedBody, place: &Place) -> Cow<'t, Ty> {
        let mut ty = Cow::Borrowed(typed.local(place.base));
        for step in &place.path {
            ty = match step {
                Step::Deref => ty,
                Step::Field(name) => Cow::Owned(self.field_type(&ty, name)),
                Step::Variant(variant, name) => Cow::Owned(self.variant_field_type(&ty, variant, name)),
                Step::Index | Step::Nth(_) => return Cow::Owned(Ty::Unknown),
            };
        }
        ty
    }

    /// The types of a function's parameters, its receiver included.
    pub fn param_types(&self, def: DefId) -> &[Ty] {
        let known = self.types_of(def.file).and_then(|file| file.params.get(def.item.index()));
        known.map_or(&[], Vec::as_slice)
    }

    /// The same while types are still inferred.
    pub(crate) fn resolve_params(&self, def: DefId) -> Vec<Ty> {
        let params = self.function(def).into_iter().flat_map(|function| &function.params);
        params.map(|param| self.resolve_type(def.file, &param.ty)).collect()
    }

    /// What calling a function gives; for an `async fn` the future of it.
    pub fn return_type(&self, def: DefId) -> Ty {
        let Some(function) = self.function(def) else { return Ty::Unknown };
        let output = function.ret.as_ref().map_or_else(Ty::unit, |ret| self.resolve_type(def.file, ret));
        if function.is_async { Ty::Future(Box::new(output)) } else { output }
    }
}

/// Whether an attribute of a struct lets nobody get at its fields who does not say their names.
fn leaves_fields_alone(attr: &Attr) -> bool {
    match attr.path.last() {
        "derive" => attr.args.iter().all(|derive| PLAIN_DERIVES.contains(&derive.last())),
        name => PLAIN_ATTRIBUTES.contains(&name),
    }
}

/// Derives that give no field away, and take none from anybody.
const PLAIN_DERIVES: [&str; 15] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Deserialize",
    "Display",
    "Educe",
    "Derivative",
    "Eq",
    "Error",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Serialize",
];

/// Attributes of structs that are no macros, or macros like [`PLAIN_DERIVES`].
const PLAIN_ATTRIBUTES: [&str; 16] = [
    "allow",
    "cfg",
    "cfg_attr",
    "deny",
    "deprecated",
    "derivative",
    "display",
    "educe",
    "expect",
    "forbid",
    "must_use",
    "non_exhaustive",
    "pin_project",
    "repr",
    "serde",
    "warn",
];
