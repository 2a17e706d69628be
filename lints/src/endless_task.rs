//! A spawned loop without a way out.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, Lit, LocalId, LoopId, LoopKind, OpKind, Place, Terminator};
use ctxlint_analysis::flow::value::{ObjKind, Site};
use ctxlint_analysis::model::FnRole;
use ctxlint_analysis::types::BodyRef;

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "endless_task",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a spawned loop without a way out",
    docs: include_str!("../docs/endless_task.md"),
    in_tests: false,
    all_tasks: true,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let mut tasks: BTreeMap<BodyRef, Site> = BTreeMap::new();
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        for object in flow.objects.values() {
            let ObjKind::Task(task) = &object.kind else { continue };
            for body in &task.bodies {
                tasks.entry(*body).or_insert(task.site);
            }
        }
    }
    for (body, spawn) in tasks {
        let Some(code) = Code::of(analysis, body) else { continue };
        let endless = |of: LoopId| is_endless(&code, of);
        for (known, index) in code.body.loops.iter().zip(0u32..) {
            let of = LoopId(index);
            // Of loops in one another the outermost is told.
            if !endless(of) || code.loops_from(known.parent).any(endless) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(known.keyword),
                    "the task never ends: nothing tells it to stop, and a shutdown cuts it wherever it happens to be",
                    "no way out",
                )
                .label(spawn, "started here")
                .help("give the task a context and leave the loop when it is done: `if ctx.sleep(..).await.is_err() { break }`"),
            );
        }
    }
}

/// Whether a loop waits, and no way leads out of it, and nothing in it looks at a context.
fn is_endless(code: &Code<'_>, of: LoopId) -> bool {
    let Some(known) = code.body.loops.get(of.index()) else { return false };
    let blocks = code.blocks_of(of);
    let inside = || code.ops_in(blocks);
    let leaves = blocks.iter().any(|at| {
        let Some(block) = code.body.blocks.get(*at as usize) else { return true };
        let out = |next: BlockId| !blocks.contains(&next.0);
        match &block.end {
            Terminator::Return(_) => true,
            Terminator::If { condition, then, .. } if is_true(code, *condition) => out(*then),
            end => end.successors().any(out),
        }
    });
    let exits = inside().any(|(at, op)| code.never_returns(at) || code.may_leave(op));
    let waits = blocks.iter().any(|at| {
        code.body.blocks.get(*at as usize).is_some_and(|block| matches!(block.end, Terminator::Select { .. }))
    }) || inside().any(|(at, op)| {
        matches!(op.kind, OpKind::Await(_))
            || code.call(at).is_some_and(|call| call.is(&[FnRole::Waiting, FnRole::Outbound]))
    });
    let locals = || code.body.locals.iter().zip(0u32..).map(|(_, index)| LocalId(index));
    let contexts: BTreeSet<LocalId> = locals().filter(|local| code.is_context(&Place::local(*local))).collect();
    let is_context = |local: &LocalId| contexts.contains(local);
    let observes = inside().any(|(_, op)| {
        op.dest.as_ref().is_some_and(is_context)
            || match &op.kind {
                OpKind::Use(place) | OpKind::Ref(place, _) => is_context(&place.base),
                OpKind::MethodCall { receiver, args, .. } => is_context(&receiver.base) || args.iter().any(is_context),
                OpKind::Call { args, .. } => args.iter().any(is_context),
                _ => false,
            }
            || matches!(&op.kind, OpKind::MethodCall { receiver, .. } if code.is_context(receiver))
    });
    known.kind != LoopKind::For && !leaves && !exits && waits && !observes
}

/// Whether a condition is written as `true`.
fn is_true(code: &Code<'_>, condition: LocalId) -> bool {
    matches!(code.definition(code.root(condition)).map(|(_, op)| &op.kind), Some(OpKind::Lit(Lit::Bool(true))))
}
