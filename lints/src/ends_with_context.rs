//! What ends with a context by itself: to wait for it is no wait without one.

use ctxlint_analysis::facts::{BodyId, LocalId, Op, OpKind, Place, Step};
use ctxlint_analysis::flow::value::{ObjKind, Task};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::BodyRef;

use crate::code::{At, Call, Code};
use crate::support;

/// How far back a value is followed to what it is made of.
const MAX_STEPS: u8 = 8;

/// Whether what a local holds is a task, a stream or other work that ends with a context, or what such work sends.
pub(crate) fn ends_with_context(code: &Code<'_>, local: LocalId) -> bool {
    is_task_under_one(code, local) || works_under(code, local, MAX_STEPS) || is_fed_under_one(code, local)
}

/// Whether what a call waits on was given a context where it was made: it keeps that, or the work that feeds it does.
/// What came out of a wait is a result, not such work.
pub(crate) fn was_given_one(code: &Code<'_>, call: &Call<'_>) -> bool {
    let is_part = call.receiver.is_some_and(|place| place.path.iter().any(|step| *step != Step::Deref));
    // Of tasks it is known what they do with their contexts.
    let is_task = |local: &LocalId| code.analysis.program.role(code.ty(*local)) == Some(TypeRole::Task);
    let waited_on = call.args.first().filter(|local| !is_part && !is_task(local));
    waited_on.is_some_and(|local| is_made_with_one(code, *local, MAX_STEPS))
}

fn is_made_with_one(code: &Code<'_>, local: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let is_one = |local: &LocalId| code.is_context(&Place::local(*local)) || is_made_with_one(code, *local, fuel);
    code.definitions(local).any(|(_, op)| match &op.kind {
        OpKind::Use(place) | OpKind::Ref(place, _) => is_made_with_one(code, place.base, fuel),
        OpKind::Call { args, .. } => args.iter().any(is_one),
        OpKind::MethodCall { receiver, args, .. } => {
            code.is_context(receiver) || is_made_with_one(code, receiver.base, fuel) || args.iter().any(is_one)
        }
        _ => false,
    })
}

/// Whether a local is a task that was given a context to work on, and ends with it.
fn is_task_under_one(code: &Code<'_>, local: LocalId) -> bool {
    if code.analysis.program.role(code.ty(local)) != Some(TypeRole::Task) {
        return false;
    }
    let Some(flow) = code.analysis.flow(code.who) else { return false };
    let tasks = || {
        flow.objects.iter().filter_map(|(id, object)| match &object.kind {
            ObjKind::Task(task) => Some(((id.block, id.op), task)),
            _ => None,
        })
    };
    let ends = |task: &Task| task.contexts.iter().any(|of| of.uses.any(support::CUT) && !of.ctx.never_ends());
    let made = code.made_by(local, &[]).map(|call| (call.at.block, call.at.op));
    match tasks().find(|(at, _)| Some(*at) == made) {
        Some((_, task)) => ends(task),
        // It comes out of a list or field: one of those that are started here.
        None => tasks().next().is_some() && tasks().all(|(_, task)| ends(task)),
    }
}

/// Whether a local is one end of a channel whose other end goes to work that has a context: that closes it.
fn is_fed_under_one(code: &Code<'_>, local: LocalId) -> bool {
    let end = code.root(local);
    if code.analysis.program.role(code.ty(end)) != Some(TypeRole::Channel) {
        return false;
    }
    let Some((_, Op { kind: OpKind::Use(part), .. })) = code.definition(end) else { return false };
    if !code.made_by(part.base, &[]).is_some_and(|call| call.is(&[FnRole::Channel])) {
        return false;
    }
    let mut parts = code.mentions(part.base).filter_map(|(_, _, op)| op.dest);
    parts.any(|other| other != end && goes_with_one(code, other, MAX_STEPS))
}

/// Whether a value goes to work, or into a struct, that is given a context beside it.
fn goes_with_one(code: &Code<'_>, local: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let is_one = |local: &LocalId| code.is_context(&Place::local(*local));
    let goes_on = |dest: Option<LocalId>| dest.is_some_and(|dest| goes_with_one(code, dest, fuel));
    code.mentions(local).any(|(at, _, op)| match &op.kind {
        OpKind::Use(_) | OpKind::Ref(..) | OpKind::Tuple(_) => goes_on(op.dest),
        OpKind::Struct { fields, .. } => fields.iter().any(|(_, value)| is_one(value)),
        OpKind::Closure(inner) => ends_by_itself(code, *inner),
        OpKind::MethodCall { receiver, .. } if receiver.base == local => {
            code.call(at).is_some_and(|call| call.is(&[FnRole::Clone])) && goes_on(op.dest)
        }
        OpKind::MethodCall { args, .. } | OpKind::Call { args, .. } => args.iter().any(is_one),
        _ => false,
    })
}

/// Whether a closure or `async` block ends with a context.
fn ends_by_itself(code: &Code<'_>, inner: BodyId) -> bool {
    let summary = code.analysis.summaries.get(BodyRef { file: code.who.file, body: inner });
    summary.is_some_and(|summary| summary.uses.values().any(|uses| uses.any(support::CUT)))
}

/// Whether a value is made of work that ends with a context, or holds such work: the wait for it ends with that, too.
fn works_under(code: &Code<'_>, local: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let any = |locals: &[LocalId]| locals.iter().any(|local| works_under(code, *local, fuel));
    let made = |(_, op): (At, &Op)| match &op.kind {
        OpKind::Closure(inner) => ends_by_itself(code, *inner),
        OpKind::MethodCall { receiver, args, .. } => works_under(code, receiver.base, fuel) || any(args),
        OpKind::Call { args, .. } => any(args),
        _ => false,
    };
    // A function that is given the context is trusted to end with it.
    let is_given = |work: &LocalId| {
        let call = code.made_by(*work, &[]).filter(|call| call.model.is_none());
        call.is_some_and(|call| call.args.iter().any(|arg| code.is_context(&Place::local(*arg))))
    };
    let is_put_in = |call: &Call<'_>| {
        let work = call.args.get(1..).unwrap_or_default();
        call.is(&[FnRole::Push, FnRole::Drive]) && (any(work) || work.iter().any(is_given))
    };
    code.definitions(code.root(local)).any(made)
        || code
            .mentions(local)
            .filter_map(|(at, ..)| code.call(at))
            .any(|call| call.receiver.is_some_and(|place| place.base == local) && is_put_in(&call))
}
