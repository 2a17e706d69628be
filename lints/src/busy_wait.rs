//! A loop that asks for a context's state and does nothing else.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BinaryOp, LocalId, LoopId, LoopKind, OpKind, Terminator, Test};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::Target;

use crate::code::{Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// How far callees that ask are looked into.
const MAX_HOPS: u8 = 3;

/// How far a value is followed back to what it is made of.
const MAX_STEPS: u8 = 8;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "busy_wait",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a loop that asks for a context's state and does nothing else",
    docs: include_str!("../docs/busy_wait.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in support::that_ask(analysis) {
        for (known, index) in code.body.loops.iter().zip(0u32..) {
            // A `loop` asks wherever it does.
            let (of, within) = match (known.kind, known.condition) {
                (LoopKind::While, Some(condition)) => (LoopId(index), condition),
                (LoopKind::Loop, _) => (LoopId(index), known.span),
                _ => continue,
            };
            let mut calls = code.calls_in(code.blocks_of(of));
            let asks = calls.find(|call| within.contains(call.op.span) && support::asks(&code, call).is_some());
            let Some(asks) = asks else { continue };
            if !code.turns(known.head.0, of) || works(&code, of) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(known.condition.unwrap_or(asks.op.span)),
                    "the loop spins until the context ends: it takes a whole core and waits for nothing",
                    "asked as fast as the processor can",
                )
                .label(code.site(asks.name), "the context's state")
                .help("wait for the end itself: `ctx.done().await`, `ctx.wait()`; or sleep, yield or wait for an event in each turn"),
            );
        }
    }
}

/// Whether a loop does something besides asking: waits, yields, works, goes through something.
fn works(code: &Code<'_>, of: LoopId) -> bool {
    // What is done on the way out is done once.
    do_work(code, &code.turning(of), Some(of), MAX_HOPS)
}

/// Whether something is done in some blocks besides asking; callees are looked into, so many deep.
fn do_work(code: &Code<'_>, blocks: &BTreeSet<u32>, of: Option<LoopId>, hops: u8) -> bool {
    let moves = |local: &LocalId| of.is_some_and(|of| is_changed(code, *local, of, MAX_STEPS));
    let mut ends = blocks.iter().filter_map(|at| code.body.blocks.get(*at as usize)).map(|block| &block.end);
    let goes_on = ends.any(|end| match end {
        Terminator::Select { .. } | Terminator::Match { test: Test::Next, .. } => true,
        Terminator::Match { place, .. } => moves(&place.base),
        _ => false,
    });
    goes_on
        || code.ops_in(blocks).any(|(at, op)| match &op.kind {
            OpKind::Await(_) | OpKind::Unknown { .. } | OpKind::Inspect { .. } | OpKind::Closure(_) => true,
            // What the loop changes says how far the work has come, where it is compared or looked at.
            OpKind::Binary(op, left, right) => {
                !matches!(op, BinaryOp::Mul | BinaryOp::Other) && (moves(left) || moves(right))
            }
            OpKind::Call { .. } | OpKind::MethodCall { .. } => match code.call(at) {
                Some(call) => call.args.iter().any(moves) || !only_looks(code, &call, hops),
                None => true,
            },
            _ => false,
        })
}

/// Whether a loop changes a value, or one that it is made of.
fn is_changed(code: &Code<'_>, local: LocalId, of: LoopId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return true };
    let of_changed = |local: &LocalId| is_changed(code, *local, of, fuel);
    code.is_assigned_in(local, of)
        || code.definitions(local).any(|(_, op)| match &op.kind {
            OpKind::Use(place) | OpKind::Ref(place, _) => of_changed(&place.base),
            OpKind::Binary(_, left, right) => of_changed(left) || of_changed(right),
            OpKind::Unary(_, value) | OpKind::Cast(value, _) => of_changed(value),
            OpKind::Call { args, .. } => args.iter().any(of_changed),
            OpKind::MethodCall { receiver, args, .. } => of_changed(&receiver.base) || args.iter().any(of_changed),
            _ => false,
        })
}

/// Whether a call gives its answer at once and changes nothing that ends the loop.
fn only_looks(code: &Code<'_>, call: &Call<'_>, hops: u8) -> bool {
    match call.target {
        Target::Constructor(..) => return true,
        Target::Def(_) if support::asks(code, call).is_none() => return false,
        Target::Def(_) => {
            return code.callee(call).zip(hops.checked_sub(1)).is_some_and(|(callee, hops)| {
                let blocks = (0..callee.body.blocks.len() as u32).collect();
                !do_work(&callee, &blocks, None, hops)
            });
        }
        Target::Closure(_) => return false,
        _ => {}
    }
    // What others see is no mere look.
    if call.model.is_some_and(|model| model.writes) {
        return false;
    }
    match call.role() {
        Some(
            FnRole::IsDone | FnRole::State | FnRole::Look | FnRole::Borrow | FnRole::Clone | FnRole::Wrap | FnRole::Now,
        ) => true,
        Some(FnRole::Take) => {
            let subject = call.args.first().map(|local| code.ty(*local));
            subject.is_some_and(|ty| code.analysis.program.role(ty) == Some(TypeRole::Channel))
        }
        _ => false,
    }
}
