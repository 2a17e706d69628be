//! Written types as types.

use smol_str::SmolStr;

use super::{Bound, DefId, Substitution, Ty, TyCon};
use crate::facts::{Generics, ItemKind, PathRef, Segment, TypeRef};
use crate::link::Program;
use crate::names::{Namespace, Res, generics};
use crate::source::FileId;

/// How many aliases and nestings a type may have before the rest is unknown.
const FUEL: u32 = 32;

impl Program {
    /// What a written type means.
    pub fn resolve_type(&self, file: FileId, ty: &TypeRef) -> Ty {
        self.type_within(file, ty, FUEL)
    }

    fn type_within(&self, file: FileId, ty: &TypeRef, fuel: u32) -> Ty {
        let Some(fuel) = fuel.checked_sub(1) else { return Ty::Unknown };
        let one = |ty: &TypeRef| Box::new(self.type_within(file, ty, fuel));
        match ty {
            TypeRef::Path(path) => self.type_of_path(file, path, fuel),
            TypeRef::Ref(inner, mutability) => Ty::Ref(one(inner), *mutability == crate::facts::Mutability::Mut),
            TypeRef::Tuple(parts) => Ty::Tuple(self.types_within(file, parts, fuel)),
            TypeRef::Slice(item) | TypeRef::Array(item) => Ty::Slice(one(item)),
            TypeRef::Fn { params, ret } => Ty::FnPtr(self.types_within(file, params, fuel), one(ret)),
            TypeRef::ImplTrait(bounds) | TypeRef::DynTrait(bounds) => self.type_of_bounds(file, bounds, fuel),
            TypeRef::Never => Ty::Never,
            TypeRef::Ptr(_) | TypeRef::Infer | TypeRef::Unknown => Ty::Unknown,
        }
    }

    fn types_within(&self, file: FileId, types: &[TypeRef], fuel: u32) -> Vec<Ty> {
        types.iter().map(|ty| self.type_within(file, ty, fuel)).collect()
    }

    fn type_of_bounds(&self, file: FileId, bounds: &[TypeRef], fuel: u32) -> Ty {
        let bounds: Vec<Bound> = bounds.iter().filter_map(|bound| self.bound(file, bound, fuel)).collect();
        // `impl Iterator<Item = T>`: as a type it is what the models say of the trait's name.
        for bound in &bounds {
            if let Bound::Trait(TyCon::External(path), _, bindings) = bound
                && self.models.ty(path).is_some()
            {
                let item = bindings.iter().find(|(name, _)| name == "Item").map(|(_, item)| item.clone());
                return Ty::Adt(TyCon::External(path.clone()), item.into_iter().collect());
            }
        }
        if bounds.is_empty() { Ty::Unknown } else { Ty::Bounds(bounds) }
    }

    /// A written bound; lifetimes and what is not understood give none.
    pub(crate) fn bound(&self, file: FileId, bound: &TypeRef, fuel: u32) -> Option<Bound> {
        let fuel = fuel.checked_sub(1)?;
        match bound {
            TypeRef::Fn { params, ret } => {
                let params = self.types_within(file, params, fuel);
                Some(Bound::Fn(params, Box::new(self.type_within(file, ret, fuel))))
            }
            TypeRef::Path(path) => {
                let (res, used) = self.lookup().prefix(file, path, Namespace::Type);
                if used != path.segments.len() {
                    return None;
                }
                let con = match res {
                    Res::Def(def) => TyCon::Def(def),
                    Res::External(path) => TyCon::External(path),
                    _ => return None,
                };
                let last = path.segments.last()?;
                let bindings: Vec<(SmolStr, Ty)> =
                    last.bindings.iter().map(|(name, ty)| (name.clone(), self.type_within(file, ty, fuel))).collect();
                if let TyCon::External(path) = &con
                    && is_future(path)
                {
                    let output = bindings.into_iter().find(|(name, _)| name == "Output").map(|(_, ty)| ty);
                    return Some(Bound::Future(Box::new(output.unwrap_or_default())));
                }
                Some(Bound::Trait(con, self.types_within(file, &last.args, fuel), bindings))
            }
            _ => None,
        }
    }

    fn type_of_path(&self, file: FileId, path: &PathRef, fuel: u32) -> Ty {
        if let Some(qself) = &path.qself {
            let own = self.type_within(file, qself, fuel);
            return path.segments.last().map_or(Ty::Unknown, |last| self.associated_type(&own, &last.name, fuel));
        }
        let (res, used) = self.lookup().prefix(file, path, Namespace::Type);
        let last = used.checked_sub(1).and_then(|at| path.segments.get(at));
        let mut ty = self.type_of_res(file, &res, last, fuel);
        for segment in path.segments.iter().skip(used) {
            ty = self.associated_type(&ty, &segment.name, fuel);
        }
        ty
    }

    /// The type a resolved name is, with the arguments written at its segment.
    pub(crate) fn type_of_res(&self, file: FileId, res: &Res, segment: Option<&Segment>, fuel: u32) -> Ty {
        let Some(fuel) = fuel.checked_sub(1) else { return Ty::Unknown };
        let args = segment.map_or_else(Vec::new, |segment| self.types_within(file, &segment.args, fuel));
        match res {
            Res::External(path) => Ty::Adt(TyCon::External(path.clone()), args),
            Res::Def(def) => self.type_of_def(*def, args, fuel),
            Res::Variant(def, _) => self.type_of_def(*def, Vec::new(), fuel),
            Res::Param(def, name) => Ty::Param(*def, name.clone()),
            Res::SelfType(def) => self.self_type(*def, fuel),
            Res::SelfOf(def) => Ty::SelfOf(*def),
            Res::Prim(name) => Ty::Prim(name.clone()),
            Res::Module(_) | Res::Unknown => Ty::Unknown,
        }
    }

