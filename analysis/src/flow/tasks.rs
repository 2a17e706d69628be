//! Work that is started: what it works on, and who looks after it.

use std::sync::Arc;

use crate::facts::{BlockId, LoopId, LoopKind, Span};
use crate::model::OnDrop;
use crate::types::BodyRef;

use super::events::{CallKind, Seen};
use super::roles::{Applied, objects_in};
use super::run::{At, Run};
use super::value::{InputPath, ObjId, ObjKind, Object, Owner, Task, TaskCtx, Uses, Val, limits};
use super::world::{TaskState, Use, World};

impl<'a> Run<'a> {
    /// Starts work; the value is the task's handle.
    #[allow(clippy::too_many_arguments, reason = "the parts of one spawn")]
    pub(super) fn start(
        &mut self,
        at: At,
        (name, whole): (Span, Span),
        spawner: &str,
        (outlives, on_drop): (bool, OnDrop),
        work: Vec<Val>,
        (set, owner, lent): (Option<ObjId>, Owner, Option<InputPath>),
        world: &mut World,
    ) -> Val {
        let mut task = Task {
            site: self.site(name),
            call: self.site(whole),
            spawner: spawner.into(),
            outlives,
            on_drop,
            contexts: Vec::new(),
            senders: Vec::new(),
            given: Vec::new(),
            set,
            owner,
            lent,
            bodies: Vec::new(),
            pending: Vec::new(),
        };
        for value in &work {
            self.add_work(&mut task, value);
            self.record_work(name, value);
        }
        for of in &task.contexts {
            let ctx = of.ctx.clone();
            self.use_ctx(&ctx, Uses::SPAWN);
            // What goes to a function of the program is told of where that is called.
            if work.iter().any(|value| matches!(value.behind(), Val::Closure(..))) {
                let done = world.is_done(&ctx);
                self.record(at, name, whole, Seen::Passed { to: None, ctx, uses: of.uses, done });
            }
        }
        for value in &work {
            self.escape(at, world, value, Uses::SPAWN);
            if outlives {
                self.own(value, world);
            }
        }
        let id = self.fresh(at);
        // Another way through the body may give the same task other contexts to work on.
        if let Some(ObjKind::Task(before)) = self.kind(id) {
            for of in &before.contexts {
                if !task.contexts.contains(of) {
                    task.contexts.push(of.clone());
                }
            }
        }
        let known = self.made(id);
        let object = Object {
            kind: ObjKind::Task(Arc::new(task)),
            site: self.site(whole),
            name_site: self.site(name),
            name: known.and_then(|known| known.name.clone()),
            made_by: spawner.into(),
            via: Vec::new(),
            wild: known.and_then(|known| known.wild),
            in_struct: None,
        };
        self.objects.insert(id, object);
        world.tasks.insert(id, TaskState::Fresh);
        self.record(at, name, whole, Seen::Spawn { id });
        Val::Obj(id)
    }

    /// What a task owns, or shares with others, lives as long as the task: guards in it, and in what callers gave.
    pub(super) fn own(&mut self, work: &Val, world: &mut World) {
        let (mut guards, mut inputs) = (Vec::new(), Vec::new());
        work.walk(&mut |value, _, borrowed| match value {
            Val::Obj(id) if !borrowed => guards.push(*id),
            Val::Input(path) if !borrowed => inputs.push(path.clone()),
            _ => {}
        });
        guards.retain(|id| matches!(self.kind(*id), Some(ObjKind::Guard { .. })));
        for id in guards {
            self.mark(world, id, Use::Real);
        }
        for path in inputs {
            self.use_input(&path, Uses::OWNED);
        }
    }

    /// The contexts that work is done on, and what it does with them.
    pub(super) fn worked_on(&mut self, (name, whole): (Span, Span), work: &[Val]) -> Vec<TaskCtx> {
        let mut task = Task {
            site: self.site(name),
            call: self.site(whole),
            spawner: "".into(),
            outlives: false,
            on_drop: OnDrop::Nothing,
            contexts: Vec::new(),
            senders: Vec::new(),
            given: Vec::new(),
            set: None,
            owner: Owner::Nobody,
            lent: None,
            bodies: Vec::new(),
            pending: Vec::new(),
        };
        for value in work {
            self.add_work(&mut task, value);
        }
        task.contexts
    }

