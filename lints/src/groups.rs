//! Groups, and the contexts that their work ends with.

use std::borrow::Cow;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::Flow;
use ctxlint_analysis::flow::value::{Ctx, CtxKind, CtxNode, InputPath, ObjId, ObjKind, Site, Task, TaskCtx, Uses, Val};

use crate::support;

/// How far a group that is lent is followed back.
const MAX_HOPS: u8 = 4;

/// A context of a group's work, as a body sees it that has made the group.
pub(crate) struct View<'a> {
    /// The context that came with the group.
    pub(crate) own: &'a Ctx,
    /// Where the work's context ends with what the body knows.
    ends: Vec<End<'a>>,
    /// The call that gives both to where the work is started.
    pub(crate) call: Option<Site>,
}

/// What ends a context, as far as one body knows.
enum End<'a> {
    Ctx(Cow<'a, CtxNode>),
    /// What the body was given.
    Given(InputPath),
    /// Something of a callee's own.
    Elsewhere,
}

impl View<'_> {
    /// Whether the context ends with the group.
    pub(crate) fn ends_with_group(&self) -> bool {
        self.ends.iter().any(|end| matches!(end, End::Ctx(ctx) if ends_with(ctx, self.own)))
    }

    /// Where the context comes from, if it is known not to end with the group. What was detached is told elsewhere.
    pub(crate) fn foreign(&self) -> Option<Site> {
        let mut found = self.ends.iter().map(|end| match end {
            End::Ctx(ctx) if is_outside(ctx, self.own) => Some(ctx.site),
            _ => None,
        });
        let first = found.next()??;
        found.all(|site| site.is_some()).then_some(first)
    }
}

/// The same context, as every body sees it that has made the group of a task.
pub(crate) fn views<'a>(analysis: &'a Analysis, flow: &'a Flow, task: &'a Task, ctx: &'a CtxNode) -> Vec<View<'a>> {
    let mut found = Vec::new();
    if let Some(own) = task.set.and_then(|group| own_context(flow, group)) {
        found.push(View { own, ends: vec![End::Ctx(Cow::Borrowed(ctx))], call: None });
    }
    if let Some(group) = &task.lent {
        from_callers(analysis, flow, group, &[End::Ctx(Cow::Borrowed(ctx))], MAX_HOPS, &mut found);
    }
    found
}

/// Whether work that is done under a context is given up as soon as the group ends, in a race.
pub(crate) fn is_raced(flow: &Flow, task: &Task, of: &TaskCtx) -> bool {
    let Some(own) = task.set.and_then(|group| own_context(flow, group)) else { return false };
    !of.uses.any(Uses::RAW)
        && task
            .contexts
            .iter()
            .any(|other| other.uses.any(Uses::RACE) && other.ctx.id != of.ctx.id && ends_with(&other.ctx, own))
}

fn from_callers<'a>(
    analysis: &'a Analysis,
    flow: &Flow,
    group: &InputPath,
    ends: &[End<'_>],
    hops: u8,
    found: &mut Vec<View<'a>>,
) {
    let Some(hops) = hops.checked_sub(1) else { return };
    for (caller, call) in analysis.calls_of(flow.body).filter(|(caller, _)| !analysis.program.is_test(caller.body)) {
        let Some(group) = group.among(&call.inputs) else { continue };
        let ends: Vec<End<'a>> = ends.iter().flat_map(|end| given(end, &call.inputs)).collect();
        match group.behind() {
            Val::Obj(group) => {
                found.extend(own_context(caller, *group).map(|own| View { own, ends, call: Some(call.site) }));
            }
            Val::Input(group) => from_callers(analysis, caller, group, &ends, hops, found),
            _ => {}
        }
    }
}

/// What ends a context, as a caller sees it.
fn given<'a>(end: &End<'_>, inputs: &[Val]) -> Vec<End<'a>> {
    let of_caller = |path: &InputPath| match path.among(inputs).unwrap_or_default().behind() {
        Val::Ctx(ctx) => End::Ctx(Cow::Owned((**ctx).clone())),
        Val::Input(path) => End::Given(path.clone()),
        _ => End::Elsewhere,
    };
    match end {
        End::Ctx(ctx) => {
            let sources = ctx.sources().into_iter().map(CtxNode::input);
            sources.map(|path| path.map_or(End::Elsewhere, of_caller)).collect()
        }
        End::Given(path) => vec![of_caller(path)],
        End::Elsewhere => vec![End::Elsewhere],
    }
}

/// The context that came with a group.
fn own_context(flow: &Flow, group: ObjId) -> Option<&Ctx> {
    match &flow.objects.get(&group)?.kind {
        ObjKind::Group(own) => own.as_ref(),
        _ => None,
    }
}

fn ends_with(ctx: &CtxNode, own: &CtxNode) -> bool {
    ctx.line().iter().any(|node| node.id == own.id)
}

/// Whether a context is known not to end with a group's own.
fn is_outside(ctx: &CtxNode, own: &CtxNode) -> bool {
    let is_known = ctx.sources().iter().all(|node| !matches!(node.kind, CtxKind::Opaque));
    is_known && ctx.detaching().is_none() && !ends_with(ctx, own)
}

/// The contexts that work ends with. What is received comes with the work that is asked for, and is not captured.
pub(crate) fn captured(task: &Task) -> impl Iterator<Item = &TaskCtx> {
    task.contexts.iter().filter(|of| of.uses.any(support::CUT) && !of.received)
}
