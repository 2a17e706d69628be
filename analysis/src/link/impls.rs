//! Impls by the type they are for, and members by their impl or trait.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use smol_str::SmolStr;

use super::Program;
use crate::facts::{ItemKind, Name};
use crate::names::{Namespace, Res};
use crate::types::{Bound, DefId, Substitution, Ty, TyCon, unify};

/// What an impl is for, as far as it is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Head {
    Adt(TyCon),
    Prim(SmolStr),
    Slice,
    Tuple,
    Dyn(TyCon),
}

/// An impl.
#[derive(Debug)]
pub(super) struct Impl {
    pub(super) def: DefId,
    pub(super) self_ty: Ty,
    pub(super) of_trait: Option<TyCon>,
}

/// All impls.
#[derive(Debug, Default)]
pub(super) struct Impls {
    pub(super) all: Vec<Impl>,
    by_head: FxHashMap<Head, Vec<usize>>,
    /// `impl<T> Trait for T`.
    pub(super) blanket: Vec<usize>,
    of_trait: FxHashMap<TyCon, Vec<DefId>>,
    members: FxHashMap<DefId, FxHashMap<Name, DefId>>,
}

impl Impls {
    pub(super) fn collect(program: &Program) -> Impls {
        let mut impls = Impls::default();
        for def in program.items() {
            let Some(item) = program.item(def) else { continue };
            if let Some(container) = item.container {
                let container = DefId { file: def.file, item: container };
                impls.members.entry(container).or_default().entry(item.name.clone()).or_insert(def);
            }
        }
        let resolved = |def: DefId| {
            let ItemKind::Impl { self_ty, of_trait, .. } = &program.item(def)?.kind else { return None };
            let self_ty = program.resolve_type(def.file, self_ty);
            let of_trait =
                of_trait.as_ref().map(|path| match program.lookup().prefix(def.file, path, Namespace::Type) {
                    (Res::Def(def), used) if used == path.segments.len() => Some(TyCon::Def(def)),
                    (Res::External(path), _) => Some(TyCon::External(path)),
                    _ => None,
                });
            Some((def, self_ty, of_trait))
        };
        let all: Vec<_> = program.par_items().filter_map(resolved).collect();
        all.into_iter().for_each(|(def, self_ty, of_trait)| impls.add(def, self_ty, of_trait));
        impls
    }

    /// An impl of a trait that is not known (`Some(None)`) has its members all the same.
    fn add(&mut self, def: DefId, self_ty: Ty, of_trait: Option<Option<TyCon>>) {
        let at = self.all.len();
        match head(&self_ty) {
            Some(head) => self.by_head.entry(head).or_default().push(at),
            None if matches!(self_ty.unreferenced(), Ty::Param(..)) => self.blanket.push(at),
            None => {}
        }
        let of_trait = of_trait.flatten();
        if let Some(of) = &of_trait {
            self.of_trait.entry(of.clone()).or_default().push(def);
        }
        self.all.push(Impl { def, self_ty, of_trait });
    }

    /// The impls for types made like this one.
    pub(super) fn of_type<'a>(&'a self, ty: &Ty) -> impl Iterator<Item = &'a Impl> {
        let places = head(ty).and_then(|head| self.by_head.get(&head)).map_or(&[][..], Vec::as_slice);
        places.iter().filter_map(|at| self.all.get(*at))
    }

    pub(super) fn of_trait(&self, of: &TyCon) -> &[DefId] {
        self.of_trait.get(of).map_or(&[], Vec::as_slice)
    }

    pub(super) fn member(&self, container: DefId, name: &str) -> Option<DefId> {
        self.members.get(&container)?.get(name).copied()
    }

    pub(super) fn members(&self, container: DefId) -> impl Iterator<Item = DefId> + '_ {
        self.members.get(&container).into_iter().flat_map(|members| members.values().copied())
    }
}

