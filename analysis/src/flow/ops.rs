//! One operation in one world.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::{
    BinaryOp, Body, Callee, ItemKind, LocalId, LocalKind, Name, Op, OpKind, Place, Span, Step, UnaryOp,
};
use crate::model::{FnRole, TypeRole, last_segment};
use crate::types::{Target, Ty, TyCon};

use super::constants;
use super::events::{LossKind, Seen};
use super::roles::objects_in;
use super::run::{At, Run, input_object};
use super::value::{Agg, Ctx, CtxKind, CtxNode, Function, InputPath, ObjId, ObjKind, Object, Uses, Val};
use super::world::{TaskState, Use, World};

impl<'a> Run<'a> {
    /// The worlds after an operation; none if control does not come back from it.
    pub(super) fn op(&mut self, at: At, op: &'a Op, mut world: World) -> Vec<World> {
        let span = op.span;
        if self.in_loop(at) && matches!(op.kind, OpKind::Call { .. } | OpKind::MethodCall { .. } | OpKind::Await(_)) {
            world.retire(at.block, at.op);
            self.settle_beside(at, &mut world);
        }
        let value = match &op.kind {
            OpKind::Use(place) => {
                let place = &*self.spelled(place);
                self.touch(place, &mut world);
                let value = self.take(place, &mut world);
                self.note_unfollowed(place, &value);
                if !self.is_lock_guard(place) {
                    self.read_outside(place, &value);
                }
                self.named(op.dest, &value);
                // A reference that is handed on still leads to the caller's place.
                if place.path.is_empty() && self.is_lent_param(place.base) {
                    value.borrowed(Some(place.clone()))
                } else {
                    value
                }
            }
            OpKind::Ref(place, mutability) => {
                let place = &*self.spelled(place);
                self.lend(place.base, &mut world);
                if *mutability == crate::facts::Mutability::Mut {
                    world.forget(place.base);
                    world.unfix(place.base);
                }
                self.touch(place, &mut world);
                let value = world.read(place);
                // Who has it to write to may put anything there.
                let is_written = *mutability == crate::facts::Mutability::Mut;
                self.note_unfollowed(place, if is_written { &Val::Unknown } else { &value });
                if !self.is_only_inspected(op.dest) && !self.is_only_emptied(place, op.dest) {
                    self.read_outside(place, &value);
                }
                let value = self.with_type(value, &self.type_at(place), None);
                value.borrowed(Some(place.clone()))
            }
            OpKind::Assign { place, value } => {
                let value = world.take(&Place::local(*value));
                self.assign(at, self.typed.spelled(place).unwrap_or(place), value, span, &mut world);
                Val::Unknown
            }
            OpKind::AssignOp { place, .. } => {
                world.forget(place.base);
                world.unfix(place.base);
                Val::Unknown
            }
            OpKind::Lit(crate::facts::Lit::Bool(truth)) => Val::Bool(*truth),
            OpKind::Lit(crate::facts::Lit::Int(Some(number))) => Val::Nanos(u128::from(*number)),
            OpKind::Lit(crate::facts::Lit::Float(true)) => Val::Nanos(0),
            OpKind::Lit(_) => Val::Unknown,
            OpKind::Path(path) => self.path_value(at, path.span),
            OpKind::Tuple(parts) => Val::tuple(self.take_all(parts, &mut world)),
            OpKind::Array(parts) => Val::Many(self.take_all(parts, &mut world)),
            OpKind::Struct { fields, base, .. } => {
                let mut values: Vec<_> =
                    fields.iter().map(|(name, local)| (name.clone(), world.take(&Place::local(*local)))).collect();
                let mut rest = None;
                if let Some(base) = base {
                    match world.read(base).behind() {
                        Val::Agg(agg) => {
                            for (name, value) in &agg.fields {
                                if !values.iter().any(|(have, _)| have == name) {
                                    values.push((name.clone(), value.clone()));
                                }
                            }
                            rest = agg.rest.clone();
                        }
                        given @ Val::Input(_) => rest = Some(Box::new(given.clone())),
                        _ => {}
                    }
                }
                self.structure(at, values, fields, rest)
            }
            OpKind::Closure(inner) => self.closure(*inner, &mut world),
            OpKind::Cast(local, _) => world.take(&Place::local(*local)),
            OpKind::Unary(UnaryOp::Not, local) => match world.read(&Place::local(*local)).behind() {
                Val::Bool(truth) => Val::Bool(!truth),
                Val::Asked(ctx, says, meaning) => Val::Asked(ctx.clone(), *says, !meaning),
                _ => Val::Unknown,
            },
            OpKind::Binary(BinaryOp::Mul, left, right) => {
                match (world.read(&Place::local(*left)), world.read(&Place::local(*right))) {
                    (Val::Nanos(left), Val::Nanos(right)) => left.checked_mul(right).map_or(Val::Unknown, Val::Nanos),
                    _ => Val::Unknown,
                }
            }
            OpKind::Binary(BinaryOp::Eq, left, right) => equal(&world, *left, *right, true),
            OpKind::Binary(BinaryOp::Ne, left, right) => equal(&world, *left, *right, false),
            OpKind::Unary(..) | OpKind::Binary(..) | OpKind::Inspect { .. } => Val::Unknown,
            OpKind::Wild(place) => {
                self.wild(place, span, &world);
                Val::Unknown
            }
            OpKind::Await(local) => {
                let name = self.body.local_span(*local);
                let future = self.end_of(name, world.take(&Place::local(*local)));
                self.settle_fresh(&mut world);
                self.waits_besides |= !matches!(future.behind(), Val::Done(_));
                let worlds = match future.behind() {
                    Val::Input(path) => {
                        self.call_input(path, Uses::CALL_RAW);
                        let given = self.awaited_end(&future, self.type_of(*local), world);
                        given.unwrap_or_else(|world| vec![(world, Val::Unknown)])
                    }
                    _ => self.drive(at, name, future, world),
                };
                return self.give(at, op, worlds);
            }
            OpKind::Call { callee, args } => {
                let values = self.take_given(at, 0, args, &mut world);
                let worlds = match callee {
                    Callee::Path(path) => self.call(at, path.span, span, values, args, None, world),
                    Callee::Value(place) => {
                        let callee = world.read(place);
                        let lent = self.lent_in(args);
                        let worlds = self.call_value(at, span, callee, values, world);
                        worlds.into_iter().map(|(world, value)| (self.after_lending(&lent, world), value)).collect()
                    }
                };
                return self.give(at, op, worlds);
            }
            OpKind::MethodCall { receiver, name_span, args, .. } => {
                let receiver = &*self.spelled(receiver);
                let derefed = self.dereferenced(at, receiver);
                let receiver = derefed.as_ref().unwrap_or(receiver);
                self.touch(receiver, &mut world);
                let mut locals = vec![receiver.base];
                locals.extend(args);
                let mut values = vec![Val::Unknown];
                values.extend(self.take_given(at, 1, args, &mut world));
                let worlds = self.call(at, *name_span, span, values, &locals, Some(receiver), world);
                return self.give(at, op, worlds);
            }
            OpKind::Unknown { mentions, path, paths, fields } => {
                let names = path.as_ref().map(|path| self.named_by_macro(path.last())).unwrap_or_default();
                // A word may be the name of a field there, of whatever struct.
                let words = paths.iter().filter(|path| path.segments.len() == 1).map(|path| path.last());
                let words = words.chain(fields.iter().map(Name::as_str));
                self.fields_used.extend(words.map(|word| (None, Name::new(word))));
                let hidden = self.locals_named(&names);
                for place in mentions.iter().chain(&hidden) {
                    world.forget(place.base);
                    world.unfix(place.base);
                    self.note_field(place);
                    self.note_fields_named(place, &names);
                    let value = world.read(place).borrowed(None);
                    self.escape(at, &mut world, &value, Uses::OPAQUE);
                }
                Val::Unknown
            }
            OpKind::EndScope { locals, exit } => {
                self.end_scope(at, locals, *exit, span, &mut world);
                return vec![world];
            }
            OpKind::EndTemps { from, to, discard } => {
                self.end_temps(at, *from, *to, *discard, span, &mut world);
                return vec![world];
            }
        };
        self.give(at, op, vec![(world, value)])
    }

