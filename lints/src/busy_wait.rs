//! A loop that asks for a context's state and does nothing else.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BinaryOp, LocalId, LoopId, LoopKind, OpKind, Terminator, Test};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::{Target, Ty};

use crate::code::{Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// How far callees that ask are looked into.
const MAX_HOPS: u8 = 3;

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
            let (of, Some(condition)) = (LoopId(index), known.condition) else { continue };
            if known.kind != LoopKind::While {
                continue;
            }
            let mut calls = code.calls_in(code.blocks_of(of));
            let asks = calls.find(|call| condition.contains(call.op.span) && support::asks(&code, call).is_some());
            let Some(asks) = asks else { continue };
            if !code.turns(known.head.0, of) || works(&code, of) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(condition),
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
    do_work(code, &code.turning(of), MAX_HOPS)
}

/// Whether something is done in some blocks besides asking; callees are looked into, so many deep.
fn do_work(code: &Code<'_>, blocks: &BTreeSet<u32>, hops: u8) -> bool {
    let selects = blocks
        .iter()
        .filter_map(|at| code.body.blocks.get(*at as usize))
        .any(|block| matches!(block.end, Terminator::Select { .. } | Terminator::Match { test: Test::Next, .. }));
    selects
        || code.ops_in(blocks).any(|(at, op)| match &op.kind {
            OpKind::Await(_) | OpKind::Unknown { .. } | OpKind::Inspect { .. } | OpKind::Closure(_) => true,
            // A comparison of numbers says how far the work has come.
            OpKind::Binary(op, left, right) => {
                let is_bool =
                    |local: &LocalId| matches!(code.ty(*local).unreferenced(), Ty::Prim(name) if name == "bool");
                !matches!(op, BinaryOp::Mul | BinaryOp::Other) && !is_bool(left) && !is_bool(right)
            }
            OpKind::Call { .. } | OpKind::MethodCall { .. } => match code.call(at) {
                Some(call) => !only_looks(code, &call, hops),
                None => true,
            },
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
                !do_work(&callee, &blocks, hops)
            });
        }
        Target::Closure(_) => return false,
        _ => {}
    }
    match call.role() {
        Some(FnRole::IsDone | FnRole::State | FnRole::Look | FnRole::Borrow | FnRole::Clone | FnRole::Wrap) => true,
        Some(FnRole::Take) => {
            let subject = call.args.first().map(|local| code.ty(*local));
            subject.is_some_and(|ty| code.analysis.program.role(ty) == Some(TypeRole::Channel))
        }
        _ => false,
    }
}