fn head(ty: &Ty) -> Option<Head> {
    Some(match ty.unreferenced() {
        Ty::Adt(con, _) => Head::Adt(con.clone()),
        Ty::Prim(name) => Head::Prim(name.clone()),
        Ty::Slice(_) => Head::Slice,
        Ty::Tuple(_) => Head::Tuple,
        Ty::Bounds(bounds) => match bounds.first()? {
            crate::types::Bound::Trait(con, ..) => Head::Dyn(con.clone()),
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether an impl for `pattern` can be one for `actual`: no part that both know differs.
pub(crate) fn fits(pattern: &Ty, actual: &Ty) -> bool {
    match (pattern.unreferenced(), actual.unreferenced()) {
        (Ty::Adt(con, args), Ty::Adt(other, others)) => {
            con == other && args.iter().zip(others).all(|(arg, other)| fits(arg, other))
        }
        (Ty::Prim(name), Ty::Prim(other)) => name == other || matches!(other.as_str(), "integer" | "float"),
        (Ty::Tuple(parts), Ty::Tuple(others)) => {
            parts.len() == others.len() && parts.iter().zip(others).all(|(part, other)| fits(part, other))
        }
        (Ty::Adt(..) | Ty::Prim(_) | Ty::Tuple(_), Ty::Adt(..) | Ty::Prim(_) | Ty::Tuple(_)) => false,
        _ => true,
    }
}

impl Program {
    /// A member of the impls for a type, or of the traits they implement: what stands for the
    /// impl's parameters comes with it. None also where several impls of a trait might be meant.
    pub(crate) fn impl_member(&self, ty: &Ty, name: &str) -> Option<(DefId, Substitution)> {
        let mut of_trait = Vec::new();
        let mut defaults = Vec::new();
        for candidate in self.impls.of_type(ty).filter(|candidate| fits(&candidate.self_ty, ty)) {
            let member = self.impls.member(candidate.def, name);
            match (member, &candidate.of_trait) {
                (Some(member), None) if self.is_inherent(candidate.def) => {
                    return Some((member, self.substitution(candidate, ty)));
                }
                (Some(member), _) => of_trait.push((member, candidate)),
                (None, Some(TyCon::Def(of))) => {
                    if let Some(member) = self.impls.member(*of, name) {
                        defaults.push((member, candidate));
                    }
                }
                (None, _) => {}
            }
        }
        let found = if of_trait.is_empty() { defaults } else { of_trait };
        match found.as_slice() {
            [(member, candidate)] => Some((*member, self.substitution(candidate, ty))),
            _ => None,
        }
    }

    /// Whether this is an impl of no trait.
    pub(crate) fn is_inherent(&self, def: DefId) -> bool {
        matches!(self.item(def).map(|item| &item.kind), Some(ItemKind::Impl { of_trait: None, .. }))
    }

    fn substitution(&self, candidate: &Impl, ty: &Ty) -> Substitution {
        let mut with = Substitution::default();
        unify(&candidate.self_ty, ty.unreferenced(), &mut with);
        with
    }

    /// A blanket impl's member, if there is exactly one of that name.
    pub(super) fn blanket_member(&self, ty: &Ty, name: &str) -> Option<(DefId, Substitution)> {
        let mut found = self.impls.blanket.iter().filter_map(|at| {
            let candidate = self.impls.all.get(*at).filter(|candidate| self.is_open_to(candidate, ty))?;
            let of = match &candidate.of_trait {
                Some(TyCon::Def(of)) => self.impls.member(*of, name),
                _ => None,
            };
            let member = self.impls.member(candidate.def, name).or(of)?;
            Some((member, self.substitution(candidate, ty)))
        });
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// Whether a blanket impl can be for a type: one that is a future or a function takes a bound that
    /// says so, since the traits that these have besides are few.
    fn is_open_to(&self, candidate: &Impl, ty: &Ty) -> bool {
        let bounds = || self.bounds_of(candidate.self_ty.unreferenced()).into_iter();
        match ty {
            Ty::Future(_) => bounds().any(|bound| matches!(bound, Bound::Future(_))),
            Ty::Closure(_) | Ty::Fn(_) => bounds().any(|bound| matches!(bound, Bound::Fn(..))),
            _ => true,
        }
    }

    /// The impls of a trait of this program.
    pub fn impls_of_trait(&self, of: DefId) -> &[DefId] {
        self.impls.of_trait(&TyCon::Def(of))
    }

    /// The impls of a library's trait, by its canonical path.
    pub fn impls_of_external_trait(&self, path: &str) -> &[DefId] {
        self.impls.of_trait(&TyCon::External(path.into()))
    }

    /// The function that implements a trait's method, the trait's own default not among them, if it is the
    /// only one.
    pub fn only_implementation(&self, method: DefId) -> Option<DefId> {
        let item = self.item(method)?;
        let of = DefId { file: method.file, item: item.container? };
        let impls = self.impls_of_trait(of).iter();
        let mut all = impls.filter_map(|implementation| self.impls.member(*implementation, &item.name));
        let only = all.next()?;
        all.next().is_none().then_some(only)
    }

    /// Whether a trait's method has a body of its own and some impl has another.
    pub(crate) fn is_overridden(&self, method: DefId) -> bool {
        let container = || self.item(method).and_then(|item| Some((item, item.container?)));
        let Some((item, of)) = container().filter(|_| self.body_of(method).is_some()) else { return false };
        let impls = self.impls_of_trait(DefId { file: method.file, item: of });
        impls.iter().any(|implementation| self.impls.member(*implementation, &item.name).is_some())
    }

    /// `fn drop` of `impl Drop for T`.
    pub fn drop_impl(&self, ty: &Ty) -> Option<DefId> {
        self.impl_of(ty, "std::ops::Drop").and_then(|def| self.impls.member(def, "drop"))
    }

    /// The impl of a library's trait for a type.
    pub fn impl_of(&self, ty: &Ty, of: &str) -> Option<DefId> {
        let found = self.impls.of_type(ty).find(|candidate| {
            matches!(&candidate.of_trait, Some(TyCon::External(path)) if path == of) && fits(&candidate.self_ty, ty)
        })?;
        Some(found.def)
    }

    /// The functions of this name that impls of library traits, or of this one, have for a type.
    pub(crate) fn associated_by_trait(&self, own: &Ty, of: Option<&str>, name: &str) -> Vec<DefId> {
        let impls = self.library_impls(own).filter(|(path, _)| of.is_none_or(|of| *path == of));
        impls.filter_map(|(_, implementation)| self.impls.member(implementation, name)).collect()
    }

    /// The traits that impls for a type are of, as far as they are known.
    pub fn traits_of<'a>(&'a self, ty: &'a Ty) -> impl Iterator<Item = &'a TyCon> {
        let impls = self.impls.of_type(ty).filter(|candidate| fits(&candidate.self_ty, ty));
        impls.filter_map(|candidate| candidate.of_trait.as_ref())
    }

    /// The library traits a type implements, with the impls.
    pub(super) fn library_impls<'a>(&'a self, ty: &'a Ty) -> impl Iterator<Item = (&'a SmolStr, DefId)> + 'a {
        self.impls.of_type(ty).filter(|candidate| fits(&candidate.self_ty, ty)).filter_map(|candidate| match &candidate
            .of_trait
        {
            Some(TyCon::External(path)) => Some((path, candidate.def)),
            _ => None,
        })
    }

    /// The trait an impl is of, if it is known.
    pub fn trait_of(&self, implementation: DefId) -> Option<&TyCon> {
        // Impls are collected in the order of their places.
        let at = self.impls.all.binary_search_by_key(&implementation, |candidate| candidate.def).ok()?;
        self.impls.all.get(at)?.of_trait.as_ref()
    }

    /// The items of an impl or trait, in no order.
    pub fn members(&self, container: DefId) -> impl Iterator<Item = DefId> + '_ {
        self.impls.members(container)
    }

    /// An item of an impl or trait by name.
    pub fn member(&self, container: DefId, name: &str) -> Option<DefId> {
        self.impls.member(container, name)
    }
}
