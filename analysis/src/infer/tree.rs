//! Goes through the bodies of a file: functions first, what is in them from there.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};
use smol_str::SmolStr;

use super::TypedBody;
use crate::facts::{
    BinaryOp, Body, BodyId, BodyKind, FileFacts, ItemKind, Lit, LocalId, Name, Op, OpKind, Place, ScopeId, ScopeKind,
    Step, Terminator, Test,
};
use crate::link::Program;
use crate::model::TypeRole;
use crate::names::enclosing_module;
use crate::source::FileId;
use crate::types::{BodyRef, DefId, Target, Ty};

/// How often a body is gone through at most: what is learned late is used on the next way.
const PASSES: usize = 4;

/// How deep closures may be nested before the inner ones are left alone.
const MAX_NESTING: usize = 48;

/// `params` are the types of each function's parameters, by item.
pub(super) fn infer(program: &Program, file: FileId, facts: &FileFacts, params: &[Vec<Ty>]) -> Vec<TypedBody> {
    let mut tree = Tree {
        program,
        file,
        facts,
        params,
        states: facts.bodies.iter().map(|_| None).collect(),
        signatures: FxHashMap::default(),
        traits: FxHashMap::default(),
        importing: importing(facts),
        nesting: 0,
    };
    for (body, at) in facts.bodies.iter().zip(0..) {
        if matches!(body.kind, BodyKind::Function(_) | BodyKind::Const(_)) {
            tree.run(BodyId(at), &[], &[]);
        }
    }
    for at in 0..facts.bodies.len() {
        if tree.states.get(at).is_some_and(Option::is_none) {
            tree.run(BodyId(at as u32), &[], &[]);
        }
    }
    tree.states.into_iter().map(|state| state.map_or_else(TypedBody::default, |state| state.typed)).collect()
}

/// The file's bodies as far as they are known.
pub(super) struct Tree<'a> {
    pub(super) program: &'a Program,
    pub(super) file: FileId,
    facts: &'a FileFacts,
    /// The types of each function's parameters, by item.
    params: &'a [Vec<Ty>],
    states: Vec<Option<State>>,
    pub(super) signatures: FxHashMap<DefId, Rc<Signature>>,
    traits: FxHashMap<ScopeId, Rc<FxHashSet<SmolStr>>>,
    /// Blocks with `use` items.
    importing: Vec<ScopeId>,
    nesting: usize,
}

/// A function's types.
pub(super) struct Signature {
    pub(super) params: Vec<Ty>,
    pub(super) ret: Ty,
}

/// A body that was gone through at least once, or is on its way: then its types are not here.
struct State {
    typed: TypedBody,
    on_its_way: bool,
    captured: Vec<Ty>,
    given: Vec<Ty>,
}

/// A body on its way.
pub(super) struct Frame<'a> {
    pub(super) body: &'a Body,
    pub(super) typed: TypedBody,
    pub(super) traits: Rc<FxHashSet<SmolStr>>,
    /// Places that `for` loops go over.
    pub(super) looped: FxHashSet<Place>,
    /// Arguments of the operation that is looked at that are dereferenced, and the fields that leads through.
    pub(super) derefs: Vec<(u32, Vec<Name>)>,
    /// Places with what is dereferenced on the way spelled out.
    pub(super) spelled: RefCell<FxHashMap<Place, Place>>,
    /// Temporaries with both ends of a channel.
    pub(super) channels: FxHashSet<LocalId>,
    /// Which locals were looked at on this way.
    read: Vec<Cell<bool>>,
    /// Whether something was learned of a local after it was looked at: then once more.
    pub(super) changed: bool,
}

