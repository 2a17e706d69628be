//! A fresh root where a request's context is at hand.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::{ObjId, Uses};

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
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

/// The root that an event makes.
fn root(event: &Event) -> Option<ObjId> {
    event.seen.iter().find_map(|seen| if let Seen::Root { id, .. } = seen { Some(*id) } else { None })
}

/// A handler that has no context and does nothing with a root but give it to the one that called it: a guard,
/// extractor or filter with which a request's context begins.
fn is_given_back(flow: &Flow, event: &Event) -> bool {
    let uses = root(event).and_then(|id| flow.roots.get(&id));
    support::at_hand(event).is_none()
        && uses
            .is_some_and(|uses| uses.any(Uses::RETURN.and(Uses::RETURN_KEPT)) && !uses.any(Uses::CUT.and(Uses::DETACH)))
}

/// A middleware in which a request's context begins: it knows none, and what it puts into the request comes from
/// the root.
fn begins_requests(analysis: &Analysis, flow: &Flow, event: &Event) -> bool {
    let root = root(event);
    let is_put_in = |seen: &Seen| match seen {
        Seen::Replaced { ctx } => ctx.sources().iter().any(|source| Some(source.id) == root),
        _ => false,
    };
    support::at_hand(event).is_none()
        && flow.events.iter().flat_map(|event| &event.seen).any(is_put_in)
        && support::is_middleware(analysis, flow.body)
}

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in flow.events.iter().filter(|event| support::is_fresh_root(analysis, flow, event)) {
            let Some(way) = analysis.in_handler(flow.body) else { continue };
            let gives_back = analysis.program.handler(flow.body).is_some() && is_given_back(flow, event);
            if gives_back || begins_requests(analysis, flow, event) {
                continue;
            }
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
            finding = match support::at_hand(event) {
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
