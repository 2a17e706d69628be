//! Detached work that nothing bounds.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{Life, ObjId, ObjKind, Owner, Site, Task, Uses};
use ctxlint_analysis::model::OnDrop;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "unbounded_detach",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "detached work that nothing bounds",
    docs: include_str!("../docs/unbounded_detach.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        if analysis.program.is_test(flow.body) {
            continue;
        }
        for (id, object) in &flow.objects {
            let ObjKind::Task(task) = &object.kind else { continue };
            if let Some((at, what)) = unbounded(analysis, flow, *id, task) {
                findings.push(
                    Finding::new(
                        RULE.name,
                        task.site,
                        "the detached work has no end of its own: if it hangs, it hangs for ever",
                        "nothing bounds this work",
                    )
                    .label(at, what)
                    .note("a detached context has no deadline and nobody can cancel it")
                    .help("bound it, with the guard in the task: `let (ctx, cancel) = ctx.without_cancel().with_timeout(..);`"),
                );
            }
        }
    }
}

fn unbounded(analysis: &Analysis, flow: &Flow, id: ObjId, task: &Task) -> Option<(Site, &'static str)> {
    // A set that aborts what it holds bounds it by its own life.
    let aborted = task.owner == Owner::Outside && task.on_drop == OnDrop::Abort;
    if id.old || aborted || !analysis.outlives(flow, id, task) {
        return None;
    }
    task.contexts.iter().find_map(|of| match of.ctx.life() {
        Life::Detached(node) if of.uses.any(Uses::RAW) => Some((node.site, "detached here")),
        _ if of.uses.any(Uses::DETACHED_RAW) => Some((of.ctx.site, "the task detaches this")),
        _ if of.uses.any(Uses::RAW) => {
            let endless = analysis.endless(flow.body, &of.ctx).filter(|endless| endless.detached)?;
            Some((endless.way.origin, "detached here"))
        }
        _ => None,
    })
}
