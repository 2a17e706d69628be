//! What a call calls, and the type of what it gives.

use std::rc::Rc;

use smol_str::SmolStr;

use super::model::Given;
use super::tree::{Frame, Signature, Tree};
use crate::facts::{Callee, ItemKind, LocalId, Name, PathRef, Place, TypeRef};
use crate::link::impls::fits;
use crate::link::paths::ValuePath;
use crate::model::{FnRole, Shape, TypeRole, last_segment};
use crate::names::{Namespace, Res, generics};
use crate::types::{Bound, DefId, Substitution, Target, Ty, TyCon, unify};

impl<'a> Tree<'a> {
    /// `dest = callee(args)`.
    pub(super) fn call(
        &mut self,
        frame: &mut Frame<'a>,
        callee: &Callee,
        args: &[LocalId],
        dest: Option<LocalId>,
    ) -> (Target, Ty) {
        let types: Vec<Ty> = args.iter().map(|arg| frame.local(*arg)).collect();
        match callee {
            Callee::Value(place) => {
                let ty = self.place(frame, place);
                self.call_value(&ty, &types)
            }
            Callee::Path(path) => {
                let found = self.program.value_path(self.file, path);
                let found = match dest {
                    Some(dest) if args.is_empty() => self.of_type_given(found, &frame.local(dest)),
                    _ => found,
                };
                match found.target {
                    Target::Def(def) => {
                        let def = self.of_known_type(def, types.first());
                        self.tell_arguments(frame, def, 0, args, &found.with);
                        let ty = self.call_function(def, &types, found.with, &found.own);
                        (Target::Def(def), ty)
                    }
                    Target::Constructor(name, ty) => {
                        let ty = self.constructed(&name, *ty, &types);
                        for (at, arg) in args.iter().enumerate() {
                            let declared = self.declared(&ty, &name, &at.to_string());
                            frame.tell(*arg, &declared);
                        }
                        (Target::Constructor(name, ty.clone().into()), ty)
                    }
                    Target::External(path) | Target::TraitMethod(path)
                        if self.program.models.function(&path).is_none() =>
                    {
                        let by_argument = self.by_argument(&path, types.first(), &found.own);
                        match by_argument.or_else(|| self.by_first_argument(&path, &types, frame)) {
                            Some((target, ty)) => (target, ty),
                            None => (Target::External(path), Ty::Unknown),
                        }
                    }
                    target @ (Target::External(_) | Target::TraitMethod(_)) => {
                        if let Some(found) = self.converted(&target, types.first(), &found.own) {
                            return found;
                        }
                        let given = Given {
                            types: &types,
                            own: &found.own,
                            turbofish: &found.types,
                            trait_args: &[],
                            method: false,
                        };
                        let ty = self.call_model(
                            frame,
                            &target,
                            &given,
                            args.first().map(|arg| Place::local(*arg)).as_ref(),
                        );
                        self.tell_taken(frame, &target, &given, 0, args);
                        // A clone of what the argument dereferences to is no clone of the argument.
                        let is_clone = self.program.model_of(&target).is_some_and(|model| model.role == FnRole::Clone);
                        let ty = if is_clone && !frame.derefs.is_empty() { found.own.clone() } else { ty };
                        (target, ty)
                    }
                    Target::Value(def) => {
                        let (_, ty) = self.call_value(&found.ty, &types);
                        (Target::Value(def), ty)
                    }
                    other => (other, Ty::Unknown),
                }
            }
        }
    }

    /// A function of a library's trait that is given nothing and gives what implements it, `Default::default()`, is
    /// that of the type it is to give.
    fn of_type_given(&self, found: ValuePath, wanted: &Ty) -> ValuePath {
        let gives_own = self.program.model_of(&found.target).is_some_and(|model| model.returns == Some(Shape::Own));
        match &found.target {
            Target::External(path) | Target::TraitMethod(path)
                if gives_own && found.own.is_unknown() && matches!(wanted, Ty::Adt(..)) =>
            {
                let name = SmolStr::new(last_segment(path));
                self.program.associated(wanted, &name, found.types)
            }
            _ => found,
        }
    }