impl Frame<'_> {
    pub(super) fn local(&self, id: LocalId) -> Ty {
        if let Some(read) = self.read.get(id.index()) {
            read.set(true);
        }
        self.typed.local(id).clone()
    }

    pub(super) fn fill(&mut self, id: LocalId, ty: &Ty) {
        self.learn(id, |local| local.fill(ty));
    }

    /// Tells a local the type that is written where its value goes, where that says something by itself.
    pub(super) fn tell(&mut self, id: LocalId, declared: &Ty) {
        if !matches!(declared, Ty::Unknown | Ty::Bounds(_)) && !declared.is_generic() {
            self.fill(id, declared);
        }
    }

    /// Changes a local's type; `change` says whether it did.
    pub(super) fn learn(&mut self, id: LocalId, change: impl FnOnce(&mut Ty) -> bool) {
        if let Some(local) = self.typed.locals.get_mut(id.index()) {
            let learned = change(local);
            self.changed |= learned && self.read.get(id.index()).is_some_and(Cell::get);
        }
    }

    /// The locals that took the two ends of one channel: what goes in at one comes out at the other.
    fn join_ends(&mut self) {
        for (first, second) in self.ends() {
            let (left, right) = (self.local(first), self.local(second));
            for (id, from) in [(first, &right), (second, &left)] {
                self.learn(id, |end| match (end, from) {
                    (Ty::Adt(_, args), Ty::Adt(_, others)) => match (args.first_mut(), others.first()) {
                        (Some(arg), Some(other)) => arg.fill(other),
                        _ => false,
                    },
                    _ => false,
                });
            }
        }
    }

    fn ends(&self) -> Vec<(LocalId, LocalId)> {
        let mut firsts: FxHashMap<LocalId, LocalId> = FxHashMap::default();
        let mut pairs = Vec::new();
        for op in self.body.blocks.iter().flat_map(|block| &block.ops) {
            let (OpKind::Use(place), Some(dest)) = (&op.kind, op.dest) else { continue };
            let [Step::Field(field)] = place.path.as_slice() else { continue };
            if !self.channels.contains(&place.base) {
                continue;
            }
            match field.as_str() {
                "0" => {
                    firsts.insert(place.base, dest);
                }
                "1" => pairs.extend(firsts.get(&place.base).map(|first| (*first, dest))),
                _ => {}
            }
        }
        pairs
    }
}

impl<'a> Tree<'a> {
    /// Goes through a body, given the types of what it captures and of its arguments as far as they
    /// are known; not again if nothing new is given.
    pub(super) fn run(&mut self, id: BodyId, captured: &[Ty], given: &[Ty]) {
        let Some(body) = self.facts.body(id) else { return };
        let Some(slot) = self.states.get_mut(id.index()) else { return };
        let (typed, captured, given) = match slot.take() {
            // A body that is found in itself, by broken facts, is not entered again.
            Some(state) if state.on_its_way => {
                *slot = Some(state);
                return;
            }
            Some(state) => {
                let captured = merged(&state.captured, captured);
                let given = merged(&state.given, given);
                if captured == state.captured && given == state.given {
                    *slot = Some(state);
                    return;
                }
                (state.typed, captured, given)
            }
            None => (self.written(body), captured.to_vec(), given.to_vec()),
        };
        let mut frame = Frame {
            body,
            typed,
            traits: self.traits_of(body.scope),
            looped: looped(body),
            derefs: Vec::new(),
            spelled: RefCell::default(),
            channels: FxHashSet::default(),
            read: body.locals.iter().map(|_| Cell::new(false)).collect(),
            changed: false,
        };
        for ((_, inner), ty) in body.captures.iter().zip(&captured) {
            frame.fill(*inner, ty);
        }
        for (param, ty) in body.params.iter().zip(&given) {
            frame.fill(*param, ty);
        }
        if let Some(slot) = self.states.get_mut(id.index()) {
            let typed = TypedBody { output: frame.typed.output.clone(), ..TypedBody::default() };
            *slot = Some(State { typed, on_its_way: true, captured: Vec::new(), given: Vec::new() });
        }
        if self.nesting < MAX_NESTING {
            self.nesting += 1;
            let order = order(body);
            for _ in 0..PASSES {
                frame.changed = false;
                frame.read.iter().for_each(|read| read.set(false));
                self.pass(&mut frame, &order);
                if !frame.changed {
                    break;
                }
            }
            self.nesting -= 1;
        }
        frame.typed.spelled.extend(frame.spelled.take());
        if let Some(slot) = self.states.get_mut(id.index()) {
            *slot = Some(State { typed: frame.typed, on_its_way: false, captured, given });
        }
    }

