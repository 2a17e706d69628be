//! A fresh root where a request's context is at hand.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Event, Flow, Seen};

use crate::finding::{Applicability, Edit, Finding};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "background_in_handler",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "`background()` or `todo()` in a handler, or in a helper that only handlers reach",
    docs: include_str!("../docs/background_in_handler.md"),
    in_tests: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in &analysis.flows {
        for event in flow.events.iter().filter(|event| is_fresh_root(analysis, flow, event)) {
            let Some(way) = analysis.in_handler(flow.body) else { continue };
            let label = if way.hops.is_empty() {
                "this handler serves a request"
            } else {
                "only handlers such as this one get here"
            };
            let mut finding = Finding::new(
                RULE.name,
                event.site,
                "a fresh root in a request's handler: the request's cancellation, deadline and values are lost",
                "goes on when the client is gone",
            )
            .label(way.origin, label)
            .hops(&way, "reached");
            finding = match support::context_in_scope(analysis, flow, event) {
                Some(name) => {
                    let edit = Edit::replace(event.whole, support::owned(&name));
                    finding.fix("use the request's context", vec![edit], Applicability::MaybeIncorrect)
                }
                None => finding.help("take the request's context as a parameter; for work that must survive the request, its `without_cancel()`"),
            };
            findings.push(finding);
        }
    }
}

/// Whether a root is made that replaces nothing and cleans nothing up.
fn is_fresh_root(analysis: &Analysis, flow: &Flow, event: &Event) -> bool {
    let fresh = event.seen.iter().any(|seen| {
        matches!(seen, Seen::Root { id, missing: false, after_done: false, .. } if !flow.replacements.contains(id))
    });
    let silent = event.seen.iter().any(|seen| matches!(seen, Seen::Root { id, .. } if flow.replacements.contains(id)));
    fresh && !silent && !support::replaces_missing(analysis, flow.body) && !analysis.program.is_test(flow.body)
}
