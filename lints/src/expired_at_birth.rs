//! A context that is done as soon as it is made.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;
use ctxlint_analysis::flow::value::{CtxKind, Time};
use ctxlint_analysis::model::Bound;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "expired_at_birth",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a context that is done as soon as it is made",
    docs: include_str!("../docs/expired_at_birth.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        for event in &flow.events {
            let expired = |seen: &Seen| matches!(seen, Seen::Derived { ctx } if matches!(ctx.kind, CtxKind::Derived { time: Time::Nanos(0), .. }));
            if event.seen.is_empty() || !event.seen.iter().all(expired) {
                continue;
            }
            let is_deadline = event.seen.iter().any(|seen| {
                matches!(seen, Seen::Derived { ctx } if matches!(ctx.kind, CtxKind::Derived { bound: Bound::Deadline, .. }))
            });
            let (label, help) = if is_deadline {
                (
                    "its deadline is this very moment",
                    "add the time the work may take: `Instant::now() + Duration::from_secs(5)`",
                )
            } else {
                ("its timeout is zero", "give it the time the work may take")
            };
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "the context is done as soon as it is made: all work under it fails at once",
                    label,
                )
                .help(format!("{help}; to end a context at will, use `with_cancel()`")),
            );
        }
    }
}
