//! Questions that several rules ask.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{
    BodyId, Function, ItemId, ItemKind, Local, LocalId, LocalKind, MacroDiscard, Name, Op, OpKind, Span,
};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, ObjId, ObjKind, Object, Says, Site, Task, Uses, Val};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::source::FileId;
use ctxlint_analysis::summary;
use ctxlint_analysis::types::{BodyRef, DefId, Ty};

use crate::behind_an_end;
use crate::code::{Call, Code};
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
    let ItemKind::Struct { .. } = &item.kind else { return Some(Site::new(def.file, item.name_span)) };
    analysis.program.declared_field(def, whole(field)).map(|known| Site::new(def.file, known.span))
}

/// The field itself, of the name of a part of what is in it: `pair` of `pair.1`.
pub(crate) fn whole(field: &Name) -> &str {
    field.split('.').next().unwrap_or(field)
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

/// Whether a statement is a `let` that binds something.
pub(crate) fn is_let(analysis: &Analysis, body: BodyRef, statement: Site) -> bool {
    let binds = |local: &Local| local.kind == LocalKind::Binding && statement.span.contains(local.span);
    analysis.program.body(body).is_some_and(|body| body.locals.iter().any(binds))
}

/// Whether the variable with its name here is a handle itself, and nothing mentions it after.
pub(crate) fn is_idle_handle(analysis: &Analysis, who: BodyRef, site: Site) -> bool {
    let (Some(body), Some(typed)) = (analysis.program.body(who), analysis.program.typed(who)) else { return false };
    let Some(at) = body.locals.iter().position(|local| local.span == site.span && local.name.is_some()) else {
        return false;
    };
    let is_handle =
        typed.locals.get(at).and_then(|ty| analysis.program.type_model(ty)).is_some_and(|m| m.role == TypeRole::Handle);
    let id = LocalId(at as u32);
    let captured = |inner: BodyId| {
        analysis
            .program
            .body(BodyRef { file: who.file, body: inner })
            .is_none_or(|inner| inner.captures.iter().any(|(o, _)| *o == id))
    };
    let mentions = |op: &Op| match &op.kind {
        OpKind::Use(place) | OpKind::Ref(place, _) | OpKind::MethodCall { receiver: place, .. } => place.base == id,
        OpKind::Assign { place, .. } | OpKind::AssignOp { place, .. } => place.base == id,
        OpKind::Unknown { mentions, .. } => mentions.iter().any(|place| place.base == id),
        OpKind::Closure(inner) => captured(*inner),
        _ => false,
    };
    is_handle && !body.blocks.iter().flat_map(|block| &block.ops).any(mentions)
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

/// Every task that is started outside of tests, with the flow it is started in.
pub(crate) fn tasks(analysis: &Analysis) -> impl Iterator<Item = (&Flow, &Task)> {
    let flows = analysis.flows().filter(|flow| !analysis.program.is_test(flow.body));
    flows.flat_map(|flow| {
        flow.objects.iter().filter(|(id, _)| !id.old).filter_map(move |(_, object)| match &object.kind {
            ObjKind::Task(task) => Some((flow, &**task)),
            _ => None,
        })
    })
}

/// Whether a body, or one it stands in, only replaces a missing context.
pub(crate) fn replaces_missing(analysis: &Analysis, body: BodyRef) -> bool {
    summary::surroundings(&analysis.program, body).any(|body| analysis.replaces_missing(body))
}

/// The name of a context that is at hand where a root is made.
pub(crate) fn at_hand(event: &Event) -> Option<Name> {
    event.seen.iter().find_map(|seen| match seen {
        Seen::Root { at_hand, .. } => at_hand.clone(),
        _ => None,
    })
}

/// Whether a type is a context that is told apart from its handle, through references and pointers.
/// A token that is its own handle is passed and kept like one.
pub(crate) fn is_context(analysis: &Analysis, ty: &Ty) -> bool {
    let model = analysis.program.type_model(analysis.program.peel(ty));
    model.is_some_and(|model| model.role == TypeRole::Context && !model.own_handle)
}

/// What work does that ends with its context.
pub(crate) const CUT: Uses = Uses(Uses::CUT.0 | Uses::WAIT.0);

/// What functions that ask for a context's state do.
const ASKS: &[FnRole] = &[FnRole::IsDone, FnRole::State];

/// What yes means where a call asks for a context's state, itself or in a callee: that it is done (`true`, some
/// error), or that it is not. Nothing where it does not ask.
pub(crate) fn asks<'a>(code: &Code<'a>, call: &Call<'a>) -> Option<bool> {
    if let Some(model) = call.model {
        return model.asks_for_end().then_some(true);
    }
    answers(&code.callee(call)?)
}

/// The bodies that ask for a context's state, themselves or in a callee.
pub(crate) fn that_ask(analysis: &Analysis) -> impl Iterator<Item = Code<'_>> {
    Code::that_reach(analysis, ASKS, |code| answers(code).is_some())
}