    /// The types as written.
    fn written(&self, body: &Body) -> TypedBody {
        let program = self.program;
        let mut locals: Vec<Ty> = body
            .locals
            .iter()
            .map(|local| local.ty.as_ref().map_or(Ty::Unknown, |ty| program.resolve_type(self.file, ty)))
            .collect();
        let mut output = body.ret.as_ref().map_or(Ty::Unknown, |ty| program.resolve_type(self.file, ty));
        match body.kind {
            BodyKind::Function(item) => {
                let def = DefId { file: self.file, item };
                for (param, ty) in body.params.iter().zip(self.params.get(item.index()).into_iter().flatten()) {
                    if let Some(local) = locals.get_mut(param.index()) {
                        local.fill(ty);
                    }
                }
                output = match program.function(def).map(|function| function.ret.as_ref()) {
                    Some(Some(ret)) => program.resolve_type(self.file, ret),
                    Some(None) => Ty::unit(),
                    None => Ty::Unknown,
                };
            }
            BodyKind::Const(item) => {
                if let Some(crate::facts::ItemKind::Const { ty, .. } | crate::facts::ItemKind::Static { ty, .. }) =
                    self.facts.item(item).map(|item| &item.kind)
                {
                    output = program.resolve_type(self.file, ty);
                }
            }
            BodyKind::Closure(_) | BodyKind::AsyncBlock(_) => {}
        }
        let targets = body.blocks.iter().map(|block| vec![Target::Unknown; block.ops.len()]).collect();
        TypedBody { locals, targets, output, ..TypedBody::default() }
    }

    /// The library traits imported around a body or in blocks within it.
    fn traits_of(&mut self, scope: ScopeId) -> Rc<FxHashSet<SmolStr>> {
        if let Some(known) = self.traits.get(&scope) {
            return known.clone();
        }
        let module = enclosing_module(self.facts, scope).unwrap_or(scope);
        // What a function's blocks import is not the module's.
        let blocks: Vec<ScopeId> = self
            .importing
            .iter()
            .copied()
            .filter(|block| module != scope && (self.is_within(*block, scope) || self.is_within(scope, *block)))
            .collect();
        let traits = if blocks.is_empty() && module != scope {
            self.traits_of(module)
        } else {
            let lookup = self.program.lookup();
            let mut traits = lookup.traits_imported_in(self.file, module);
            for block in blocks.into_iter().filter(|block| *block != module) {
                traits.extend(lookup.traits_imported_in(self.file, block));
            }
            Rc::new(traits)
        };
        self.traits.insert(scope, traits.clone());
        traits
    }

    fn is_within(&self, inner: ScopeId, outer: ScopeId) -> bool {
        let mut at = Some(inner);
        for _ in 0..=self.facts.scopes.len() {
            match at {
                Some(scope) if scope == outer => return true,
                Some(scope) => at = self.facts.scope(scope).and_then(|scope| scope.parent),
                None => return false,
            }
        }
        false
    }

