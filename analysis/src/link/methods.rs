//! Which function a method call calls.

use rustc_hash::FxHashSet;
use smol_str::{SmolStr, format_smolstr};

use super::Program;
use crate::facts::{ItemKind, Name, OpKind, Step, Terminator};
use crate::model::{FnModel, TypeRole};
use crate::types::{Bound, DefId, Substitution, Target, Ty, TyCon, unify};

/// How many times a value is dereferenced in search of a method.
const MAX_DEREFS: usize = 10;

/// How many supertraits are looked through.
const MAX_SUPERS: usize = 16;

/// A method found.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) target: Target,
    /// The type it was found on: the receiver or what it dereferences to.
    pub(crate) own: Ty,
    /// What stands for the parameters of the impl.
    pub(crate) with: Substitution,
    /// The type arguments of the trait, where a bound gives the method.
    pub(crate) trait_args: Vec<Ty>,
}

impl Program {
    /// What a value dereferences to, one step.
    pub(crate) fn deref(&self, ty: &Ty) -> Option<Ty> {
        match ty {
            Ty::Ref(inner, _) => Some((**inner).clone()),
            Ty::Adt(TyCon::External(path), args) => {
                let model = self.models.ty(path)?;
                if let Some(shape) = model.fields.get("*") {
                    return Some(self.shape_of_type(shape, ty));
                }
                let looked_through = matches!(model.role, TypeRole::Pointer)
                    || (model.holds.is_some() && matches!(model.role, TypeRole::Extractor | TypeRole::ServerOwned));
                if looked_through { args.get(model.holds.unwrap_or(0)).cloned() } else { None }
            }
            Ty::Adt(TyCon::Def(def), _) => match self.impl_of(ty, "std::ops::Deref") {
                Some(implementation) => self.associated_in(implementation, "Target", ty),
                None => self.derived_target(*def, ty),
            },
            Ty::Param(..) | Ty::Bounds(_) => self.bounds_of(ty).into_iter().find_map(|bound| match bound {
                Bound::Trait(TyCon::External(path), _, bindings) if path == "std::ops::Deref" => {
                    bindings.into_iter().find(|(name, _)| name == "Target").map(|(_, target)| target)
                }
                _ => None,
            }),
            _ => None,
        }
    }

    /// `#[derive(Deref)]` on a struct with one field, as several libraries have it.
    fn derived_target(&self, def: DefId, ty: &Ty) -> Option<Ty> {
        self.derived_field(def).map(|only| self.field_type(ty, only))
    }

    fn derived_field(&self, def: DefId) -> Option<&Name> {
        let item = self.item(def)?;
        if !self.derives(def, "Deref") {
            return None;
        }
        match &item.kind {
            ItemKind::Struct { fields, .. } => match fields.as_slice() {
                [only] => Some(&only.name),
                _ => None,
            },
            _ => None,
        }
    }

    /// The fields by way of which values of the program's types dereference to what is wanted, as their
    /// `fn deref(&self)` says: of `&self.inner` that one. None if nothing but pointers is in between.
    pub(crate) fn deref_fields(&self, from: &Ty, is_wanted: impl Fn(&Ty) -> bool) -> Option<Vec<Name>> {
        let mut fields = Vec::new();
        let mut at = from.clone();
        for _ in 0..MAX_DEREFS {
            if is_wanted(&at) {
                return (!fields.is_empty()).then_some(fields);
            }
            if let Ty::Adt(TyCon::Def(def), _) = &at {
                match self.impl_of(&at, "std::ops::Deref") {
                    Some(implementation) => fields.extend(self.given_of_self(self.member(implementation, "deref")?)?),
                    None => fields.push(self.derived_field(*def)?.clone()),
                }
            }
            at = self.deref(&at)?;
        }
        None
    }

