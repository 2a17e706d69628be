//! One caller's context in work that serves several.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;
use ctxlint_analysis::flow::value::{InputPath, Life};

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "flight_uses_caller_context",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "one caller's context in work that serves several callers",
    docs: include_str!("../docs/flight_uses_caller_context.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in &flow.events {
            let Some(Seen::Flight { contexts, table }) = event.seen.first() else { continue };
            let ends = |life: Life<'_>| match life {
                Life::Input(_, path) => !table.as_ref().is_some_and(|table| stand_together(path, table)),
                life => matches!(life, Life::Live(_) | Life::Bounded(_)),
            };
            let callers = |of: &&ctxlint_analysis::flow::value::TaskCtx| {
                of.uses.any(support::CUT) && ends(of.ctx.life()) && of.ctx.detaching().is_none()
            };
            let Some(of) = contexts.iter().find(callers) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "one caller's context ends the work of all: who else waits for this flight fails with it",
                    "shared by all callers of this key",
                )
                .label(of.ctx.site, "this caller's context")
                .help("work under the context that the flight gives its closure; it is detached and bounded"),
            );
        }
    }
}

/// Whether a context and a flight are fields of one value: who shares the flight has the context, too.
fn stand_together(ctx: &InputPath, table: &InputPath) -> bool {
    ctx.input == table.input && !ctx.path.is_empty() && !table.path.is_empty()
}
