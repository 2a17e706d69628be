//! What the program writes into contexts and reads from them.

use std::collections::{BTreeMap, BTreeSet};

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Block, BodyKind, ItemKind, LocalId, Op, OpKind, Place, TypeRef, UnaryOp};
use ctxlint_analysis::flow::value::{InputPath, Site, Uses};
use ctxlint_analysis::model::FnRole;
use ctxlint_analysis::names::{Namespace, Res};
use ctxlint_analysis::source::FileId;
use ctxlint_analysis::types::{BodyRef, DefId, Target, Ty, TyCon};

use crate::certain;
use crate::code::{At, Call, Code};
use crate::keys;

/// A value is written or read.
pub(crate) struct Access {
    /// Where: the method.
    pub(crate) site: Site,
    /// It is written; otherwise read.
    pub(crate) written: bool,
    /// The key's type.
    pub(crate) key: Ty,
    /// Its text, if it is one and written as a literal.
    pub(crate) text: Option<String>,
    /// The value's type.
    pub(crate) value: Ty,
}

/// What functions with a key do.
pub(crate) const ACCESSES: &[FnRole] = &[FnRole::Derive, FnRole::ReadValue];

/// Whether a call writes a value (`Some(true)`) or reads one (`Some(false)`).
pub(crate) fn accesses(call: &Call<'_>) -> Option<bool> {
    let model = call.model?;
    model.key?;
    match model.role {
        FnRole::Derive => Some(true),
        FnRole::ReadValue => Some(false),
        _ => None,
    }
}

/// Every value written or read by a call that is in view.
pub(crate) fn all(analysis: &Analysis) -> Vec<Access> {
    let mut found = Vec::new();
    for (code, call) in Code::calling(analysis, ACCESSES) {
        let (Some(written), Some(model)) = (accesses(&call), call.model) else { continue };
        let Some(key) = model.key.and_then(|key| call.args.get(key)).copied() else { continue };
        let value = if written {
            let value = model.value.and_then(|value| call.args.get(value));
            value.map_or(Ty::Unknown, |local| defaulted(&code, *local))
        } else {
            call.op.dest.map_or(Ty::Unknown, |dest| read_type(&code, dest))
        };
        let ty = code.ty(key);
        let key_type = match ty {
            Ty::Ref(inner, _) if !written => (**inner).clone(),
            ty => ty.clone(),
        };
        found.push(Access { site: code.site(call.name), written, key: key_type, text: text_of(&code, key), value });
    }
    found
}

/// The bodies that look up a value, themselves or by a function that does it for them.
pub(crate) fn that_look_up(analysis: &Analysis) -> impl Iterator<Item = Code<'_>> {
    Code::that_reach(analysis, &[FnRole::ReadValue], is_accessor)
}

/// The look-up that a call is: of its own, or that of a function that does nothing else. With the
/// body it is in.
pub(crate) fn look_up<'a>(code: &Code<'a>, call: &Call<'a>) -> Option<(Code<'a>, Call<'a>)> {
    if call.is(&[FnRole::ReadValue]) {
        return Some((*code, call.clone()));
    }
    let callee = code.callee(call).filter(is_accessor)?;
    let read = callee.calls().find(|call| call.is(&[FnRole::ReadValue]))?;
    Some((callee, read))
}

/// How deep closures may stand in each other where a value is looked up.
const MAX_CLOSURES: u8 = 3;

/// Whether a function looks a value up and does nothing else but look at that.
fn is_accessor(code: &Code<'_>) -> bool {
    matches!(code.body.kind, BodyKind::Function(_)) && only_looks(code, MAX_CLOSURES)
}

fn only_looks(code: &Code<'_>, fuel: u8) -> bool {
    let looks = [FnRole::ReadValue, FnRole::Clone, FnRole::Same, FnRole::Borrow, FnRole::Look, FnRole::Inspect];
    let takes = [FnRole::Inner, FnRole::InnerOr, FnRole::Wrap, FnRole::Map, FnRole::AndThen, FnRole::OrElse];
    let is_quiet = |(at, _, op): (At, &Block, &Op)| match &op.kind {
        OpKind::Call { .. } | OpKind::MethodCall { .. } => {
            let makes = |call: &Call<'_>| matches!(call.target, Target::Constructor(..));
            code.call(at).is_some_and(|call| call.is(&looks) || call.is(&takes) || makes(&call))
        }
        OpKind::Closure(inner) => {
            let inner = Code::of(code.analysis, BodyRef { file: code.who.file, body: *inner });
            inner.zip(fuel.checked_sub(1)).is_some_and(|(inner, fuel)| only_looks(&inner, fuel))
        }
        OpKind::Await(_) | OpKind::Unknown { .. } | OpKind::Inspect { .. } => false,
        _ => true,
    };
    code.ops().all(is_quiet)
}