    /// The fields on the way to the part of `self` that a method gives a reference to, if it does nothing else.
    fn given_of_self(&self, method: DefId) -> Option<Vec<Name>> {
        let body = self.body(self.body_of(method)?)?;
        let [block] = body.blocks.as_slice() else { return None };
        let Terminator::Return(value) = block.end else { return None };
        let mut fields = Vec::new();
        let mut at = value;
        loop {
            if body.params.first() == Some(&at) {
                fields.reverse();
                return Some(fields);
            }
            let mut ops = block.ops.iter().filter(|op| op.dest == Some(at));
            let (OpKind::Ref(place, _) | OpKind::Use(place)) = &ops.next()?.kind else { return None };
            if ops.next().is_some() || place.base == at {
                return None;
            }
            for step in place.path.iter().rev() {
                match step {
                    Step::Field(name) => fields.push(name.clone()),
                    Step::Deref => {}
                    _ => return None,
                }
            }
            at = place.base;
        }
    }

    /// A type of the program as the iterator, stream or filter that it implements, where the models
    /// know the trait's methods.
    fn as_library_type(&self, ty: &Ty) -> Option<Ty> {
        let (path, implementation) = self.library_impls(ty).find(|(path, _)| self.models.ty(path).is_some())?;
        let item = self.associated_in(implementation, "Item", ty);
        Some(Ty::Adt(TyCon::External(path.clone()), item.into_iter().collect()))
    }

    /// An associated type of an impl, for this type.
    pub(crate) fn associated_in(&self, implementation: DefId, name: &str, ty: &Ty) -> Option<Ty> {
        let associated = self.member(implementation, name)?;
        let mut with = Substitution::default();
        unify(&self.self_type(implementation, 8), ty, &mut with);
        Some(self.type_of_def(associated, Vec::new(), 8).substitute(&with))
    }

    /// The type itself and what it dereferences to, references left out.
    fn derefs(&self, ty: &Ty) -> Vec<Ty> {
        let mut chain = Vec::new();
        let mut at = Some(ty.clone());
        for _ in 0..MAX_DEREFS {
            let Some(ty) = at else { break };
            at = self.deref(&ty);
            if !matches!(ty, Ty::Ref(..) | Ty::Unknown) {
                chain.push(ty);
            }
        }
        chain
    }

    /// The function `receiver.name(..)` calls; `traits` are the library traits imported there.
    pub(crate) fn method(&self, receiver: &Ty, name: &str, traits: &FxHashSet<SmolStr>) -> Option<Method> {
        let chain = self.derefs(receiver);
        for own in &chain {
            if let Some(method) = self.method_on(own, name, traits).or_else(|| self.derived_clone(own, name)) {
                return Some(method);
            }
        }
        for own in chain.iter().filter(|own| matches!(own, Ty::Adt(TyCon::Def(_), _))) {
            if let Some(method) = self.as_library_type(own).and_then(|own| self.method_on(&own, name, traits)) {
                return Some(method);
            }
        }
        let first = chain.first()?;
        let last = chain.last()?;
        if matches!(
            first,
            Ty::Adt(..) | Ty::Bounds(_) | Ty::Param(..) | Ty::Prim(_) | Ty::Future(_) | Ty::Closure(_) | Ty::Fn(_)
        ) && let Some((def, with)) = self.blanket_member(first, name)
        {
            return Some(Method { target: Target::Def(def), own: first.clone(), with, trait_args: Vec::new() });
        }
        let any = self.models.method_of_trait("", name, true).find(|model| self.is_usable(model, traits));
        if let Some(model) = any {
            let target = Target::TraitMethod(SmolStr::new(&model.path));
            return Some(Method { target, own: last.clone(), with: Substitution::default(), trait_args: Vec::new() });
        }
        match last {
            Ty::Adt(TyCon::External(path), _) => {
                let target = Target::External(format_smolstr!("{path}::{name}"));
                Some(Method { target, own: last.clone(), with: Substitution::default(), trait_args: Vec::new() })
            }
            _ => None,
        }
    }

    /// `#[derive(Clone)]` on a type of the program: what it dereferences to is not what is cloned.
    fn derived_clone(&self, own: &Ty, name: &str) -> Option<Method> {
        let Ty::Adt(TyCon::Def(def), _) = own else { return None };
        if name != "clone" || !self.derives(*def, "Clone") {
            return None;
        }
        let target = Target::TraitMethod("std::clone::Clone::clone".into());
        Some(Method { target, own: own.clone(), with: Substitution::default(), trait_args: Vec::new() })
    }