    fn give(&mut self, at: At, op: &Op, worlds: Vec<(World, Val)>) -> Vec<World> {
        let Some(dest) = op.dest else {
            return worlds.into_iter().map(|(world, _)| world).collect();
        };
        let ty = self.type_of(dest);
        let made = !matches!(op.kind, OpKind::Path(_) | OpKind::Closure(_) | OpKind::Struct { .. });
        worlds
            .into_iter()
            .map(|(mut world, value)| {
                let value = self.with_type(value, ty, made.then_some((at, op.span)));
                self.given_to(dest, &value);
                world.set(dest, value);
                world
            })
            .collect()
    }

    pub(super) fn in_loop(&self, at: At) -> bool {
        self.body.block(crate::facts::BlockId(at.block)).is_some_and(|block| block.in_loop.is_some())
    }

    pub(super) fn take_all(&mut self, locals: &[LocalId], world: &mut World) -> Vec<Val> {
        locals.iter().map(|local| self.take(&Place::local(*local), world)).collect()
    }

    /// Takes a value out of its place. What does something when it is dropped is moved, whatever it holds.
    fn take(&self, place: &Place, world: &mut World) -> Val {
        let value = world.take(place);
        if let Val::Agg(Agg { def: Some(def), .. }) = &value
            && !value.owns()
            && self.program.drop_impl(&Ty::Adt(TyCon::Def(*def), Vec::new())).is_some()
        {
            world.replace(place, Val::Moved);
        }
        value
    }