/// What a look-up's result says it reads: by the call, or by the name it goes to.
fn read_type(code: &Code<'_>, dest: LocalId) -> Ty {
    let names = code.mentions(dest).filter_map(|(_, _, op)| match &op.kind {
        OpKind::Use(place) if *place == Place::local(dest) => op.dest,
        _ => None,
    });
    for local in std::iter::once(dest).chain(names) {
        if let Ty::Adt(_, args) = code.ty(local)
            && let Some(Ty::Ref(value, _)) = args.first()
            && !value.is_unknown()
        {
            return (**value).clone();
        }
    }
    Ty::Unknown
}

/// The type of a stored value. A number without a suffix is what it is by default only where it is
/// stored as it stands: under a name, other uses may say what it is.
fn defaulted(code: &Code<'_>, local: LocalId) -> Ty {
    let is_literal = code.definition(local).is_some_and(|(_, op)| match op.kind {
        OpKind::Unary(UnaryOp::Neg, of) => code.definition(of).is_some_and(|(_, op)| matches!(op.kind, OpKind::Lit(_))),
        _ => matches!(op.kind, OpKind::Lit(_)),
    });
    match certain::type_of(code, local) {
        ty if !is_literal => ty,
        Ty::Prim(name) if name == "integer" => Ty::Prim("i32".into()),
        Ty::Prim(name) if name == "float" => Ty::Prim("f64".into()),
        ty => ty,
    }
}

/// The text of a key: a literal, through conversions into other types of text.
fn text_of(code: &Code<'_>, local: LocalId) -> Option<String> {
    if let Some(text) = keys::literal(code.body, local) {
        return Some(text.to_owned());
    }
    let call = code.made_by(local, &[])?;
    match call.args.as_slice() {
        [only] if keys::is_text(code.analysis, keys::strip(code.ty(local))) => {
            keys::literal(code.body, code.root(*only)).map(str::to_owned)
        }
        _ => None,
    }
}

/// Whether every part of a type is known. Arrays, slices and what `vec!` makes are not told apart.
pub(crate) fn is_known(ty: &Ty) -> bool {
    match ty {
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().all(is_known),
        Ty::Ref(inner, _) => is_known(inner),
        Ty::Prim(name) => !matches!(name.as_str(), "integer" | "float"),
        Ty::Never => true,
        _ => false,
    }
}

/// The struct or enum of the program that a type is.
pub(crate) fn own_type(ty: &Ty) -> Option<DefId> {
    match ty {
        Ty::Adt(TyCon::Def(def), _) => Some(*def),
        _ => None,
    }
}

/// Key types that may be written where nobody can see with what: handed to code that is generic or
/// not in view, named in macros.
pub(crate) fn hidden(analysis: &Analysis, keys: &BTreeSet<DefId>) -> BTreeSet<DefId> {
    let mut found = BTreeSet::new();
    if keys.is_empty() {
        return found;
    }
    let program = &analysis.program;
    let mut names: BTreeMap<&str, Vec<DefId>> = BTreeMap::new();
    for key in keys {
        if let Some(item) = program.item(*key) {
            names.entry(&item.name).or_default().push(*key);
        }
    }
    for (index, file) in program.sources.files.iter().enumerate() {
        let Some(facts) = &file.facts else { continue };
        let file = FileId(index as u32);
        for item in &facts.items {
            match &item.kind {
                ItemKind::MacroRules { mentions } => {
                    found.extend(mentions.iter().filter_map(|name| names.get(name.as_str())).flatten().copied());
                }
                ItemKind::MacroCall { mentions, .. } => {
                    found.extend(mentions.iter().filter_map(|path| named(analysis, file, path)));
                }
                _ => {}
            }
        }
    }
    for &who in program.bodies() {
        let Some(code) = Code::of(analysis, who) else { continue };
        for (at, _, op) in code.ops() {
            match &op.kind {
                OpKind::Unknown { paths, .. } => {
                    found.extend(paths.iter().filter_map(|path| named(analysis, who.file, path)));
                }
                OpKind::Call { .. } | OpKind::MethodCall { .. } => match code.call(at) {
                    Some(call) => hidden_in(&code, &call, keys, &mut found),
                    None => {
                        if let OpKind::Call { args, .. } = &op.kind {
                            found.extend(args.iter().filter_map(|arg| key_of(&code, *arg, keys)));
                        }
                    }
                },
                _ => {}
            }
        }
    }
    found
}