    fn derives(&self, def: DefId, name: &str) -> bool {
        let attrs = self.item(def).into_iter().flat_map(|item| &item.attrs);
        let mut derives = attrs.filter(|attr| attr.path.last() == "derive").flat_map(|attr| &attr.args);
        derives.any(|derive| derive.last() == name)
    }

    /// The same without dereferencing; only what is said of this very type.
    pub(crate) fn method_on(&self, own: &Ty, name: &str, traits: &FxHashSet<SmolStr>) -> Option<Method> {
        let found =
            |target| Some(Method { target, own: own.clone(), with: Substitution::default(), trait_args: Vec::new() });
        let path: &str = match own {
            Ty::Adt(TyCon::External(path), _) => path,
            Ty::Adt(TyCon::Def(_), _) => "",
            Ty::Prim(name) => name,
            Ty::Slice(_) => "slice",
            Ty::Future(_) => "future",
            Ty::Param(..) | Ty::SelfOf(_) | Ty::Bounds(_) => {
                return self.method_of_bounds(own, name).or_else(|| self.implemented(own, name));
            }
            _ => return None,
        };
        if !path.is_empty() {
            let method = format_smolstr!("{path}::{name}");
            if self.models.function(&method).is_some() {
                return found(Target::External(method));
            }
            let canonical = self.models.canonical(&method);
            if self.models.function(&canonical).is_some() {
                return found(Target::External(SmolStr::new(&canonical)));
            }
        }
        if let Some(method) = self.implemented(own, name) {
            return Some(method);
        }
        if path.is_empty() {
            return None;
        }
        let model = self.models.method_of_trait(path, name, false).find(|model| self.is_usable(model, traits))?;
        found(Target::TraitMethod(SmolStr::new(&model.path)))
    }

    fn implemented(&self, own: &Ty, name: &str) -> Option<Method> {
        let (def, with) = self.impl_member(own, name)?;
        // A user's model may speak of a method of this program.
        let target = match self.lookup().known_as(def) {
            Some(path) => Target::External(path),
            None => Target::Def(def),
        };
        Some(Method { target, own: own.clone(), with, trait_args: Vec::new() })
    }

    fn is_usable(&self, model: &FnModel, traits: &FxHashSet<SmolStr>) -> bool {
        model.path.rsplit_once("::").is_some_and(|(of, _)| traits.contains(of) || self.lookup().is_prelude_trait(of))
    }

    /// A method of the traits that bound a parameter, `Self`, or an opaque type.
    fn method_of_bounds(&self, own: &Ty, name: &str) -> Option<Method> {
        let mut open: Vec<(Bound, usize)> = self.bounds_of(own).into_iter().map(|bound| (bound, 0)).collect();
        let mut at = 0;
        while let Some((bound, depth)) = open.get(at).cloned() {
            at += 1;
            match bound {
                Bound::Trait(TyCon::Def(of), args, _) => {
                    if let Some(def) = self.member(of, name) {
                        let with = self.arguments(of, &args);
                        return Some(Method {
                            target: Target::Def(def),
                            own: own.clone(),
                            with,
                            trait_args: Vec::new(),
                        });
                    }
                    if depth < MAX_SUPERS && open.len() < MAX_SUPERS * 4 {
                        open.extend(self.supers(of).into_iter().map(|bound| (bound, depth + 1)));
                    }
                }
                Bound::Trait(TyCon::External(of), trait_args, _) => {
                    let path = format_smolstr!("{of}::{name}");
                    if self.models.function(&path).is_some() {
                        let target = Target::TraitMethod(path);
                        return Some(Method { target, own: own.clone(), with: Substitution::default(), trait_args });
                    }
                }
                Bound::Fn(..) | Bound::Future(_) => {}
            }
        }
        None
    }

    fn supers(&self, of: DefId) -> Vec<Bound> {
        match self.item(of).map(|item| &item.kind) {
            Some(ItemKind::Trait { supers, .. }) => {
                supers.iter().filter_map(|bound| self.bound(of.file, bound, 8)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The parameters of an item with the given arguments.
    pub(crate) fn arguments(&self, def: DefId, args: &[Ty]) -> Substitution {
        let generics = self.item(def).and_then(crate::names::generics);
        let params = generics.into_iter().flat_map(|generics| &generics.params);
        params.map(|param| (def, param.name.clone())).zip(args.iter().cloned()).collect()
    }
}
