//! What the functions of libraries do, by their roles.

use crate::facts::{LocalId, Place, Span};
use crate::model::{Bound, FnModel, FnRole, OnDrop, Shape, TypeRole, last_segment};
use crate::types::Ty;

use super::behind;
use super::channels::READY;
use super::contents::{ITERATOR, OPTION, RESULT};
use super::events::{Loss, LossKind, Seen};
use super::gives::Gives;
use super::plain::{shown_to_work, some};
use super::run::{At, Run};
use super::value::{Ctx, CtxKind, CtxNode, ObjId, ObjKind, Object, Owner, Says, Time, Uses, Val};
use super::world::{Use, World};

/// A call of a function with a role.
pub(super) struct Applied<'m> {
    pub at: At,
    /// The function's name.
    pub name: Span,
    /// The whole call.
    pub whole: Span,
    pub path: &'m str,
    pub model: &'m FnModel,
    pub values: Vec<Val>,
    pub locals: &'m [LocalId],
    pub receiver: Option<&'m Place>,
}

impl Applied<'_> {
    pub(super) fn value(&self, index: usize) -> Val {
        self.values.get(index).cloned().unwrap_or_default()
    }

    /// The arguments that are work: those the model names, or the last.
    pub(super) fn work(&self) -> Vec<Val> {
        if self.model.work.is_empty() {
            return self.values.last().cloned().into_iter().collect();
        }
        self.model.work.iter().map(|index| self.value(*index)).collect()
    }

    pub(super) fn work_indices(&self) -> Vec<usize> {
        if self.model.work.is_empty() { vec![self.values.len().saturating_sub(1)] } else { self.model.work.clone() }
    }

    /// What its work gives when it is run, or what it gives itself where it runs it at once.
    pub(super) fn gives(&self) -> Gives {
        Gives::of(self.model, &self.work_indices())
    }
}

/// Whether a method of this role takes its receiver by value.
fn by_value(role: FnRole) -> bool {
    matches!(
        role,
        FnRole::Guard
            | FnRole::Disarm
            | FnRole::Drop
            | FnRole::Forget
            | FnRole::Wrap
            | FnRole::Same
            | FnRole::Inner
            | FnRole::InnerOr
            | FnRole::Map
            | FnRole::AndThen
            | FnRole::OrElse
            | FnRole::AbortOnDrop
            | FnRole::DetachTask
            | FnRole::Timeout
            | FnRole::Drive
    )
}

impl<'a> Run<'a> {
    /// Applies a library's function to its arguments.
    #[allow(clippy::too_many_arguments, reason = "the parts of one call, made into one value at once")]
    pub(super) fn apply_model(
        &mut self,
        at: At,
        name: Span,
        whole: Span,
        path: &str,
        model: &FnModel,
        mut values: Vec<Val>,
        locals: &[LocalId],
        receiver: Option<&Place>,
        mut world: World,
    ) -> Vec<(World, Val)> {
        if let (Some(place), Some(first)) = (receiver, values.first_mut()) {
            *first = self.receiver_for(at, place, model, &mut world);
        }
        let call = Applied { at, name, whole, path, model, values, locals, receiver };
        self.role(call, world)
    }

    fn receiver_for(&mut self, at: At, place: &Place, model: &FnModel, world: &mut World) -> Val {
        let role = model.role;
        let ty = self.type_at(place);
        // A place behind a reference cannot be moved out of: what looks like it is a copy of the reference.
        let steps_through_ref = matches!(self.type_of(place.base), Ty::Ref(..));
        let moved = by_value(role) && !steps_through_ref;
        let changes = matches!(role, FnRole::Take | FnRole::Replace | FnRole::Swap | FnRole::Insert | FnRole::Push);
        if changes {
            world.forget(place.base);
        }
        if model.writes {
            world.unfix(place.base);
        }
        let value = if moved { world.take(place) } else { world.read(place).borrowed(Some(place.clone())) };
        self.note_unfollowed(place, &value);
        let unlocks = role == FnRole::Inner && self.is_lock_guard(place);
        let is_gone = match role {
            FnRole::Take | FnRole::Replace => self.only_goes_away(&ty, self.dest(at)),
            FnRole::Push => self.only_puts(at, place),
            _ => false,
        };
        if is_gone && role == FnRole::Take && self.is_collection_at(place) {
            self.note_emptied(&value);
        }
        let locks = role == FnRole::Waiting && self.gives_guard(model);
        let looks = matches!(role, FnRole::Look | FnRole::Insert | FnRole::Borrow);
        if !unlocks && !is_gone && !locks && !looks {
            self.read_outside(place, &value);
        }
        self.with_type(value, &ty, None)
    }