    /// The names that stand in the definition of a macro of this file: a macro defined within a function
    /// may use its variables without being given them, and any may use the fields of what it is given.
    fn named_by_macro(&self, name: &str) -> Vec<&'a Name> {
        let Some(facts) = self.program.facts(self.who.file) else { return Vec::new() };
        let names = facts.items.iter().filter(|item| item.name == name).filter_map(|item| match &item.kind {
            crate::facts::ItemKind::MacroRules { mentions } => Some(mentions),
            _ => None,
        });
        names.flatten().collect()
    }

    fn locals_named(&self, names: &[&Name]) -> Vec<Place> {
        if names.is_empty() {
            return Vec::new();
        }
        let locals = self.body.locals.iter().zip(0..);
        locals
            .filter(|(local, _)| local.name.as_ref().is_some_and(|name| names.contains(&name)))
            .map(|(_, at)| Place::local(LocalId(at)))
            .collect()
    }

    /// The fields of a struct that have one of these names are used.
    fn note_fields_named(&mut self, place: &Place, names: &[&Name]) {
        if names.is_empty() {
            return;
        }
        if let Ty::Adt(TyCon::Def(def), _) = self.program.peel(&self.type_at(place)) {
            self.fields_used.extend(names.iter().map(|name| (Some(*def), Name::clone(name))));
        }
    }

    /// The first variable an object is bound to gives it its name.
    fn named(&mut self, dest: Option<LocalId>, value: &Val) {
        let Some(local) = dest.and_then(|dest| self.body.local(dest)) else { return };
        let (Some(name), LocalKind::Binding) = (&local.name, local.kind) else { return };
        let site = self.site(local.span);
        value.walk(&mut |value, path, borrowed| {
            if let Val::Obj(id) = value
                && !borrowed
                && !path.iter().any(|step| step == "()")
                && let Some(object) = self.objects.get_mut(id)
                && object.name.is_none()
            {
                object.name = Some((name.clone(), site));
            }
        });
    }

    fn wild(&mut self, place: &Place, span: Span, world: &World) {
        let site = self.site(span);
        if let Val::Obj(id) = world.read(place)
            && let Some(object) = self.objects.get_mut(&id)
            && object.name.is_none()
        {
            object.wild = Some(site);
        }
    }

    /// Something kept elsewhere is read: remembered for the question whether anybody uses it.
    pub(super) fn read_outside(&mut self, place: &Place, value: &Val) {
        match value.behind() {
            Val::Unknown | Val::Input(_) if !place.path.is_empty() => self.note_field(place),
            value => self.note_static(value),
        }
    }

    /// A static goes out of sight.
    pub(super) fn note_static(&mut self, value: &Val) {
        if let Val::Server(id, _) = value.behind()
            && let Some(def) = self.statics.get(id)
        {
            self.fields_used.insert((Some(*def), Name::default()));
        }
    }

    /// Whether a local is the guard of a lock, or the result of locking: who has it has not yet looked
    /// at what is locked.
    pub(super) fn is_lock_guard(&self, place: &Place) -> bool {
        let role = |ty: &Ty| self.program.type_model(ty).map(|model| model.role);
        let ty = self.type_of(place.base);
        let is_of_guard = || match role(ty) {
            Some(TypeRole::Maybe) => role(&self.program.held(ty)) == Some(TypeRole::Pointer),
            role => role == Some(TypeRole::Pointer),
        };
        place.path.is_empty() && is_of_guard()
    }

    /// The operations that mention a local.
    pub(super) fn mentions(&self, local: LocalId) -> impl Iterator<Item = &'a Op> {
        let body = self.body;
        let places = self.occurrences.mentions(local).iter();
        places.filter_map(move |at| body.op(at.block, at.op))
    }

    fn is_only_inspected(&self, dest: Option<LocalId>) -> bool {
        let Some(dest) = dest else { return false };
        self.mentions(dest).any(|op| matches!(op.kind, OpKind::Inspect { .. }))
    }

    /// What the function does that is called at an operation.
    pub(super) fn role_at(&self, at: At) -> Option<FnRole> {
        self.program.model_of(self.target(at)).map(|model| model.role)
    }

    /// Where the value of an operation goes.
    pub(super) fn dest(&self, at: At) -> Option<LocalId> {
        self.body.op(at.block, at.op)?.dest
    }

    /// Notes that a field is used, by its struct if that is known.
    pub(super) fn note_field(&mut self, place: &Place) {
        self.fields_used.extend(super::fields::of_place(self.program, self.typed, place));
    }

    fn path_value(&mut self, at: At, span: Span) -> Val {
        match self.target(at) {
            Target::Def(def) => Val::Function(Function::Def(*def)),
            Target::External(path) if constants::is_zero(self.program, path) => Val::Nanos(0),
            Target::External(path) if self.is_nothing(path) => Val::variant(last_segment(path)),
            Target::External(path) | Target::TraitMethod(path) => {
                Val::Function(Function::External(path.clone(), self.site(span)))
            }
            Target::Constructor(name, ty) => match &**ty {
                Ty::Constructor(_) | Ty::FnPtr(..) => {
                    Val::Function(Function::Constructor(name.clone(), Arc::default()))
                }
                _ if matches!(name.as_str(), "None" | "Pending") => Val::variant(name),
                _ if matches!(name.as_str(), "Some" | "Ok" | "Err" | "Ready" | "Break" | "Continue") => {
                    Val::Function(Function::Constructor(name.clone(), Arc::default()))
                }
                ty => self.bare_constructor(name, ty),
            },
            Target::Value(def) => {
                let id = self.fresh(at);
                let site = self.site(span);
                let is_static = self
                    .program
                    .item(*def)
                    .is_some_and(|item| matches!(item.kind, crate::facts::ItemKind::Static { .. }));
                let is_time =
                    || self.dest(at).is_some_and(|dest| self.program.role(self.type_of(dest)) == Some(TypeRole::Time));
                if is_static && !is_time() {
                    self.statics.insert(id, *def);
                    Val::Server(id, site)
                } else {
                    constants::nanos(self.program, *def).map_or(Val::Unknown, Val::Nanos)
                }
            }
            _ => Val::Unknown,
        }
    }

    /// A struct or variant of the program that is named without fields: it has none, or the name stands for the
    /// function that makes it of those.
    fn bare_constructor(&self, name: &Name, ty: &Ty) -> Val {
        let Ty::Adt(TyCon::Def(def), _) = self.program.peel(ty) else { return Val::Unknown };
        let function = || Val::Function(Function::Constructor(name.clone(), Arc::new(ty.clone())));
        match self.program.item(*def).map(|item| &item.kind) {
            Some(ItemKind::Enum { variants, .. }) => {
                if variants.iter().any(|variant| variant.name == *name && !variant.fields.is_empty()) {
                    return function();
                }
                Val::Agg(Agg { def: Some(*def), variant: Some(name.clone()), ..Agg::default() })
            }
            Some(ItemKind::Struct { fields, .. }) if !fields.is_empty() => function(),
            _ => Val::Unknown,
        }
    }

    /// Whether a path is a library's variant that holds nothing.
    fn is_nothing(&self, path: &str) -> bool {
        self.program.models.function(path).is_some_and(|model| model.role == FnRole::Nothing)
    }

    /// What the operation's path or call turns out to be.
    pub(super) fn target(&self, at: At) -> &'a Target {
        self.typed.target(crate::facts::BlockId(at.block), at.op as usize)
    }

    fn structure(
        &mut self,
        at: At,
        fields: Vec<(Name, Val)>,
        given: &[(Name, LocalId)],
        rest: Option<Box<Val>>,
    ) -> Val {
        let (def, variant) = match self.target(at) {
            Target::Constructor(made, ty) => {
                let def = match self.program.peel(ty) {
                    Ty::Adt(TyCon::Def(def), _) => Some(*def),
                    _ => None,
                };
                let is_enum = def
                    .and_then(|def| self.program.item(def))
                    .is_some_and(|item| matches!(item.kind, crate::facts::ItemKind::Enum { .. }));
                (def, is_enum.then(|| made.clone()))
            }
            _ => (None, None),
        };
        if let (Some(def), None) = (def, &variant) {
            let may_keep = |local: LocalId| {
                let ty = self.type_of(local);
                ty.unreferenced().is_unknown() || self.program.may_be_token(ty)
            };
            let pairs = fields.iter().zip(given).filter(|(_, (_, local))| may_keep(*local));
            for (name, value) in pairs.map(|(field, _)| field).collect::<Vec<_>>() {
                self.keep(def, name, value);
            }
        }
        Val::Agg(Agg { def, variant, fields, rest })
    }

    fn closure(&mut self, inner: crate::facts::BodyId, world: &mut World) -> Val {
        let who = crate::types::BodyRef { file: self.who.file, body: inner };
        let Some(body) = self.program.body(who) else { return Val::Unknown };
        let (moved, written) = taken(body);
        let captures: Vec<Val> = body
            .captures
            .iter()
            .map(|(outer, stand_in)| {
                let place = Place::local(*outer);
                if body.is_move || moved.contains(stand_in) {
                    let value = world.take(&place);
                    if self.body.local(*outer).is_some_and(|local| local.mutable) {
                        world.forget(*outer);
                        world.unfix(*outer);
                    }
                    value
                } else {
                    self.lend(*outer, world);
                    if self.body.local(*outer).is_some_and(|local| local.mutable) {
                        world.forget(*outer);
                        world.unfix(*outer);
                    }
                    world.read(&place).borrowed(Some(place))
                }
            })
            .collect();
        captures.iter().for_each(|value| self.note_static(value));
        for (outer, stand_in) in &body.captures {
            // A closure that writes to what it captures may have done so whenever it is looked at again.
            if !body.is_move && written.contains(stand_in) && world.read(&Place::local(*outer)).as_ctx().is_some() {
                world.set(*outer, Val::Unknown);
            }
        }
        Val::Closure(who, captures)
    }

    fn assign(&mut self, at: At, place: &Place, value: Val, span: Span, world: &mut World) {
        world.forget(place.base);
        self.named_by(place, &value);
        if place.path.is_empty() {
            self.given_to(place.base, &value);
        }
        let ty = self.type_at(place);
        let value = self.with_type(value, &ty, None);
        let to = world.written_by(place);
        let target = Some(place).filter(|place| !self.is_given(place, world));
        if let Some(new) = value.as_ctx() {
            let held = self.with_type(world.read(place), &ty, None);
            self.grows(at, place, span, new, held.as_ctx());
            if let Some(held) = held.as_ctx() {
                self.stood_in(held, new, world);
                self.replaced_in_request(at, place, span, held, new);
            }
        }
        if self.program.may_be_token(&ty) {
            self.keep_at(&to, &value);
        }
        self.share(at, place, &value, world);
        let old = target.and_then(|place| world.replace(place, value.clone()));
        match old {
            Some(old) => self.drop_value(at, &old, LossKind::Overwritten, span, world),
            None => {
                world.unfix(place.base);
                self.store(at, &to, &value, world);
                world.overlay(&to, &value);
            }
        }
    }

    /// A root gives way to a context that is there: it stands in for that where it is not.
    fn stood_in(&mut self, held: &Ctx, new: &Ctx, world: &World) {
        let is_root = |ctx: &Ctx| matches!(ctx.kind, CtxKind::Root { .. });
        if world.present && is_root(held) && !is_root(new) {
            self.replacements.insert(held.id);
        }
    }

    /// Notes that a context is written over the one in a request that the body was given.
    fn replaced_in_request(&mut self, at: At, place: &Place, span: Span, held: &Ctx, new: &Ctx) {
        let is_lent = matches!(place.path.as_slice(), [Step::Deref]) && self.of_requests.contains(&held.id);
        if is_lent {
            self.record(at, span, span, Seen::Replaced { ctx: new.clone() });
        }
    }

    /// What is put into what a closure captures, or behind a pointer with another owner, is there for whoever
    /// looks into that later.
    pub(super) fn share(&mut self, at: At, place: &Place, value: &Val, world: &mut World) {
        if value.owns() || matches!(value.behind(), Val::Input(_) | Val::Agg(_)) {
            let kept_in = world.leads_to(place);
            let is_captured = self.body.local(kept_in.base).is_some_and(|local| local.kind == LocalKind::Capture);
            if is_captured || (self.is_behind_shared(&kept_in) && self.is_cloned(kept_in.base)) {
                self.escape(at, world, value, Uses::ESCAPE.and(Uses::USED));
            }
        }
    }

    /// Whether a pointer whose clones lead to the same is on the way to a place.
    fn is_behind_shared(&self, place: &Place) -> bool {
        (0..=place.path.len()).any(|steps| {
            let path = place.path.get(..steps).unwrap_or_default().to_vec();
            let ty = self.type_at(&Place { base: place.base, path });
            self.program.type_model(ty.unreferenced()).is_some_and(|ty| ty.role == TypeRole::Pointer && ty.shared)
        })
    }

    /// Whether a local, or something in it, is cloned, or comes from a clone.
    fn is_cloned(&self, local: LocalId) -> bool {
        let is_given_to_clone = |local: LocalId| {
            let mut mentions = self.occurrences.mentions(local).iter();
            mentions.any(|at| self.is_clone(*at))
        };
        let is_made_by_clone = |local: LocalId| self.definitions.at(local).is_some_and(|at| self.is_clone(at));
        let mut lent = self.mentions(local).filter(|op| matches!(op.kind, OpKind::Ref(..) | OpKind::Use(_)));
        let source = match self.definitions.op(self.body, local) {
            Some(OpKind::Use(place)) => place.base,
            _ => local,
        };
        is_given_to_clone(local)
            || lent.any(|op| op.dest.is_some_and(is_given_to_clone))
            || is_made_by_clone(local)
            || is_made_by_clone(source)
    }

    /// An element is taken out of a collection or looked at: which one is not known, so all of them
    /// are looked after from here on.
    fn touch(&mut self, place: &Place, world: &mut World) {
        let Some(value) = world.env.get(&place.base) else { return };
        let mut value = Val::clone(value);
        for step in &place.path {
            let part = value.project(step);
            let is_taken = match value.behind() {
                Val::Many(_) => {
                    self.lose_tokens(&value, &part);
                    !matches!(step, Step::Deref | Step::Nth(_))
                }
                end => *step == Step::Index && self.receiver_in(end).is_some(),
            };
            if is_taken {
                return self.look_after(&value, world);
            }
            value = part;
        }
    }

    /// Something is done with one of a collection's elements, of which only this part is told: the tokens that it does
    /// not tell of may be cancelled there.
    pub(super) fn lose_tokens(&mut self, all: &Val, told: &Val) {
        let mut lost = Vec::new();
        all.walk(&mut |value, _, _| {
            if matches!(value, Val::Ctx(_) | Val::Input(_)) {
                lost.push(value.clone());
            }
        });
        told.walk(&mut |value, _, _| lost.retain(|known| known != value));
        lost.iter().for_each(|value| self.ctx_used(value, Uses::OPAQUE));
    }

    /// Everything in a value counts as used.
    pub(super) fn look_after(&mut self, value: &Val, world: &mut World) {
        for id in objects_in(value) {
            self.mark(world, id, Use::Real);
        }
    }

    /// What is of these kinds in a value counts as used.
    pub(super) fn look_after_those(&mut self, value: &Val, world: &mut World, is_one: impl Fn(&ObjKind) -> bool) {
        for id in objects_in(value) {
            if self.kind(id).is_some_and(&is_one) {
                self.mark(world, id, Use::Real);
            }
        }
    }

    /// A local is given a context: told apart by whether that is a root.
    fn given_to(&mut self, local: LocalId, value: &Val) {
        let Some(ctx) = value.as_ctx() else { return };
        let origin = ctx.origin();
        match origin.kind {
            CtxKind::Root { .. } | CtxKind::Own => {
                self.given_roots.entry(local).or_default().insert(origin.id);
            }
            _ => {
                self.given_others.insert(local);
            }
        }
    }

    /// Notes that a place is given a context that derives from the one it held: by what it held in
    /// the turn before, or, for a place of somebody else's, by what it held in the beginning.
    pub(super) fn grows(&mut self, at: At, place: &Place, span: Span, new: &Ctx, held: Option<&Ctx>) {
        let given = self.given_in(place);
        let is_of_given = |node: &CtxNode| given.is_some() && node.input() == given.as_ref();
        let direct = self.grown.contains(&new.id) || new.chain().skip(1).any(is_of_given);
        if direct || new.chain().any(|node| self.grown.contains(&node.id)) {
            let ctx = held.unwrap_or(new).clone();
            self.record(at, span, span, Seen::Grows { ctx, local: place.base.0, direct });
        }
    }

    /// What a place of somebody else's held in the beginning. An element may be another one in every turn.
    fn given_in(&self, place: &Place) -> Option<InputPath> {
        if place.path.is_empty() || place.path.contains(&Step::Index) {
            return None;
        }
        let mut inputs = self.body.captures.iter().map(|(_, local)| local).chain(&self.body.params);
        let input = inputs.position(|local| *local == place.base)?;
        let value = Val::Input(InputPath::whole(input as u32));
        match place.path.iter().fold(value, |value, step| value.project(step)) {
            Val::Input(path) => Some(path),
            _ => None,
        }
    }

    fn named_by(&mut self, place: &Place, value: &Val) {
        if place.path.is_empty() {
            self.named(Some(place.base), value);
        }
    }

    /// A value goes into a place that is not of this body: a field of something given.
    pub(super) fn store(&mut self, at: At, place: &Place, value: &Val, world: &mut World) {
        let mut owner = place.clone();
        let mut field = None;
        while let Some(step) = owner.path.pop() {
            if let Step::Field(name) = step {
                field = Some(name);
                break;
            }
        }
        let def = match self.program.peel(&self.type_at(&owner)) {
            Ty::Adt(TyCon::Def(def), _) => Some(*def),
            _ => None,
        };
        self.renewed(place, world);
        let (mut objects, mut contexts) = (Vec::new(), Vec::new());
        value.walk(&mut |value, _, borrowed| match value {
            Val::Obj(id) if !borrowed => objects.push(*id),
            Val::Ctx(ctx) => contexts.push(ctx.clone()),
            _ => {}
        });
        let kept_in = match (def, field, world.read(&Place::local(place.base)).behind()) {
            (Some(def), Some(field), _) => Some((def, field)),
            (_, None, Val::Server(id, _)) => self.statics.get(id).map(|def| (*def, Name::default())),
            _ => None,
        };
        if let Some((def, field)) = kept_in.clone()
            && !objects.is_empty()
            && (field.is_empty() || self.has_alone(def, &field))
        {
            for id in objects {
                self.mark(world, id, Use::Stored(def, field.clone()));
            }
            for ctx in contexts {
                self.use_ctx(&ctx, Uses::ESCAPE);
            }
            return;
        }
        if !kept_in.is_some_and(|(def, field)| self.goes_in_field(def, &field, value, Uses::KEPT)) {
            self.escape(at, world, value, Uses::ESCAPE);
        }
    }

    /// What stood for a given place stands for something else once the place is written to: what
    /// was done, or cancelled, was what it held before.
    fn renewed(&self, place: &Place, world: &mut World) {
        let held = world.read(place);
        let path = match held.behind() {
            Val::Input(path) => path,
            Val::Ctx(ctx) => match &ctx.kind {
                CtxKind::Input(path) => path,
                _ => return,
            },
            _ => return,
        };
        let of_place = |other: &InputPath| other.input == path.input && other.path.starts_with(&path.path);
        for (_, id) in self.inputs.iter().filter(|(other, _)| of_place(other)) {
            world.done.remove(&input_object(*id));
        }
    }

    /// What is known of an object, in whichever turn of a loop it was made.
    pub(super) fn made(&self, id: ObjId) -> Option<&Object> {
        self.objects.get(&ObjId { old: false, ..id })
    }

    /// What an object is.
    pub(super) fn kind(&self, id: ObjId) -> Option<&ObjKind> {
        self.made(id).map(|object| &object.kind)
    }

    /// Whether an object is a cancel handle.
    pub(super) fn is_handle(&self, id: ObjId) -> bool {
        matches!(self.kind(id), Some(ObjKind::Handle(_)))
    }

    /// Notes what was done with an object.
    pub(super) fn mark(&mut self, world: &mut World, id: ObjId, how: Use) {
        // What a callee gave back in a field, and is taken from there, makes that field a used one.
        if let Some((def, field)) = self.made(id).and_then(|object| object.in_struct.clone())
            && how != Use::Stored(def, field.clone())
        {
            self.fields_used.insert((Some(def), field));
        }
        self.used.entry(id).or_default().insert(how.clone());
        world.mark(id, how);
    }

    /// A context ends here, and with it the tasks that have had no time to work under it.
    pub(super) fn end_context(&mut self, ctx: &Ctx, span: Span, world: &mut World) {
        // One of several: which of them nobody knows.
        if ctx.id.old {
            return;
        }
        world.done.insert(ctx.id, ());
        let site = self.site(span);
        let cut: Vec<ObjId> = world
            .tasks
            .iter()
            .filter(|(_, state)| **state == TaskState::Fresh)
            .filter(|(id, _)| match self.kind(**id) {
                Some(ObjKind::Task(task)) => {
                    task.contexts.iter().any(|of| of.ctx.line().iter().any(|node| node.id == ctx.id))
                }
                _ => false,
            })
            .map(|(id, _)| *id)
            .collect();
        for id in cut {
            world.tasks.insert(id, TaskState::Cut(site));
        }
    }
}

/// The captured locals that a closure's body takes by value, and those that it writes to.
fn taken(body: &Body) -> (BTreeSet<LocalId>, BTreeSet<LocalId>) {
    let (mut moved, mut written) = (BTreeSet::new(), BTreeSet::new());
    for op in body.blocks.iter().flat_map(|block| &block.ops) {
        match &op.kind {
            OpKind::Use(place) if place.path.is_empty() => moved.extend([place.base]),
            OpKind::Assign { place, .. } => written.extend([place.base]),
            _ => {}
        }
    }
    (moved, written)
}

/// Whether two values are equal, or differ: an answer that is held against what it may be says what it says only if
/// it is that, and what it says if it is not nothing.
fn equal(world: &World, left: LocalId, right: LocalId, equals: bool) -> Val {
    let (left, right) = (world.read(&Place::local(left)), world.read(&Place::local(right)));
    let ((Val::Asked(ctx, says, true), other) | (other, Val::Asked(ctx, says, true))) = (left.behind(), right.behind())
    else {
        return Val::Unknown;
    };
    other.succeeds().map_or(Val::Unknown, |succeeds| Val::Asked(ctx.clone(), *says, succeeds == equals))
}