    fn record_work(&mut self, name: Span, value: &Val) {
        match value.behind() {
            Val::Closure(body, inputs) | Val::Future(body, inputs) => {
                let (body, inputs) = (*body, inputs.clone());
                self.record_call(body, name, &inputs, CallKind::Task, false);
            }
            Val::Work(values, _) => {
                for value in values.clone() {
                    self.record_work(name, &value);
                }
            }
            _ => {}
        }
    }

    /// Adds to a task what it works on.
    pub(super) fn add_work(&mut self, task: &mut Task, value: &Val) {
        match value.behind() {
            Val::Closure(body, inputs) | Val::Future(body, inputs) => {
                task.bodies.push(*body);
                for (index, input) in inputs.iter().enumerate() {
                    self.add_input(task, *body, index as u32, input);
                }
            }
            Val::Work(values, _) | Val::Many(values) => {
                for value in values {
                    self.add_work(task, value);
                }
            }
            Val::Ctx(ctx) => {
                task.contexts.push(TaskCtx { ctx: ctx.clone(), uses: Uses::WORK.and(Uses::RAW), received: false });
            }
            Val::Done(ctx) => {
                task.contexts.push(TaskCtx { ctx: ctx.clone(), uses: Uses::WAIT, received: false });
            }
            Val::Timed(inner, until) => {
                let before = (task.contexts.len(), task.pending.len());
                // What ends it from outside it need not look at.
                let bodies = task.bodies.len();
                self.add_work(task, inner);
                if limits(until) > 0 {
                    task.bodies.truncate(bodies);
                    for of in task.contexts.iter_mut().skip(before.0) {
                        of.uses = of.uses.without(Uses::RAW.and(Uses::DETACHED_RAW));
                    }
                    for work in task.pending.iter_mut().skip(before.1) {
                        *work = Val::Timed(Box::new(work.clone()), None);
                    }
                }
                if let Some(ctx) = until {
                    let uses = Uses::RACE.and(Uses::RAW);
                    task.contexts.push(TaskCtx { ctx: ctx.clone(), uses, received: false });
                }
            }
            work @ (Val::Input(_) | Val::Called(..)) => task.add_pending(work),
            Val::Function(super::value::Function::Def(def)) => {
                if let Some(body) = self.body_of(*def) {
                    task.bodies.push(body);
                }
            }
            _ => {}
        }
    }

    fn add_input(&mut self, task: &mut Task, body: BodyRef, index: u32, input: &Val) {
        let summaries = self.summaries;
        let summary = summaries.get(body);
        let mut found = Vec::new();
        input.walk(&mut |value, path, _| match value {
            Val::Ctx(ctx) => {
                let uses = match summary {
                    Some(summary) => summary.uses_at(index, path),
                    None => Uses::WORK,
                };
                found.push(TaskCtx { ctx: ctx.clone(), uses, received: self.is_received(input, path) });
            }
            Val::Obj(id) if matches!(self.kind(*id), Some(ObjKind::Sender | ObjKind::Meeting)) => {
                task.senders.push(*id);
            }
            Val::Input(path) if !task.given.contains(path) => task.given.push(path.clone()),
            Val::Closure(inner, _) | Val::Future(inner, _) => {
                let uses = summary.map_or(Uses::CALL_RAW, |summary| summary.uses_at(index, path));
                if uses.any(Uses::CALL_RAW) || !uses.any(Uses::CALL) {
                    task.bodies.push(*inner);
                }
            }
            _ => {}
        });
        // Work that is given to the body, and that the task runs.
        if let (work @ (Val::Input(_) | Val::Called(..)), Some(summary)) = (input.behind(), summary)
            && let Some(uses) = summary.uses.get(&InputPath::whole(index)).filter(|uses| uses.any(Uses::CALL))
        {
            match uses.any(Uses::CALL_RAW) {
                true => task.add_pending(work),
                false => task.add_pending(&Val::Timed(Box::new(work.clone()), None)),
            }
        }
        // A whole input that contexts are read from by field: its own fields, as far as the task uses them.
        if let Val::Input(path) = input.behind()
            && let Some(summary) = summary
        {
            for (at, uses) in summary.uses.iter().filter(|(at, _)| at.input == index && !at.path.is_empty()) {
                if uses.any(CONTEXT_USES) {
                    let path = path.along(&at.path);
                    let (id, site, kind) = (self.input_id(&path), self.input_site(&path), self.input_kind(&path));
                    let ctx = super::value::Ctx::new(super::value::CtxNode { id, site, kind });
                    found.push(TaskCtx { ctx, uses: *uses, received: false });
                }
            }
        }
        for of in found {
            if !of.uses.is_empty() && !task.contexts.contains(&of) {
                task.contexts.push(of);
            }
        }
    }