    fn role(&mut self, call: Applied<'_>, mut world: World) -> Vec<(World, Val)> {
        let at = call.at;
        let subject = call.value(call.model.subject);
        self.note_elements(&call, &subject);
        if matches!(subject.behind(), Val::Many(_)) {
            self.look_into(&call, &subject, &mut world);
        }
        if let Some(gives) = Gives::after(call.model) {
            let pieces = std::iter::once(subject).chain(call.work()).collect();
            return vec![(world, Val::Work(pieces, gives))];
        }
        match call.model.role {
            FnRole::Root | FnRole::Placeholder => vec![self.root(&call, world)],
            FnRole::Never => {
                let kind = CtxKind::Server;
                let ctx = self.new_ctx(&call, kind);
                vec![(world, Val::Ctx(ctx))]
            }
            FnRole::Derive => vec![self.derive(&call, subject, world)],
            FnRole::Detach => {
                let parent = self.subject_ctx(&call, &subject);
                self.seen_ctx(&call, &subject, &world, Val::Unknown);
                self.use_ctx(&parent, Uses::DETACH);
                let id = self.fresh(at);
                let kind = CtxKind::Detached(self.above(id, parent));
                vec![(world, Val::Ctx(Ctx::new(CtxNode { id, site: self.site(call.name), kind })))]
            }
            FnRole::Reparent => {
                let parent = self.subject_ctx(&call, &subject);
                self.seen_ctx(&call, &subject, &world, Val::Unknown);
                let owner = call.model.other.map(|other| call.value(other)).and_then(|owner| owner.as_ctx().cloned());
                self.use_ctx(&parent, Uses::DETACH);
                let ctx = self.new_ctx(&call, CtxKind::Reparented(parent, owner));
                vec![(world, Val::Ctx(ctx))]
            }
            FnRole::RequestContext => {
                let ctx = self.new_ctx(&call, if is_server(&subject) { CtxKind::Server } else { CtxKind::Request });
                vec![(world, Val::Ctx(ctx))]
            }
            FnRole::RequestValue => vec![(world, self.request_value(&call, &subject))],
            FnRole::SetRequestValue => {
                let value = call.value(call.model.value.unwrap_or(1));
                let local = call.model.value.and_then(|value| call.locals.get(value)).copied();
                let bare = local.is_some_and(|local| {
                    self.program.type_model(self.type_of(local)).is_some_and(|model| model.role == TypeRole::Context)
                });
                // Only what the body was given goes on to the rest of the chain.
                if let (Some(ctx), true, true) = (value.as_ctx(), bare, is_given(&subject)) {
                    self.record(at, call.name, call.whole, Seen::Replaced { ctx: ctx.clone() });
                }
                self.escape(at, &mut world, &value, Uses::ESCAPE.and(Uses::USED));
                vec![(world, Val::Unknown)]
            }
            FnRole::ReadValue => {
                self.seen_ctx(&call, &subject, &world, Val::Unknown);
                self.ctx_used(&subject, Uses::VALUE);
                self.key(&call, false);
                vec![(world, Val::Unknown)]
            }
            FnRole::Callback => {
                self.seen_ctx(&call, &subject, &world, Val::Unknown);
                self.ctx_used(&subject, Uses::CALLBACK);
                // A callback runs when the context is done: what it does is clean-up.
                self.note_replacing(&call);
                for work in call.work() {
                    self.escape(at, &mut world, &work, Uses::WORK);
                }
                let id = self.object(&call, ObjKind::Stop);
                vec![(world, Val::Obj(id))]
            }
            FnRole::Wait => {
                self.seen_ctx(&call, &subject, &world, Val::Unknown);
                match subject.as_ctx() {
                    Some(ctx) if call.model.returns_future(&self.program.models) => {
                        vec![(world, Val::Done(ctx.clone()))]
                    }
                    Some(ctx) => {
                        let ctx = ctx.clone();
                        self.use_ctx(&ctx, Uses::WAIT);
                        self.settle_fresh(&mut world);
                        world.done.insert(ctx.id, ());
                        vec![(world, Val::Unknown)]
                    }
                    None => vec![(world, Val::Unknown)],
                }
            }
            FnRole::IsDone | FnRole::State => {
                let answers = call.model.role == FnRole::IsDone || call.model.what.as_deref() == Some("err");
                let asks_for_deadline = call.model.what.as_deref() == Some("deadline");
                let answer = match subject.as_ctx() {
                    Some(ctx) if answers && world.is_done(ctx) && call.model.role == FnRole::IsDone => Val::Bool(true),
                    Some(ctx) if answers => Val::Asked(ctx.clone(), Says::Ended, true),
                    Some(ctx) if asks_for_deadline => Val::Asked(ctx.clone(), Says::Limited, true),
                    _ => Val::Unknown,
                };
                self.seen_ctx(&call, &subject, &world, answer.clone());
                // Whether it has a deadline is no work that could hang.
                let bound = if asks_for_deadline { Uses::BOUND } else { Uses::default() };
                self.ctx_used(&subject, Uses::STATE.and(bound));
                vec![(world, answer)]
            }
            FnRole::CanEnd => {
                self.ctx_used(&subject, Uses::STATE);
                let answer = match subject.as_ctx() {
                    Some(ctx) if ctx.never_ends() => Val::Bool(false),
                    Some(ctx) => Val::Asked(ctx.clone(), Says::CanEnd, true),
                    None => Val::Unknown,
                };
                vec![(world, answer)]
            }
            FnRole::Run | FnRole::RunSelf => vec![self.run_under(&call, &subject, world)],
            FnRole::Cancel => {
                for id in objects_in(&subject) {
                    self.record(at, call.name, call.whole, Seen::Cancelled { id });
                    self.mark(&mut world, id, Use::Real);
                }
                if let Val::Input(path) = subject.behind() {
                    self.use_input(path, Uses::USED.and(Uses::CANCEL));
                }
                self.ctx_used(&subject, Uses::CANCEL.and(Uses::USED));
                self.cancel(call.name, &subject, &mut world);
                vec![(world, Val::Unknown)]
            }
            FnRole::Guard | FnRole::GuardRef => vec![self.guard(&call, &subject, world)],
            FnRole::OtherGuard => {
                let id = self.object(&call, ObjKind::Guard { ctx: None, of: None, on_drop: OnDrop::Cancel });
                vec![(world, Val::Obj(id))]
            }
            FnRole::Disarm => {
                self.forget_value(&call, &subject, &world);
                self.look_after(&subject, &mut world);
                self.input_used(&subject);
                vec![(world, Val::Unknown)]
            }
            FnRole::StopCallback => {
                self.look_after(&subject, &mut world);
                self.input_used(&subject);
                vec![(world, Val::Unknown)]
            }
            FnRole::Spawn => vec![self.spawn(&call, world)],
            FnRole::Once if gives_iterator(call.model) => self.repeated(&call, world),
            FnRole::Once => self.once(&call, world),
            FnRole::Scope => self.invoke_all(&call, world, None),
            FnRole::Flight => {
                self.ctx_used(&subject, Uses::RACE);
                let work = call.work();
                let contexts = self.worked_on((call.name, call.whole), &work);
                let table = call.value(0).input().cloned();
                self.record(at, call.name, call.whole, Seen::Flight { contexts, table });
                vec![(world, Val::Work(work, call.gives()))]
            }
            FnRole::Drive | FnRole::Timeout | FnRole::Join => self.await_work(&call, &subject, world),
            FnRole::AbortHandle => {
                let value = match subject.as_obj() {
                    Some(task) => Val::Obj(self.object(&call, ObjKind::Aborter(task))),
                    None => subject,
                };
                vec![(world, value)]
            }
            FnRole::Abort => {
                self.settle(&mut world, &subject);
                for id in objects_in(&subject) {
                    if let Some(ObjKind::Aborter(task)) = self.made(id).map(|object| object.kind.clone()) {
                        self.mark(&mut world, task, Use::Real);
                    }
                }
                self.input_used(&subject);
                vec![(world, Val::Unknown)]
            }
            FnRole::AbortOnDrop => {
                self.settle(&mut world, &subject);
                self.input_used(&subject);
                let id = self.object(&call, ObjKind::Guard { ctx: None, of: None, on_drop: OnDrop::Abort });
                if let [task] = objects_in(&subject)[..] {
                    self.aborting.insert(id, task);
                }
                vec![(world, Val::Obj(id))]
            }
            FnRole::DetachTask => {
                let mut value = Val::Unknown;
                for id in objects_in(&subject) {
                    self.detach_task(id);
                    if let Some(task) = self.let_go(&call, id, &mut world) {
                        value = Val::Obj(task);
                    }
                }
                vec![(world, value)]
            }
            FnRole::Waiting => {
                // Work that others wait for is done once, for all of them.
                self.note_replacing(&call);
                self.look_after(&subject, &mut world);
                self.wait_at(&subject);
                for value in call.values.iter().skip(usize::from(call.receiver.is_some())) {
                    self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
                }
                if !call.model.returns_future(&self.program.models) {
                    self.settle_fresh(&mut world);
                }
                if self.is_end(&call, &subject) {
                    return self.received(&call, &subject, world);
                }
                let locked = self.gives_guard(call.model).then(|| behind::locked(call.model, subject));
                vec![(world, locked.unwrap_or_default())]
            }
            FnRole::Route | FnRole::Middleware | FnRole::Push | FnRole::Outbound => {
                if call.model.role == FnRole::Outbound {
                    let ctx = self.bound_before(call.name, &world);
                    self.record(at, call.name, call.whole, Seen::Outbound { ctx });
                }
                for (index, value) in call.values.iter().enumerate() {
                    if index == 0 && call.receiver.is_some() {
                        continue;
                    }
                    self.passed(at, call.name, value, &|_| Uses::WORK, &world);
                    if call.model.role == FnRole::Push {
                        self.send(&call, &subject, index, value);
                        let is_slot = call.receiver.is_some_and(|place| self.is_collection_at(place));
                        if self.collect(&call, index, value, &mut world)
                            || (is_slot && self.stays_in_slot(at, &subject, value, &mut world))
                        {
                            continue;
                        }
                    }
                    // A receiver that is given away is read by somebody else.
                    if self.receiver_in(value).is_none() {
                        let is_sent = u32::from(call.model.role == FnRole::Push && self.is_end(&call, &subject));
                        self.handed_on += is_sent;
                        self.escape(at, &mut world, value, Uses::WORK.and(Uses::ESCAPE).and(Uses::USED));
                        self.handed_on -= is_sent;
                    }
                }
                vec![(world, Val::Unknown)]
            }
            FnRole::Exit => Vec::new(),
            FnRole::Drop => {
                self.drop_given(&call, &subject, &mut world);
                vec![(world, Val::Unknown)]
            }
            // What comes back leads to it. Only what is done when it is dropped is not, and dropping a handle does nothing.
            FnRole::Forget if call.model.returns.is_some() => {
                let is_handle = subject.as_obj().is_some_and(|id| self.is_handle(id));
                let value = match self.holds_guard(&subject) {
                    true => Val::Unknown,
                    false if is_handle => subject,
                    false => subject.borrowed(None),
                };
                vec![(world, value)]
            }
            FnRole::Forget => {
                self.forget_value(&call, &subject, &world);
                vec![(world, Val::Unknown)]
            }
            FnRole::Wrap => {
                let name = last_segment(call.path);
                let is_variant = name.starts_with(char::is_uppercase);
                let value = match is_variant {
                    true => Val::success(name, subject),
                    false if gives_iterator(call.model) => Val::Many(vec![subject]),
                    false if self.is_changed_in_place(call.path) => {
                        let mut held = subject;
                        held.unfix();
                        held
                    }
                    false => subject,
                };
                vec![(world, value)]
            }
            FnRole::Nothing => vec![(world, Val::variant(last_segment(call.path)))],
            FnRole::WrapMaybe => {
                let nothing = (world.clone(), Val::variant("None"));
                self.drop_value(at, &subject, LossKind::Ignored, call.whole, &mut nothing.0.clone());
                vec![(world, Val::success("Some", subject)), nothing]
            }
            FnRole::Same => {
                if self.is_end(&call, &subject)
                    && let Some(all) = self.all_received(&call, &subject, &mut world)
                {
                    return vec![(world, all)];
                }
                if self.pairs(&call) {
                    return self.paired(&call, &subject, world);
                }
                let subject = match call.model.other.map(|other| call.value(other)) {
                    Some(other) => self.beside(&call, subject, &other, &mut world),
                    None => subject,
                };
                if let Some(given) = ready(call.model, &subject) {
                    return vec![(world, given)];
                }
                let value = self.taken(&call, &subject).unwrap_or_else(|| self.reshaped(&call, subject, &mut world));
                vec![(world, value)]
            }
            FnRole::Empty => vec![(world, Val::Many(Vec::new()))],
            FnRole::Clone => vec![(world, copied(&subject))],
            FnRole::Inner => self.inner(&call, subject, world),
            FnRole::InnerOr | FnRole::OrElse => self.or(&call, subject, world),
            FnRole::Borrow => {
                if !call.model.work.is_empty() || call.model.other.is_some() {
                    return self.filled(&call, &subject, world);
                }
                if let Some(value) = self.shown(&call, &subject).or_else(|| self.taken(&call, &subject)) {
                    return vec![(world, value)];
                }
                let subject = self.reshaped(&call, subject, &mut world);
                let place = match &subject {
                    Val::Ref(_, place) => place.clone(),
                    _ => None,
                };
                vec![(world, subject.borrowed(place))]
            }
            FnRole::Take => {
                if let (Val::Many(_), Some(value)) = (subject.behind(), self.taken(&call, &subject)) {
                    return vec![(world, value)];
                }
                if self.is_end(&call, &subject) {
                    self.look_after(&subject, &mut world);
                    return self.received(&call, &subject, world);
                }
                // What is left of something that holds several is not nothing.
                if subject.is_unknown() && self.subject_role(&call) != Some(TypeRole::Maybe) {
                    return vec![(world, Val::Unknown)];
                }
                let value = self.exchange(&subject, Val::variant("None"), &mut world);
                vec![(world, value)]
            }
            FnRole::Replace => {
                let new = call.value(call.model.other.unwrap_or(1));
                if let Some(ctx) = new.as_ctx().filter(|ctx| matches!(ctx.kind, CtxKind::Root { .. })) {
                    self.placed.insert(ctx.id);
                }
                let takes_option = matches!(self.subject_role(&call), Some(TypeRole::Maybe)) && call.receiver.is_some();
                let new = if takes_option { Val::success("Some", new) } else { new };
                let value = self.put(at, &subject, new, &mut world);
                vec![(world, value)]
            }
            FnRole::Swap => {
                let other = call.value(call.model.other.unwrap_or(1));
                let theirs = other.behind().clone();
                let ours = self.put(at, &subject, theirs, &mut world);
                self.put(at, &other, ours, &mut world);
                vec![(world, Val::Unknown)]
            }
            // Into one of several places of a map.
            FnRole::Insert if call.receiver.is_some_and(|place| self.is_map(&self.type_at(place))) => {
                let value = call.value(call.model.other.unwrap_or(1));
                self.escape(at, &mut world, &value, Uses::ESCAPE.and(Uses::USED));
                vec![(world, Val::Unknown)]
            }
            FnRole::Insert => {
                let new = Val::success("Some", call.value(call.model.other.unwrap_or(1)));
                let old = self.put(at, &subject, new.clone(), &mut world);
                self.drop_value(at, &old, LossKind::Overwritten, call.whole, &mut world);
                vec![(world, new.project(&some()).borrowed(None))]
            }
            FnRole::Map | FnRole::AndThen => self.map(&call, subject, world),
            FnRole::Inspect => {
                let shown = shown_to_work(&subject).borrowed(None);
                let before = world.clone();
                let worlds = self.invoke_all(&call, world, Some(shown));
                worlds.into_iter().map(|(world, _)| (world.perhaps_after(&before), subject.clone())).collect()
            }
            FnRole::Failure => vec![(world, Val::Unknown)],
            FnRole::Look if !call.model.work.is_empty() => self.ask(&call, &subject, world),
            FnRole::Look => vec![(world, self.look(&call, &subject))],
            FnRole::Meeting => vec![(world, self.meeting(&call))],
            FnRole::Channel => vec![(world, self.channel(&call, &subject))],
            FnRole::MakeTaskSet => {
                let on_drop = self.program.models.owner(call.path).map_or(call.model.on_drop, |ty| ty.on_drop);
                let id = self.object(&call, ObjKind::TaskSet(on_drop));
                vec![(world, Val::Obj(id))]
            }
            FnRole::MakeGroup => vec![self.make_group(&call, &subject, world)],
            FnRole::Now => vec![(world, Val::Now)],
            FnRole::Duration => vec![(world, self.duration(&call))],
        }
    }

