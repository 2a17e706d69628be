//! A retry loop that does not leave when its context is done.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Callee, LocalId, LoopId, Op, OpKind, Place, Step, Terminator, Test, UnaryOp};
use ctxlint_analysis::flow::value::{is_failure, is_success};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::Target;

use crate::code::{At, Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "retry_after_cancel",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a retry loop that does not leave when its context is done",
    docs: include_str!("../docs/retry_after_cancel.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let tries = |code: &Code<'_>| {
        !code.body.loops.is_empty()
            && code.ops().any(|(at, ..)| call(code, at).is_some_and(|call| may_be_retried(code, &call)))
    };
    for code in Code::all(analysis).filter(tries) {
        for (known, index) in code.body.loops.iter().zip(0u32..) {
            let Some(call) = retried(&code, LoopId(index)) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(known.keyword),
                    "the loop goes on when the context is done: every further attempt fails at once",
                    "tries again whatever the error was",
                )
                .label(code.site(call.name), "fails for good once the context is done")
                .help("leave the loop when the context is done: wait between attempts with `ctx.sleep(..).await?`, or look at `ctx.err()`"),
            );
        }
    }
}

/// The operation that a loop tries again after any failure, if it is such a loop.
fn retried<'a>(code: &Code<'a>, of: LoopId) -> Option<Call<'a>> {
    let turning = code.turning(of);
    let mut operation = None;
    for call in code.ops_in(&turning).filter_map(|(at, _)| call(code, at)) {
        if call.is(LOOKS) {
            return None;
        }
        if may_be_retried(code, &call) {
            if operation.is_some() {
                return None;
            }
            operation = Some(call);
        }
    }
    let operation = operation?;
    let innermost = code.loop_at(operation.at)?;
    if innermost != of
        || is_never_done(code, &operation, of)
        || operation.args.iter().any(|arg| varies(code, *arg, of, 8))
    {
        return None;
    }
    let result = result_of(code, &operation)?;
    let names = outcomes(code, result);
    let fails =
        tests(code, &names, of).any(|(failure, success)| turning.contains(&failure) && !turning.contains(&success));
    (fails && !is_told_apart(code, &names, &turning)).then_some(operation)
}

/// The call at a place, also of a value: what a helper that tries again is given to try.
fn call<'a>(code: &Code<'a>, at: At) -> Option<Call<'a>> {
    code.call(at).or_else(|| {
        let op = code.op(at)?;
        let OpKind::Call { callee: Callee::Value(callee), args } = &op.kind else { return None };
        let args = [callee.base].into_iter().chain(args.iter().copied()).collect();
        let target = code.target(at);
        let is_one = callee.path.iter().all(|step| *step != Step::Index);
        is_one.then_some(Call { at, op, target, model: None, name: op.span, receiver: None, args })
    })
}

/// Whether the context is made here, and nothing here can end it: a stand-in for "never". Or it is made for each attempt,
/// and has an end of its own: then the next attempt has another one.
fn is_never_done(code: &Code<'_>, call: &Call<'_>, of: LoopId) -> bool {
    let mut contexts = call.args.iter().filter(|arg| code.is_context(&Place::local(**arg))).peekable();
    contexts.peek().is_some()
        && contexts.all(|arg| {
            let made = code.made_by(*arg, &[]).filter(|made| made.is(&[FnRole::Root, FnRole::Placeholder]));
            made.is_some_and(|made| !is_kept(code, &made)) || is_made_afresh(code, *arg, of)
        })
}

/// Whether a context is made in each turn of a loop, and derives from none that is there before.
fn is_made_afresh(code: &Code<'_>, local: LocalId, of: LoopId) -> bool {
    let mut local = local;
    for _ in 0..8 {
        let Some((at, op)) = code.definition(code.root(local)) else { return false };
        let parent = match (&op.kind, code.call(at)) {
            (OpKind::Use(place) | OpKind::Ref(place, _), _) => Some(place.base),
            (_, Some(call)) if call.is(&[FnRole::Detach, FnRole::Root, FnRole::Placeholder]) => {
                return code.loop_at(at) == Some(of);
            }
            (_, Some(call)) if call.is(&[FnRole::Derive]) => call.args.first().copied(),
            _ => None,
        };
        let Some(parent) = parent else { return false };
        local = parent;
    }
    false
}

