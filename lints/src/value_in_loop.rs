//! The same look-up in every turn of a loop.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{
    Block, BodyKind, LocalId, LocalKind, LoopId, Mutability, OpKind, Place, Span, Step, Terminator, Test,
};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::{BodyRef, Target, Ty};

use crate::code::{Call, Code, Fate};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::values;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "value_in_loop",
    group: Group::Perf,
    level: Level::Warn,
    summary: "the same look-up of a value in every turn of a loop",
    docs: include_str!("../docs/value_in_loop.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// How far a value is followed back.
const MAX_STEPS: u8 = 8;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in values::that_look_up(analysis) {
        code.calls().for_each(|call| findings.extend(repeated(&code, &call)));
    }
}

/// What is repeated, and where that is said.
#[derive(Clone, Copy)]
enum Round<'a> {
    /// A loop.
    Loop(LoopId),
    /// The whole of a closure that is called once for each of several items: the call that does so.
    Closure(Code<'a>, Span),
}

fn repeated(code: &Code<'_>, call: &Call<'_>) -> Option<Finding> {
    let round = round(code, call)?;
    let (inner, read) = values::look_up(code, call)?;
    let given = call.args.get(usize::from(call.receiver.is_some())..)?;
    let is_same = call.receiver.is_none_or(|place| is_same_place(code, place, round))
        && given.iter().all(|arg| is_same(code, *arg, round, MAX_STEPS));
    if !is_same {
        return None;
    }
    let finding = Finding::new(
        RULE.name,
        code.site(call.name),
        "the same value is looked up in every turn of the loop: each look-up walks the context's chain",
        "gives the same every time",
    );
    let finding = match round {
        Round::Loop(of) => finding.label(code.site(code.body.loops.get(of.index())?.keyword), "in this loop"),
        Round::Closure(outer, name) => finding.label(outer.site(name), "called for each item here"),
    };
    let finding = if inner.who == code.who { finding } else { finding.label(inner.site(read.name), "looked up here") };
    Some(finding.help("look it up once, in front of the loop"))
}

/// What repeats a call: the loop it stands in, or whoever calls the closure it stands in.
fn round<'a>(code: &Code<'a>, call: &Call<'_>) -> Option<Round<'a>> {
    if let Some(of) = code.loop_at(call.at) {
        return (code.turns(call.at.block, of) && !is_over_option(code, of)).then_some(Round::Loop(of));
    }
    let BodyKind::Closure(outer) = code.body.kind else { return None };
    let outer = Code::of(code.analysis, BodyRef { file: code.who.file, body: outer })?;
    let (_, _, made) = outer.ops().find(|(_, _, op)| op.kind == OpKind::Closure(code.who.body))?;
    let Fate::Passed(at) = outer.fate(made.dest?) else { return None };
    let call = outer.call(at).filter(|call| call.model.is_some_and(|model| model.each))?;
    let has_many = !call.args.first().is_some_and(|items| is_of_one(&outer, *items));
    has_many.then_some(Round::Closure(outer, call.name))
}

/// Whether what is gone over is made of what may hold one item.
fn is_of_one(code: &Code<'_>, items: LocalId) -> bool {
    let program = &code.analysis.program;
    let is_maybe = |local: LocalId| program.role(code.ty(local)) == Some(TypeRole::Maybe);
    let through = |call: &Call<'_>| call.receiver.is_some() && call.args.first().is_some_and(|local| !is_maybe(*local));
    let mut items = code.root(items);
    for _ in 0..MAX_STEPS {
        let Some(call) = code.definition(items).and_then(|(at, _)| code.call(at)) else { return is_maybe(items) };
        if !through(&call) {
            return call.receiver.is_some() || call.is(&[FnRole::Wrap]);
        }
        items = call.args.first().map_or(items, |local| code.root(*local));
    }
    false
}

/// Whether a loop goes over what may hold one item: it has one turn or none.
fn is_over_option(code: &Code<'_>, of: LoopId) -> bool {
    let program = &code.analysis.program;
    let head = code.body.loops.get(of.index()).and_then(|known| code.body.block(known.head));
    head.is_some_and(|head| match &head.end {
        Terminator::Match { place, test: Test::Next, .. } => {
            program.role(program.peel(&code.type_at(place))) == Some(TypeRole::Maybe)
        }
        _ => false,
    })
}

/// Whether a place holds the same context in every turn.
fn is_same_place(code: &Code<'_>, place: &Place, round: Round<'_>) -> bool {
    let changes = matches!(code.ty(place.base), Ty::Ref(_, true))
        && code.mentions(place.base).any(|(_, block, op)| {
            is_within(code, block, round)
                && matches!(&op.kind, OpKind::MethodCall { receiver, .. } if receiver.base == place.base && receiver.path.is_empty())
        });
    !changes && is_same(code, place.base, round, MAX_STEPS)
}

fn is_within(code: &Code<'_>, block: &Block, round: Round<'_>) -> bool {
    match round {
        Round::Loop(of) => code.is_within(block.in_loop, of),
        Round::Closure(..) => true,
    }
}

/// Whether a local comes from outside of what is repeated, and keeps its value there.
fn is_steady(code: &Code<'_>, local: LocalId, round: Round<'_>) -> bool {
    match round {
        Round::Loop(of) => code.is_steady(local, of),
        Round::Closure(..) => is_captured(code, local) && !code.is_changed(local),
    }
}

/// Whether a local gets its value within what is repeated.
fn is_bound_in(code: &Code<'_>, local: LocalId, round: Round<'_>) -> bool {
    match round {
        Round::Loop(of) => code.is_bound_in(local, of),
        Round::Closure(..) => !is_captured(code, local),
    }
}

fn is_captured(code: &Code<'_>, local: LocalId) -> bool {
    code.body.local(local).is_some_and(|local| local.kind == LocalKind::Capture)
}

/// Whether a local has the same value in every turn.
fn is_same(code: &Code<'_>, local: LocalId, round: Round<'_>, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let steady = is_steady(code, local, round);
    if code.is_named(local) && (steady || !is_bound_in(code, local, round) || code.is_changed(local)) {
        return steady;
    }
    let all = |locals: &[LocalId]| locals.iter().all(|local| is_same(code, *local, round, fuel));
    let mut definitions = code.definitions(local).peekable();
    definitions.peek().is_some()
        && definitions.all(|(at, op)| match &op.kind {
            OpKind::Lit(_) | OpKind::Path(_) => true,
            OpKind::Use(place) | OpKind::Ref(place, Mutability::Shared) => {
                !place.path.contains(&Step::Index) && is_same(code, place.base, round, fuel)
            }
            OpKind::MethodCall { receiver, .. } => {
                let copies = code.call(at).is_some_and(|call| call.is(&[FnRole::Clone]));
                copies && !receiver.path.contains(&Step::Index) && is_same(code, receiver.base, round, fuel)
            }
            OpKind::Tuple(parts) | OpKind::Array(parts) => all(parts),
            OpKind::Struct { fields, base: None, .. } => {
                fields.iter().all(|(_, local)| is_same(code, *local, round, fuel))
            }
            OpKind::Call { args, .. } => {
                let makes = code.call(at).is_some_and(|call| matches!(call.target, Target::Constructor(..)));
                makes && all(args)
            }
            _ => false,
        })
}