    /// What makes a value of one type into another by an impl of the program, and what that gives: nothing if no
    /// impl of the program can be meant, something unknown if several can.
    fn converted(&mut self, target: &Target, from: Option<&Ty>, into: &Ty) -> Option<(Target, Ty)> {
        let by = self.program.model_of(target)?.by.as_deref()?;
        let is_maybe = self.program.role(into) == Some(TypeRole::Maybe);
        let into = if is_maybe { self.program.held(into) } else { into.clone() };
        let (of, function) = by.rsplit_once("::")?;
        let makers = self.program.associated_by_trait(&into, Some(of), function);
        self.made_from(makers, from?, &into)
    }

    /// `Type::function(value)`, where several impls of a library's trait for the type have it: by what it is given.
    fn by_argument(&mut self, path: &str, from: Option<&Ty>, own: &Ty) -> Option<(Target, Ty)> {
        let makers = self.program.associated_by_trait(own, None, last_segment(path));
        self.made_from(makers, from?, own)
    }

    fn made_from(&mut self, makers: Vec<DefId>, from: &Ty, own: &Ty) -> Option<(Target, Ty)> {
        if from.is_unknown() || from == own {
            return None;
        }
        let mut meant = makers.into_iter().filter(|def| match self.signature(*def).params.first() {
            Some(param @ (Ty::Param(..) | Ty::Bounds(_))) => fits(param, from),
            Some(param) => matches!(param, Ty::Ref(..)) == matches!(from, Ty::Ref(..)) && fits(param, from),
            None => false,
        });
        let def = meant.next()?;
        if meant.next().is_some() {
            return Some((Target::Unknown, own.clone()));
        }
        let ty = self.call_function(def, std::slice::from_ref(from), Substitution::default(), own);
        Some((Target::Def(def), ty))
    }

    /// A trait's method called by path on a value whose type is known: the impl's.
    fn of_known_type(&self, def: DefId, first: Option<&Ty>) -> DefId {
        let is_of_trait = self.program.container(def).and_then(|of| self.program.item(of));
        let (Some(ItemKind::Trait { .. }), Some(first)) = (is_of_trait.map(|item| &item.kind), first) else {
            return def;
        };
        let Some(name) = self.program.item(def).map(|item| item.name.clone()) else { return def };
        let found = self.program.impl_member(self.program.peel(first), &name);
        found.map_or(def, |(found, _)| found)
    }

    /// `Trait::method(&x)` of a library's trait, where the program implements it for `x`.
    fn by_first_argument(&mut self, path: &str, types: &[Ty], frame: &Frame<'a>) -> Option<(Target, Ty)> {
        let (_, name) = path.rsplit_once("::")?;
        let own = types.first()?;
        let method = self.program.method_on(self.program.peel(own), name, &frame.traits)?;
        match method.target {
            Target::Def(def) => {
                let ty = self.call_function(def, types, method.with, &method.own);
                Some((Target::Def(def), ty))
            }
            _ => None,
        }
    }

    /// Calls what a value is.
    pub(super) fn call_value(&mut self, ty: &Ty, types: &[Ty]) -> (Target, Ty) {
        match self.program.peel(ty).clone() {
            Ty::Closure(id) => {
                let output = self.call_closure(id, types);
                let target = if id.file == self.file { Target::Closure(id.body) } else { Target::Unknown };
                (target, output)
            }
            Ty::Fn(def) => {
                let ty = self.call_function(def, types, Substitution::default(), &Ty::Unknown);
                (Target::Def(def), ty)
            }
            Ty::ExternalFn(path) => {
                let own = self.program.owner_of_function(&path);
                let target = Target::External(path);
                let given = Given { types, own: &own, turbofish: &[], trait_args: &[], method: false };
                let ty = self.model_result(&target, &given);
                (target, ty)
            }
            Ty::Constructor(made) => {
                let name = match &*made {
                    Ty::Adt(TyCon::Def(def), _) => self.program.item(*def).map(|item| item.name.clone()),
                    _ => None,
                };
                let name = name.unwrap_or_default();
                let ty = self.constructed(&name, *made, types);
                (Target::Constructor(name, ty.clone().into()), ty)
            }
            Ty::FnPtr(_, ret) => (Target::Unknown, *ret),
            ty @ (Ty::Bounds(_) | Ty::Param(..)) => {
                let ret = self.program.bounds_of(&ty).into_iter().find_map(|bound| match bound {
                    Bound::Fn(_, ret) => Some(*ret),
                    _ => None,
                });
                (Target::Unknown, ret.unwrap_or_default())
            }
            _ => (Target::Unknown, Ty::Unknown),
        }
    }

