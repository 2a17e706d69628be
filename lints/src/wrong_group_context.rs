//! A context from outside a group in the group's work.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{Ctx, CtxKind, CtxNode, ObjId, ObjKind, Owner, Site, Task, Val};

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "wrong_group_context",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a context from outside a group in its work, though the group has its own",
    docs: include_str!("../docs/wrong_group_context.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (flow, task) in support::tasks(analysis).filter(|(_, task)| task.owner == Owner::Group) {
        let Some(foreign) = foreign(flow, task).or_else(|| foreign_of_callers(analysis, flow, task)) else { continue };
        let finding = Finding::new(
            RULE.name,
            task.site,
            "the work misses its group's cancellation: it runs under a context from outside the group",
            "goes on when the group has failed",
        )
        .label(foreign.own, "the group has a context of its own")
        .label(foreign.other, "the context it works under");
        let finding = match foreign.call {
            Some(call) => finding.label(call, "both get there through this call"),
            None => finding,
        };
        findings.push(finding.help("give it the context that came with the group"));
    }
}

/// A group's own context, and one that its work uses and that does not come from it.
struct Foreign {
    own: Site,
    other: Site,
    /// The call that gives both to the spawner.
    call: Option<Site>,
}

fn foreign(flow: &Flow, task: &Task) -> Option<Foreign> {
    let own = own_context(flow, task.set?)?;
    let other = captured(task).find(|ctx| is_outside(ctx, own))?;
    Some(Foreign { own: own.site, other: other.site, call: None })
}

/// The same where the spawner is given the group.
fn foreign_of_callers(analysis: &Analysis, flow: &Flow, task: &Task) -> Option<Foreign> {
    let group = task.lent.as_ref()?;
    analysis.calls_of(flow.body).filter(|(caller, _)| !analysis.program.is_test(caller.body)).find_map(
        |(caller, call)| {
            let group = group.among(&call.inputs)?;
            let Val::Obj(group) = group.behind() else { return None };
            let own = own_context(caller, *group)?;
            let given = |ctx: &CtxNode| match ctx.input()?.among(&call.inputs)?.behind() {
                Val::Ctx(ctx) => is_outside(ctx, own).then_some(ctx.site),
                _ => None,
            };
            let other = captured(task).find_map(given)?;
            Some(Foreign { own: own.site, other, call: Some(call.site) })
        },
    )
}

/// The context that came with a group.
fn own_context(flow: &Flow, group: ObjId) -> Option<&Ctx> {
    match &flow.objects.get(&group)?.kind {
        ObjKind::Group(own) => own.as_ref(),
        _ => None,
    }
}

/// The contexts that work ends with. What is received comes with the work that is asked for, and is not captured.
fn captured(task: &Task) -> impl Iterator<Item = &CtxNode> {
    task.contexts.iter().filter(|of| of.uses.any(support::CUT) && !of.received).map(|of| &*of.ctx)
}

/// Whether a context is known not to end with a group's own.
fn is_outside(ctx: &CtxNode, own: &CtxNode) -> bool {
    let is_known = ctx.sources().iter().all(|node| !matches!(node.kind, CtxKind::Opaque));
    is_known && ctx.detaching().is_none() && ctx.line().iter().all(|node| node.id != own.id)
}
