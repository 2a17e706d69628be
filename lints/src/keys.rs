//! What the rules about key types share.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Body, Lit, LocalId, OpKind};
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::model::TypeRole;
use ctxlint_analysis::types::{Ty, TyCon};

/// What kind of key a type makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// A string in any form.
    Text,
    /// Made of built-in and std types alone.
    Primitive,
    /// The user's own, or not known.
    Own,
}

/// Every key that is given to a context, with its kind.
pub(crate) fn keys(analysis: &Analysis) -> impl Iterator<Item = (&Flow, &Event, LocalId, KeyKind)> {
    analysis.flows().flat_map(move |flow| {
        flow.events.iter().filter_map(move |event| {
            let Some(Seen::Key { local, .. }) = event.seen.first() else { return None };
            let local = LocalId(*local);
            let ty = analysis.program.typed(flow.body)?.locals.get(local.index())?;
            Some((flow, event, local, kind(analysis, ty)))
        })
    })
}

fn kind(analysis: &Analysis, ty: &Ty) -> KeyKind {
    let bare = strip(ty);
    if is_text(analysis, bare) {
        return KeyKind::Text;
    }
    if is_builtin(analysis, bare, 8) { KeyKind::Primitive } else { KeyKind::Own }
}

pub(crate) fn strip(ty: &Ty) -> &Ty {
    let mut ty = ty;
    while let Ty::Ref(inner, _) = ty {
        ty = inner;
    }
    ty
}

pub(crate) fn is_text(analysis: &Analysis, ty: &Ty) -> bool {
    match ty {
        Ty::Prim(name) => name == "str",
        Ty::Ref(inner, _) => is_text(analysis, inner),
        Ty::Adt(_, args) => match analysis.program.type_model(ty).map(|model| model.role) {
            Some(TypeRole::Text) => true,
            // `Box<str>`, `Arc<str>`, `Cow<'_, str>`.
            Some(TypeRole::Pointer) => args.iter().any(|arg| is_text(analysis, strip(arg))),
            _ => false,
        },
        _ => false,
    }
}

/// Whether a type is made of built-in and std types alone.
fn is_builtin(analysis: &Analysis, ty: &Ty, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    match ty {
        Ty::Prim(_) => true,
        Ty::Ref(inner, _) | Ty::Slice(inner) => is_builtin(analysis, inner, fuel),
        Ty::Tuple(parts) => parts.iter().all(|part| is_builtin(analysis, part, fuel)),
        Ty::Adt(TyCon::External(path), args) => {
            let is_std = ["std::", "core::", "alloc::"].iter().any(|root| path.starts_with(root));
            // Without arguments it is one that has none, or one whose argument is not known.
            let plain = || {
                let role = analysis.program.type_model(ty).map(|model| model.role);
                matches!(role, Some(TypeRole::Time | TypeRole::Text | TypeRole::Primitive))
            };
            is_std && if args.is_empty() { plain() } else { args.iter().all(|arg| is_builtin(analysis, arg, fuel)) }
        }
        _ => false,
    }
}

/// The text of a key, if it is a literal.
pub(crate) fn literal(body: &Body, local: LocalId) -> Option<&str> {
    let op = body.blocks.iter().flat_map(|block| &block.ops).find(|op| op.dest == Some(local))?;
    match &op.kind {
        OpKind::Lit(Lit::Str(text)) => Some(text),
        OpKind::Ref(place, _) | OpKind::Use(place) if place.path.is_empty() && place.base != local => {
            literal(body, place.base)
        }
        _ => None,
    }
}