/// Whether a root is cancelled, guarded or cloned where it is made.
fn is_kept(code: &Code<'_>, made: &Call<'_>) -> bool {
    let ends = [FnRole::Clone, FnRole::Cancel, FnRole::Guard, FnRole::GuardRef, FnRole::Derive];
    let is_of = |local: &LocalId| code.made_by(*local, &[]).is_some_and(|other| other.at == made.at);
    code.calls().any(|call| call.is(&ends) && call.args.first().is_some_and(is_of))
}

/// What notices the end of a context.
const LOOKS: &[FnRole] = &[FnRole::IsDone, FnRole::State, FnRole::Wait, FnRole::Run, FnRole::RunSelf];

/// Whether a call is one of which only its context is known.
fn may_be_retried(code: &Code<'_>, call: &Call<'_>) -> bool {
    call.model.is_none() && !matches!(call.target, Target::Constructor(..)) && takes_context(code, call)
}

fn takes_context(code: &Code<'_>, call: &Call<'_>) -> bool {
    let args = call.args.iter().enumerate();
    args.into_iter().any(|(index, arg)| match call.receiver {
        Some(place) if index == 0 => code.is_context(place),
        _ => code.is_context(&Place::local(*arg)),
    })
}

/// Whether a value is another one in each turn. Contexts are the operation's own affair.
fn varies(code: &Code<'_>, local: LocalId, of: LoopId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return true };
    if code.is_context(&Place::local(local)) {
        return false;
    }
    if code.is_named(local) {
        return code.is_bound_in(local, of) || code.is_assigned_in(local, of);
    }
    code.definitions(local).any(|(_, op)| match &op.kind {
        // Which element it is, the place does not say.
        OpKind::Use(place) | OpKind::Ref(place, _) => {
            place.path.contains(&Step::Index) || varies(code, place.base, of, fuel)
        }
        OpKind::MethodCall { receiver, args, .. } => {
            varies(code, receiver.base, of, fuel) || args.iter().any(|arg| varies(code, *arg, of, fuel))
        }
        OpKind::Call { args, .. } | OpKind::Tuple(args) | OpKind::Array(args) | OpKind::Inspect { args, .. } => {
            args.iter().any(|arg| varies(code, *arg, of, fuel))
        }
        OpKind::Struct { fields, .. } => fields.iter().any(|(_, value)| varies(code, *value, of, fuel)),
        OpKind::Binary(_, left, right) => varies(code, *left, of, fuel) || varies(code, *right, of, fuel),
        OpKind::Unary(_, value) | OpKind::Cast(value, _) => varies(code, *value, of, fuel),
        OpKind::Lit(_) | OpKind::Path(_) => false,
        _ => true,
    })
}

/// The local with the operation's outcome: awaited, if it is a future.
fn result_of(code: &Code<'_>, call: &Call<'_>) -> Option<LocalId> {
    let dest = call.op.dest?;
    let names = code.names_of(dest);
    let mut awaited: Vec<(At, LocalId)> = names
        .iter()
        .flat_map(|name| code.mentions(*name))
        .filter(|(_, _, op)| matches!(op.kind, OpKind::Await(_)))
        .filter_map(|(at, _, op)| Some((at, op.dest?)))
        .collect();
    awaited.sort_unstable();
    Some(awaited.first().map_or(dest, |(_, outcome)| *outcome))
}

/// The locals that hold the outcome, or what `ok()` makes of it.
fn outcomes(code: &Code<'_>, result: LocalId) -> BTreeSet<LocalId> {
    code.spread(result, 4, |name, at, op| match &op.kind {
        OpKind::Use(place) | OpKind::Ref(place, _) if place.path.is_empty() => op.dest,
        OpKind::Assign { place, value } if place.path.is_empty() && *value == name => Some(place.base),
        OpKind::MethodCall { receiver, .. } if receiver.path.is_empty() && receiver.base == name => {
            let role = code.analysis.program.role(op.dest.map(|dest| code.ty(dest))?);
            let keeps = code.call(at)?.is(&[FnRole::Same, FnRole::Clone, FnRole::Borrow, FnRole::Wrap]);
            op.dest.filter(|_| keeps && role == Some(TypeRole::Maybe))
        }
        _ => None,
    })
}

