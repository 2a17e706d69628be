//! The types that come out of library functions, as the models say.

use smol_str::SmolStr;

use super::macro_path;
use super::tree::{Frame, Tree};
use crate::facts::{LocalId, PathRef, Place};
use crate::link::Program;
use crate::model::{FnModel, FnRole, Shape, TypeRole};
use crate::types::{Target, Ty, TyCon};

/// Every iterator of the standard library stands as this type.
const ITERATOR: &str = "std::iter::Iterator";

/// What a call is given.
#[derive(Clone, Copy)]
pub(super) struct Given<'g> {
    /// The arguments' types, a receiver first.
    pub(super) types: &'g [Ty],
    /// The type the function belongs to, if it is known.
    pub(super) own: &'g Ty,
    /// The type arguments written at the call.
    pub(super) turbofish: &'g [Ty],
    /// The type arguments of the trait, where a bound gives the method.
    pub(super) trait_args: &'g [Ty],
    /// Whether it is called as a method: then what it was found on is its subject.
    pub(super) method: bool,
}

impl Given<'_> {
    fn arg(&self, at: usize) -> Ty {
        self.types.get(at).cloned().unwrap_or_default()
    }
}

impl<'a> Tree<'a> {
    /// What a call of a library's function gives; a collection or cell that is put into learns what it holds.
    pub(super) fn call_model(
        &mut self,
        frame: &mut Frame<'a>,
        target: &Target,
        given: &Given<'_>,
        subject: Option<&Place>,
    ) -> Ty {
        let Some(model) = self.program.model_of(target) else { return Ty::Unknown };
        if let (FnRole::Push | FnRole::Insert | FnRole::Replace, Some(place)) = (model.role, subject)
            && place.path.is_empty()
            && let Some(value) = model.value.or(model.other)
        {
            let value = given.arg(value);
            let key = model.key.map(|key| given.arg(key));
            let program = self.program;
            frame.learn(place.base, |local| program.put(local, key.as_ref(), &value));
        }
        self.model_result(target, given)
    }

    /// Tells the arguments of a call of a library's function what they are.
    pub(super) fn tell_taken(
        &mut self,
        frame: &mut Frame<'a>,
        target: &Target,
        given: &Given<'_>,
        skipped: usize,
        args: &[LocalId],
    ) {
        let Some(model) = self.program.model_of(target) else { return };
        for (shape, arg) in model.takes.iter().skip(skipped).zip(args) {
            let told = self.shape(shape, given, &Ty::Unknown);
            frame.tell(*arg, &told);
        }
        let is_context = |ty: &Ty| self.program.role(ty) == Some(TypeRole::Context);
        // `Context::clone(&scope)` clones what that stands for.
        if model.role.is_given_context() || is_context(given.own) {
            for at in [Some(model.subject), model.other].into_iter().flatten().filter(|at| *at >= skipped) {
                let ty = given.arg(at);
                if matches!(ty, Ty::Ref(..)) {
                    self.dereference(frame, at, &ty, is_context);
                }
            }
        }
    }

    /// What a library's function gives.
    pub(super) fn model_result(&mut self, target: &Target, given: &Given<'_>) -> Ty {
        let Some(model) = self.program.model_of(target) else { return Ty::Unknown };
        let subject = subject(model, given);
        self.give_closures(model, given, &subject);
        match &model.returns {
            Some(shape @ Shape::Turbofish(_)) if model.role == FnRole::Same => {
                let mut told = self.shape(shape, given, &subject);
                if told.is_unknown() {
                    return subject.unreferenced().clone();
                }
                self.program.put_collected(&mut told, subject.unreferenced());
                told
            }
            Some(shape) => {
                let mut told = self.shape(shape, given, &subject);
                // `HashMap::from([(key, value)])`.
                if model.role == FnRole::Same && *shape == Shape::Own {
                    self.program.put_collected(&mut told, subject.unreferenced());
                }
                told
            }
            None => self.by_role(model, given, &subject),
        }
    }

