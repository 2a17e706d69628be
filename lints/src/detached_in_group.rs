//! A detached context in a group's work.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::analysis::Way;
use ctxlint_analysis::flow::value::{Owner, TaskCtx, Uses};

use crate::finding::Finding;
use crate::groups;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "detached_in_group",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a detached context in work of a group",
    docs: include_str!("../docs/detached_in_group.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (flow, task) in support::tasks(analysis).filter(|(_, task)| task.owner == Owner::Group) {
        let detached = |of: &TaskCtx| match of.uses {
            uses if uses.any(Uses::DETACHED_WORK) => Some(Way { origin: of.ctx.site, hops: Vec::new() }),
            uses if uses.any(support::CUT) && !groups::is_raced(flow, task, of) => {
                // A group may be made of a detached context: its own is the one its work is to end with.
                let way = analysis.detached(flow.body, &of.ctx)?;
                let views = groups::views(analysis, flow, task, &of.ctx);
                (!views.iter().any(groups::View::ends_with_group)).then_some(way)
            }
            _ => None,
        };
        let Some(way) = task.contexts.iter().find_map(detached) else { continue };
        findings.push(
            Finding::new(
                RULE.name,
                task.site,
                "the work does not end with its group: it runs under a context that was detached",
                "goes on when the group is cancelled, and keeps its `wait()` waiting",
            )
            .label(way.origin, "detached here, or in the work")
            .hops(&way, "it gets there")
            .help("give it the group's context; work that must survive the group belongs outside it"),
        );
    }
}