/// What yes means where a body gives back nothing but a context's state.
fn answers(code: &Code<'_>) -> Option<bool> {
    let answer = |value: &Val| match value.behind() {
        Val::Asked(_, Says::Ended, meaning) => Some(*meaning),
        _ => None,
    };
    let mut all = code.analysis.summaries.get(code.who)?.rets.iter().map(answer);
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// Whether a function may have callers that are not in view.
pub(crate) fn has_unseen_callers(analysis: &Analysis, body: BodyRef) -> bool {
    let program = &analysis.program;
    program.function_of(body).is_some_and(|def| {
        program.used_as_value(def)
            || (program.is_exported(def) && program.is_library(def.file))
            || program.container(def).is_some_and(|container| program.trait_of(container).is_some())
    })
}

/// All items of the program.
pub(crate) fn items(analysis: &Analysis) -> impl Iterator<Item = DefId> {
    let files = analysis.program.sources.files.iter().zip(0u32..);
    files.flat_map(|(file, index)| {
        let count = file.facts.as_ref().map_or(0, |facts| facts.items.len() as u32);
        (0..count).map(move |item| DefId { file: FileId(index), item: ItemId(item) })
    })
}

/// All functions of the program.
pub(crate) fn functions(analysis: &Analysis) -> impl Iterator<Item = (DefId, &Function)> {
    items(analysis).filter_map(|def| Some((def, analysis.program.function(def)?)))
}

/// Whether a function is a method of an impl of a trait.
pub(crate) fn is_trait_impl(analysis: &Analysis, def: DefId) -> bool {
    let container = analysis.program.container(def).and_then(|container| analysis.program.item(container));
    container.is_some_and(|item| matches!(item.kind, ItemKind::Impl { of_trait: Some(_), .. }))
}

/// Whether a function is a trait's, or a method of an impl of one.
pub(crate) fn is_trait_member(analysis: &Analysis, def: DefId) -> bool {
    let container = analysis.program.container(def).and_then(|container| analysis.program.item(container));
    container.is_some_and(|item| matches!(item.kind, ItemKind::Trait { .. })) || is_trait_impl(analysis, def)
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
pub(crate) fn is_guard_method(analysis: &Analysis, discard: &MacroDiscard) -> bool {
    analysis.program.models.methods_named(&discard.method).any(|model| {
        matches!(model.role, FnRole::Guard | FnRole::GuardRef | FnRole::OtherGuard | FnRole::AbortOnDrop)
            && discard.args == 0
            && model.path.rsplit("::").next() == Some(discard.method.as_str())
    })
}

/// Adds the advice to detach a context that a task captures.
pub(crate) fn detach(analysis: &Analysis, task: &Task, finding: Finding) -> Finding {
    let advice = "detach the context for the task";
    let words =
        format!("{advice}: `let ctx = ctx.without_cancel();` in front of the spawn, or `reparent` it to the server's");
    // Work that another function makes may be awaited elsewhere.
    let of_here = task.bodies.iter().filter(|body| is_in_function_of(analysis, **body, task.site));
    let Some(edit) = of_here.into_iter().find_map(|body| detach_inside(analysis, *body)) else {
        return finding.help(words);
    };
    finding.fix(format!("{advice} before it works on it"), vec![edit], Applicability::MachineApplicable)
}

/// Whether a place is in the function that a body is of, or is in.
fn is_in_function_of(analysis: &Analysis, body: BodyRef, place: Site) -> bool {
    let function = summary::surroundings(&analysis.program, body).last();
    let span = function.and_then(|function| analysis.program.body(function)).map(|body| body.span);
    body.file == place.file_id() && span.is_some_and(|span| span.contains(place.span))
}

/// `let ctx = ctx.without_cancel();` at the start of a task's block, for the context it captures.
fn detach_inside(analysis: &Analysis, task: BodyRef) -> Option<Edit> {
    let body = analysis.program.body(task)?;
    let typed = analysis.program.typed(task)?;
    let block: Span = body.block?;
    let contexts: Vec<&Name> = body
        .captures
        .iter()
        .filter(|(_, local)| {
            let ty = typed.locals.get(local.index());
            ty.and_then(|ty| analysis.program.type_model(ty)).is_some_and(|model| model.role == TypeRole::Context)
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

/// Whether a root is made that replaces nothing and cleans nothing up.
pub(crate) fn is_fresh_root(analysis: &Analysis, flow: &Flow, event: &Event) -> bool {
    let fresh = event.seen.iter().any(|seen| {
        matches!(seen, Seen::Root { id, own: false, missing: false, after_done: false, .. } if !flow.replacements.contains(id))
    });
    let silent = event.seen.iter().any(|seen| matches!(seen, Seen::Root { id, .. } if flow.replacements.contains(id)));
    fresh
        && !silent
        && !replaces_missing(analysis, flow.body)
        && !analysis.program.is_test(flow.body)
        && !is_drop(analysis, flow.body)
        && !Code::of(analysis, flow.body).is_some_and(|code| behind_an_end::is_behind_an_end(&code, event.block))
}

/// Whether a body is part of middleware, or a helper that some middleware calls.
pub(crate) fn is_middleware(analysis: &Analysis, body: BodyRef) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![body];
    while let Some(body) = left.pop() {
        if !seen.insert(body) || analysis.program.is_test(body) {
            continue;
        }
        match analysis.program.handler(body) {
            Some(handler) if handler.middleware => return true,
            // What is given a request and called by name is a helper.
            _ => {
                left.extend(summary::parent(&analysis.program, body));
                left.extend(analysis.callers_of(body).iter().map(|(caller, _)| *caller));
            }
        }
    }
    false
}

/// Whether a body is what runs when a value is dropped.
fn is_drop(analysis: &Analysis, who: BodyRef) -> bool {
    let program = &analysis.program;
    let Some(def) = program.function_of(who) else { return false };
    let container = program.container(def).and_then(|of| Some((of, program.item(of)?)));
    matches!(container, Some((of, item)) if matches!(&item.kind, ItemKind::Impl { of_trait: Some(_), self_ty, .. }
        if program.drop_impl(&program.resolve_type(of.file, self_ty)) == Some(def)))
}
