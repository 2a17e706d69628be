//! A call to another service under a context that has no deadline on any way in.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, CtxKind, CtxNode, InputPath, Val};
use ctxlint_analysis::model::{Bound, FnRole};
use ctxlint_analysis::types::BodyRef;

use crate::code::{At, Code, Fate};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;
use crate::waits;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "no_deadline",
    group: Group::Restriction,
    level: Level::Allow,
    summary: "a call to another service under a context that has no deadline on any way in",
    docs: include_str!("../docs/no_deadline.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// How far calls are followed back.
const MAX_HOPS: u8 = 16;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        let Some(code) = Code::of(analysis, flow.body) else { continue };
        for event in &flow.events {
            let Some(Seen::Outbound { .. }) = event.seen.first() else { continue };
            let at = At { block: event.block, op: event.op };
            let contexts = match under(&code, at) {
                Under::Bounded => continue,
                Under::Run(run) => run_contexts(flow, run),
                Under::Nothing if waits::is_raced_outside(&code) => continue,
                Under::Nothing => event
                    .seen
                    .iter()
                    .map(|seen| if let Seen::Outbound { ctx } = seen { ctx.clone() } else { None })
                    .collect(),
            };
            let unbounded = contexts
                .iter()
                .all(|ctx| ctx.as_ref().is_some_and(|ctx| is_unbounded(analysis, flow.body, ctx, MAX_HOPS)));
            let (true, Some(Some(ctx))) = (unbounded, contexts.first()) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "the call may take for ever: no context on any way in has a deadline",
                    "waits for the other side without a limit",
                )
                .label(ctx.site, "nothing limits this context")
                .help("give the call a limit: `let (ctx, cancel) = ctx.with_timeout(..);` and run it under that"),
            );
        }
    }
}

/// What a call is made under.
enum Under {
    /// A limit of the runtime's.
    Bounded,
    /// A context's `run`: its operation.
    Run(At),
    /// The context at hand, if there is one.
    Nothing,
}

fn under(code: &Code<'_>, at: At) -> Under {
    let mut run = None;
    let mut dest = code.op(at).and_then(|op| op.dest);
    while let Some(local) = dest.take() {
        let Fate::Passed(next) = code.fate(local) else { break };
        match code.call(next) {
            Some(call) if call.is(&[FnRole::Timeout]) => return Under::Bounded,
            Some(call) if call.is(&[FnRole::Run]) && run.is_none() => {
                run = Some(next);
                dest = call.op.dest;
            }
            _ => break,
        }
    }
    run.map_or(Under::Nothing, Under::Run)
}

fn run_contexts(flow: &Flow, run: At) -> Vec<Option<Ctx>> {
    let events = flow.events.iter().filter(|event| event.block == run.block && event.op == run.op);
    let seen = events.flat_map(|event| &event.seen);
    seen.filter_map(|seen| if let Seen::Context { ctx, .. } = seen { Some(ctx.clone()) } else { None }).collect()
}

/// Whether a context has no deadline, as far back as its origin is in view.
fn is_unbounded(analysis: &Analysis, body: BodyRef, ctx: &CtxNode, fuel: u8) -> bool {
    match &ctx.kind {
        CtxKind::Root { .. } | CtxKind::Detached(_) => true,
        CtxKind::Derived { bound: Bound::Timeout | Bound::Deadline, .. } => false,
        CtxKind::Derived { parent, other, .. } => {
            is_unbounded(analysis, body, parent, fuel)
                && other.as_ref().is_none_or(|other| is_unbounded(analysis, body, other, fuel))
        }
        CtxKind::Reparented(_, Some(owner)) => is_unbounded(analysis, body, owner, fuel),
        CtxKind::Input(path) => is_given_unbounded(analysis, body, path, fuel),
        _ => false,
    }
}

/// Whether all callers, of whom there are some, give a context without a deadline.
fn is_given_unbounded(analysis: &Analysis, body: BodyRef, path: &InputPath, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    if support::has_unseen_callers(analysis, body) {
        return false;
    }
    let mut callers = analysis.calls_of(body).peekable();
    callers.peek().is_some()
        && callers.all(|(flow, call)| {
            let value = call.inputs.get(path.input as usize).map(|input| input.at(&path.path)).unwrap_or_default();
            match value.behind() {
                Val::Ctx(ctx) => is_unbounded(analysis, flow.body, ctx, fuel),
                Val::Input(path) => is_given_unbounded(analysis, flow.body, path, fuel),
                _ => false,
            }
        })
}
