//! Questions that several rules ask.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{ItemKind, LocalKind, MacroDiscard, Name, OpKind, Span, Visibility};
use ctxlint_analysis::flow::events::{Event, Flow};
use ctxlint_analysis::flow::value::{Ctx, ObjId, ObjKind, Object, Owner, Site, Task, TaskCtx, Val};
use ctxlint_analysis::model::{FnRole, OnDrop, TypeRole};
use ctxlint_analysis::source::FileId;
use ctxlint_analysis::summary;
use ctxlint_analysis::types::{BodyRef, DefId};

use crate::finding::{Applicability, Edit, Finding};

/// Where an object is bound: its name, the `_` it was left to, or the call that makes it.
pub(crate) fn bound_site(object: &Object) -> Site {
    object.name.as_ref().map(|(_, site)| *site).or(object.wild).unwrap_or(object.name_site)
}

/// The name an object is bound to.
pub(crate) fn bound_name(object: &Object) -> Option<String> {
    object.name.as_ref().map(|(name, _)| name.to_string())
}

/// Where a struct declares a field.
pub(crate) fn field_site(analysis: &Analysis, def: DefId, field: &Name) -> Option<Site> {
    let item = analysis.program.item(def)?;
    let ItemKind::Struct { fields, .. } = &item.kind else { return Some(Site::new(def.file, item.name_span)) };
    fields.iter().find(|known| known.name == *field).map(|known| Site::new(def.file, known.span))
}

/// Whether code that is not in view can reach a field, or a static (which has no field's name).
pub(crate) fn is_exposed(analysis: &Analysis, def: DefId, field: &Name) -> bool {
    let Some(item) = analysis.program.item(def) else { return true };
    let is_public = item.visibility == Visibility::Public;
    match &item.kind {
        ItemKind::Struct { fields, .. } => fields
            .iter()
            .find(|known| known.name == *field)
            .is_none_or(|known| is_public && known.visibility == Visibility::Public),
        _ => is_public,
    }
}

/// The statement in which an operation of a body stands.
pub(crate) fn statement_of(analysis: &Analysis, body: BodyRef, id: ObjId) -> Option<Site> {
    let ops = &analysis.program.body(body)?.blocks.get(id.block as usize)?.ops;
    let here = ops.get(id.op as usize)?.span;
    ops.iter().skip(id.op as usize).find_map(|op| match op.kind {
        OpKind::EndTemps { .. } if op.span.contains(here) => Some(Site::new(body.file, op.span)),
        _ => None,
    })
}

/// Whether a context leaves the body that makes it: it is given back, or goes into a task.
pub(crate) fn leaves(analysis: &Analysis, flow: &Flow, ctx: ObjId) -> bool {
    let in_line = |node: &Ctx| node.line().iter().any(|node| node.id == ctx);
    let mut found = false;
    for ret in analysis.summaries.get(flow.body).into_iter().flat_map(|summary| &summary.rets) {
        ret.walk(&mut |value, _, _| found |= matches!(value, Val::Ctx(node) if in_line(node)));
    }
    found
        || flow.objects.values().any(|object| match &object.kind {
            ObjKind::Task(task) => task.contexts.iter().any(|of| in_line(&of.ctx)),
            _ => false,
        })
}

/// Whether a task goes on after its spawner, with nobody waiting for it.
pub(crate) fn outlives(flow: &Flow, id: ObjId, task: &Task) -> bool {
    let used = |id: &ObjId| flow.used.get(id).is_some_and(|uses| !uses.is_empty());
    if !task.outlives || used(&id) || matches!(task.on_drop, OnDrop::Abort | OnDrop::Cancel) {
        return false;
    }
    let feeds = task
        .senders
        .iter()
        .any(|sender| flow.objects.iter().any(|(id, object)| object.kind == ObjKind::Receiver(*sender) && used(id)));
    if feeds {
        return false;
    }
    match (task.owner, task.set) {
        (Owner::Group, _) => false,
        (Owner::Local, Some(set)) => {
            let aborts = matches!(flow.objects.get(&set).map(|o| &o.kind), Some(ObjKind::TaskSet(OnDrop::Abort)));
            !aborts && !used(&set)
        }
        _ => true,
    }
}

