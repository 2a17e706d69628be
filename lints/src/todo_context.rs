//! A placeholder that was left in the code.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "todo_context",
    group: Group::Restriction,
    level: Level::Allow,
    summary: "a placeholder that was left in the code",
    docs: include_str!("../docs/todo_context.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        for event in &flow.events {
            if !matches!(event.seen.first(), Some(Seen::Root { placeholder: true, .. })) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "a placeholder never ends: what runs under it has no cancellation, no deadline and no values",
                    "a placeholder for a context",
                )
                .help("take the caller's context as a parameter, or say `background()` if this is where one begins"),
            );
        }
    }
}
