//! A context from outside a group in the group's work.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{Owner, Site, Task};

use crate::finding::Finding;
use crate::groups;
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
        let Some(foreign) = foreign(analysis, flow, task) else { continue };
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

fn foreign(analysis: &Analysis, flow: &Flow, task: &Task) -> Option<Foreign> {
    groups::captured(task).filter(|of| !groups::is_raced(flow, task, of)).find_map(|of| {
        let views = groups::views(analysis, flow, task, &of.ctx);
        views.iter().find_map(|view| Some(Foreign { own: view.own.site, other: view.foreign()?, call: view.call }))
    })
}