/// Whether the body is itself part of a task, so that what it starts is told of there.
pub(crate) fn is_cut_outside(_: &Analysis, _: BodyRef) -> bool {
    false
}

/// Whether a body, or one it stands in, only replaces a missing context.
pub(crate) fn replaces_missing(analysis: &Analysis, body: BodyRef) -> bool {
    let mut at = Some(body);
    while let Some(body) = at {
        if analysis.replaces_missing(body) {
            return true;
        }
        at = summary::parent(&analysis.program, body);
    }
    false
}

/// The name of a context that is in scope where an event happens: one bound before it in the same body.
pub(crate) fn context_in_scope(analysis: &Analysis, flow: &Flow, event: &Event) -> Option<Name> {
    let body = analysis.program.body(flow.body)?;
    let typed = analysis.program.typed(flow.body)?;
    let candidates = body.locals.iter().zip(&typed.locals);
    candidates
        .filter(|(local, ty)| {
            local.kind != LocalKind::Temp
                && local.span.end <= event.whole.span.start
                && analysis.program.role(ty) == Some(TypeRole::Context)
        })
        .filter_map(|(local, _)| local.name.clone())
        .next_back()
}

/// How to write a context that is owned.
pub(crate) fn owned(name: &str) -> String {
    format!("{name}.clone()")
}

/// A type's name made of a key's text: `user_id` gives `UserId`.
pub(crate) fn type_name(text: &str) -> String {
    let mut name = String::new();
    for part in text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty()) {
        let mut letters = part.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { format!("Key{name}") }
}

/// Whether a call in a macro's body makes a guard: a method of a guard's name in a file that uses the library.
pub(crate) fn is_guard_method(analysis: &Analysis, file: FileId, discard: &MacroDiscard) -> bool {
    let _ = file;
    analysis.program.models.methods_named(&discard.method).any(|model| {
        matches!(model.role, FnRole::Guard | FnRole::GuardRef | FnRole::OtherGuard | FnRole::AbortOnDrop)
            && discard.args == 0
            && model.path.rsplit("::").next() == Some(discard.method.as_str())
    })
}

/// Adds the advice to detach a context that a task captures.
pub(crate) fn detach(
    analysis: &Analysis,
    flow: &Flow,
    id: ObjId,
    task: &Task,
    of: &TaskCtx,
    finding: Finding,
) -> Finding {
    let _ = (id, of);
    let advice = "detach the context for the task";
    let words =
        format!("{advice}: `let ctx = ctx.without_cancel();` in front of the spawn, or `reparent` it to the server's");
    let Some(edit) = task.bodies.iter().find_map(|body| detach_inside(analysis, flow, *body)) else {
        return finding.help(words);
    };
    finding.fix(format!("{advice} before it works on it"), vec![edit], Applicability::MachineApplicable)
}

/// `let ctx = ctx.without_cancel();` at the start of a task's block, for the context it captures.
fn detach_inside(analysis: &Analysis, flow: &Flow, task: BodyRef) -> Option<Edit> {
    let _ = flow;
    let body = analysis.program.body(task)?;
    let typed = analysis.program.typed(task)?;
    let block: Span = body.block?;
    let contexts: Vec<&Name> = body
        .captures
        .iter()
        .filter(|(_, local)| {
            let ty = typed.locals.get(local.index());
            ty.is_some_and(|ty| analysis.program.role(ty) == Some(TypeRole::Context))
        })
        .filter_map(|(_, local)| body.local(*local)?.name.as_ref())
        .collect();
    match contexts.as_slice() {
        [only] if body.is_move => {
            Some(Edit::insert(task.file, block.start + 1, format!(" let {only} = {only}.without_cancel();")))
        }
        _ => None,
    }
}