    /// Makes a point at which tasks wait for each other.
    pub(super) fn meeting(&mut self, call: &Applied<'_>) -> Val {
        let id = self.object(call, ObjKind::Meeting);
        self.meetings.entry(id.made()).or_default();
        Val::Obj(id)
    }

    /// What is in a value is waited at, if tasks meet there.
    pub(super) fn wait_at(&mut self, value: &Val) {
        for id in objects_in(value) {
            if let Some(waited) = self.meetings.get_mut(&id.made()) {
                *waited = true;
            }
        }
    }

    /// Something is waited for: tasks started before may have ended meanwhile.
    pub(super) fn settle_fresh(&mut self, world: &mut World) {
        let settled = |state: &TaskState| (*state == TaskState::Fresh).then_some(TaskState::Settled);
        world.tasks.change(&|is_any| is_any.0, &settled);
    }

    /// Tasks go on beside a loop that goes round until something happens.
    pub(super) fn settle_beside(&self, at: At, world: &mut World) {
        let loops =
            |block: u32| self.body.loops_around(self.body.block(BlockId(block)).and_then(|block| block.in_loop));
        let lasts = |of: &LoopId| self.body.loops.get(of.index()).is_some_and(|of| of.kind != LoopKind::For);
        let around: Vec<LoopId> = loops(at.block).filter(lasts).collect();
        let is_beside = |task: u32| around.iter().any(|of| loops(task).all(|other| other != *of));
        let fresh = world.tasks.iter().filter(|(id, state)| **state == TaskState::Fresh && is_beside(id.block));
        let beside: Vec<ObjId> = fresh.map(|(id, _)| *id).collect();
        for id in beside {
            world.tasks.insert(id, TaskState::Settled);
        }
    }

    /// The task that a guard would have aborted is its own again: it is as if it was started only now.
    pub(super) fn let_go(&mut self, call: &Applied<'_>, guard: ObjId, world: &mut World) -> Option<ObjId> {
        let task = *self.aborting.get(&ObjId { old: false, ..guard })?;
        let ObjKind::Task(task) = &self.made(task)?.kind else { return None };
        let mut task = (**task).clone();
        task.on_drop = OnDrop::Detach;
        self.mark(world, guard, Use::Real);
        let id = self.object(call, ObjKind::Task(Arc::new(task)));
        world.tasks.insert(id, TaskState::Settled);
        Some(id)
    }

    /// A task whose handle cancels when dropped is let go; so is all that a set holds.
    pub(super) fn detach_task(&mut self, id: ObjId) {
        let Some(object) = self.objects.get_mut(&ObjId { old: false, ..id }) else { return };
        match &object.kind {
            ObjKind::Task(task) => {
                let mut task = (**task).clone();
                task.on_drop = OnDrop::Detach;
                object.kind = ObjKind::Task(Arc::new(task));
            }
            ObjKind::TaskSet(_) => object.kind = ObjKind::TaskSet(OnDrop::Detach),
            _ => {}
        }
    }
}

/// What is done with contexts only.
const CONTEXT_USES: Uses = Uses(
    Uses::VALUE.0
        | Uses::WAIT.0
        | Uses::RACE.0
        | Uses::STATE.0
        | Uses::SPAWN.0
        | Uses::CALLBACK.0
        | Uses::DETACH.0
        | Uses::DERIVE.0,
);
