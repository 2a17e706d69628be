//! A new root where a context is in scope.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{LocalId, OpKind, Place};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::Uses;
use ctxlint_analysis::types::BodyRef;

use crate::code::{At, Code, Fate};
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
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

/// What makes a root more than a value that is looked at.
const USED: Uses = Uses(
    Uses::WORK.0
        | Uses::RACE.0
        | Uses::SPAWN.0
        | Uses::DERIVE.0
        | Uses::RETURN.0
        | Uses::ESCAPE.0
        | Uses::IN_FIELD.0
        | Uses::CALLBACK.0,
);

/// How many names a value is followed through.
const MAX_MOVES: usize = 16;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        findings.extend(flow.events.iter().filter_map(|event| own(analysis, flow, event)));
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

/// A root that is its own handle is made for many ends: a signal, a link made by hand, a life of its
/// own. One that is only lent to work, that nothing else here touches, while a context of the caller
/// is at hand and not given to that work, is none of them.
fn own(analysis: &Analysis, flow: &Flow, event: &Event) -> Option<Finding> {
    let Seen::Root { id, own: true, missing: false, after_done: false, at_hand: Some(parent), .. } =
        event.seen.first()?
    else {
        return None;
    };
    let program = &analysis.program;
    if program.is_test(flow.body) || program.is_main(flow.body) || analysis.never_cancelled(flow, *id).is_some() {
        return None;
    }
    let code = Code::of(analysis, flow.body)?;
    let made = code.op(At { block: event.block, op: event.op })?.dest?;
    if !is_lent_to_work(&code, made) {
        return None;
    }
    let edit = Edit::replace(event.whole, support::owned(parent));
    Some(
        Finding::new(
            RULE.name,
            event.site,
            format!("a new root although `{parent}` is in scope: its end does not reach this work"),
            "goes on when the context in scope has ended",
        )
        .fix("give it the context in scope", vec![edit], Applicability::MaybeIncorrect),
    )
}

/// Whether a value is lent to calls that take no other context, and nothing else is done with it.
fn is_lent_to_work(code: &Code<'_>, made: LocalId) -> bool {
    let names = code.spread(made, MAX_MOVES, |_, _, op| match &op.kind {
        OpKind::Use(place) if place.path.is_empty() => op.dest.filter(|dest| code.definition(*dest).is_some()),
        _ => None,
    });
    let is_it = |local: LocalId| names.contains(&local);
    let mut lent = Vec::new();
    for (_, _, op) in names.iter().flat_map(|name| code.mentions(*name)) {
        let is_touched = match &op.kind {
            OpKind::Ref(place, _) if is_it(place.base) => {
                lent.extend(op.dest);
                op.dest.is_none()
            }
            // Its own name.
            OpKind::Use(place) if is_it(place.base) => !op.dest.is_some_and(is_it),
            OpKind::Call { args, .. } => args.iter().any(|arg| is_it(*arg)),
            OpKind::MethodCall { receiver, args, .. } => is_it(receiver.base) || args.iter().any(|arg| is_it(*arg)),
            OpKind::Struct { fields, .. } => fields.iter().any(|(_, value)| is_it(*value)),
            OpKind::Tuple(values) | OpKind::Array(values) => values.iter().any(|value| is_it(*value)),
            OpKind::Assign { value, .. } => is_it(*value),
            OpKind::Unknown { mentions, .. } => mentions.iter().any(|place| is_it(place.base)),
            OpKind::Closure(inner) => {
                let inner = code.analysis.program.body(BodyRef { file: code.who.file, body: *inner });
                inner.is_none_or(|inner| inner.captures.iter().any(|(outer, _)| is_it(*outer)))
            }
            _ => false,
        };
        if is_touched {
            return false;
        }
    }
    !lent.is_empty() && lent.iter().all(|local| is_work(code, *local))
}

/// Whether a borrow goes to a call of no library that is modelled, as its only context.
fn is_work(code: &Code<'_>, lent: LocalId) -> bool {
    let Fate::Passed(at) = code.fate(lent) else { return false };
    code.call(at).is_some_and(|call| {
        let others = call.args.iter().any(|arg| *arg != lent && code.is_context(&Place::local(*arg)));
        let is_ended = crate::waits::is_raced(code, &call);
        call.model.is_none() && !others && !is_ended && call.receiver.is_none_or(|receiver| receiver.base != lent)
    })
}