    /// Whether a function makes a lock or cell: whoever shares it may change what it holds.
    fn is_changed_in_place(&self, path: &str) -> bool {
        self.program.models.owner(path).is_some_and(|ty| ty.role == TypeRole::Collection)
    }

    // Objects.

    /// A new object made by a call.
    pub(super) fn object(&mut self, call: &Applied<'_>, kind: ObjKind) -> ObjId {
        let id = self.fresh(call.at);
        let object = Object {
            kind,
            site: self.site(call.whole),
            name_site: self.site(call.name),
            name: None,
            made_by: call.path.into(),
            via: Vec::new(),
            wild: None,
            in_struct: None,
        };
        let named = self.made(id).and_then(|known| known.name.clone());
        let wild = self.made(id).and_then(|known| known.wild);
        self.objects.insert(id, Object { name: named, wild, ..object });
        id
    }

    /// What a context with this name derives from. In a loop the parent may be what this very
    /// operation made before: the chain grows. One turn stands for all of them.
    pub(super) fn above(&mut self, id: ObjId, parent: Ctx) -> Ctx {
        // Only another turn of a loop can have made what has the same name.
        if !self.in_loop(At { block: id.block, op: id.op }) {
            return parent;
        }
        let Some(before) = parent.chain().find(|node| node.id == id) else { return parent };
        let base = match &before.kind {
            CtxKind::Derived { parent, .. } | CtxKind::Detached(parent) | CtxKind::Reparented(parent, _) => {
                parent.clone()
            }
            _ => return parent,
        };
        self.grown.insert(id);
        base
    }