    /// `receiver.name(args)`.
    pub(super) fn method_call(
        &mut self,
        frame: &mut Frame<'a>,
        receiver: &Place,
        name: &Name,
        turbofish: &[TypeRef],
        args: &[LocalId],
        dest: Option<LocalId>,
    ) -> (Target, Ty) {
        let own = self.place(frame, receiver);
        let Some(method) = self.program.method(&own, name, &frame.traits) else {
            return (Target::Unknown, Ty::Unknown);
        };
        if let Some(dest) = dest
            && let Some(found) = self.converted(&method.target, Some(&own), &frame.local(dest))
        {
            return found;
        }
        // What any type has is called on the value itself.
        if !matches!(method.target, Target::TraitMethod(_)) || self.program.role(&method.own) == Some(TypeRole::Context)
        {
            self.dereference(frame, 0, &own, |ty| *ty == method.own);
        }
        let mut types = vec![own];
        types.extend(args.iter().map(|arg| frame.local(*arg)));
        let turbofish: Vec<Ty> = turbofish.iter().map(|ty| self.program.resolve_type(self.file, ty)).collect();
        let ty = match &method.target {
            Target::Def(def) => {
                let mut with = method.with;
                with.extend(self.program.arguments(*def, &turbofish));
                self.tell_arguments(frame, *def, 1, args, &with);
                self.call_function(*def, &types, with, &method.own)
            }
            target @ (Target::External(_) | Target::TraitMethod(_)) => {
                let given = Given {
                    types: &types,
                    own: &method.own,
                    turbofish: &turbofish,
                    trait_args: &method.trait_args,
                    method: true,
                };
                self.tell_taken(frame, target, &given, 1, args);
                self.call_model(frame, target, &given, Some(receiver))
            }
            _ => Ty::Unknown,
        };
        let is_any = matches!(
            types.first().map(|own| self.program.peel(own)),
            Some(Ty::Bounds(_) | Ty::Param(..) | Ty::SelfOf(_))
        );
        match method.target {
            Target::Def(def) if is_any && self.program.is_overridden(def) => (Target::Unknown, ty),
            target => (target, ty),
        }
    }

    /// What a parameter's written type says of the argument, `fill(&mut slot)`, with the type arguments that are
    /// written at the call, `wrap::<String>(Default::default())`.
    fn tell_arguments(
        &mut self,
        frame: &mut Frame<'a>,
        def: DefId,
        skipped: usize,
        args: &[LocalId],
        with: &Substitution,
    ) {
        let signature = self.signature(def);
        for ((param, arg), at) in signature.params.iter().skip(skipped).zip(args).zip(skipped..) {
            match with.is_empty() {
                true => frame.tell(*arg, param),
                false => frame.tell(*arg, &param.substitute(with)),
            }
            if let (Ty::Ref(..), Ty::Adt(con, _)) = (param, param.unreferenced()) {
                self.dereference(frame, at, &frame.local(*arg), |ty| matches!(ty, Ty::Adt(of, _) if of == con));
            }
        }
    }

    /// Notes that an argument of a type of the program's own is given as what it dereferences to.
    pub(super) fn dereference(&self, frame: &mut Frame<'a>, arg: usize, given: &Ty, is_wanted: impl Fn(&Ty) -> bool) {
        if let Some(fields) = self.deref_fields(given, is_wanted) {
            frame.derefs.push((arg as u32, fields));
        }
    }

