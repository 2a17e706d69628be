//! A plain `cancel()` behind an `.await`.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, LocalKind};
use ctxlint_analysis::flow::events::{Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, ObjId, ObjKind};

use crate::code::{At, Code};
use crate::finding::{Applicability, Edit, Finding};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "cancel_after_await",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a plain `cancel()` behind an `.await`",
    docs: include_str!("../docs/cancel_after_await.md"),
    in_tests: false,
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
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
            let finding = Finding::new(
                RULE.name,
                event.site,
                "this is not reached when the future is dropped at the `.await` before it: the context then lives on",
                "skipped when the future is dropped",
            )
            .label(code.site(wait), "may be dropped here")
            .label(object.name_site, "the context and its handle are made here");
            findings.push(match guard(&code, flow, *id, At { block: event.block, op: event.op }) {
                Some((edits, applicability)) => {
                    let text = "keep a guard from the start: it cancels where it is dropped, on every way out";
                    finding.fix(text, edits, applicability)
                }
                None => finding
                    .help("keep a guard from the start, it cancels on every way out: `let _guard = cancel.guard();`"),
            });
        }
    }
}

/// Whether a guard ends the context besides.
fn is_guarded(flow: &Flow, ctx: Option<&Ctx>) -> bool {
    let Some(ctx) = ctx else { return false };
    flow.objects.values().any(|object| matches!(&object.kind, ObjKind::Guard { ctx: Some(of), .. } if of.id == ctx.id))
}

/// A guard in the handle's stead, dropped where that is cancelled: if nothing else is done with the handle,
/// and the guard's name is free.
fn guard(code: &Code<'_>, flow: &Flow, id: ObjId, at: At) -> Option<(Vec<Edit>, Applicability)> {
    const NAME: &str = "guard";
    let call = code.call(at)?;
    let handle = call.receiver.filter(|place| place.path.is_empty() && call.args.len() == 1)?.base;
    let local = code.body.local(handle)?;
    let name = local.name.as_ref().filter(|_| local.kind == LocalKind::Binding)?;
    let statement = support::statement_of(code.analysis, code.who, id)?;
    let made_here = statement.span.contains(local.span) && support::is_let(code.analysis, code.who, statement);
    let once = code.mentions(handle).count() == 1
        && code.body.block(BlockId(id.block))?.in_loop == code.body.block(BlockId(at.block))?.in_loop;
    let is_free = code.body.locals.iter().all(|local| local.name.as_ref().is_none_or(|name| name != NAME));
    if !made_here || !once || !is_free {
        return None;
    }
    let edits = vec![
        Edit::insert(statement.file_id(), statement.span.end, format!(" let {NAME} = {name}.guard();")),
        Edit::replace(code.site(call.op.span), format!("drop({NAME})")),
    ];
    // On a way that leaves without cancelling, the guard would end the context.
    let always = flow.losses.get(&id).is_none_or(|losses| losses.is_empty());
    Some((edits, if always { Applicability::MachineApplicable } else { Applicability::MaybeIncorrect }))
}
