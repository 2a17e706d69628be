//! Calls: of functions of the program by their summaries, of libraries by their models, of what
//! nobody knows by letting everything escape.

use std::collections::BTreeSet;

use crate::facts::{Body, BodyKind, LocalId, Name, OpKind, Place, Span, Step, TypeRef};
use crate::model::FnRole;
use crate::summary::{self, Summary};
use crate::types::{BodyRef, DefId, Target, Ty};

use super::copying::Copying;
use super::events::{CallKind, FromCallee, LossKind, Seen};
use super::kept::Origin;
use super::run::{At, Run};
use super::value::{Agg, Ctx, Function, InputPath, ObjKind, Uses, Val, limits};
use super::world::{Use, World};

/// How deep a chain of closures that call closures is followed.
pub(super) const MAX_DEPTH: u8 = 8;

impl<'a> Run<'a> {
    /// A call by path or of a method. A method's receiver is a place and stands as the first of
    /// `locals`; its value is read here, by reference or by value as the callee wants it.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) fn call(
        &mut self,
        at: At,
        name: Span,
        whole: Span,
        values: Vec<Val>,
        locals: &[LocalId],
        receiver: Option<&Place>,
        world: World,
    ) -> Vec<(World, Val)> {
        let lent = if self.tells_writes(at) { Vec::new() } else { self.lent_in(locals) };
        let out = self.call_target(at, name, whole, values, locals, receiver, world);
        out.into_iter().map(|(world, value)| (self.after_lending(&lent, world), value)).collect()
    }

    /// Whether what a call writes into what it is lent is known: by its summary or its role.
    fn tells_writes(&self, at: At) -> bool {
        match self.target(at) {
            Target::Def(def) => self.body_of(*def).is_some(),
            Target::Closure(_) => true,
            Target::External(path) | Target::TraitMethod(path) => {
                self.program.models.function(path).is_some_and(|model| writes_itself(model.role))
            }
            _ => false,
        }
    }

    /// Whether a function gives back something of which it knows nothing, so that all it can do with it is that.
    fn hands_on(&self, body: BodyRef) -> bool {
        let function = self.program.function_of(body).and_then(|def| self.program.function(def));
        function.filter(|function| !function.is_async).is_some_and(|function| match &function.ret {
            Some(TypeRef::Path(path)) => {
                let mut params = function.generics.params.iter();
                params.any(|param| param.bounds.is_empty() && path.as_name() == Some(&param.name))
            }
            _ => false,
        })
    }

    /// What a callee left in a place that it was lent.
    fn write_back(&mut self, at: At, name: Span, place: &Place, value: Val, world: &mut World) {
        world.forget(place.base);
        world.unfix(place.base);
        let ty = self.type_at(place);
        let value = match self.with_type(value, &ty, None) {
            Val::Ref(inner, _) => *inner,
            value => value,
        };
        self.grows_within(at, place, name, &value, world);
        world.overlay(place, &value);
    }

    /// Notes the contexts that grow in what a callee left in a place.
    fn grows_within(&mut self, at: At, place: &Place, name: Span, left: &Val, world: &World) {
        match left {
            Val::Ctx(new) => {
                let held = self.with_type(world.read(place), &self.type_at(place), None);
                self.grows(at, place, name, new, held.as_ctx());
            }
            Val::Agg(agg) if agg.variant.is_none() => {
                for (field, value) in &agg.fields {
                    let part = place.clone().then(Step::Field(field.clone()));
                    self.grows_within(at, &part, name, value, world);
                }
            }
            _ => {}
        }
    }

    /// The places of this body that arguments lend for writing.
    pub(super) fn lent_in(&self, locals: &[LocalId]) -> Vec<Place> {
        locals.iter().filter_map(|local| self.lent(*local)).collect()
    }

    /// The place of this body that an argument lends for writing.
    fn lent(&self, local: LocalId) -> Option<Place> {
        match self.definitions.op(self.body, local)? {
            OpKind::Ref(place, crate::facts::Mutability::Mut) => Some(place.clone()),
            OpKind::Use(place) if place.path.is_empty() && self.is_lent_param(place.base) => Some(place.clone()),
            _ => None,
        }
    }

    /// Whether a local is a parameter through which the caller's place can be written.
    pub(super) fn is_lent_param(&self, local: LocalId) -> bool {
        self.lent_params.iter().any(|(_, param)| *param == local)
    }

    /// A context that was lent for writing may have been replaced.
    pub(super) fn after_lending(&mut self, lent: &[Place], mut world: World) -> World {
        for place in lent {
            if world.read(&Place::local(place.base)).as_ctx().is_some() {
                world.set(place.base, Val::Unknown);
            } else if world.read(place).as_ctx().is_some() {
                world.overlay(place, &Val::Unknown);
            }
            world.forget_written(place.base);
        }
        world
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    fn call_target(
        &mut self,
        at: At,
        name: Span,
        whole: Span,
        mut values: Vec<Val>,
        locals: &[LocalId],
        receiver: Option<&Place>,
        mut world: World,
    ) -> Vec<(World, Val)> {
        match self.target(at) {
            Target::Def(def) => {
                if let (Some(place), Some(first)) = (receiver, values.first_mut()) {
                    let by_value =
                        matches!(self.program.param_types(*def).first(), Some(ty) if !matches!(ty, Ty::Ref(..)));
                    *first = self.receiver(place, by_value, &mut world);
                }
                self.call_def(at, name, *def, values, locals, world)
            }
            Target::External(path) | Target::TraitMethod(path) => match self.program.models.function(path) {
                Some(model) => self.apply_model(at, name, whole, path, model, values, locals, receiver, world),
                None => self.call_unknown(at, name, values, receiver, world),
            },
            Target::Constructor(made, ty) => vec![(world, self.construct(made, ty, values))],
            Target::Closure(body) => {
                let body = BodyRef { file: self.who.file, body: *body };
                self.call_body(at, name, body, values, CallKind::Direct, world, 0)
            }
            Target::Value(_) | Target::Unknown => self.call_unknown(at, name, values, receiver, world),
        }
    }

    /// A method's receiver: moved out of its place, or a reference to it.
    pub(super) fn receiver(&mut self, place: &Place, by_value: bool, world: &mut World) -> Val {
        let ty = self.type_at(place);
        if !place.path.is_empty() {
            self.note_unfollowed(place, &world.read(place));
        }
        let value = if by_value {
            world.take(place)
        } else {
            if self.body.local(place.base).is_some_and(|local| local.mutable) || matches!(*ty, Ty::Ref(_, true)) {
                world.forget(place.base);
                world.unfix(place.base);
            }
            world.read(place).borrowed(Some(place.clone()))
        };
        self.with_type(value, &ty, None)
    }

    fn construct(&mut self, made: &str, ty: &Ty, values: Vec<Val>) -> Val {
        let def = match self.program.peel(ty) {
            Ty::Adt(crate::types::TyCon::Def(def), _) => Some(*def),
            _ => None,
        };
        let is_struct = def
            .and_then(|def| self.program.item(def))
            .is_some_and(|item| matches!(item.kind, crate::facts::ItemKind::Struct { .. }));
        let fields: Vec<(Name, Val)> =
            values.into_iter().enumerate().map(|(i, value)| (i.to_string().into(), value)).collect();
        if let (Some(def), true) = (def, is_struct) {
            fields.iter().for_each(|(name, value)| self.keep(def, name, value));
        }
        Val::Agg(Agg { def, variant: (!is_struct).then(|| made.into()), fields, rest: None })
    }

    fn call_unknown(
        &mut self,
        at: At,
        name: Span,
        mut values: Vec<Val>,
        receiver: Option<&Place>,
        mut world: World,
    ) -> Vec<(World, Val)> {
        if let (Some(place), Some(first)) = (receiver, values.first_mut()) {
            *first = self.receiver(place, false, &mut world);
            let first = first.clone();
            self.read_outside(place, &first);
            world.forget_written(place.base);
        }
        for value in &values {
            self.passed(at, name, value, &|_| Uses::WORK, &world);
            self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
        }
        vec![(world, Val::Unknown)]
    }

    /// Contexts in a value are handed to something that does this with each part of it: told of the first, or of
    /// the first that is done and used.
    pub(super) fn passed(&mut self, at: At, name: Span, value: &Val, uses: &dyn Fn(&[Name]) -> Uses, world: &World) {
        // Work that exists already may be given time to end, or asked whether it has.
        let is_begun = matches!(value.behind(), Val::Future(..) | Val::Work(..) | Val::Timed(..) | Val::Done(_));
        let mut found: Option<(Ctx, Uses, bool)> = None;
        value.walk(&mut |value, path, _| {
            let Val::Ctx(ctx) = value else { return };
            let uses = uses(path);
            let done = !is_begun && !uses.is_empty() && world.is_done(ctx);
            if found.as_ref().is_none_or(|(_, _, before)| done && !before) {
                found = Some((ctx.clone(), uses, done));
            }
        });
        if let Some((ctx, uses, done)) = found {
            self.record(at, name, name, Seen::Passed { to: None, ctx, uses, done });
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    fn call_def(
        &mut self,
        at: At,
        name: Span,
        def: DefId,
        values: Vec<Val>,
        locals: &[LocalId],
        mut world: World,
    ) -> Vec<(World, Val)> {
        let Some(function) = self.program.function(def) else {
            return self.call_unknown(at, name, values, None, world);
        };
        let is_async = function.is_async;
        let body = self.body_of(def);
        for (index, value) in values.iter().enumerate() {
            let summary = body.and_then(|body| self.summaries.get(body));
            let uses = |path: &[Name]| summary.map_or(Uses::WORK, |summary| summary.uses_at(index as u32, path));
            self.passed(at, name, value, &uses, &world);
        }
        self.chained(at, name, Some(def), body, &values, &world);
        self.keys(at, def, locals, &world);
        let Some(body) = body else {
            for value in &values {
                self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
            }
            return vec![(world, Val::Unknown)];
        };
        if is_async {
            return vec![(world, Val::Future(body, values))];
        }
        self.call_body(at, name, body, values, CallKind::Direct, world, 0)
    }

    /// A function that takes no context does its work under a root: told of here where a context is
    /// at hand, and to the callers where none is.
    pub(super) fn chained(
        &mut self,
        at: At,
        name: Span,
        def: Option<DefId>,
        body: Option<BodyRef>,
        values: &[Val],
        world: &World,
    ) {
        let Some((way, root)) =
            body.and_then(|body| self.summaries.get(body)).and_then(|summary| summary.chain.clone())
        else {
            return;
        };
        let takes_context = body.is_some_and(|body| super::run::has_context(self.program, body))
            || values.iter().any(|value| value.as_ctx().is_some());
        let is_open = def.is_some_and(|def| self.program.body_of(def).is_none());
        if takes_context || is_open || self.once > 0 || !world.done.is_empty() {
            return;
        }
        if super::run::has_context(self.program, self.who) {
            self.record(at, name, name, Seen::Chain { way, root });
        } else if self.chain.is_none() && way.len() < 8 {
            let mut longer = vec![self.site(name)];
            longer.extend(way);
            self.chain = Some((longer, root));
        }
    }

    /// Arguments that serve the callee as keys are keys here, where their type is known.
    fn keys(&mut self, at: At, def: DefId, locals: &[LocalId], _world: &World) {
        let Some(summary) = self.program.body_of(def).and_then(|body| self.summaries.get(body)) else { return };
        let types = self.program.param_types(def);
        let is_open = |input: usize| matches!(types.get(input).map(strip), Some(Ty::Param(..) | Ty::Bounds(_)));
        let keys: Vec<(u32, bool)> = summary
            .uses
            .iter()
            .filter(|(path, uses)| path.path.is_empty() && uses.any(Uses::KEY))
            .map(|(path, uses)| (path.input, uses.any(Uses::WRITTEN_KEY)))
            .collect();
        // A key whose type the callee fixes is told of there.
        for (input, written) in keys.into_iter().filter(|(input, _)| is_open(*input as usize)) {
            if let Some(local) = locals.get(input as usize) {
                let span = self.body.local_span(*local);
                self.record(at, span, span, Seen::Key { local: local.0, written });
                if let Some(path) = self.input_of(*local) {
                    self.use_input(&path, if written { Uses::KEY.and(Uses::WRITTEN_KEY) } else { Uses::KEY });
                }
            }
        }
    }

    /// Whether an operation is a call that gives what it is called on once more.
    pub(super) fn is_clone(&self, at: At) -> bool {
        match self.target(at) {
            Target::External(path) | Target::TraitMethod(path) => {
                self.program.models.function(path).is_some_and(|model| model.role == FnRole::Clone)
            }
            _ => false,
        }
    }

    /// The input a local is, if it is one unchanged, or a clone of one.
    pub(super) fn input_of(&self, local: LocalId) -> Option<InputPath> {
        let mut local = local;
        for _ in 0..4 {
            if let Some(index) = self.body.params.iter().position(|param| *param == local) {
                return Some(InputPath::whole((self.body.captures.len() + index) as u32));
            }
            match self.definitions.op(self.body, local)? {
                crate::facts::OpKind::Use(place) | crate::facts::OpKind::Ref(place, _) if place.path.is_empty() => {
                    local = place.base
                }
                crate::facts::OpKind::MethodCall { receiver, .. }
                    if receiver.path.is_empty() && self.is_clone(self.definitions.at(local)?) =>
                {
                    local = receiver.base
                }
                _ => return None,
            }
        }
        None
    }

    /// A value is called.
    pub(super) fn call_value(
        &mut self,
        at: At,
        span: Span,
        callee: Val,
        args: Vec<Val>,
        mut world: World,
    ) -> Vec<(World, Val)> {
        match callee.behind().clone() {
            Val::Closure(body, captures) => {
                let mut inputs = captures;
                inputs.extend(args);
                let is_later = |body: &Body| body.is_async && matches!(body.kind, BodyKind::Closure(_));
                if self.program.body(body).is_some_and(is_later) {
                    return vec![(world, Val::Future(body, inputs))];
                }
                self.call_body(at, span, body, inputs, CallKind::Direct, world, 0)
            }
            Val::Function(function) => self.call_function(at, span, &function, args, world),
            Val::Input(path) => {
                self.call_input(&path, Uses::CALL_RAW);
                for value in &args {
                    self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
                }
                let called = Run::called(&path, &args);
                self.note_given(&called);
                vec![(world, called)]
            }
            _ => {
                for value in &args {
                    self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
                }
                vec![(world, Val::Unknown)]
            }
        }
    }

    fn call_function(
        &mut self,
        at: At,
        span: Span,
        function: &Function,
        args: Vec<Val>,
        mut world: World,
    ) -> Vec<(World, Val)> {
        match function {
            Function::Def(def) => self.call_def(at, span, *def, args, &[], world),
            Function::External(path, site) => match self.program.models.function(path) {
                Some(model) => self.apply_model(at, site.span, site.span, path, model, args, &[], None, world),
                None => {
                    for value in &args {
                        self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
                    }
                    vec![(world, Val::Unknown)]
                }
            },
            Function::Constructor(name, made) => vec![(world, self.construct(name, made, args))],
        }
    }

    /// A body of the program runs with these inputs.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) fn call_body(
        &mut self,
        at: At,
        name: Span,
        body: BodyRef,
        inputs: Vec<Val>,
        kind: CallKind,
        mut world: World,
        depth: u8,
    ) -> Vec<(World, Val)> {
        let summaries = self.summaries;
        self.record_call(body, name, &inputs, kind, !world.done.is_empty());
        let Some(summary) = summaries.get(body) else {
            // Nothing is known yet: a recursive call that has not come back. It never returns, as
            // far as is known, and the next round knows more.
            return Vec::new();
        };
        let is_async = !summary::runs_at_once(self.program, body);
        if summary.diverges && !self.program.body(body).is_some_and(|body| body.is_async) {
            self.effects(at, name, summary, &inputs, &mut world, depth);
            return Vec::new();
        }
        self.effects(at, name, summary, &inputs, &mut world, depth);
        if summaries.lasts(body) {
            self.settle_fresh(&mut world);
        }
        self.end_given(name, summary, &inputs, &mut world);
        let mut out = Vec::new();
        for (index, ret) in summary.rets.iter().enumerate() {
            let mut world = world.clone();
            let as_it_is = matches!(ret, Val::Called(..)) && self.hands_on(body);
            let copy = Copying::of(self, at, name, &inputs, summary);
            let mut copy = if as_it_is { copy.whole() } else { copy };
            let value = copy.value(ret);
            for (input, written) in summary.writes.get(index).into_iter().flatten() {
                let written = copy.value(written);
                if let Some(Val::Ref(_, Some(place))) = inputs.get(*input as usize) {
                    copy.run.write_back(at, name, place, written, &mut world);
                }
            }
            for (made, here) in std::mem::take(&mut copy.own) {
                let (site, missing) = (copy.run.site(name), world.missing);
                let from = copy.run.from_callees.entry(here);
                let from = from.or_insert_with(|| FromCallee { site, missing, made: BTreeSet::new() });
                from.missing &= missing;
                from.made.insert((body, made));
            }
            for (made, how) in &summary.handled {
                if let Some(id) = copy.ids.get(made) {
                    copy.run.used.entry(*id).or_default().insert(how.clone());
                    world.mark(*id, how.clone());
                }
            }
            if !is_async {
                // What it started and gives back has had no time yet.
                let made = copy.ids.values().copied().collect::<Vec<_>>();
                for id in made {
                    if matches!(self.kind(id), Some(ObjKind::Task(_))) {
                        world.started(id);
                    }
                }
            }
            self.drop_ignored(at, name, &inputs, summary, &value, &mut world);
            // A truth that always holds today is still a question to the caller.
            let value = if matches!(value, Val::Bool(_)) { Val::Unknown } else { value };
            out.push((world, value));
        }
        if let Some(other) = other_variant(&summary.rets)
            && let Some((world, _)) = out.first()
        {
            out.push((world.clone(), other));
        }
        out
    }

    /// What running a body does to what it is given; its result is of no interest.
    pub(super) fn apply_effects(&mut self, at: At, name: Span, body: BodyRef, inputs: &[Val], world: &mut World) {
        let summaries = self.summaries;
        if let Some(summary) = summaries.get(body) {
            self.record_call(body, name, inputs, CallKind::Direct, !world.done.is_empty());
            self.effects(at, name, summary, inputs, world, 0);
        }
    }

    /// The contexts that have ended once a body has run here, because it ended them or waited for that.
    pub(super) fn end_given(&mut self, name: Span, summary: &Summary, inputs: &[Val], world: &mut World) {
        // Under a limit of time it may be given up before that.
        if self.timed > 0 {
            return;
        }
        for path in &summary.ended {
            let given = path.among(inputs).and_then(|given| self.ctx_of(&given, self.site(name)));
            match given {
                Some(ctx) if summary.uses_at(path.input, &path.path).any(Uses::CANCEL) => {
                    self.end_context(&ctx, name, world);
                }
                Some(ctx) => world.done.insert(ctx.id, ()),
                None => {}
            }
        }
    }

    /// What a body does to what it is given, when it runs here.
    fn effects(&mut self, at: At, name: Span, summary: &Summary, inputs: &[Val], world: &mut World, depth: u8) {
        self.effects_on(at, name, summary, inputs, world, depth);
        for path in &summary.cancelled {
            let Some(input) = inputs.get(path.input as usize) else { continue };
            self.cancel(name, &input.behind_at(&path.path), world);
        }
    }

    /// What a body does to what it is given, whenever it runs.
    fn effects_on(&mut self, at: At, name: Span, summary: &Summary, inputs: &[Val], world: &mut World, depth: u8) {
        self.uses_on(at, name, summary, inputs, world, depth);
        self.call_given(at, name, summary, inputs, world, depth);
    }

    /// The same, without what it does by calling an input.
    pub(super) fn uses_on(
        &mut self,
        at: At,
        name: Span,
        summary: &Summary,
        inputs: &[Val],
        world: &mut World,
        depth: u8,
    ) {
        for (path, uses) in &summary.uses {
            let Some(input) = inputs.get(path.input as usize) else { continue };
            // Who keeps a part of something tells which field it was in, not whose it is.
            let uses = if path.path.is_empty() { *uses } else { uses.escaping() };
            self.apply_uses(at, name, &input.behind_at(&path.path), uses, world, depth);
        }
        self.start_given(at, name, summary, inputs, world);
        self.sent_by(at, name, summary, inputs);
    }

    fn apply_uses(&mut self, at: At, name: Span, value: &Val, uses: Uses, world: &mut World, depth: u8) {
        let owed = Uses::USED.and(Uses::ESCAPE);
        let value = value.behind();
        // The field it is kept in is the callee's to tell of.
        let is_followed = !uses.any(Uses::KEPT) || Origin::of(value) != Origin::Other;
        let uses = if is_followed { uses.without(Uses::RETURN_KEPT) } else { uses.escaping() };
        let uses = if self.is_bounded() { uses.without(Uses::UNBOUNDED) } else { uses };
        if uses.any(Uses::OWNED) {
            self.own(value, world);
        }
        let uses = uses.without(Uses::OWNED);
        match value {
            Val::Input(path) => self.use_input(path, uses.without(Uses::RETURN)),
            value @ Val::Server(..) if !uses.is_empty() => self.note_static(value),
            Val::Ctx(ctx) => {
                // A callee that bounds what it is given tells so by what it does not do without a bound.
                let bound = if uses.any(Uses::RAW) { Uses::default() } else { Uses::BOUND };
                self.use_ctx(ctx, uses.without(Uses::RETURN).and(bound));
                if uses.any(Uses::DETACHED_RAW) {
                    self.use_ctx(ctx, Uses::DETACHED_RAW.and(Uses::BOUND));
                }
            }
            Val::Obj(id) if uses.any(owed) => self.mark(world, *id, Use::Real),
            Val::Done(ctx) if uses.any(Uses::CALL.and(owed)) => self.use_ctx(ctx, Uses::WAIT),
            Val::Closure(body, inputs) | Val::Future(body, inputs) if depth < MAX_DEPTH => {
                if uses.any(Uses::START) {
                    self.start_at(at, name, vec![value.clone()], world);
                } else if uses.any(Uses::CALL.and(owed)) {
                    let limit = u32::from(uses.any(Uses::CALL) && !uses.any(Uses::CALL_RAW.and(Uses::ESCAPE)));
                    self.timed += limit;
                    self.run_unknown(at, name, *body, inputs, world, depth + 1);
                    self.timed -= limit;
                }
                if uses.any(Uses::RESULT_RAW) {
                    let result = self.result_of(at, name, value, Vec::new());
                    self.apply_uses(at, name, &result, Uses::CALL.and(Uses::CALL_RAW), world, depth + 1);
                }
            }
            Val::Timed(..) if depth < MAX_DEPTH && uses.any(Uses::START) => {
                self.start_at(at, name, vec![value.clone()], world);
            }
            Val::Timed(inner, until) if depth < MAX_DEPTH => {
                if let (Some(ctx), true) = (until, uses.any(Uses::CALL.and(owed))) {
                    let bound = if uses.any(Uses::UNBOUNDED) { Uses::default() } else { Uses::BOUND };
                    self.use_ctx(ctx, Uses::RACE.and(bound));
                }
                let limit = limits(until);
                self.timed += limit;
                self.apply_uses(at, name, inner, uses, world, depth + 1);
                self.timed -= limit;
            }
            Val::Work(values, _) if depth < MAX_DEPTH => {
                if uses.any(Uses::START) {
                    self.start_at(at, name, values.clone(), world);
                } else {
                    for value in values {
                        self.apply_uses(at, name, value, uses, world, depth + 1);
                    }
                }
            }
            Val::Agg(agg) if uses.any(owed.and(Uses::WORK).and(Uses::OPAQUE)) => {
                for (field, value) in &agg.fields {
                    let stays = agg.def.is_some_and(|def| {
                        self.stays_in_field(def, field, value, world)
                            || self.goes_in_field(def, field, value, Uses::KEPT)
                    });
                    if !stays {
                        self.apply_uses(at, name, value, uses, world, depth + 1);
                    }
                }
                if let Some(rest) = &agg.rest {
                    self.apply_uses(at, name, rest, uses, world, depth + 1);
                }
            }
            Val::Many(values) => {
                for value in values {
                    self.apply_uses(at, name, value, uses, world, depth + 1);
                }
            }
            _ => {}
        }
    }

    /// A body is run by somebody else, or may be: its effects count, its result is lost.
    pub(super) fn run_unknown(
        &mut self,
        at: At,
        name: Span,
        body: BodyRef,
        inputs: &[Val],
        world: &mut World,
        depth: u8,
    ) {
        self.record_call(body, name, inputs, CallKind::Made, false);
        let summaries = self.summaries;
        if let Some(summary) = summaries.get(body) {
            self.effects_on(at, name, summary, inputs, world, depth);
            // What it owns and does nothing with goes with it.
            for value in inputs {
                if !matches!(value, Val::Ref(..)) {
                    self.drop_value(at, value, LossKind::Ignored, name, world);
                }
            }
        }
    }

    /// What was given by value, was not used, and does not come back, is gone.
    fn drop_ignored(
        &mut self,
        at: At,
        name: Span,
        inputs: &[Val],
        summary: &Summary,
        returned: &Val,
        world: &mut World,
    ) {
        let mut back = Vec::new();
        returned.walk(&mut |value, _, _| {
            if let Val::Obj(id) = value {
                back.push(*id);
            }
        });
        for (index, value) in inputs.iter().enumerate() {
            if matches!(value, Val::Ref(..)) || !value.owns() {
                continue;
            }
            let escapes = summary.uses.iter().any(|(path, uses)| {
                path.input as usize == index
                    && path.path.is_empty()
                    && uses.any(Uses::ESCAPE.and(Uses::USED).and(Uses::RETURN))
            });
            let mut owned = Vec::new();
            value.walk(&mut |value, _, borrowed| {
                if let (Val::Obj(id), false) = (value, borrowed) {
                    owned.push(*id);
                }
            });
            if !escapes && !owned.iter().any(|id| back.contains(id)) {
                self.drop_value(at, value, LossKind::Ignored, name, world);
            }
        }
    }

    /// The context of a handle is cancelled.
    pub(super) fn cancel(&mut self, name: Span, value: &Val, world: &mut World) {
        match value.behind() {
            Val::Obj(id) => {
                let ctx = match self.kind(*id) {
                    Some(ObjKind::Handle(ctx) | ObjKind::Guard { ctx, .. }) => ctx.clone(),
                    _ => None,
                };
                if let Some(ctx) = ctx {
                    self.end_context(&ctx, name, world);
                }
            }
            Val::Ctx(ctx) => {
                let ctx = ctx.clone();
                self.end_context(&ctx, name, world);
            }
            Val::Input(path) => {
                world.cancelled.insert(path.clone(), ());
            }
            _ => {}
        }
    }
}

/// Whether what a library's function writes into what it is lent follows from its role.
fn writes_itself(role: FnRole) -> bool {
    matches!(role, FnRole::Take | FnRole::Replace | FnRole::Swap | FnRole::Insert | FnRole::Look | FnRole::Push)
}

fn strip(ty: &Ty) -> &Ty {
    match ty {
        Ty::Ref(inner, _) => strip(inner),
        ty => ty,
    }
}

/// What a function whose every way gives the same variant may give besides, as its type says: a
/// caller that handles the other variant is not wrong to do so.
fn other_variant(rets: &[Val]) -> Option<Val> {
    let mut variants = rets.iter().map(|ret| match ret {
        Val::Agg(agg) => agg.variant.as_deref(),
        _ => None,
    });
    let first = variants.next()??;
    if !variants.all(|variant| variant == Some(first)) {
        return None;
    }
    match first {
        "Ok" => Some(Val::variant("Err")),
        "Some" => Some(Val::variant("None")),
        _ => Some(Val::Unknown),
    }
}
