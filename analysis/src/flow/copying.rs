//! What a callee gives back, brought into its caller.

use std::collections::BTreeMap;

use crate::facts::{Name, Span};
use crate::summary::Summary;
use crate::types::DefId;

use super::events::Seen;
use super::run::{At, Run};
use super::value::{Agg, Ctx, CtxKind, CtxNode, InputPath, ObjId, ObjKind, Object, Owner, Task, Time, Val};

/// Brings a callee's result into the caller: its inputs become what was given, its objects new ones.
pub(super) struct Copying<'r, 'a> {
    pub(super) run: &'r mut Run<'a>,
    pub(super) at: At,
    pub(super) name: Span,
    pub(super) inputs: &'r [Val],
    pub(super) summary: &'r Summary,
    pub(super) ids: BTreeMap<ObjId, ObjId>,
    /// Contexts that are their own handles: what each is to the callee and to the caller.
    pub(super) own: Vec<(ObjId, ObjId)>,
    /// The field of a struct of the program that is being copied.
    pub(super) in_struct: Option<(DefId, Name)>,
    /// What calling an input gives is wanted with all that it owns: it is work that is started, or comes back as it is.
    pub(super) whole: bool,
}

impl<'r, 'a> Copying<'r, 'a> {
    /// For what a callee gives back.
    pub(super) fn of(
        run: &'r mut Run<'a>,
        at: At,
        name: Span,
        inputs: &'r [Val],
        summary: &'r Summary,
    ) -> Copying<'r, 'a> {
        let (ids, own) = (BTreeMap::new(), Vec::new());
        Copying { run, at, name, inputs, summary, ids, own, in_struct: None, whole: false }
    }

    /// For work that a callee starts, and for what it hands on as it is.
    pub(super) fn whole(self) -> Copying<'r, 'a> {
        Copying { whole: true, ..self }
    }
}

impl Copying<'_, '_> {
    fn id(&mut self, old: ObjId) -> ObjId {
        if let Some(id) = self.ids.get(&old) {
            return *id;
        }
        let id = self.run.fresh(self.at);
        self.ids.insert(old, id);
        id
    }

    pub(super) fn value(&mut self, value: &Val) -> Val {
        match value {
            Val::Input(path) => self.input(path),
            Val::Ctx(ctx) => match &ctx.kind {
                CtxKind::Input(path) => match self.input(path) {
                    Val::Unknown => Val::Ctx(self.ctx(ctx)),
                    given => given,
                },
                _ => Val::Ctx(self.ctx(ctx)),
            },
            Val::Done(ctx) => Val::Done(self.ctx(ctx)),
            Val::Asked(ctx, says, meaning) => Val::Asked(self.ctx(ctx), *says, *meaning),
            Val::Obj(old) => self.object(*old),
            Val::Ref(inner, _) => match self.value(inner) {
                Val::Unknown => Val::Unknown,
                inner => inner.borrowed(None),
            },
            Val::Agg(agg) => {
                let outer = self.in_struct.clone();
                let mut fields = Vec::with_capacity(agg.fields.len());
                for (name, value) in &agg.fields {
                    if let Some(def) = agg.def {
                        self.in_struct = Some((def, name.clone()));
                    }
                    let value = self.value(value);
                    if let (Some(def), None) = (agg.def, &agg.variant) {
                        self.run.keep_made(def, name, &value);
                    }
                    fields.push((name.clone(), value));
                }
                self.in_struct = outer;
                let rest = agg.rest.as_ref().map(|rest| Box::new(self.value(rest)));
                Val::Agg(Agg { def: agg.def, variant: agg.variant.clone(), fields, rest }.settled())
            }
            Val::Many(values) => Val::Many(values.iter().map(|value| self.value(value)).collect()),
            Val::Closure(body, values) => Val::Closure(*body, values.iter().map(|value| self.value(value)).collect()),
            Val::Future(body, values) => Val::Future(*body, values.iter().map(|value| self.value(value)).collect()),
            Val::Work(values, gives) => {
                Val::Work(values.iter().map(|value| self.value(value)).collect(), gives.clone())
            }
            Val::Timed(inner, until) => {
                let until = until.as_ref().map(|ctx| self.ctx(ctx));
                Val::Timed(Box::new(self.value(inner)), until)
            }
            Val::Called(path, args) => {
                let (callee, args) = (self.input(path), args.iter().map(|arg| self.value(arg)).collect());
                match self.run.result_of(self.at, self.name, &callee, args) {
                    result if self.whole => result,
                    // Which of several it is nobody knows, nor what the callee did with what it owns.
                    Val::Work(..) => Val::Unknown,
                    result => result.without_objects(),
                }
            }
            Val::Moved => Val::Unknown,
            other => other.clone(),
        }
    }

    fn input(&mut self, path: &InputPath) -> Val {
        path.among(self.inputs).unwrap_or_default()
    }