    fn guard(&mut self, call: &Applied<'_>, subject: &Val, mut world: World) -> (World, Val) {
        let mut ctx = subject.as_ctx().cloned();
        let mut unused = None;
        self.ctx_used(subject, Uses::CANCEL.and(Uses::USED));
        for id in objects_in(subject) {
            unused = Some(id).filter(|id| !world.is_used(*id));
            if let Some(ObjKind::Handle(of)) = self.kind(id) {
                ctx = of.clone();
            }
            self.mark(&mut world, id, Use::Real);
        }
        self.input_used(subject);
        let of = if let Val::Input(path) = subject.behind() { Some(path.clone()) } else { None };
        let id = self.object(call, ObjKind::Guard { ctx, of, on_drop: OnDrop::Cancel });
        self.guarding.extend(unused.map(|handle| (id, handle)));
        (world, Val::Obj(id))
    }

    pub(super) fn input_used(&mut self, subject: &Val) {
        if let Val::Input(path) = subject.behind() {
            self.use_input(path, Uses::USED);
        }
    }

    fn forget_value(&mut self, call: &Applied<'_>, subject: &Val, world: &World) {
        if !self.recording {
            return;
        }
        for id in objects_in(subject) {
            let lost = match self.is_handle(id) {
                true => Some(id).filter(|id| !world.is_used(*id)),
                false => self.guarded_for_nothing(call, id),
            };
            if let Some(id) = lost.filter(|id| !world.owned_elsewhere(*id)) {
                let site = self.site(call.whole);
                self.losses.entry(id).or_default().insert(Loss { site, how: LossKind::Forgotten });
            }
        }
    }