    /// Tells closures among the arguments what they will be given.
    fn give_closures(&mut self, model: &FnModel, given: &Given<'_>, subject: &Ty) {
        let gives: Vec<Ty> = if model.gives.is_empty() {
            match model.role {
                FnRole::Map | FnRole::AndThen => vec![self.program.held(subject)],
                FnRole::Inspect => vec![self.program.held(subject).referenced()],
                _ => Vec::new(),
            }
        } else {
            model.gives.iter().map(|shape| self.shape(shape, given, subject)).collect()
        };
        for at in &model.work {
            let ty = given.arg(*at);
            if let Ty::Closure(id) = ty.unreferenced() {
                self.call_closure(*id, &gives);
            }
        }
    }

    /// What comes out where the model's role says enough.
    fn by_role(&mut self, model: &FnModel, given: &Given<'_>, subject: &Ty) -> Ty {
        let own = || if given.own.is_unknown() { subject.clone() } else { given.own.clone() };
        let work = model.work.last().copied();
        match model.role {
            FnRole::Root | FnRole::Placeholder | FnRole::Never | FnRole::Derive | FnRole::Detach | FnRole::Reparent => {
                let context = own().unreferenced().clone();
                match (model.context, model.handle) {
                    (None, None) => context,
                    (at, handle) => {
                        let at = at.unwrap_or(0);
                        let count = at.max(handle.unwrap_or(0)) + 1;
                        let parts = (0..count).map(|place| if place == at { context.clone() } else { Ty::Unknown });
                        Ty::Tuple(parts.collect())
                    }
                }
            }
            FnRole::Wrap => match given.own {
                Ty::Adt(con, args) => {
                    let mut ty = Ty::Adt(con.clone(), args.clone());
                    self.program.put(&mut ty, None, subject);
                    ty
                }
                _ => Ty::Unknown,
            },
            FnRole::Same => given.arg(model.subject),
            FnRole::Clone => subject.unreferenced().clone(),
            FnRole::Inspect | FnRole::OrElse | FnRole::Take | FnRole::Replace => subject.unreferenced().clone(),
            FnRole::Inner | FnRole::InnerOr => {
                let mut held = self.program.held(subject);
                if held.is_unknown()
                    && let Some(work) = work
                {
                    held = self.output(&given.arg(work), &[]);
                }
                if let (true, Some(other)) = (held.is_unknown(), model.other) {
                    held = given.arg(other);
                }
                held
            }
            // What is there, or what is made to be there.
            FnRole::Borrow => match (self.program.held(subject), work) {
                (Ty::Unknown, Some(work)) => self.output(&given.arg(work), &[]).referenced(),
                (held, _) => held.referenced(),
            },
            FnRole::Map => match (subject.unreferenced(), work) {
                (Ty::Adt(con, args), Some(work)) => {
                    let output = self.output(&given.arg(work), &[self.program.held(subject)]);
                    let holds = self.program.models_holds(con);
                    let mut args = args.clone();
                    if let Some(arg) = args.get_mut(holds) {
                        *arg = output;
                    }
                    Ty::Adt(con.clone(), args)
                }
                _ => Ty::Unknown,
            },
            FnRole::AndThen => match work {
                Some(work) => self.output(&given.arg(work), &[self.program.held(subject)]),
                None => Ty::Unknown,
            },
            FnRole::Guard | FnRole::GuardRef | FnRole::OtherGuard => Ty::Unknown,
            FnRole::IsDone | FnRole::CanEnd => Ty::Prim("bool".into()),
            FnRole::Exit => Ty::Never,
            FnRole::Drop | FnRole::Forget | FnRole::Cancel | FnRole::Push => Ty::unit(),
            _ => Ty::Unknown,
        }
    }

