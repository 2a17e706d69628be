//! A request's context in work that outlives the request.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::analysis::Way;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{ObjKind, Task, TaskCtx, Uses};

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "request_context_in_task",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a request's context in spawned work that outlives the request",
    docs: include_str!("../docs/request_context_in_task.md"),
    in_tests: false,
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        if analysis.program.is_test(flow.body) {
            continue;
        }
        for (id, object) in &flow.objects {
            let ObjKind::Task(task) = &object.kind else { continue };
            if id.old || !analysis.outlives(flow, *id, task) {
                continue;
            }
            if let Some((of, way)) = request(analysis, flow, task) {
                findings.push(finding(analysis, task, of, &way));
            }
        }
    }
    // A helper's spawn is one misuse, however many callers hand it a request's context.
    let mut seen = std::collections::BTreeSet::new();
    findings.retain(|finding| finding.rule != RULE.name || seen.insert(finding.primary));
}

fn request<'t>(analysis: &Analysis, flow: &Flow, task: &'t Task) -> Option<(&'t TaskCtx, Way)> {
    task.contexts
        .iter()
        .filter(|of| of.uses.any(Uses::CUT))
        .find_map(|of| Some((of, analysis.request(flow.body, &of.ctx)?)))
}

fn finding(analysis: &Analysis, task: &Task, of: &TaskCtx, way: &Way) -> Finding {
    let finding = Finding::new(
        RULE.name,
        task.site,
        "the task works on a request's context: its work is cancelled when the request ends",
        "outlives the request, its context does not",
    )
    .label(way.origin, "the request's context")
    .label(of.ctx.site, if of.ctx.input().is_some() { "given to this function" } else { "derived from it here" })
    .hops(way, "it gets here")
    .note(
        "when the handler returns or the client goes away, the context is done and what the task still has to do fails",
    );
    support::detach(analysis, task, finding)
}