/// The tests of an outcome in a loop: where failure leads, and where success does.
fn tests(code: &Code<'_>, names: &BTreeSet<LocalId>, of: LoopId) -> impl Iterator<Item = (u32, u32)> {
    let blocks = code.blocks_of(of).iter().filter_map(|at| code.body.blocks.get(*at as usize));
    blocks.filter_map(move |block| match &block.end {
        Terminator::Match { place, test, then, other, .. } if place.path.is_empty() && names.contains(&place.base) => {
            match test {
                Test::Variant(path) if is_success(path.last()) => Some((other.0, then.0)),
                Test::Variant(path) if is_failure(path.last()) => Some((then.0, other.0)),
                Test::Success => Some((other.0, then.0)),
                _ => None,
            }
        }
        Terminator::If { condition, then, other } => {
            let straight = asks_success(code, names, *condition, 4)?;
            Some(if straight { (other.0, then.0) } else { (then.0, other.0) })
        }
        _ => None,
    })
}

/// Whether a condition asks for success (`Some(true)`) or failure of an outcome.
fn asks_success(code: &Code<'_>, names: &BTreeSet<LocalId>, condition: LocalId, fuel: u8) -> Option<bool> {
    let fuel = fuel.checked_sub(1)?;
    let (at, op) = code.definition(code.root(condition))?;
    if let OpKind::Unary(UnaryOp::Not, inner) = &op.kind {
        return Some(!asks_success(code, names, *inner, fuel)?);
    }
    let call = code.call(at)?;
    let subject = call.receiver.filter(|place| names.contains(&place.base));
    subject.and(call.model)?.asks_success()
}

/// Whether the loop looks at the error, or hands it to something that may.
fn is_told_apart(code: &Code<'_>, names: &BTreeSet<LocalId>, turning: &BTreeSet<u32>) -> bool {
    let is_error = |place: &Place| {
        names.contains(&place.base)
            && place.path.iter().any(|step| matches!(step, Step::Variant(variant, _) if is_failure(variant)))
    };
    let read = |(_, _, op): (At, _, &Op)| match &op.kind {
        OpKind::Use(place) | OpKind::Ref(place, _) if is_error(place) => op.dest,
        _ => None,
    };
    let errors = names.iter().flat_map(|name| code.mentions(*name)).filter_map(read);
    let held: BTreeSet<LocalId> = errors
        .flat_map(|error| {
            code.spread(error, 4, |_, at, op| match &op.kind {
                OpKind::Use(_) | OpKind::Ref(..) => op.dest,
                OpKind::Call { .. } if wraps(code, at) => op.dest,
                _ => None,
            })
        })
        .collect();
    let matched = names.iter().chain(&held).flat_map(|local| code.ends_with(*local)).any(|end| match end {
        Terminator::Match { place, .. } => is_error(place) || held.contains(&place.base),
        _ => false,
    });
    let used = code.ops_in(turning).any(|(at, op)| match &op.kind {
        OpKind::Call { args, .. } => {
            args.iter().any(|arg| names.contains(arg) || held.contains(arg) && !wraps(code, at))
        }
        OpKind::MethodCall { receiver, args, .. } => {
            let keeps = [FnRole::Same, FnRole::Clone, FnRole::Borrow, FnRole::Look];
            held.contains(&receiver.base)
                || args.iter().any(|arg| held.contains(arg) || names.contains(arg))
                || (names.contains(&receiver.base) && !code.call(at).is_some_and(|call| call.is(&keeps)))
        }
        OpKind::Binary(_, left, right) => held.contains(left) || held.contains(right),
        OpKind::Unknown { mentions, .. } => {
            mentions.iter().any(|place| held.contains(&place.base) || names.contains(&place.base))
        }
        OpKind::Struct { fields, .. } => fields.iter().any(|(_, value)| held.contains(value)),
        OpKind::Assign { place, value } => held.contains(value) && !is_for_later(code, place, turning),
        _ => false,
    });
    matched || used
}

/// Whether a call only puts its argument into an option or the like.
fn wraps(code: &Code<'_>, at: At) -> bool {
    code.call(at).is_some_and(|call| call.is(&[FnRole::Wrap]))
}

/// Whether a place is written in some blocks and not read there: `last = Some(error)`.
fn is_for_later(code: &Code<'_>, place: &Place, blocks: &BTreeSet<u32>) -> bool {
    let mut mentions = code.ways().occurrences().mentions(place.base).iter().filter(|at| blocks.contains(&at.block));
    place.path.is_empty()
        && mentions.all(|at| {
            let op = code.op(*at).map(|op| &op.kind);
            matches!(op, Some(OpKind::Assign { place: written, .. }) if written.base == place.base)
        })
}