    /// The handle of a guard that is made only to be forgotten or disarmed by this call.
    fn guarded_for_nothing(&self, call: &Applied<'_>, guard: ObjId) -> Option<ObjId> {
        self.made(guard).filter(|object| call.whole.contains(object.name_site.span))?;
        self.guarding.get(&guard).copied()
    }

    fn make_group(&mut self, call: &Applied<'_>, subject: &Val, world: World) -> (World, Val) {
        if subject.is_unknown() && call.model.context.is_none() {
            let id = self.object(call, ObjKind::Group(None));
            return (world, Val::Obj(id));
        }
        let parent = self.subject_ctx(call, subject);
        let kind = CtxKind::Derived { parent, bound: Bound::Cancel, other: None, time: Time::Unknown };
        let ctx = self.new_ctx(call, kind);
        let id = self.object(call, ObjKind::Group(Some(ctx.clone())));
        let value = match call.model.context {
            Some(0) => Val::tuple(vec![Val::Ctx(ctx), Val::Obj(id)]),
            Some(_) => Val::tuple(vec![Val::Obj(id), Val::Ctx(ctx)]),
            None => Val::Obj(id),
        };
        (world, value)
    }

    // Work.

    fn spawn(&mut self, call: &Applied<'_>, mut world: World) -> (World, Val) {
        let mut work = call.work();
        // Other arguments that are contexts go with the work.
        for (index, value) in call.values.iter().enumerate() {
            if index != call.model.subject && !call.work_indices().contains(&index) && value.as_ctx().is_some() {
                work.push(value.clone());
            }
        }
        // What it is started on, through whatever leads to it.
        let started_on = self.program.owner_of_function(call.path);
        let (set, owner) = match call.receiver {
            Some(_) => self.owner(&started_on, &call.value(0)),
            None => (None, Owner::Nobody),
        };
        let lent = match call.value(0).behind() {
            Val::Input(path) if matches!(owner, Owner::Outside | Owner::Group) => Some(path.clone()),
            _ => None,
        };
        let site = (call.name, call.whole);
        // What becomes of a task in a set depends on the set.
        let on_drop = match self.program.type_model(&started_on) {
            Some(model) if owner == Owner::Outside => model.on_drop,
            _ => call.model.on_drop,
        };
        let value =
            self.start(call.at, site, call.path, (call.model.outlives, on_drop), work, (set, owner, lent), &mut world);
        // What it gives may be something else than a hold on the work: a response.
        let is_hold = match &call.model.returns {
            Some(Shape::Named(path, _)) => self.program.models.ty(path).is_some(),
            _ => true,
        };
        (world, if is_hold { value } else { Val::Unknown })
    }

