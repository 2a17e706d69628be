//! A call that leaves the context behind.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "broken_chain",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a call of a function that takes no context and works under a root of its own",
    docs: include_str!("../docs/broken_chain.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        if analysis.program.is_test(flow.body) || support::replaces_missing(analysis, flow.body) {
            continue;
        }
        for event in &flow.events {
            let Some(Seen::Chain { way, root }) = event.seen.first() else { continue };
            // The root's own finding is enough.
            if analysis.in_handler(*root).is_some() {
                continue;
            }
            let mut finding = Finding::new(
                RULE.name,
                event.site,
                "the context does not reach the work behind this call: it runs under a root of its own",
                "takes no context",
            );
            let (made, calls) = match way.split_last() {
                Some(parts) => parts,
                None => continue,
            };
            for call in calls.iter().take(3) {
                finding = finding.label(*call, "by way of this call");
            }
            if calls.len() > 3 {
                finding = finding.note(format!("and through {} more calls", calls.len() - 3));
            }
            findings.push(
                finding.label(*made, "the root is made here").help("let the function take the context and hand it on"),
            );
        }
    }
}