    fn pass(&mut self, frame: &mut Frame<'a>, order: &[usize]) {
        let body = frame.body;
        for &at in order {
            let Some(block) = body.blocks.get(at) else { continue };
            for (op_at, op) in block.ops.iter().enumerate() {
                let (target, ty) = self.op(frame, op);
                for (arg, fields) in std::mem::take(&mut frame.derefs) {
                    frame.typed.derefs.insert((at as u32, op_at as u32, arg), fields);
                }
                if let Some(dest) = op.dest {
                    if self.makes_channel(&target) {
                        frame.channels.insert(dest);
                    }
                    self.put_collected(frame, dest, &ty);
                    frame.fill(dest, &ty);
                    self.expect(frame.typed.local(dest), &ty);
                }
                let slot = frame.typed.targets.get_mut(at).and_then(|targets: &mut Vec<Target>| targets.get_mut(op_at));
                if let Some(slot) = slot
                    && target != Target::Unknown
                {
                    *slot = target;
                }
            }
            match &block.end {
                Terminator::Return(value) => {
                    let ty = frame.local(*value);
                    frame.typed.output.fill(&ty);
                    // What is returned is what the signature says, where the code itself does not tell.
                    let output = frame.typed.output.clone();
                    self.expect(&output, &ty);
                    if !output.is_generic() {
                        frame.fill(*value, &output);
                    }
                }
                Terminator::Select { arms, .. } => {
                    for arm in arms {
                        let output = self.awaited(&frame.local(arm.future));
                        frame.fill(arm.output, &output);
                    }
                }
                _ => {}
            }
        }
        if !frame.channels.is_empty() {
            frame.join_ends();
        }
    }

    fn makes_channel(&self, target: &Target) -> bool {
        matches!(target, Target::External(_))
            && self.program.model_of(target).is_some_and(|model| model.role == crate::model::FnRole::Channel)
    }

    /// `let all: Vec<_> = ….collect()`: what is collected stands as the iterator until a type is told.
    fn put_collected(&self, frame: &mut Frame<'a>, dest: LocalId, ty: &Ty) {
        let program = self.program;
        frame.learn(dest, |local| matches!(local, Ty::Adt(..)) && program.put_collected(local, ty));
    }

    /// What an operation calls and what it yields.
    fn op(&mut self, frame: &mut Frame<'a>, op: &Op) -> (Target, Ty) {
        // What became of a value says what its source is: `None` passed as an `Option<Context>`.
        if let (OpKind::Use(place) | OpKind::Ref(place, _), Some(dest)) = (&op.kind, op.dest)
            && place.path.is_empty()
        {
            let told = match (&op.kind, frame.typed.local(dest)) {
                (OpKind::Use(_), ty) => ty.clone(),
                (_, Ty::Ref(inner, _)) => (**inner).clone(),
                _ => Ty::Unknown,
            };
            frame.fill(place.base, &told);
        }
        let value = |ty| (Target::Unknown, ty);
        match &op.kind {
            OpKind::Use(place) => value(self.place(frame, place)),
            OpKind::Ref(place, mutability) => {
                let ty = self.place(frame, place);
                let is_mut = *mutability == crate::facts::Mutability::Mut;
                value(if ty.is_unknown() { ty } else { Ty::Ref(Box::new(ty), is_mut) })
            }
            OpKind::Assign { place, value: from } => {
                if place.path.is_empty() {
                    let ty = frame.local(*from);
                    frame.fill(place.base, &ty);
                }
                value(Ty::unit())
            }
            OpKind::Lit(lit) => value(literal(lit)),
            OpKind::Path(path) => {
                let found = self.program.value_path(self.file, path);
                let ty = self.value_of(&found.target, found.ty);
                (found.target, ty)
            }
            OpKind::Call { callee, args } => self.call(frame, callee, args, op.dest),
            OpKind::MethodCall { receiver, name, types, args, .. } => {
                self.method_call(frame, receiver, name, types, args, op.dest)
            }
            OpKind::Struct { path, fields, base } => self.literal_struct(frame, path, fields, base.as_ref()),
            OpKind::Tuple(parts) => value(Ty::Tuple(parts.iter().map(|part| frame.local(*part)).collect())),
            OpKind::Array(parts) => {
                let mut item = Ty::Unknown;
                for part in parts {
                    item.fill(&frame.local(*part));
                }
                value(Ty::Slice(Box::new(item)))
            }
            OpKind::Closure(inner) => value(self.closure(frame, *inner)),
            OpKind::Await(future) => value(self.awaited(&frame.local(*future))),
            OpKind::Binary(BinaryOp::Mul | BinaryOp::Other, left, right) => {
                let (left, right) = (frame.local(*left), frame.local(*right));
                value(self.arithmetic(left.unreferenced(), right.unreferenced()))
            }
            OpKind::Binary(BinaryOp::Range, left, right) => {
                value(self.range(&frame.local(*left), &frame.local(*right)))
            }
            OpKind::Binary(..) => value(Ty::Prim("bool".into())),
            OpKind::Unary(_, of) => value(frame.local(*of).unreferenced().clone()),
            OpKind::Cast(_, ty) => value(self.program.resolve_type(self.file, ty)),
            OpKind::Inspect { path, args } => value(self.inspected(frame, path, args)),
            OpKind::Unknown { path: Some(path), .. } => value(self.inspected(frame, path, &[])),
            OpKind::Unknown { path: None, .. } => value(Ty::Unknown),
            OpKind::AssignOp { .. } | OpKind::Wild(_) | OpKind::EndScope { .. } | OpKind::EndTemps { .. } => {
                value(Ty::Unknown)
            }
        }
    }

