//! Code that is only reached where an error was told to be the end of a context.

use ctxlint_analysis::facts::{BinaryOp, BlockId, Lit, LocalId, Op, OpKind, Place, Terminator, Test, UnaryOp};
use ctxlint_analysis::flow::value::{is_failure, is_success};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::Ty;

use crate::code::Code;

/// How far a question is followed through what it is made of.
const MAX_QUESTIONS: u8 = 4;

/// Whether a block is reached only where an error was told to be the end of a context.
pub(crate) fn is_behind_an_end(code: &Code<'_>, block: u32) -> bool {
    is_reached_by_an_end(code, block, MAX_QUESTIONS)
}

fn is_reached_by_an_end(code: &Code<'_>, block: u32, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    let from = |start: BlockId| start.0 == block || code.ways().leads(start.0, |at| at == block);
    code.body.blocks.iter().any(|known| match &known.end {
        Terminator::Match { place, test: Test::Variant(variant), then, other, .. } => {
            let is_end = || code.analysis.program.role(&code.type_at(place)) == Some(TypeRole::End);
            match (from(*then), from(*other)) {
                (true, false) => is_end() || (is_failure(variant.last()) && fails_by_end(code, place)),
                (false, true) => is_success(variant.last()) && fails_by_end(code, place),
                _ => false,
            }
        }
        Terminator::If { condition, then, other } if from(*then) != from(*other) => {
            says_end(code, *condition, fuel) == Some(from(*then))
        }
        _ => false,
    })
}

/// Whether something fails only because a context that is at hand has ended: one that is derived here may end sooner.
fn fails_by_end(code: &Code<'_>, result: &Place) -> bool {
    let ty = code.type_at(result);
    let error = match code.analysis.program.peel(&ty) {
        Ty::Adt(_, args) => args.get(1),
        _ => None,
    };
    if error.map(|error| code.analysis.program.role(error)) != Some(Some(TypeRole::End)) {
        return false;
    }
    let call = match code.definition(code.root(result.base)) {
        Some((_, Op { kind: OpKind::Await(work), .. })) => code.definition(code.root(*work)),
        made => made,
    };
    call.and_then(|(at, _)| code.call(at)).is_some_and(|call| !call.args.iter().any(|arg| is_derived(code, *arg)))
}

/// Whether a local is a context that is derived in this body.
fn is_derived(code: &Code<'_>, local: LocalId) -> bool {
    let made = code.definition(code.source(local)).and_then(|(at, _)| code.call(at));
    made.is_some_and(|call| call.is(&[FnRole::Derive]))
}

/// What yes means where a condition asks whether an error is the end of a context.
fn says_end(code: &Code<'_>, condition: LocalId, fuel: u8) -> Option<bool> {
    let fuel = fuel.checked_sub(1)?;
    let is_end = |local: &LocalId| code.analysis.program.role(code.ty(*local)) == Some(TypeRole::End);
    let condition = code.root(condition);
    match code.definition(condition).map(|(_, op)| &op.kind) {
        Some(OpKind::Unary(UnaryOp::Not, inner)) => Some(!says_end(code, *inner, fuel)?),
        Some(OpKind::Binary(op, left, right)) if is_end(left) || is_end(right) => match op {
            BinaryOp::Eq => Some(true),
            BinaryOp::Ne => Some(false),
            _ => None,
        },
        Some(OpKind::MethodCall { receiver, name, .. }) if fails_by_end(code, receiver) => match name.as_str() {
            "is_err" => Some(true),
            "is_ok" => Some(false),
            _ => None,
        },
        Some(_) => None,
        // What `matches!` says in its arms.
        None => {
            let mut yes =
                code.definitions(condition).filter(|(_, op)| op.kind == OpKind::Lit(Lit::Bool(true))).peekable();
            yes.peek()?;
            yes.all(|(at, _)| is_reached_by_an_end(code, at.block, fuel)).then_some(true)
        }
    }
}