    fn object(&mut self, old: ObjId) -> Val {
        let Some(object) = self.summary.objects.get(&ObjId { old: false, ..old }) else { return Val::Unknown };
        let known = self.ids.contains_key(&old);
        let id = self.id(old);
        if !known {
            let mut via = vec![object.site];
            via.extend(object.via.iter().copied().take(8));
            let kind = match &object.kind {
                ObjKind::Handle(ctx) => ObjKind::Handle(ctx.as_ref().map(|ctx| self.ctx(ctx))),
                ObjKind::Guard { ctx, of, on_drop } => {
                    let (of, ends) = of.as_ref().map(|of| self.handle(of)).unwrap_or_default();
                    ObjKind::Guard { ctx: ctx.as_ref().map(|ctx| self.ctx(ctx)).or(ends), of, on_drop: *on_drop }
                }
                ObjKind::Task(task) => {
                    let mut task = (**task).clone();
                    self.lent(&mut task);
                    self.senders(&mut task);
                    let pending = std::mem::take(&mut task.pending);
                    // A helper that starts what it is given is itself the spawn.
                    if !pending.is_empty() {
                        task.site = self.run.site(self.name);
                        task.call = task.site;
                    }
                    for of in &mut task.contexts {
                        of.ctx = self.ctx(&of.ctx);
                    }
                    let outer = std::mem::replace(&mut self.whole, true);
                    for work in pending {
                        let value = self.value(&work);
                        self.run.add_work(&mut task, &value);
                    }
                    self.whole = outer;
                    ObjKind::Task(std::sync::Arc::new(task))
                }
                ObjKind::Group(ctx) => ObjKind::Group(ctx.as_ref().map(|ctx| self.ctx(ctx))),
                ObjKind::Receiver(sender) => ObjKind::Receiver(self.id(*sender)),
                ObjKind::Aborter(task) => ObjKind::Aborter(self.id(*task)),
                kind => kind.clone(),
            };
            let name_site = self.run.site(self.name);
            let site = self.run.site(self.run.op_span(self.at).unwrap_or(self.name));
            let made_by = object.made_by.clone();
            let in_struct = self.in_struct.clone();
            let object = Object { kind, site, name_site, name: None, made_by, via, wild: None, in_struct };
            let is_sender = object.kind == ObjKind::Sender;
            self.run.objects.insert(id, object);
            if is_sender {
                let sent = self.summary.ends.get(&ObjId { old: false, ..old });
                let sent = sent.map(|sent| sent.iter().map(|value| self.value(value)).collect());
                self.run.came_back(id, sent);
            }
        }
        self.run.channel_end(id)
    }

    /// The channels that a task sends into, as the caller knows them.
    fn senders(&mut self, task: &mut Task) {
        task.senders = task.senders.iter().map(|sender| self.id(*sender)).collect();
        for path in std::mem::take(&mut task.given) {
            match self.input(&path).behind() {
                Val::Obj(sender) => task.senders.push(*sender),
                Val::Input(path) => task.given.push(path.clone()),
                _ => {}
            }
        }
    }

    /// The handle that a guard is made of: the caller's input, or the context that it ends.
    fn handle(&mut self, of: &InputPath) -> (Option<InputPath>, Option<Ctx>) {
        match self.input(of).behind() {
            Val::Input(path) => (Some(path.clone()), None),
            Val::Obj(id) => (None, self.run.ended_by(*id)),
            _ => (None, None),
        }
    }

    /// The set of a task is the caller's.
    fn lent(&mut self, task: &mut Task) {
        let Some(path) = task.lent.take() else { return };
        match self.input(&path).behind() {
            Val::Input(path) => task.lent = Some(path.clone()),
            Val::Obj(set) if task.owner == Owner::Group => task.set = Some(*set),
            Val::Obj(set) => (task.set, task.owner) = (Some(*set), Owner::Local),
            _ => {}
        }
    }

    fn ctx(&mut self, ctx: &Ctx) -> Ctx {
        let kind = match &ctx.kind {
            CtxKind::Input(path) => {
                let given = self.input(path);
                match self.run.ctx_of(&given, ctx.site) {
                    Some(given) => return given,
                    None => CtxKind::Opaque,
                }
            }
            CtxKind::Derived { parent, bound, other, time } => CtxKind::Derived {
                parent: self.ctx(parent),
                bound: *bound,
                other: other.as_ref().map(|other| self.ctx(other)),
                time: self.time(time),
            },
            CtxKind::Limited(same) => CtxKind::Limited(self.ctx(same)),
            CtxKind::Detached(parent) => CtxKind::Detached(self.ctx(parent)),
            CtxKind::Reparented(values, owner) => {
                CtxKind::Reparented(self.ctx(values), owner.as_ref().map(|owner| self.ctx(owner)))
            }
            kind => kind.clone(),
        };
        let made = self.id(ctx.id.made());
        if kind == CtxKind::Own {
            self.own.push((ctx.id.made(), made));
        }
        let id = ObjId { old: ctx.id.old, ..made };
        let kind = match kind {
            CtxKind::Derived { parent, bound, other, time } => {
                CtxKind::Derived { parent: self.run.above(id, parent), bound, other, time }
            }
            CtxKind::Detached(parent) => CtxKind::Detached(self.run.above(id, parent)),
            kind => kind,
        };
        let was_given = matches!(ctx.kind, CtxKind::Derived { time: Time::Given(_), .. });
        let ctx = Ctx::new(CtxNode { id, site: ctx.site, kind });
        // How long it has is told by this call, if anybody does: on each way.
        if was_given {
            self.run.record(self.at, self.name, self.name, Seen::Derived { ctx: ctx.clone() });
        }
        ctx
    }

    fn time(&mut self, time: &Time) -> Time {
        match time {
            Time::Given(path) => Time::of(&self.input(path)),
            known => known.clone(),
        }
    }
}
