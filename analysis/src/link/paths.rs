//! What a path in an expression means: a function, constructor or constant, with its types.

use smol_str::{SmolStr, format_smolstr};

use super::Program;
use crate::facts::{Item, ItemKind, PathRef, Segment};
use crate::model::TypeRole;
use crate::names::{Namespace, Res};
use crate::source::FileId;
use crate::types::{DefId, Substitution, Target, Ty, TyCon};

/// A resolved path.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValuePath {
    pub(crate) target: Target,
    /// Its type as a value: a function's own type, a constant's, a unit struct's.
    pub(crate) ty: Ty,
    /// The type before the last `::`, if there is one.
    pub(crate) own: Ty,
    /// The type arguments written last.
    pub(crate) types: Vec<Ty>,
    /// What stands for the parameters of the impl.
    pub(crate) with: Substitution,
}

impl Program {
    /// What a path in an expression or pattern means.
    pub(crate) fn value_path(&self, file: FileId, path: &PathRef) -> ValuePath {
        if path.qself.is_some() {
            return self.qualified(file, path);
        }
        let (res, used) = self.lookup().prefix(file, path, Namespace::Value);
        let arguments = |at: usize| {
            let segment = at.checked_sub(1).and_then(|at| path.segments.get(at));
            segment.map_or_else(Vec::new, |segment| self.arguments_of(file, segment))
        };
        let rest = path.segments.get(used..).unwrap_or_default();
        match (&res, rest) {
            (Res::Def(def), []) => self.value_of_def(*def, arguments(used)),
            (Res::Variant(def, name), []) => {
                let args = arguments(used.saturating_sub(1));
                let ty = self.type_of_def(*def, args, 16);
                constructor(name, ty)
            }
            (Res::External(name), []) => {
                self.value_of_library(name, arguments(used), arguments(used.saturating_sub(1)))
            }
            (_, []) => {
                // `Self(..)`, `Self`.
                let last = used.checked_sub(1).and_then(|at| path.segments.get(at));
                match self.type_of_res(file, &res, last, 16) {
                    ty @ Ty::Adt(..) => self.constructor_of(ty),
                    _ => self.self_constructor(file, path),
                }
            }
            (_, [last]) => {
                let segment = used.checked_sub(1).and_then(|at| path.segments.get(at));
                if let Res::Def(def) = &res
                    && let Some(Item { kind: ItemKind::Trait { .. }, .. }) = self.item(*def)
                {
                    return self.value_of_trait(*def, last, self.arguments_of(file, last));
                }
                let own = self.type_of_res(file, &res, segment, 16);
                self.associated(&own, &last.name, self.arguments_of(file, last))
            }
            _ => ValuePath::default(),
        }
    }

    fn arguments_of(&self, file: FileId, segment: &Segment) -> Vec<Ty> {
        segment.args.iter().map(|arg| self.resolve_type(file, arg)).collect()
    }

    /// `Self(..)` in the value namespace.
    fn self_constructor(&self, file: FileId, path: &PathRef) -> ValuePath {
        if path.as_name().is_none_or(|name| name != "Self") {
            return ValuePath::default();
        }
        match self.lookup().prefix(file, path, Namespace::Type) {
            (res @ Res::SelfType(_), 1) => self.constructor_of(self.type_of_res(file, &res, None, 16)),
            _ => ValuePath::default(),
        }
    }

    fn constructor_of(&self, ty: Ty) -> ValuePath {
        let name = match &ty {
            Ty::Adt(TyCon::Def(def), _) => self.item(*def).map(|item| item.name.clone()),
            Ty::Adt(TyCon::External(path), _) => Some(SmolStr::new(crate::model::last_segment(path))),
            _ => None,
        };
        name.map_or_else(ValuePath::default, |name| constructor(&name, ty))
    }

    fn value_of_def(&self, def: DefId, args: Vec<Ty>) -> ValuePath {
        let Some(item) = self.item(def) else { return ValuePath::default() };
        match &item.kind {
            ItemKind::Function(_) => {
                let with = self.arguments(def, &args);
                ValuePath { target: Target::Def(def), ty: Ty::Fn(def), types: args, with, ..ValuePath::default() }
            }
            ItemKind::Const { ty, .. } | ItemKind::Static { ty, .. } => {
                ValuePath { target: Target::Value(def), ty: self.resolve_type(def.file, ty), ..ValuePath::default() }
            }
            ItemKind::Struct { .. } => constructor(&item.name, self.type_of_def(def, args, 16)),
            _ => ValuePath::default(),
        }
    }

    /// A library's function, constant or constructor by its canonical path.
    fn value_of_library(&self, path: &SmolStr, types: Vec<Ty>, own_args: Vec<Ty>) -> ValuePath {
        let (before, last) = path.rsplit_once("::").unwrap_or(("", path));
        let before = self.models.canonical(before);
        let is_constructor = is_variant(last);
        // A variant's type arguments stand at its type or at itself: `None::<u8>`.
        let own_args = if own_args.is_empty() && is_constructor { types.clone() } else { own_args };
        let own = match self.models.ty(&before) {
            Some(_) => Ty::Adt(TyCon::External(SmolStr::new(&before)), own_args),
            None => Ty::Unknown,
        };
        if self.models.function(path).is_none() {
            if !own.is_unknown() {
                // Not what the models know of the type: perhaps the program's, or a trait's.
                let associated = self.associated(&own, last, types.clone());
                if associated.target != Target::Unknown {
                    return associated;
                }
            }
            if self.models.ty(path).is_some() {
                return constructor(last, Ty::Adt(TyCon::External(path.clone()), types));
            }
        }
        let ty = match &own {
            // `None`, `Poll::Pending`: as values; `Some` alone is the function that makes one.
            Ty::Adt(con, args) if is_constructor => {
                let is_unit = self
                    .models
                    .function(path)
                    .is_none_or(|model| model.work.is_empty() && model.role != crate::model::FnRole::Wrap);
                let made = Ty::Adt(con.clone(), args.clone());
                if is_unit { made } else { Ty::ExternalFn(path.clone()) }
            }
            Ty::Adt(..) if is_constant(last) => own.clone(),
            _ => Ty::ExternalFn(path.clone()),
        };
        ValuePath { target: Target::External(path.clone()), ty, own, types, with: Substitution::default() }
    }