    fn shape(&mut self, shape: &Shape, given: &Given<'_>, subject: &Ty) -> Ty {
        match shape {
            Shape::Unknown => Ty::Unknown,
            Shape::Own => {
                let own = if given.own.is_unknown() { subject } else { given.own };
                own.unreferenced().clone()
            }
            Shape::Inner(None) => self.program.held(subject),
            Shape::Inner(Some(at)) => argument(subject, *at),
            Shape::Arg(at) => given.arg(*at),
            Shape::Output(at) => {
                let held = self.program.held(subject);
                self.output(&given.arg(*at), &[held])
            }
            Shape::Turbofish(at) => given.turbofish.get(*at).cloned().unwrap_or_default(),
            Shape::OfTrait(at) => given.trait_args.get(*at).cloned().unwrap_or_default(),
            Shape::Held(of) => {
                let of = self.shape(of, given, subject);
                self.program.item_of(&of, true)
            }
            Shape::Ref(of) => self.shape(of, given, subject).referenced(),
            Shape::Deref(of) => self.shape(of, given, subject).unreferenced().clone(),
            Shape::Awaited(of) => {
                let of = self.shape(of, given, subject);
                awaited_or_same(self.program, of)
            }
            Shape::Future(of) => Ty::Future(Box::new(self.shape(of, given, subject))),
            Shape::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| self.shape(part, given, subject)).collect()),
            Shape::Named(path, args) => {
                let args = args.iter().map(|arg| self.shape(arg, given, subject)).collect();
                named(path, args)
            }
        }
    }

    /// What a closure, function or future among the arguments yields.
    fn output(&mut self, ty: &Ty, given: &[Ty]) -> Ty {
        match ty.unreferenced() {
            Ty::Closure(id) => {
                let id = *id;
                // What it is given was told before; here only the result is wanted.
                self.call_closure(id, &[])
            }
            Ty::Fn(_) | Ty::ExternalFn(_) | Ty::Constructor(_) | Ty::FnPtr(..) => self.call_value(ty, given).1,
            other => self.program.awaited(other),
        }
    }

    /// A macro that only looks at its arguments: `format!` makes a string.
    pub(super) fn inspected(&mut self, frame: &Frame<'a>, path: &PathRef, args: &[LocalId]) -> Ty {
        let Some(path) = macro_path(self.program, self.file, path) else { return Ty::Unknown };
        if self.program.models.function(&path).is_none() {
            return Ty::Unknown;
        }
        let types: Vec<Ty> = args.iter().map(|arg| frame.local(*arg)).collect();
        let given = Given { types: &types, own: &Ty::Unknown, turbofish: &[], trait_args: &[], method: false };
        self.model_result(&Target::External(path), &given)
    }
}

/// The type of what the function is about: of a method, what it was found on.
fn subject(model: &FnModel, given: &Given<'_>) -> Ty {
    let keeps = matches!(model.role, FnRole::Wrap | FnRole::Same);
    if given.method && model.subject == 0 && !keeps && !given.own.is_unknown() {
        return given.own.clone();
    }
    let subject = given.arg(model.subject);
    if model.role == FnRole::Wrap { subject } else { subject.unreferenced().clone() }
}

fn awaited_or_same(program: &Program, ty: Ty) -> Ty {
    match program.awaited(&ty) {
        Ty::Unknown if !matches!(ty, Ty::Future(_)) => ty,
        output => output,
    }
}

fn argument(ty: &Ty, at: usize) -> Ty {
    match ty.unreferenced() {
        Ty::Adt(_, args) => args.get(at).cloned().unwrap_or_default(),
        Ty::Slice(item) if at == 0 => (**item).clone(),
        _ => Ty::Unknown,
    }
}

/// A type by the name a model gives it.
fn named(path: &str, args: Vec<Ty>) -> Ty {
    match path {
        "slice" => Ty::Slice(Box::new(args.into_iter().next().unwrap_or_default())),
        "!" => Ty::Never,
        _ if path.contains("::") => Ty::Adt(TyCon::External(SmolStr::new(path)), args),
        _ => Ty::Prim(SmolStr::new(path)),
    }
}

impl Program {
    /// The type a library's function belongs to, by the function's path.
    pub(crate) fn owner_of_function(&self, path: &str) -> Ty {
        match path.rsplit_once("::") {
            Some((owner, _)) if self.models.ty(owner).is_some() => {
                Ty::Adt(TyCon::External(SmolStr::new(owner)), Vec::new())
            }
            _ => Ty::Unknown,
        }
    }

