//! A loop that goes on after its context is done.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Body, LoopKind, Op, OpKind, Terminator};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::Ctx;
use ctxlint_analysis::model::FnRole;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "done_arm_spins",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a loop that goes on after its context is done, with `done()` ready for ever",
    docs: include_str!("../docs/done_arm_spins.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in &flow.events {
            let Some((ctx, from)) = spins(analysis, flow, event) else { continue };
            if support::can_leave(analysis, flow.body, event, from, stays(event)) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "the loop goes on after the context is done: `done()` stays ready and the loop spins",
                    "ready at every turn from then on",
                )
                .label(ctx.site, "the context")
                .note("a context that is done stays done, so the arm wins again and again and burns a core")
                .help("leave the loop here: `break` or `return`"),
            );
        }
    }
}

/// The context an arm or test waits for again although it was done a turn before, and the block that
/// is then gone on with.
fn spins<'e>(analysis: &Analysis, flow: &Flow, event: &'e Event) -> Option<(&'e Ctx, u32)> {
    let body = analysis.program.body(flow.body)?;
    let kind = body.loops.get(event.in_loop?.index())?.kind;
    if kind == LoopKind::For {
        return None;
    }
    event.seen.iter().find_map(|seen| match seen {
        Seen::Arm { ctx, block, again: true, guarded: false, .. } => Some((ctx, *block)),
        Seen::Context { role: FnRole::IsDone, ctx: Some(ctx), done: true, .. } => {
            let then = support::then_block(analysis, flow.body, event)?;
            // A turn that waits for something else does not spin.
            comes_back_at_once(body, then, event).then_some((ctx, then))
        }
        _ => None,
    })
}

/// Whether every way from an arm that is taken again leads to the loop's next turn.
fn stays(event: &Event) -> bool {
    let mut again = event.seen.iter().filter_map(|seen| match seen {
        Seen::Arm { again: true, stays, .. } => Some(*stays),
        _ => None,
    });
    again.next().is_some_and(|first| first && again.all(|stays| stays))
}

/// Whether a way leads from a block to an event on which nothing is awaited.
fn comes_back_at_once(body: &Body, from: u32, event: &Event) -> bool {
    let awaits = |op: &Op| matches!(op.kind, OpKind::Await(_));
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        let Some(block) = body.blocks.get(at as usize) else { continue };
        if at == event.block {
            return !block.ops.iter().take(event.op as usize).any(awaits);
        }
        if !seen.insert(at) || block.ops.iter().any(awaits) {
            continue;
        }
        match &block.end {
            Terminator::Goto(next) => left.push(next.0),
            Terminator::If { then, other, .. } | Terminator::Match { then, other, .. } => {
                left.extend([then.0, other.0])
            }
            Terminator::Select { .. } | Terminator::Return(_) | Terminator::Diverge => {}
        }
    }
    false
}