    /// The result is of the left side's type, or of the right side's where that alone is a time: `2 * limit`.
    /// What text is added to stays the owned text it is.
    fn arithmetic(&self, left: &Ty, right: &Ty) -> Ty {
        let is_time = |ty: &Ty| self.program.role(ty) == Some(TypeRole::Time);
        let is_text = matches!(left, Ty::Adt(..)) && self.program.role(left) == Some(TypeRole::Text);
        match left {
            Ty::Prim(_) if is_time(right) => right.clone(),
            Ty::Prim(_) => left.clone(),
            _ if is_time(left) || is_text => left.clone(),
            _ => Ty::Unknown,
        }
    }

    /// A range goes over what its ends are.
    fn range(&self, left: &Ty, right: &Ty) -> Ty {
        let end = |ty: &Ty| if matches!(ty, Ty::Prim(_)) { ty.clone() } else { Ty::Unknown };
        let mut item = end(left);
        item.fill(&end(right));
        Ty::Adt(crate::types::TyCon::External("std::ops::Range".into()), vec![item])
    }

    /// A path's type as a value: a constructor without fields is what it makes.
    fn value_of(&self, target: &Target, ty: Ty) -> Ty {
        match (target, ty) {
            (Target::Constructor(name, made), ty) => {
                if self.has_fields(name, made) {
                    ty
                } else {
                    Ty::clone(made)
                }
            }
            (_, ty) => ty,
        }
    }

    fn has_fields(&self, name: &str, made: &Ty) -> bool {
        let Ty::Adt(crate::types::TyCon::Def(def), _) = made else { return false };
        match self.program.item(*def).map(|item| &item.kind) {
            Some(ItemKind::Struct { fields, .. }) => !fields.is_empty(),
            Some(ItemKind::Enum { variants, .. }) => {
                variants.iter().any(|variant| variant.name == name && !variant.fields.is_empty())
            }
            _ => false,
        }
    }

    /// A closure or `async` block where it is made.
    fn closure(&mut self, frame: &mut Frame<'a>, inner: BodyId) -> Ty {
        let Some(body) = self.facts.body(inner) else { return Ty::Unknown };
        let captured: Vec<Ty> = body.captures.iter().map(|(outer, _)| frame.local(*outer)).collect();
        self.run(inner, &captured, &[]);
        // What was learned inside is so outside.
        if let Some(state) = self.states.get(inner.index()).and_then(Option::as_ref) {
            for (outer, inner) in &body.captures {
                frame.fill(*outer, state.typed.local(*inner));
            }
        }
        match body.kind {
            BodyKind::AsyncBlock(_) => Ty::Future(Box::new(self.output_of(inner))),
            _ => Ty::Closure(BodyRef { file: self.file, body: inner }),
        }
    }