    pub(super) fn signature(&mut self, def: DefId) -> Rc<Signature> {
        if let Some(known) = self.signatures.get(&def) {
            return known.clone();
        }
        let params = self.program.resolve_params(def);
        let ret = self.program.return_type(def);
        let signature = Rc::new(Signature { params, ret });
        self.signatures.insert(def, signature.clone());
        signature
    }

    /// What a function of the program gives for arguments of these types, and what its closures are given.
    pub(super) fn call_function(&mut self, def: DefId, types: &[Ty], with: Substitution, own: &Ty) -> Ty {
        let signature = self.signature(def);
        let own = if own.is_unknown() { types.first().map_or(&Ty::Unknown, Ty::unreferenced) } else { own };
        let mut with = with;
        let params: Vec<Ty> = signature.params.iter().map(|param| param.with_self(own)).collect();
        for (param, ty) in params.iter().zip(types) {
            unify(param, ty, &mut with);
        }
        for (param, ty) in params.iter().zip(types) {
            self.give(param, ty, &mut with);
        }
        // What the bounds say of parameters that became known: `Fut: Future<Output = T>`.
        self.learn_from_bounds(def, &mut with);
        if !signature.ret.is_generic() {
            return signature.ret.clone();
        }
        self.forget_open(def, &mut with);
        signature.ret.with_self(own).substitute(&with)
    }

    /// Tells a closure what it is given by the type that is declared where it goes.
    pub(super) fn expect(&mut self, declared: &Ty, ty: &Ty) {
        if declared != ty {
            self.give(declared, ty, &mut Substitution::default());
        }
    }

    /// Tells a closure among the arguments what its parameter's bound says it is given.
    fn give(&mut self, param: &Ty, ty: &Ty, with: &mut Substitution) {
        if !matches!(self.program.peel(ty), Ty::Closure(_) | Ty::Fn(_) | Ty::ExternalFn(_) | Ty::Constructor(_)) {
            return;
        }
        let bounds = match self.program.peel(param) {
            Ty::FnPtr(params, ret) => vec![Bound::Fn(params.clone(), ret.clone())],
            param => self.program.bounds_of(param),
        };
        for bound in bounds {
            let Bound::Fn(params, ret) = bound else { continue };
            let given: Vec<Ty> = params.iter().map(|param| closed(param.substitute(with))).collect();
            let (_, output) = self.call_value(ty, &given);
            unify(&ret, &output, with);
            // An async closure's bound is written with its output.
            if let Ty::Future(output) = &output
                && !matches!(&*ret, Ty::Future(_) | Ty::Bounds(_) | Ty::Param(..))
            {
                unify(&ret, output, with);
            }
        }
    }

    fn learn_from_bounds(&self, def: DefId, with: &mut Substitution) {
        let Some(params) = self.program.item(def).and_then(generics).map(|generics| &generics.params) else { return };
        for param in params {
            let key = (def, param.name.clone());
            let Some(actual) = with.get(&key).cloned() else { continue };
            for bound in self.program.bounds_of(&Ty::Param(def, param.name.clone())) {
                match bound {
                    Bound::Future(output) => unify(&output, &self.awaited(&actual), with),
                    Bound::Trait(_, _, bindings) => {
                        if let Some((_, item)) = bindings.iter().find(|(name, _)| name == "Item") {
                            unify(item, &self.program.item_of(&actual, true), with);
                        }
                    }
                    Bound::Fn(..) => {}
                }
            }
        }
    }

    /// Parameters of the callee that nothing was learned of mean nothing to the caller.
    fn forget_open(&self, def: DefId, with: &mut Substitution) {
        for of in std::iter::once(def).chain(self.program.container(def)) {
            let params = self.program.item(of).and_then(generics).into_iter().flat_map(|generics| &generics.params);
            for param in params {
                with.entry((of, param.name.clone())).or_default();
            }
        }
    }

