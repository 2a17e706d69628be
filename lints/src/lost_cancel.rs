//! A cancel handle that nothing will ever use, or that some way out leaves unused.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::analysis::Way;
use ctxlint_analysis::facts::{Exit, Name};
use ctxlint_analysis::flow::Use;
use ctxlint_analysis::flow::events::{Event, Flow, FromCallee, LossKind, Seen};
use ctxlint_analysis::flow::value::{ObjId, ObjKind, Object, Site};
use ctxlint_analysis::types::DefId;

use crate::finding::{Applicability, Edit, Finding};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "lost_cancel",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a cancel handle that nothing will ever use, or that some way out leaves unused",
    docs: include_str!("../docs/lost_cancel.md"),
    in_tests: true,
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    // Handles made on different ways and bound to one name are one misuse.
    let mut seen = BTreeSet::new();
    for flow in analysis.flows() {
        if !analysis.program.is_test(flow.body) {
            findings.extend(flow.events.iter().filter_map(|event| own(analysis, flow, event)));
            let given = analysis.tokens_from_callees(flow);
            findings.extend(given.filter_map(|(id, from, way)| left(analysis, flow, id, from, &way)));
        }
        for (id, object) in &flow.objects {
            if matches!(object.kind, ObjKind::Handle(_)) && !id.old {
                findings.extend(handle(analysis, flow, *id, object).filter(|finding| seen.insert(finding.primary)));
            }
        }
    }
}

fn handle(analysis: &Analysis, flow: &Flow, id: ObjId, object: &Object) -> Option<Finding> {
    let used = flow.used.get(&id);
    let really_used = used.is_some_and(|uses| uses.contains(&Use::Real));
    let is_dead = |def: DefId, field: &Name| {
        !analysis.field_is_used(def, field) && !analysis.program.is_exposed(def, support::whole(field))
    };
    // Whoever put it into a field that nobody uses is told so.
    if object.in_struct.as_ref().is_some_and(|(def, field)| is_dead(*def, field)) {
        return None;
    }
    let dead_field = used.into_iter().flatten().find_map(|how| match how {
        Use::Stored(def, field) if is_dead(*def, field) => Some((*def, field.clone())),
        _ => None,
    });
    let old = ObjId { old: true, ..id };
    let losses: Vec<_> = [id, old].iter().filter_map(|id| flow.losses.get(id)).flatten().collect();
    let name = support::bound_name(object);
    let site = support::bound_site(object);
    if let (Some((def, field)), false, true) = (&dead_field, really_used, object.in_struct.is_none()) {
        // A static has no field.
        let (kept_in, what) = match field.is_empty() {
            true => (analysis.program.item(*def).map(|item| item.name.clone()).unwrap_or_default(), "static"),
            false => (field.clone(), "field"),
        };
        let text = format!(
            "the cancel handle is stored in `{kept_in}`, and nothing ever uses that {what}: the context lives on"
        );
        return Some(
            Finding::new(RULE.name, site, text, "this handle is stored and never used")
                .label(support::field_site(analysis, *def, field).unwrap_or(site), format!("in this {what}"))
                .label(object.name_site, "the context that it would end is made here")
                .note("children, timers and tasks of that context stay until its parent ends")
                .help("cancel it in a method or in `Drop`, or store the guard instead: `handle.guard()` cancels when it is dropped"),
        );
    }
    if losses.is_empty() {
        return None;
    }
    if really_used && analysis.program.is_main(flow.body) {
        return None;
    }
    let never = !really_used && dead_field.is_none() && used.is_none_or(|uses| uses.is_empty());
    let (message, label) = if never {
        (
            format!("the cancel handle{} is never used: nothing can end the context early", quoted(&name)),
            "nobody can cancel with this".to_owned(),
        )
    } else {
        (
            format!("the cancel handle{} is not used on every path: the context outlives this call", quoted(&name)),
            "not used on every path".to_owned(),
        )
    };
    let mut finding = Finding::new(RULE.name, site, message, label);
    if object.name_site != site {
        finding = finding.label(object.name_site, "the context and its handle are made here");
    }
    // The last of the way is the call that really makes it.
    if let Some((made, way)) = object.via.split_last() {
        for via in way.iter().take(3) {
            finding = finding.label(*via, "by way of this call");
        }
        match way.len().saturating_sub(3) {
            0 => {}
            1 => finding = finding.note("by way of 1 more call"),
            more => finding = finding.note(format!("by way of {more} more calls")),
        }
        finding = finding.label(*made, "really made here");
    }
    for loss in losses.iter().take(3) {
        let word = match &loss.how {
            LossKind::Exit(Exit::Return) => "this `return` leaves without it",
            LossKind::Exit(Exit::Question) => "this `?` may leave without it",
            LossKind::Exit(Exit::Break) => "this `break` leaves its scope without it",
            LossKind::Exit(Exit::Continue) => "this `continue` leaves its scope without it",
            LossKind::Exit(Exit::End) if never => continue,
            LossKind::Exit(Exit::End) => "its scope can end here without it",
            LossKind::Discarded => continue,
            LossKind::Dropped => "dropping a handle does not cancel",
            LossKind::Forgotten => "a forgotten handle never cancels",
            LossKind::Overwritten => "it is overwritten here before it was used",
            LossKind::Ignored => "whoever gets it here does nothing with it",
        };
        finding = finding.label(loss.site, word);
    }
    finding = finding
        .note("dropping a cancel handle does not cancel: what derives from the context waits until its parent ends");
    Some(advise(analysis, flow, id, object, finding, never))
}

