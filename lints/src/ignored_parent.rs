//! A new root where a context is in scope.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::Uses;

use crate::finding::{Applicability, Edit, Finding};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "ignored_parent",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a new root where a context is in scope",
    docs: include_str!("../docs/ignored_parent.md"),
    in_tests: false,
    fixable: true,
    check: Some(check),
};

/// What makes a root more than a value that is looked at.
const USED: Uses = Uses(
    Uses::WORK.0 | Uses::RACE.0 | Uses::SPAWN.0 | Uses::DERIVE.0 | Uses::RETURN.0 | Uses::ESCAPE.0 | Uses::CALLBACK.0,
);

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in &analysis.flows {
        for event in flow.events.iter().filter(|event| is_used_root(analysis, flow, event)) {
            if analysis.in_handler(flow.body).is_some() {
                continue;
            }
            let scope = support::at_hand(event);
            if scope.is_none() && !analysis.has_context(flow.body) {
                continue;
            }
            let finding = Finding::new(
                RULE.name,
                event.site,
                "a new root although a context is in scope: its cancellation, deadline and values do not reach this work",
                "goes on when the context in scope has ended",
            );
            findings.push(match scope {
                Some(name) => {
                    let edit = Edit::replace(event.whole, support::owned(&name));
                    finding.fix("derive from the context in scope", vec![edit], Applicability::MaybeIncorrect)
                }
                None => finding.help(
                    "derive from the context in scope; for work that must outlive it, from its `without_cancel()`",
                ),
            });
        }
    }
}

fn is_used_root(analysis: &Analysis, flow: &Flow, event: &Event) -> bool {
    if !support::is_fresh_root(analysis, flow, event) {
        return false;
    }
    event.seen.iter().all(|seen| match seen {
        Seen::Root { id, .. } => !flow.chosen.contains(id) && flow.roots.get(id).is_some_and(|uses| uses.any(USED)),
        _ => false,
    })
}
