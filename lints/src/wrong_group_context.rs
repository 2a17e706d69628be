//! A context from outside a group in the group's work.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{CtxKind, CtxNode, ObjKind, Owner, Task, Uses};

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

/// Work that ends with its context.
const CUT: Uses = Uses(Uses::CUT.0 | Uses::WAIT.0);

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (flow, task) in support::tasks(analysis).filter(|(_, task)| task.owner == Owner::Group) {
        let Some((own, other)) = foreign(flow, task) else { continue };
        findings.push(
            Finding::new(
                RULE.name,
                task.site,
                "the work misses its group's cancellation: it runs under a context from outside the group",
                "goes on when the group has failed",
            )
            .label(own.site, "the group has a context of its own")
            .label(other.site, "the context it works under")
            .help("give it the context that came with the group"),
        );
    }
}

/// The group's own context, and one the work uses that does not come from it.
fn foreign<'f>(flow: &'f Flow, task: &'f Task) -> Option<(&'f CtxNode, &'f CtxNode)> {
    let ObjKind::Group(Some(own)) = &flow.objects.get(&task.set?)?.kind else { return None };
    let outside = |ctx: &CtxNode| {
        let line = ctx.line();
        let known = ctx.sources().iter().all(|node| !matches!(node.kind, CtxKind::Opaque));
        known && ctx.detaching().is_none() && line.iter().all(|node| node.id != own.id)
    };
    // What is received comes with the work that is asked for, and is not captured.
    let other = task.contexts.iter().find(|of| of.uses.any(CUT) && !of.received && outside(&of.ctx))?;
    Some((own, &other.ctx))
}