    fn owner(&self, started_on: &Ty, receiver: &Val) -> (Option<ObjId>, Owner) {
        match receiver.behind() {
            Val::Obj(id) => match self.kind(*id) {
                Some(ObjKind::TaskSet(_)) => (Some(*id), Owner::Local),
                Some(ObjKind::Group(_)) => (Some(*id), Owner::Group),
                _ => (None, Owner::Nobody),
            },
            _ => match self.program.role(started_on) {
                Some(TypeRole::TaskSet) => (None, Owner::Outside),
                Some(TypeRole::Group) => (None, Owner::Group),
                _ => (None, Owner::Nobody),
            },
        }
    }

    /// Whether a function gives something only where the context has ended: its error.
    pub(super) fn gives_end(&self, model: &FnModel) -> bool {
        let held = match &model.returns {
            Some(Shape::Named(path, args)) if path == OPTION => args.first(),
            _ => None,
        };
        let is_end = |path: &String| self.program.models.ty(path).is_some_and(|ty| ty.role == TypeRole::End);
        matches!(held, Some(Shape::Named(path, _)) if is_end(path))
    }

    fn await_work(&mut self, call: &Applied<'_>, subject: &Val, mut world: World) -> Vec<(World, Val)> {
        if call.model.role == FnRole::Join {
            self.settle(&mut world, subject);
            self.look_after(subject, &mut world);
            self.input_used(subject);
            self.settle_fresh(&mut world);
            return vec![(world, Val::Unknown)];
        }
        let (pieces, gives) = (self.pieces(call), call.gives());
        if call.model.returns_future(&self.program.models) {
            let work = Val::Work(pieces, gives);
            let is_limited = call.model.role == FnRole::Timeout;
            return vec![(world, if is_limited { Val::Timed(Box::new(work), None) } else { work })];
        }
        self.settle_fresh(&mut world);
        self.drive_all(call.at, call.name, &pieces, &gives, world)
    }

