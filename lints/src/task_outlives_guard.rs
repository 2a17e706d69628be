//! A task whose context ends as its spawner returns.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Callee, LoopId, Op, OpKind};
use ctxlint_analysis::flow::TaskState;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{ObjId, ObjKind, Site, Task, Uses};
use ctxlint_analysis::types::Target;
use ctxlint_analysis::ways::At;

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "task_outlives_guard",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a task whose context ends as its spawner returns",
    docs: include_str!("../docs/task_outlives_guard.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        for (id, object) in &flow.objects {
            let ObjKind::Task(task) = &object.kind else { continue };
            if id.old || !flow.is_left(*id, task) {
                continue;
            }
            let (Some(end), Some(of)) = (cut(flow, *id), worked_on(task)) else { continue };
            if goes_on_beside(analysis, flow, *id, end) {
                continue;
            }
            // A helper that gives back what it starts is not to blame: its caller lets go of it.
            let here = analysis.program.body(flow.body).is_some_and(|body| body.span.contains(task.site.span));
            let is_own = task.site.file == flow.body.file.0 && here;
            let (site, started) = if is_own { (task.site, None) } else { (object.name_site, Some(task.site)) };
            let mut finding = Finding::new(
                RULE.name,
                site,
                "the task is cancelled as this function returns: its context ends here and nobody waits for it",
                "cut before it has done its work",
            );
            if let Some(started) = started {
                finding = finding.label(started, "the task is started here");
            }
            findings.push(
                finding
                    .label(of, "the task's context")
                    .label(end, "the context ends here")
                    .help("move the guard into the task, or wait for the task before the guard ends"),
            );
        }
    }
}

/// Where the task's context ends, if it does on every way on which the task was started.
fn cut(flow: &Flow, id: ObjId) -> Option<Site> {
    let ends = flow.tasks.get(&id)?;
    let mut found = None;
    for state in ends {
        let TaskState::Cut(site) = state else { return None };
        found = Some(*site);
    }
    found
}

/// Whether something that may take its time stands between a task's start and the end of its context: the task may
/// well have its work done beside that. The flow knows it of waits and of functions that deal with contexts.
fn goes_on_beside(analysis: &Analysis, flow: &Flow, id: ObjId, end: Site) -> bool {
    let Some(code) = Code::of(analysis, flow.body) else { return false };
    let start = At { block: id.block, op: id.op };
    let around: Vec<LoopId> = loops(&code, start).collect();
    let takes_time = |(at, op): (At, &Op)| match (code.target(at), &op.kind) {
        (Target::Def(def), _) => analysis.takes_time(*def) || loops(&code, at).any(|of| !around.contains(&of)),
        (Target::Unknown | Target::Value(_), OpKind::Call { callee: Callee::Value(_), .. }) => true,
        _ => false,
    };
    let ends = code.ops().filter(|(_, _, op)| op.span == end.span).map(|(at, ..)| at);
    ends.flat_map(|end| code.ops_between(start, end)).any(takes_time)
}

fn loops<'a>(code: &Code<'a>, at: At) -> impl Iterator<Item = LoopId> + use<'a> {
    code.loops_from(code.loop_at(at))
}

fn worked_on(task: &Task) -> Option<Site> {
    task.contexts.iter().find(|of| of.uses.any(Uses::CUT)).map(|of| of.ctx.site)
}
