//! A timeout that can never apply.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Seen;
use ctxlint_analysis::flow::value::{CtxKind, CtxNode, InputPath, Site, Time, Val};
use ctxlint_analysis::types::BodyRef;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "timeout_beyond_parent",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a timeout longer than that of the context it is derived from",
    docs: include_str!("../docs/timeout_beyond_parent.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// How far calls are followed back.
const MAX_HOPS: u8 = 16;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in &flow.events {
            let mut longest: Option<(u128, Limit)> = None;
            let mut all = !event.seen.is_empty();
            for seen in &event.seen {
                match beyond(analysis, flow.body, seen) {
                    Some((own, limit)) => {
                        if longest.as_ref().is_none_or(|(_, known)| limit.nanos > known.nanos) {
                            longest = Some((own, limit));
                        }
                    }
                    None => all = false,
                }
            }
            let (true, Some((own, limit))) = (all, longest) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    format!(
                        "this timeout of {} can never apply: the context above it ends after {}",
                        told(own),
                        told(limit.nanos)
                    ),
                    format!("{} at most", told(own)),
                )
                .label(limit.site, format!("{} at most", told(limit.nanos)))
                .help("give it less time than the context it derives from, or derive it from that context's parent"),
            );
        }
    }
}

/// A bound, and where it was set.
#[derive(Clone, Copy)]
struct Limit {
    nanos: u128,
    site: Site,
}

fn beyond(analysis: &Analysis, body: BodyRef, seen: &Seen) -> Option<(u128, Limit)> {
    let Seen::Derived { ctx } = seen else { return None };
    let CtxKind::Derived { parent, time: Time::Nanos(own), .. } = &ctx.kind else { return None };
    let limit = limit(analysis, body, parent, MAX_HOPS)?;
    (*own > limit.nanos && limit.nanos > 0).then_some((*own, limit))
}

/// The longest time that is certainly left to a context on all ways in.
fn limit(analysis: &Analysis, body: BodyRef, ctx: &CtxNode, fuel: u8) -> Option<Limit> {
    match &ctx.kind {
        CtxKind::Derived { parent, other, time, .. } => {
            let own = time.nanos().map(|nanos| Limit { nanos, site: ctx.site });
            let other = other.as_ref().and_then(|other| limit(analysis, body, other, fuel));
            let above = limit(analysis, body, parent, fuel);
            own.into_iter().chain(other).chain(above).min_by_key(|limit| limit.nanos)
        }
        CtxKind::Limited(same) => limit(analysis, body, same, fuel),
        CtxKind::Reparented(_, Some(owner)) => limit(analysis, body, owner, fuel),
        CtxKind::Input(path) => given(analysis, body, path, fuel.checked_sub(1)?),
        _ => None,
    }
}

/// The same for what all callers give.
fn given(analysis: &Analysis, body: BodyRef, path: &InputPath, fuel: u8) -> Option<Limit> {
    if support::has_unseen_callers(analysis, body) {
        return None;
    }
    let mut longest: Option<Limit> = None;
    for (flow, call) in analysis.calls_of(body) {
        let value = call.inputs.get(path.input as usize)?.at(&path.path);
        let limit = match value.behind() {
            Val::Ctx(ctx) => limit(analysis, flow.body, ctx, fuel)?,
            Val::Input(path) => given(analysis, flow.body, path, fuel.checked_sub(1)?)?,
            _ => return None,
        };
        if longest.is_none_or(|known| limit.nanos > known.nanos) {
            longest = Some(limit);
        }
    }
    longest
}

/// A length of time in words.
fn told(nanos: u128) -> String {
    let units = [(60_000_000_000, "min"), (1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    units
        .iter()
        .find(|(unit, _)| nanos >= *unit && nanos.is_multiple_of(*unit))
        .map_or_else(|| format!("{nanos} ns"), |(unit, name)| format!("{} {name}", nanos / unit))
}