/// Key types under which a method of a trait may write that they have: one that takes itself as the key.
pub(crate) fn written_by_traits(analysis: &Analysis, all: &[Access], keys: &BTreeSet<DefId>) -> BTreeSet<DefId> {
    let program = &analysis.program;
    let traits: BTreeSet<DefId> = all
        .iter()
        .filter(|access| access.written)
        .filter_map(|access| match access.key.unreferenced() {
            Ty::SelfOf(of) => Some(*of),
            _ => None,
        })
        .collect();
    let impls = traits.iter().flat_map(|of| program.impls_of_trait(*of));
    let types = impls.filter_map(|found| match &program.item(*found)?.kind {
        ItemKind::Impl { self_ty, .. } => Some(program.resolve_type(found.file, self_ty)),
        _ => None,
    });
    let types: Vec<Ty> = types.collect();
    let is_any = |ty: &Ty| !matches!(ty.unreferenced(), Ty::Adt(..) | Ty::Prim(_) | Ty::Tuple(_));
    match types.iter().any(is_any) {
        true => keys.clone(),
        false => types.iter().filter_map(|ty| own_type(ty.unreferenced())).collect(),
    }
}

fn named(analysis: &Analysis, file: FileId, path: &ctxlint_analysis::facts::PathRef) -> Option<DefId> {
    match analysis.program.resolve_path(file, path, Namespace::Value) {
        Res::Def(def) | Res::Variant(def, _) => Some(def),
        _ => match analysis.program.resolve_path(file, path, Namespace::Type) {
            Res::Def(def) => Some(def),
            _ => None,
        },
    }
}

fn key_of(code: &Code<'_>, local: LocalId, keys: &BTreeSet<DefId>) -> Option<DefId> {
    own_type(code.ty(local).unreferenced()).filter(|def| keys.contains(def))
}

fn hidden_in(code: &Code<'_>, call: &Call<'_>, keys: &BTreeSet<DefId>, found: &mut BTreeSet<DefId>) {
    let program = &code.analysis.program;
    for ty in type_arguments(call) {
        let ty = program.resolve_type(code.who.file, ty);
        found.extend(own_type(ty.unreferenced()).filter(|def| keys.contains(def)));
    }
    let place = call.model.and_then(|model| model.key).filter(|_| accesses(call).is_some());
    for (index, local) in call.args.iter().enumerate() {
        if Some(index) == place {
            continue;
        }
        // A field of the receiver is what the method is called on, not what the field stands in.
        let ty = match call.receiver {
            Some(receiver) if index == 0 => code.type_at(receiver),
            _ => code.type_at(&Place::local(*local)),
        };
        let Some(key) = own_type(ty.unreferenced()).filter(|def| keys.contains(def)) else { continue };
        if !is_seen_through(code, call.target, index) && !call.is(&[FnRole::Look, FnRole::Drop]) {
            found.insert(key);
        }
    }
}

fn type_arguments<'a>(call: &Call<'a>) -> Vec<&'a TypeRef> {
    match &call.op.kind {
        OpKind::MethodCall { types, .. } if accesses(call).is_none() => types.iter().collect(),
        OpKind::Call { callee: ctxlint_analysis::facts::Callee::Path(path), .. } => {
            path.segments.iter().flat_map(|segment| &segment.args).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether the callee says what it does with a key: it takes one of this very type, or only reads with it.
fn is_seen_through(code: &Code<'_>, target: &Target, index: usize) -> bool {
    let program = &code.analysis.program;
    match target {
        Target::Def(def) => {
            let types = program.param_types(*def);
            if types.get(index).is_some_and(|ty| own_type(ty.unreferenced()).is_some()) {
                return true;
            }
            let summary = program.body_of(*def).and_then(|body| code.analysis.summaries.get(body));
            summary.is_some_and(|summary| {
                let uses = summary.uses.get(&InputPath::whole(index as u32)).copied().unwrap_or_default();
                uses.any(Uses::KEY) && !uses.any(Uses::WRITTEN_KEY.and(Uses::ESCAPE).and(Uses::OPAQUE))
            })
        }
        Target::Constructor(..) | Target::Closure(_) => true,
        _ => false,
    }
}