    /// Work that runs once serves the whole process, not the one who happens to come first.
    pub(super) fn once(&mut self, call: &Applied<'_>, world: World) -> Vec<(World, Val)> {
        self.note_replacing(call);
        self.once += 1;
        let before = world.clone();
        let mut world = world;
        world.missing = true;
        let worlds = self.invoke_all(call, world, None);
        self.once -= 1;
        let restored = |(mut world, value): (World, Val)| {
            world.missing = before.missing;
            (world.perhaps_after(&before), value)
        };
        worlds.into_iter().map(restored).collect()
    }

    /// A root that the work of a call makes is not made in the place of a context at hand.
    pub(super) fn note_replacing(&mut self, call: &Applied<'_>) {
        for work in call.work() {
            if let Val::Closure(body, _) = work.behind() {
                self.replacing.insert(*body);
            }
        }
    }

    /// Work that an iterator runs as often as it is asked for more.
    fn repeated(&mut self, call: &Applied<'_>, world: World) -> Vec<(World, Val)> {
        let before = world.clone();
        let worlds = self.invoke_all(call, world, None);
        let gathered = |(mut world, value): (World, Val)| {
            let value = self.gathered(call, &mut world, value);
            (world.perhaps_after(&before), value)
        };
        worlds.into_iter().map(gathered).collect()
    }

