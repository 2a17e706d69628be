//! A plain `cancel()` behind an `.await`.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, ObjId, ObjKind};

use crate::code::{At, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "cancel_after_await",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a plain `cancel()` behind an `.await`",
    docs: include_str!("../docs/cancel_after_await.md"),
    in_tests: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows.iter().filter(|flow| !analysis.program.is_test(flow.body)) {
        let Some(code) = Code::of(analysis, flow.body) else { continue };
        for event in &flow.events {
            let Some(Seen::Cancelled { id }) = event.seen.first() else { continue };
            let Some(object) = flow.objects.get(&ObjId { old: false, ..*id }) else { continue };
            let ObjKind::Handle(ctx) = &object.kind else { continue };
            if is_guarded(flow, ctx.as_ref()) {
                continue;
            }
            let made = At { block: id.block, op: id.op };
            let Some(wait) = code.awaits_between(made, At { block: event.block, op: event.op }) else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "this is not reached when the future is dropped at the `.await` before it: the context then lives on",
                    "skipped when the future is dropped",
                )
                .label(code.site(wait), "may be dropped here")
                .label(object.name_site, "the context and its handle are made here")
                .help("keep a guard from the start, it cancels on every way out: `let _guard = cancel.guard();`"),
            );
        }
    }
}

/// Whether a guard ends the context besides.
fn is_guarded(flow: &Flow, ctx: Option<&Ctx>) -> bool {
    let Some(ctx) = ctx else { return false };
    flow.objects.values().any(|object| matches!(&object.kind, ObjKind::Guard { ctx: Some(of), .. } if of.id == ctx.id))
}
