//! What the rules about contexts that never end share.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::analysis::Endless;
use ctxlint_analysis::facts::Terminator;
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::model::FnRole;

use crate::code::{At, Code};
use crate::finding::Finding;

/// The calls of functions of some roles on contexts that certainly never end.
pub(crate) fn calls<'a>(
    analysis: &'a Analysis,
    roles: &'a [FnRole],
) -> impl Iterator<Item = (&'a Flow, &'a Event, Endless)> {
    analysis.flows().flat_map(move |flow| {
        flow.events.iter().filter_map(move |event| Some((flow, event, endless(analysis, flow, event, roles)?)))
    })
}

fn endless(analysis: &Analysis, flow: &Flow, event: &Event, roles: &[FnRole]) -> Option<Endless> {
    let mut found = None;
    for seen in &event.seen {
        let Seen::Context { role, ctx: Some(ctx), can_end, .. } = seen else { return None };
        if !roles.contains(role) || *can_end {
            return None;
        }
        found = Some(analysis.endless(flow.body, ctx)?);
    }
    found.filter(|endless| endless.way.hops.is_empty() || !is_guarded(analysis, flow, event))
}

/// Whether what an event gives is an arm of a `select!` with a condition of its own: of a context that callers give, that
/// may say whether it can end.
fn is_guarded(analysis: &Analysis, flow: &Flow, event: &Event) -> bool {
    let Some(code) = Code::of(analysis, flow.body) else { return false };
    let made = code.op(At { block: event.block, op: event.op }).and_then(|op| op.dest);
    code.body.blocks.iter().any(|block| match &block.end {
        Terminator::Select { arms, .. } => arms.iter().any(|arm| arm.guarded && Some(arm.future) == made),
        _ => false,
    })
}

/// Whether a rule that is certain of its harm may speak: a root that only some callers give is their
/// way of saying that nothing ends the work; a detached context given by one of them is not.
pub(crate) fn is_plain(endless: &Endless) -> bool {
    endless.detached || endless.certain
}

/// Labels for where such a context comes from.
pub(crate) fn told(finding: Finding, endless: &Endless) -> Finding {
    let word = if endless.detached { "detached here" } else { "a root, made here" };
    finding.label(endless.way.origin, word).hops(&endless.way, "it gets there")
}

/// How to call such a context.
pub(crate) fn kind(endless: &Endless) -> &'static str {
    if endless.detached { "a detached context" } else { "a root context" }
}
