//! A loop that goes on after its context is done.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{LocalId, LoopKind, Terminator};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::Ctx;
use ctxlint_analysis::model::FnRole;

use crate::code::{At, Code};
use crate::finding::Finding;
use crate::next_turn::NextTurn;
use crate::rule::{Group, Level, Options, Rule};
use crate::{support, waits};

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
            let Some(ctx) = spins(analysis, flow, event) else { continue };
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

/// The context that a loop comes back to at once, turn by turn, although it is done.
fn spins<'e>(analysis: &Analysis, flow: &Flow, event: &'e Event) -> Option<&'e Ctx> {
    let code = Code::of(analysis, flow.body)?;
    let around = code.body.loops.get(event.in_loop?.index())?;
    if around.kind == LoopKind::For {
        return None;
    }
    let (ctx, subject, from) = goes_on(code, event)?;
    let turn = NextTurn::of(code, flow, event, from, stays(event))?;
    let spins = turn.waits_for_nothing(from) && !turn.renews(subject) && !turn.ends_another_arm();
    spins.then_some(ctx)
}

/// The context an arm waits for, or a test asks, again although it was done a turn before; the local with the arm's
/// future or the test's answer, and the block that is then gone on with.
fn goes_on<'e>(code: Code<'_>, event: &'e Event) -> Option<(&'e Ctx, LocalId, u32)> {
    let at = At { block: event.block, op: event.op };
    event.seen.iter().find_map(|seen| match seen {
        Seen::Arm { ctx, block, again: true, guarded: false, .. } => {
            let Terminator::Select { arms, .. } = &code.body.blocks.get(event.block as usize)?.end else { return None };
            let arm = arms.iter().find(|arm| arm.block.0 == *block)?;
            Some((ctx, arm.future, *block))
        }
        Seen::Context { role: FnRole::IsDone | FnRole::State, ctx: Some(ctx), done: true, .. } => {
            let call = code.call(at)?;
            let then = waits::done_block(&code, &call, support::asks(&code, &call)?)?;
            Some((ctx, call.op.dest?, then))
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