    /// Calls the work with one argument (or none), as often as there are closures.
    pub(super) fn invoke_all(&mut self, call: &Applied<'_>, world: World, argument: Option<Val>) -> Vec<(World, Val)> {
        let mut worlds = vec![(world, Val::Unknown)];
        for work in call.work() {
            worlds = worlds
                .into_iter()
                .flat_map(|(world, _)| {
                    self.call_value(call.at, call.name, work.clone(), argument.clone().into_iter().collect(), world)
                })
                .collect();
        }
        worlds
    }

    /// A call at which a helper starts what it is given.
    pub(super) fn start_at(&mut self, at: At, name: Span, work: Vec<Val>, world: &mut World) {
        self.start(at, (name, name), "", (true, OnDrop::Detach), work, (None, Owner::Nobody, None), world);
    }
}

/// The future that gives a value at once.
fn ready(model: &FnModel, value: &Val) -> Option<Val> {
    let Some(Shape::Future(given)) = &model.returns else { return None };
    let is_value = |shape: &Shape| *shape == Shape::Arg(model.subject);
    let given = match &**given {
        shape if is_value(shape) => value.clone(),
        Shape::Named(path, args) if path == RESULT => match args.as_slice() {
            [some, ..] if is_value(some) => Val::success("Ok", value.clone()),
            [_, error] if is_value(error) => Val::success("Err", value.clone()),
            _ => return None,
        },
        _ => return None,
    };
    Some(Val::success(READY, given))
}

fn gives_iterator(model: &FnModel) -> bool {
    matches!(&model.returns, Some(Shape::Named(path, _)) if path == ITERATOR)
}

/// Whether a request, or what is in it, is one that the body was given.
pub(super) fn is_given(value: &Val) -> bool {
    matches!(value.behind(), Val::Input(_) | Val::Request(..))
}

pub(super) fn is_server(value: &Val) -> bool {
    matches!(value.behind(), Val::Server(..))
}

/// A clone owns what it is a clone of as well: cancelling one cancels all.
fn copied(value: &Val) -> Val {
    match value.behind() {
        Val::Ref(..) => Val::Unknown,
        other => other.clone(),
    }
}

/// The objects a value is or owns.
pub(super) fn objects_in(value: &Val) -> Vec<ObjId> {
    let mut found = Vec::new();
    value.walk(&mut |value, path, _| {
        if let Val::Obj(id) = value
            && !path.iter().any(|step| step == "()")
        {
            found.push(*id);
        }
    });
    found
}