    fn value_of_trait(&self, of: DefId, last: &Segment, types: Vec<Ty>) -> ValuePath {
        match self.member(of, &last.name) {
            Some(def) => {
                let with = self.arguments(def, &types);
                ValuePath { target: Target::Def(def), ty: Ty::Fn(def), types, with, ..ValuePath::default() }
            }
            None => ValuePath::default(),
        }
    }

    /// `Type::name`.
    pub(crate) fn associated(&self, own: &Ty, name: &str, types: Vec<Ty>) -> ValuePath {
        if let Ty::Adt(TyCon::Def(def), _) = own
            && let Some(Item { kind: ItemKind::Enum { variants, .. }, .. }) = self.item(*def)
            && variants.iter().any(|variant| variant.name == name)
        {
            return constructor(name, own.clone());
        }
        // By path a trait need not be imported for the impls that the program itself has; for a
        // library's, the function is named by its own path and known by its method.
        let Some(method) = self.method_on(own, name, &Default::default()).or_else(|| self.any_trait(own, name)) else {
            return match own {
                Ty::Adt(TyCon::External(path), _) => ValuePath {
                    target: Target::External(format_smolstr!("{path}::{name}")),
                    ty: self.variant_or_function(own, path, name),
                    own: own.clone(),
                    types,
                    with: Substitution::default(),
                },
                Ty::Prim(_) if is_constant(name) => {
                    ValuePath { ty: own.clone(), own: own.clone(), ..ValuePath::default() }
                }
                _ => ValuePath::default(),
            };
        };
        let mut with = method.with;
        let ty = match &method.target {
            Target::Def(def) => {
                with.extend(self.arguments(*def, &types));
                match self.item(*def).map(|item| &item.kind) {
                    Some(ItemKind::Const { ty, .. }) => {
                        return ValuePath {
                            target: Target::Value(*def),
                            ty: self.resolve_type(def.file, ty).substitute(&with),
                            own: own.clone(),
                            types,
                            with,
                        };
                    }
                    _ => Ty::Fn(*def),
                }
            }
            Target::External(path) | Target::TraitMethod(path) => Ty::ExternalFn(path.clone()),
            _ => Ty::Unknown,
        };
        ValuePath { target: method.target, ty, own: own.clone(), types, with }
    }

    fn variant_or_function(&self, own: &Ty, path: &str, name: &str) -> Ty {
        let is_maybe = self.models.ty(path).is_some_and(|model| model.role == TypeRole::Maybe);
        if is_constant(name) || (is_variant(name) && !is_maybe) {
            own.clone()
        } else {
            Ty::ExternalFn(format_smolstr!("{path}::{name}"))
        }
    }

    fn any_trait(&self, own: &Ty, name: &str) -> Option<super::Method> {
        let path = match own {
            Ty::Adt(TyCon::External(path), _) => path.as_str(),
            Ty::Adt(TyCon::Def(_), _) => "",
            _ => return None,
        };
        let model = self.models.method_of_trait(path, name, true).next()?;
        let target = Target::TraitMethod(SmolStr::new(&model.path));
        Some(super::Method { target, own: own.clone(), with: Substitution::default(), trait_args: Vec::new() })
    }

    /// `<T as Trait>::name`, `<T>::name`.
    fn qualified(&self, file: FileId, path: &PathRef) -> ValuePath {
        let Some(own) = path.qself.as_deref().map(|ty| self.resolve_type(file, ty)) else {
            return ValuePath::default();
        };
        let Some((last, of)) = path.segments.split_last() else { return ValuePath::default() };
        let types = self.arguments_of(file, last);
        let found = self.associated(&own, &last.name, types.clone());
        if of.is_empty() || matches!(found.target, Target::Def(_) | Target::TraitMethod(_) | Target::Value(_)) {
            return found;
        }
        let of_trait =
            PathRef { scope: path.scope, global: path.global, qself: None, segments: of.to_vec(), span: path.span };
        match self.lookup().prefix(file, &of_trait, Namespace::Type) {
            (Res::Def(def), used) if used == of.len() => self.value_of_trait(def, last, types),
            (Res::External(of), _) => {
                let known = matches!(&found.target, Target::External(path) if self.models.function(path).is_some());
                if known {
                    return found;
                }
                let path = format_smolstr!("{of}::{}", last.name);
                let target = Target::TraitMethod(path.clone());
                ValuePath { target, ty: Ty::ExternalFn(path), own, types, with: Substitution::default() }
            }
            _ => found,
        }
    }
}

/// Whether a name is that of a variant or struct.
fn is_variant(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase)
}

/// Whether a name is that of a constant: one of a type is of that type, as nearly all are.
fn is_constant(name: &str) -> bool {
    name.starts_with(char::is_uppercase) && !name.contains(char::is_lowercase)
}

fn constructor(name: &str, ty: Ty) -> ValuePath {
    ValuePath {
        target: Target::Constructor(name.into(), ty.clone().into()),
        ty: Ty::Constructor(Box::new(ty)),
        ..ValuePath::default()
    }
}
