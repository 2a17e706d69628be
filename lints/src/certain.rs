//! Types of values as far as they are certain.
//!
//! What the analysis infers serves to follow contexts: it looks through references and iterators, and a wrong guess
//! there costs a step. Who says that two types differ needs more: here a type counts only where the program writes it,
//! or a library's function gives it whatever it is given.

use ctxlint_analysis::facts::{BinaryOp, LocalId, OpKind, Place, Step, UnaryOp};
use ctxlint_analysis::model::{FnModel, FnRole, Shape, TypeRole};
use ctxlint_analysis::types::{Target, Ty, TyCon};

use crate::code::{Call, Code};

/// How many steps a value is followed back.
const MAX_STEPS: u8 = 16;

/// The type of a value, unknown where it is not certain.
pub(crate) fn type_of(code: &Code<'_>, local: LocalId) -> Ty {
    if is_certain(code, local, MAX_STEPS) { code.ty(local).clone() } else { Ty::Unknown }
}

fn is_certain(code: &Code<'_>, local: LocalId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    if code.body.local(local).is_some_and(|local| local.ty.is_some()) {
        return true;
    }
    let all = |locals: &[LocalId]| locals.iter().all(|local| is_certain(code, *local, fuel));
    let mut definitions = code.definitions(local).peekable();
    definitions.peek().is_some()
        && definitions.all(|(at, op)| match &op.kind {
            OpKind::Lit(_) | OpKind::Cast(..) => true,
            OpKind::Tuple(parts) | OpKind::Array(parts) => all(parts),
            OpKind::Struct { fields, .. } => {
                let is_generic = !matches!(code.ty(local), Ty::Adt(_, args) if args.is_empty());
                !is_generic || fields.iter().all(|(_, value)| is_certain(code, *value, fuel))
            }
            OpKind::Path(_) => matches!(code.target(at), Target::Value(_) | Target::Constructor(..)),
            OpKind::Use(place) => is_certain_place(code, local, place, fuel),
            OpKind::Ref(place, _) => place.path.is_empty() && is_certain(code, place.base, fuel),
            OpKind::Await(future) => is_certain(code, *future, fuel),
            OpKind::Unary(UnaryOp::Neg, of) => is_certain(code, *of, fuel),
            OpKind::Binary(BinaryOp::Mul | BinaryOp::Other | BinaryOp::Range, ..) => false,
            OpKind::Binary(..) => true,
            OpKind::Inspect { .. } => true,
            OpKind::Call { .. } | OpKind::MethodCall { .. } => {
                code.call(at).is_some_and(|call| is_certain_call(code, &call, &all))
            }
            _ => false,
        })
}

/// A part of a value that is certain. What a pattern takes out of a reference is one, too, which does not show.
fn is_certain_place(code: &Code<'_>, local: LocalId, place: &Place, fuel: u8) -> bool {
    if !is_certain(code, place.base, fuel) {
        return false;
    }
    let is_borrowed = code.is_named(local) && matches!(code.ty(place.base), Ty::Ref(..));
    let are_parts = place.path.iter().all(|step| matches!(step, Step::Field(_) | Step::Variant(..)));
    place.path.is_empty() || (are_parts && !is_borrowed && *code.type_at(place) == *code.ty(local))
}

fn is_certain_call(code: &Code<'_>, call: &Call<'_>, all: &dyn Fn(&[LocalId]) -> bool) -> bool {
    match (call.target, call.model) {
        (Target::Def(def), _) => is_concrete(&code.analysis.program.return_type(*def)),
        (Target::Constructor(..), _) => all(&call.args),
        (_, Some(model)) if model.role == FnRole::Clone => {
            let is_part = |step: &Step| matches!(step, Step::Field(_) | Step::Deref);
            call.receiver.is_none_or(|place| place.path.iter().all(is_part)) && all(&call.args)
        }
        (_, Some(model)) if model.role == FnRole::Wrap && model.returns.is_none() => all(&call.args),
        (_, Some(model)) if matches!(model.role, FnRole::Inner | FnRole::InnerOr) => {
            let subject = call.args.first().filter(|subject| all(&[**subject]));
            let ty = subject.and_then(|subject| code.analysis.program.type_model(code.ty(*subject)));
            ty.is_some_and(|ty| ty.role == TypeRole::Maybe)
        }
        // What makes a value of a type by its name.
        (_, Some(model)) if model.returns == Some(Shape::Own) => {
            call.receiver.is_none() && (model.on.is_empty() || call.args.is_empty())
        }
        (_, Some(model)) => gives_always_the_same(model),
        _ => false,
    }
}

