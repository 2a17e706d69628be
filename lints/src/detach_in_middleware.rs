//! A middleware that detaches the whole chain behind it.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "detach_in_middleware",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a middleware that replaces the request's context by a detached one",
    docs: include_str!("../docs/detach_in_middleware.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        let detached = flow.events.iter().filter_map(|event| match event.seen.first() {
            Some(Seen::Replaced { ctx }) => Some((event, ctx.detaching()?)),
            _ => None,
        });
        let mut detached = detached.peekable();
        if detached.peek().is_none() || !support::is_middleware(analysis, flow.body) {
            continue;
        }
        for (event, node) in detached {
            findings.push(
                Finding::new(
                    RULE.name,
                    node.site,
                    "the middleware detaches the request's context for everything behind it: no handler sees the client go",
                    "detached for the whole chain",
                )
                .label(event.site, "put in place of the request's context here")
                .help("detach where a task needs it; hand the chain a context derived from the request's"),
            );
        }
    }
}