    /// A tuple struct or variant made of its fields.
    fn constructed(&self, name: &str, ty: Ty, types: &[Ty]) -> Ty {
        let fields: Vec<(SmolStr, Ty)> =
            types.iter().enumerate().map(|(at, ty)| (SmolStr::new(at.to_string()), ty.clone())).collect();
        self.with_fields(name, ty, &fields)
    }

    /// The type that is written for a field of a struct or variant.
    fn declared(&self, ty: &Ty, variant: &str, field: &str) -> Ty {
        match self.program.variant_field_type(ty, variant, field) {
            Ty::Unknown => self.program.field_type(ty, field),
            declared => declared,
        }
    }

    /// A struct's type arguments as its fields tell them.
    fn with_fields(&self, variant: &str, ty: Ty, given: &[(SmolStr, Ty)]) -> Ty {
        let Ty::Adt(TyCon::Def(def), args) = &ty else { return ty };
        let Some(item) = self.program.item(*def) else { return ty };
        let (generics, fields) = match &item.kind {
            ItemKind::Struct { generics, fields, .. } => (generics, fields),
            ItemKind::Enum { generics, variants } => match variants.iter().find(|known| known.name == variant) {
                Some(found) => (generics, &found.fields),
                None => return ty,
            },
            _ => return ty,
        };
        if generics.params.is_empty() {
            return ty;
        }
        let mut with = Substitution::default();
        for (name, ty) in given {
            if let Some(field) = fields.iter().find(|field| field.name == *name) {
                unify(&self.program.resolve_type(def.file, &field.ty), ty, &mut with);
            }
        }
        let mut args = args.clone();
        args.resize(generics.params.len(), Ty::Unknown);
        for (arg, param) in args.iter_mut().zip(&generics.params) {
            if matches!(arg, Ty::Param(of, _) if of == def) {
                *arg = Ty::Unknown;
            }
            if let Some(found) = with.get(&(*def, param.name.clone())) {
                arg.fill(found);
            }
        }
        Ty::Adt(TyCon::Def(*def), args)
    }

    /// `Path { field: value, ..base }`.
    pub(super) fn literal_struct(
        &mut self,
        frame: &mut Frame<'a>,
        path: &PathRef,
        fields: &[(Name, LocalId)],
        base: Option<&Place>,
    ) -> (Target, Ty) {
        let (res, used) = self.program.lookup().prefix(self.file, path, Namespace::Type);
        let variant = match &res {
            Res::Variant(_, name) => name.clone(),
            _ => path.segments.last().map(|segment| segment.name.clone()).unwrap_or_default(),
        };
        let ty = if used == path.segments.len() && path.qself.is_none() {
            let segment = path.segments.last();
            self.program.type_of_res(self.file, &res, segment, 16)
        } else {
            // `Self::Variant { .. }`, `Alias::Variant { .. }`.
            match self.program.value_path(self.file, path).target {
                Target::Constructor(_, ty) => *ty,
                _ => self.program.resolve_type(self.file, &TypeRef::Path(path.clone())),
            }
        };
        if ty.is_unknown() {
            return (Target::Unknown, ty);
        }
        let given: Vec<(SmolStr, Ty)> =
            fields.iter().map(|(name, value)| (name.clone(), frame.local(*value))).collect();
        let mut ty = self.with_fields(&variant, ty, &given);
        for ((name, value), (_, local)) in given.iter().zip(fields) {
            let declared = self.declared(&ty, &variant, name);
            self.expect(&declared, value);
            frame.tell(*local, &declared);
        }
        if let Some(base) = base {
            ty.fill(&self.place(frame, base));
        }
        let name = match &ty {
            Ty::Adt(TyCon::Def(def), _) if !matches!(res, Res::Variant(..)) => self
                .program
                .item(*def)
                .filter(|item| matches!(item.kind, ItemKind::Struct { .. }))
                .map_or(variant, |item| item.name.clone()),
            _ => variant,
        };
        (Target::Constructor(name, ty.clone().into()), ty)
    }
}

/// A type without open parameters: those say nothing to a closure.
fn closed(ty: Ty) -> Ty {
    if let Ty::Param(..) = ty { Ty::Unknown } else { ty }
}