/// Whether a function gives the same type whatever it is given.
fn gives_always_the_same(model: &FnModel) -> bool {
    fn is_fixed(shape: &Shape) -> bool {
        match shape {
            Shape::Named(_, args) => args.iter().all(is_fixed),
            Shape::Tuple(parts) => parts.iter().all(is_fixed),
            Shape::Ref(inner) | Shape::Future(inner) => is_fixed(inner),
            Shape::Turbofish(_) | Shape::Unknown => true,
            _ => false,
        }
    }
    // What is collected is of the type that is written, but for what is left out of it.
    model.role != FnRole::Same && model.returns.as_ref().is_some_and(is_fixed)
}

/// Whether a type has no parameters.
fn is_concrete(ty: &Ty) -> bool {
    match ty {
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().all(is_concrete),
        Ty::Ref(inner, _) | Ty::Slice(inner) | Ty::Future(inner) => is_concrete(inner),
        Ty::Prim(_) | Ty::Never => true,
        _ => false,
    }
}

/// Whether two types surely differ. What is not known of either may be anything, and so may which bounds it is that a
/// trait object has.
pub(crate) fn differ(left: &Ty, right: &Ty) -> bool {
    differ_within(left, right, false)
}

fn differ_within(left: &Ty, right: &Ty, nested: bool) -> bool {
    let any = |left: &[Ty], right: &[Ty]| {
        left.len() != right.len() || left.iter().zip(right).any(|(left, right)| differ_within(left, right, true))
    };
    match (left, right) {
        (Ty::Adt(left, of_left), Ty::Adt(right, of_right)) => match left == right {
            true => of_left.len() == of_right.len() && any(of_left, of_right),
            false => have_other_names(left, right),
        },
        (Ty::Ref(left, _), Ty::Ref(right, _)) | (Ty::Slice(left), Ty::Slice(right)) => {
            differ_within(left, right, nested)
        }
        (Ty::Tuple(left), Ty::Tuple(right)) => any(left, right),
        (Ty::Prim(left), Ty::Prim(right)) => left != right && !is_open(left) && !is_open(right),
        // `Arc<Clock>` is no `Arc<dyn Clock>`; by itself, what is bound may be any type.
        (Ty::Bounds(_), other) | (other, Ty::Bounds(_)) => {
            nested && matches!(other, Ty::Adt(..) | Ty::Prim(_) | Ty::Ref(..))
        }
        // Arrays, slices and what `vec!` makes are not told apart.
        (Ty::Slice(_), Ty::Adt(..)) | (Ty::Adt(..), Ty::Slice(_)) => false,
        (left, right) => is_plain(left) && is_plain(right),
    }
}

/// Whether a type is one by its form.
fn is_plain(ty: &Ty) -> bool {
    matches!(ty, Ty::Adt(..) | Ty::Ref(..) | Ty::Tuple(_) | Ty::Slice(_) | Ty::Prim(_))
}

/// Whether a number's type is still open.
fn is_open(prim: &str) -> bool {
    matches!(prim, "integer" | "float")
}

/// Whether two types are not one under two paths, as a library may have it.
fn have_other_names(left: &TyCon, right: &TyCon) -> bool {
    let last = |path: &'_ str| path.rsplit("::").next().map(str::to_owned);
    match (left, right) {
        (TyCon::External(left), TyCon::External(right)) => last(left) != last(right),
        _ => true,
    }
}
