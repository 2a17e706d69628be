//! Detached work that nobody waits for at shutdown.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::analysis::Way;
use ctxlint_analysis::flow::value::{ObjKind, Owner, TaskCtx, Uses};

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "adhoc_detach",
    group: Group::Restriction,
    level: Level::Allow,
    summary: "detached work that nobody waits for at shutdown",
    docs: include_str!("../docs/adhoc_detach.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        for (id, object) in &flow.objects {
            let ObjKind::Task(task) = &object.kind else { continue };
            if id.old || task.owner != Owner::Nobody || !analysis.outlives(flow, *id, task) {
                continue;
            }
            let detached = |of: &TaskCtx| match of.uses.any(Uses::DETACHED_WORK) {
                true => Some(Way { origin: of.ctx.site, hops: Vec::new() }),
                false => analysis.detached(flow.body, &of.ctx),
            };
            let Some(way) = task.contexts.iter().find_map(detached) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    task.site,
                    "detached work outside a pool or tracker: nobody waits for it when the process shuts down",
                    "ends with the process, wherever it is",
                )
                .label(way.origin, "detached here, or in the work")
                .hops(&way, "it gets there")
                .help("submit it to a pool, or spawn it on a `TaskTracker`, `JoinSet` or supervisor that is drained at shutdown"),
            );
        }
    }
}