    /// An item as a type with these arguments.
    pub(crate) fn type_of_def(&self, def: DefId, args: Vec<Ty>, fuel: u32) -> Ty {
        let Some(fuel) = fuel.checked_sub(1) else { return Ty::Unknown };
        let Some(item) = self.item(def) else { return Ty::Unknown };
        match &item.kind {
            ItemKind::Struct { generics, .. } | ItemKind::Enum { generics, .. } => {
                Ty::Adt(TyCon::Def(def), self.with_defaults(def, generics, args, fuel))
            }
            ItemKind::TypeAlias { generics, ty: Some(ty), .. } => {
                let args = self.with_defaults(def, generics, args, fuel);
                let with: Substitution =
                    generics.params.iter().map(|param| (def, param.name.clone())).zip(args).collect();
                self.type_within(def.file, ty, fuel).substitute(&with)
            }
            _ => Ty::Unknown,
        }
    }

    fn with_defaults(&self, def: DefId, generics: &Generics, mut args: Vec<Ty>, fuel: u32) -> Vec<Ty> {
        args.truncate(generics.params.len());
        for param in generics.params.iter().skip(args.len()) {
            args.push(param.default.as_ref().map_or(Ty::Unknown, |ty| self.type_within(def.file, ty, fuel)));
        }
        args
    }

    /// What `Self` means within an impl, struct or enum.
    pub(crate) fn self_type(&self, def: DefId, fuel: u32) -> Ty {
        match self.item(def).map(|item| &item.kind) {
            Some(ItemKind::Impl { self_ty, .. }) => self.type_within(def.file, self_ty, fuel),
            Some(ItemKind::Struct { generics, .. } | ItemKind::Enum { generics, .. }) => {
                let args = generics.params.iter().map(|param| Ty::Param(def, param.name.clone())).collect();
                match self.lookup().known_as(def) {
                    Some(path) => Ty::Adt(TyCon::External(path), args),
                    None => Ty::Adt(TyCon::Def(def), args),
                }
            }
            Some(ItemKind::Trait { .. }) => Ty::SelfOf(def),
            _ => Ty::Unknown,
        }
    }

    /// `T::Name`.
    fn associated_type(&self, ty: &Ty, name: &str, fuel: u32) -> Ty {
        let Some(fuel) = fuel.checked_sub(1) else { return Ty::Unknown };
        match ty {
            Ty::Param(def, param) => {
                // Only the binding is looked at: the bound's arguments may name this type in turn.
                let binding = self.written_bounds(*def, param).find_map(|bound| binding(bound, name));
                binding.map_or(Ty::Unknown, |ty| self.type_within(def.file, ty, fuel))
            }
            Ty::Bounds(bounds) => bounds.iter().find_map(|bound| bound_type(bound, name)).cloned().unwrap_or_default(),
            Ty::Future(output) if name == "Output" => (**output).clone(),
            _ => {
                let Some((def, with)) = self.impl_member(ty, name) else { return Ty::Unknown };
                match self.item(def).map(|item| &item.kind) {
                    Some(ItemKind::TypeAlias { ty: Some(ty), .. }) => {
                        self.type_within(def.file, ty, fuel).substitute(&with)
                    }
                    _ => Ty::Unknown,
                }
            }
        }
    }

    /// What is known of a parameter, of `Self` in a trait, or of an opaque type.
    pub(crate) fn bounds_of(&self, ty: &Ty) -> Vec<Bound> {
        match ty {
            Ty::Bounds(bounds) => bounds.clone(),
            Ty::Param(def, name) => {
                self.written_bounds(*def, name).filter_map(|bound| self.bound(def.file, bound, FUEL)).collect()
            }
            Ty::SelfOf(def) => vec![Bound::Trait(TyCon::Def(*def), Vec::new(), Vec::new())],
            _ => Vec::new(),
        }
    }

    /// The bounds of an item's type parameter, where it is declared and in the `where` clause.
    fn written_bounds<'a>(&'a self, def: DefId, name: &'a str) -> impl Iterator<Item = &'a TypeRef> {
        self.item(def).and_then(generics).into_iter().flat_map(move |generics| {
            let own = generics.params.iter().filter(move |param| param.name == name).flat_map(|param| &param.bounds);
            let wheres = generics.wheres.iter().filter(
                move |(ty, _)| matches!(ty, TypeRef::Path(path) if path.as_name().is_some_and(|known| known == name)),
            );
            own.chain(wheres.flat_map(|(_, bounds)| bounds))
        })
    }
}

/// What a written bound says of an associated type: `Iterator<Item = T>`, `Fn() -> T`.
fn binding<'a>(bound: &'a TypeRef, name: &str) -> Option<&'a TypeRef> {
    match bound {
        TypeRef::Fn { ret, .. } if name == "Output" => Some(ret),
        TypeRef::Path(path) => path.segments.last()?.bindings.iter().find(|(known, _)| known == name).map(|(_, ty)| ty),
        _ => None,
    }
}

/// The same for one that is resolved.
fn bound_type<'a>(bound: &'a Bound, name: &str) -> Option<&'a Ty> {
    match bound {
        Bound::Future(ty) | Bound::Fn(_, ty) if name == "Output" => Some(ty),
        Bound::Trait(_, _, bindings) => bindings.iter().find(|(known, _)| known == name).map(|(_, ty)| ty),
        _ => None,
    }
}

/// The language's own trait of things that can be awaited.
fn is_future(path: &str) -> bool {
    matches!(path, "std::future::Future" | "std::future::IntoFuture")
}
