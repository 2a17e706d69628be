//! Work that a body starts of what it is given, told to its callers: they know what it is.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::Span;
use crate::summary::Summary;
use crate::types::BodyRef;

use super::calls::MAX_DEPTH;
use super::copying::Copying;
use super::events::CallKind;
use super::gives::Gives;
use super::run::{At, Run};
use super::value::{Function, InputPath, ObjId, ObjKind, Object, Val};
use super::world::{Use, World};

/// How many pieces of work that depend on its inputs a body tells its callers of.
const MAX_STARTED: usize = 16;

/// How many calls of its inputs a body tells its callers of.
const MAX_GIVEN: usize = 4;

impl Run<'_> {
    /// What calling an input gives. The arguments are kept as far as they are contexts or inputs.
    pub(super) fn called(path: &InputPath, args: &[Val]) -> Val {
        let kept = |arg: &Val| match arg.behind() {
            Val::Ctx(_) | Val::Input(_) => arg.behind().clone(),
            _ => Val::Unknown,
        };
        Val::Called(path.clone(), args.iter().map(kept).collect())
    }

    /// An input is called: its callers may know what it does with the contexts that it is given.
    pub(super) fn note_given(&mut self, called: &Val) {
        let Val::Called(path, args) = called else { return };
        let call = (path.clone(), args.clone());
        if args.iter().any(|arg| !arg.is_unknown())
            && self.given_calls.len() < MAX_GIVEN
            && !self.given_calls.contains(&call)
        {
            self.given_calls.push(call);
        }
    }

    /// A callee calls what it is given here with contexts of its own, or with what else it is given. What that does
    /// with its captures is told elsewhere.
    pub(super) fn call_given(
        &mut self,
        at: At,
        name: Span,
        summary: &Summary,
        inputs: &[Val],
        world: &mut World,
        depth: u8,
    ) {
        for (path, args) in &summary.calls {
            let Some(callee) = path.among(inputs).filter(|_| depth < MAX_DEPTH) else { continue };
            let mut copy = Copying::of(self, at, name, inputs, summary);
            let args: Vec<Val> = args.iter().map(|arg| copy.value(arg).without_objects()).collect();
            let (body, captures) = match callee.behind() {
                Val::Closure(body, captures) => (*body, captures.as_slice()),
                Val::Function(Function::Def(def)) => match self.body_of(*def) {
                    Some(body) => (body, &[][..]),
                    None => continue,
                },
                Val::Input(path) => {
                    self.note_given(&Run::called(path, &args));
                    continue;
                }
                _ => continue,
            };
            let with = |captures: Vec<Val>| captures.into_iter().chain(args.iter().cloned()).collect::<Vec<Val>>();
            let inputs = with(captures.to_vec());
            self.record_call(body, name, &inputs, CallKind::Direct, false);
            let summaries = self.summaries;
            let Some(of) = summaries.get(body) else { continue };
            self.uses_on(at, name, of, &with(vec![Val::Unknown; captures.len()]), world, depth + 2);
            self.call_given(at, name, of, &inputs, world, depth + 2);
            let is_given_back = summary.rets.iter().any(|ret| matches!(ret, Val::Called(of, _) if of == path));
            let is_work = |ret: &Val| matches!(ret, Val::Future(..) | Val::Closure(..));
            if !is_given_back
                && of.rets.iter().all(is_work)
                && let Val::Future(body, inputs) | Val::Closure(body, inputs) = self.result_of(at, name, &callee, args)
            {
                self.record_call(body, name, &inputs, CallKind::Direct, false);
            }
        }
    }

    /// What calling a value gives, where it is known; what the call does besides is told elsewhere.
    pub(super) fn result_of(&mut self, at: At, name: Span, callee: &Val, args: Vec<Val>) -> Val {
        match callee.behind() {
            Val::Closure(body, captures) => {
                let inputs = captures.iter().cloned().chain(args).collect();
                self.result(at, name, *body, inputs)
            }
            Val::Function(Function::Def(def)) => match self.body_of(*def) {
                Some(body) => self.result(at, name, body, args),
                None => Val::Unknown,
            },
            Val::Input(path) => Run::called(path, &args),
            _ => Val::Unknown,
        }
    }

    fn result(&mut self, at: At, name: Span, body: BodyRef, inputs: Vec<Val>) -> Val {
        let is_async = self.program.body(body).is_some_and(|body| body.is_async);
        let of_async_fn = self.program.function_of(body).and_then(|def| self.program.function(def));
        if is_async || of_async_fn.is_some_and(|function| function.is_async) {
            return Val::Future(body, inputs);
        }
        let summaries = self.summaries;
        let Some(summary) = summaries.get(body) else { return Val::Unknown };
        let mut found: Vec<Val> = Vec::new();
        for ret in &summary.rets {
            let value = Copying::of(self, at, name, &inputs, summary).whole().value(ret);
            if !value.is_unknown() && !found.contains(&value) {
                found.push(value);
            }
        }
        match found.len() {
            0 => Val::Unknown,
            1 => found.remove(0),
            _ => Val::Work(found, Gives::Unknown),
        }
    }

    /// A callee starts work that depends on what it is given here.
    pub(super) fn start_given(&mut self, at: At, name: Span, summary: &Summary, inputs: &[Val], world: &mut World) {
        for work in &summary.started {
            let work = Copying::of(self, at, name, inputs, summary).whole().value(work);
            if !work.is_unknown() {
                self.start_at(at, name, vec![work], world);
            }
        }
    }
}

/// The inputs that a body starts as tasks and neither waits for nor gives back, and other work of
/// that kind that depends on its inputs.
pub(super) fn starts(
    objects: &BTreeMap<ObjId, Object>,
    used: &BTreeMap<ObjId, BTreeSet<Use>>,
    rets: &[Val],
) -> (Vec<InputPath>, Vec<Val>) {
    let mut returned = BTreeSet::new();
    for ret in rets {
        ret.walk(&mut |value, _, _| {
            if let Val::Obj(id) = value {
                returned.insert(*id);
            }
        });
    }
    let (mut inputs, mut works) = (Vec::new(), Vec::new());
    for (id, object) in objects {
        let ObjKind::Task(task) = &object.kind else { continue };
        if returned.contains(id) || used.contains_key(id) || !task.outlives {
            continue;
        }
        for work in &task.pending {
            match work {
                Val::Input(path) => inputs.push(path.clone()),
                work if works.len() < MAX_STARTED && !works.contains(work) => works.push(work.clone()),
                _ => {}
            }
        }
    }
    (inputs, works)
}