    /// A shape that speaks of nothing but a type and what it holds.
    pub(crate) fn shape_of_type(&self, shape: &Shape, ty: &Ty) -> Ty {
        let of = |shape: &Shape| self.shape_of_type(shape, ty);
        match shape {
            Shape::Own => ty.unreferenced().clone(),
            Shape::Inner(None) => self.held(ty),
            Shape::Inner(Some(at)) => argument(ty, *at),
            Shape::Held(shape) => self.item_of(&of(shape), true),
            Shape::Ref(shape) => of(shape).referenced(),
            Shape::Deref(shape) => of(shape).unreferenced().clone(),
            Shape::Awaited(shape) => awaited_or_same(self, of(shape)),
            Shape::Future(shape) => Ty::Future(Box::new(of(shape))),
            Shape::Tuple(parts) => Ty::Tuple(parts.iter().map(of).collect()),
            Shape::Named(path, args) => named(path, args.iter().map(of).collect()),
            Shape::Unknown | Shape::Arg(_) | Shape::Output(_) | Shape::Turbofish(_) | Shape::OfTrait(_) => Ty::Unknown,
        }
    }

    /// Which type argument a library's type holds.
    fn models_holds(&self, con: &TyCon) -> usize {
        match con {
            TyCon::External(path) => self.models.ty(path).and_then(|model| model.holds).unwrap_or(0),
            TyCon::Def(_) => 0,
        }
    }

    /// Fills in what a container holds from the array or iterator that it is made of, and says whether
    /// that was something new.
    pub(super) fn put_collected(&self, container: &mut Ty, from: &Ty) -> bool {
        let item = match (&*container, from) {
            (Ty::Adt(TyCon::External(_), _), Ty::Slice(item)) => item,
            (Ty::Adt(TyCon::External(of), _), Ty::Adt(TyCon::External(path), items)) if of != path => {
                let Some(item) = items.first().filter(|_| path == ITERATOR) else { return false };
                item
            }
            _ => return false,
        };
        let role = self.role(container);
        match (&mut *container, item) {
            // `Result<Vec<_>, _>` from results.
            (Ty::Adt(con, args), Ty::Adt(other, parts)) if con == other && role == Some(TypeRole::Maybe) => {
                let mut changed = false;
                if let (Some(arg), Some(part)) = (args.first_mut(), parts.first()) {
                    let items = Ty::Adt(TyCon::External(ITERATOR.into()), vec![part.clone()]);
                    changed |= self.put_collected(arg, &items);
                }
                if let (Some(arg), Some(part)) = (args.get_mut(1), parts.get(1)) {
                    changed |= arg.fill(part);
                }
                changed
            }
            // A map from pairs.
            (Ty::Adt(con, args), Ty::Tuple(pair))
                if pair.len() == 2 && (args.len() == 2 || self.models_holds(con) == 1) =>
            {
                args.resize(2, Ty::Unknown);
                let parts = args.iter_mut().zip(pair);
                parts.fold(false, |changed, (arg, part)| arg.fill(part) | changed)
            }
            _ => self.put(container, None, item),
        }
    }

    /// Fills in what a container holds from a value that is put into it, and says whether that was
    /// something new.
    fn put(&self, container: &mut Ty, key: Option<&Ty>, value: &Ty) -> bool {
        match container {
            Ty::Ref(inner, _) => self.put(inner, key, value),
            Ty::Slice(item) => item.fill(value),
            Ty::Adt(con, args) => {
                let holds = self.models_holds(con);
                if args.len() <= holds {
                    args.resize(holds + 1, Ty::Unknown);
                }
                let mut changed = args.get_mut(holds).is_some_and(|arg| arg.fill(value));
                if let (Some(key), Some(first), true) = (key, args.first_mut(), holds > 0) {
                    changed |= first.fill(key);
                }
                changed
            }
            _ => false,
        }
    }
}