    /// What a body yields as far as it is known by now.
    pub(super) fn output_of(&self, id: BodyId) -> Ty {
        let state = self.states.get(id.index()).and_then(Option::as_ref);
        state.map_or(Ty::Unknown, |state| state.typed.output.clone())
    }

    /// What calling a closure with these arguments gives.
    pub(super) fn call_closure(&mut self, id: BodyRef, given: &[Ty]) -> Ty {
        if id.file != self.file {
            return Ty::Unknown;
        }
        self.run(id.body, &[], given);
        let output = self.output_of(id.body);
        match self.facts.body(id.body) {
            Some(body) if body.is_async && !matches!(output, Ty::Future(_)) => Ty::Future(Box::new(output)),
            _ => output,
        }
    }
}

fn merged(known: &[Ty], new: &[Ty]) -> Vec<Ty> {
    let mut merged = known.to_vec();
    merged.resize(known.len().max(new.len()), Ty::Unknown);
    for (known, new) in merged.iter_mut().zip(new) {
        known.fill(new);
    }
    merged
}

/// The blocks that have `use` items; few files have any.
fn importing(facts: &FileFacts) -> Vec<ScopeId> {
    let uses = facts.items.iter().filter(|item| matches!(item.kind, ItemKind::Use(_))).map(|item| item.scope);
    let mut blocks: Vec<ScopeId> =
        uses.filter(|scope| facts.scope(*scope).is_some_and(|scope| scope.kind == ScopeKind::Block)).collect();
    blocks.dedup();
    blocks
}

/// The blocks, each after those that lead to it, loops apart; what nothing leads to at the end.
fn order(body: &Body) -> Vec<usize> {
    let mut seen = vec![false; body.blocks.len()];
    let mut finished = Vec::with_capacity(body.blocks.len());
    let mut open: Vec<(usize, Vec<usize>)> = Vec::new();
    let enter = |at: usize, seen: &mut Vec<bool>| match seen.get_mut(at) {
        Some(seen) if !*seen => {
            *seen = true;
            Some((
                at,
                body.blocks
                    .get(at)
                    .map_or_else(Vec::new, |block| block.end.successors().map(|next| next.index()).collect()),
            ))
        }
        _ => None,
    };
    open.extend(enter(0, &mut seen));
    while let Some((at, next)) = open.last_mut() {
        match next.pop() {
            Some(next) => open.extend(enter(next, &mut seen)),
            None => {
                finished.push(*at);
                open.pop();
            }
        }
    }
    finished.reverse();
    finished.extend(seen.iter().enumerate().filter(|(_, seen)| !**seen).map(|(at, _)| at));
    finished
}

/// The places whose items `for` loops take.
fn looped(body: &Body) -> FxHashSet<Place> {
    let tests = body.blocks.iter().filter_map(|block| match &block.end {
        Terminator::Match { place, test: Test::Next, .. } => Some(place.clone()),
        _ => None,
    });
    tests.collect()
}

fn literal(lit: &Lit) -> Ty {
    let prim = |name: &str| Ty::Prim(name.into());
    match lit {
        Lit::Str(_) => prim("str").referenced(),
        Lit::ByteStr => Ty::Slice(Box::new(prim("u8"))).referenced(),
        Lit::CStr => Ty::Adt(crate::types::TyCon::External("std::ffi::CStr".into()), Vec::new()).referenced(),
        Lit::Int(_) => prim("integer"),
        Lit::Float(_) => prim("float"),
        Lit::Bool(_) => prim("bool"),
        Lit::Char => prim("char"),
    }
}
