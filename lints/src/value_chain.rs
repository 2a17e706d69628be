//! Four or more values in a row on one context.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;
use ctxlint_analysis::flow::value::{CtxKind, CtxNode};
use ctxlint_analysis::model::Bound;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "value_chain",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "four or more values in a row on one context",
    docs: include_str!("../docs/value_chain.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// From how many links on a chain is told of.
const MANY: usize = 4;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in &flow.events {
            let mut counts = Vec::new();
            let mut first = None;
            for seen in &event.seen {
                let Seen::Derived { ctx } = seen else { continue };
                let chain = links(ctx);
                counts.push(chain.len());
                first = chain.last().map(|node| node.site).or(first);
            }
            // The fourth link is where it is told; the fifth is no misuse of its own.
            if counts.iter().min() != Some(&MANY) {
                continue;
            }
            let mut finding = Finding::new(
                RULE.name,
                event.site,
                "four values in a row are four links and four allocations, and every look-up walks them",
                "the fourth link",
            );
            if let Some(first) = first {
                finding = finding.label(first, "the first");
            }
            findings.push(finding.help("put what belongs together into one struct and store that under one key"));
        }
    }
}

/// The links at the end of a context's chain that only hold values.
fn links(ctx: &CtxNode) -> Vec<&CtxNode> {
    let mut found = Vec::new();
    let mut node = ctx;
    while let CtxKind::Derived { parent, bound: Bound::None, .. } = &node.kind {
        found.push(node);
        node = parent;
    }
    found
}