/// A context that is its own handle, that somebody waits for, and that nobody can cancel: every clone
/// and child of it is in view, those in private fields too.
fn own(analysis: &Analysis, flow: &Flow, event: &Event) -> Option<Finding> {
    let Seen::Root { id, own: true, .. } = event.seen.first()? else { return None };
    token(analysis, flow, *id, support::at_hand(event), (event.site, "made here, waited for, and never cancelled"))
}

/// The same of one that a callee makes and leaves to this body.
fn left(analysis: &Analysis, flow: &Flow, id: ObjId, from: &FromCallee, way: &Way) -> Option<Finding> {
    let primary = (from.site, "what this gives is waited for, and never cancelled");
    Some(token(analysis, flow, id, None, primary)?.label(way.origin, "made here").hops(way, "it comes"))
}

fn token(
    analysis: &Analysis,
    flow: &Flow,
    id: ObjId,
    at_hand: Option<Name>,
    (site, label): (Site, &str),
) -> Option<Finding> {
    let fields = analysis.never_cancelled(flow, id)?;
    let message = "nothing can ever cancel this: what waits for its end waits for ever";
    let mut finding = Finding::new(RULE.name, site, message, label);
    for (owner, field) in fields.iter().take(3) {
        if let Some(site) = support::field_site(analysis, *owner, field) {
            finding = finding.label(site, "kept here, and nothing cancels what is in this field");
        }
    }
    let finding = finding.note("unlike a channel's sender, a token is not cancelled when its last clone is dropped");
    Some(match (at_hand, fields.is_empty()) {
        (Some(parent), _) => finding.help(format!("derive it from `{parent}`, whose end is to reach this work")),
        (None, true) => finding.help("keep a clone and cancel it, or a guard of it for as long as the work may go on"),
        (None, false) => finding.help("cancel it in the method that stops the work or in `Drop`, or keep a guard of it: `token.clone().drop_guard()`"),
    })
}

fn quoted(name: &Option<String>) -> String {
    name.as_ref().map_or_else(String::new, |name| format!(" `{name}`"))
}

fn advise(analysis: &Analysis, flow: &Flow, id: ObjId, object: &Object, finding: Finding, never: bool) -> Finding {
    let advice = "keep a guard for as long as the context is needed: `let _guard = cancel.guard();`";
    let Some((name, site)) =
        object.name.clone().map(|(name, site)| (name.to_string(), site)).or(object.wild.map(|site| ("_".into(), site)))
    else {
        return finding.help(
            "bind both parts, and keep a guard for as long as the context is needed: `let _guard = cancel.guard();`",
        );
    };
    let Some(statement) = support::statement_of(analysis, flow.body, id) else { return finding.help(advice) };
    if !never
        || !statement.span.contains(site.span)
        || flow.losses.get(&id).is_none_or(|losses| !losses.iter().all(|l| ends(&l.how)))
    {
        return finding.help(advice);
    }
    let ctx = match &object.kind {
        ObjKind::Handle(ctx) => ctx.as_ref().map(|ctx| ctx.id),
        _ => None,
    };
    if !support::is_let(analysis, flow.body, statement)
        || (name != "_" && !support::is_idle_handle(analysis, flow.body, site))
    {
        return finding.help(advice);
    }
    let stays = ctx.is_some_and(|ctx| !support::leaves(analysis, flow, ctx));
    let applicability = if stays { Applicability::MachineApplicable } else { Applicability::MaybeIncorrect };
    let bound = if name == "_" { "cancel" } else { name.as_str() };
    let mut edits = Vec::new();
    if name == "_" {
        edits.push(Edit::replace(site, bound));
    }
    edits.push(Edit::insert(statement.file_id(), statement.span.end, format!(" let _guard = {bound}.guard();")));
    finding.fix("keep a guard that cancels at the end of the scope", edits, applicability)
}

fn ends(how: &LossKind) -> bool {
    matches!(how, LossKind::Exit(_) | LossKind::Discarded)
}
