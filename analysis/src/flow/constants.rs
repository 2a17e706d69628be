//! Lengths of time that constants name.

use crate::facts::{BinaryOp, BlockId, Callee, Lit, LocalId, OpKind, Terminator};
use crate::link::Program;
use crate::model::{FnRole, last_segment};
use crate::types::{BodyRef, DefId, Target};

/// How far constants that name constants are followed.
const MAX_STEPS: u8 = 8;

/// The number a constant stands for: nanoseconds, if it is a length of time.
pub(super) fn nanos(program: &Program, def: DefId) -> Option<u128> {
    constant(program, def, MAX_STEPS)
}

/// The constant length of time that a local of a body holds, in nanoseconds.
pub fn of_local(program: &Program, who: BodyRef, local: LocalId) -> Option<u128> {
    value(program, who, local, MAX_STEPS)
}

/// Whether a library's constant is the length of time that is none.
pub(super) fn is_zero(program: &Program, path: &str) -> bool {
    last_segment(path) == "ZERO" && program.models.function(path).is_some_and(|model| model.role == FnRole::Duration)
}

/// A length of time in the unit that its constructor's name tells.
pub(super) fn length(constructor: &str, numbers: &[u128]) -> Option<u128> {
    let constructor = last_segment(constructor);
    let Some((number, rest)) = numbers.split_first() else { return (constructor == "default").then_some(0) };
    let unit: u128 = match constructor {
        "new" => return number.checked_mul(1_000_000_000)?.checked_add(*rest.first()?),
        // Of numbers with a point only zero is known.
        "from_secs_f64" | "from_secs_f32" => return (*number == 0).then_some(0),
        "from_nanos" => 1,
        "from_micros" => 1_000,
        "from_millis" => 1_000_000,
        "from_secs" => 1_000_000_000,
        "from_mins" => 60_000_000_000,
        "from_hours" => 3_600_000_000_000,
        "from_days" => 86_400_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

fn constant(program: &Program, def: DefId, fuel: u8) -> Option<u128> {
    let fuel = fuel.checked_sub(1)?;
    let who = program.body_of(def)?;
    let returned = program.body(who)?.blocks.iter().find_map(|block| match block.end {
        Terminator::Return(local) => Some(local),
        _ => None,
    })?;
    value(program, who, returned, fuel)
}

fn value(program: &Program, who: BodyRef, local: LocalId, fuel: u8) -> Option<u128> {
    let fuel = fuel.checked_sub(1)?;
    let (body, typed) = (program.body(who)?, program.typed(who)?);
    let mut found = body.blocks.iter().zip(0u32..).flat_map(|(block, at)| {
        block.ops.iter().enumerate().filter(|(_, op)| op.dest == Some(local)).map(move |(index, op)| (at, index, op))
    });
    let (block, index, op) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let target = typed.target(BlockId(block), index);
    match (&op.kind, target) {
        (OpKind::Lit(Lit::Int(Some(number))), _) => Some(u128::from(*number)),
        (OpKind::Lit(Lit::Float(true)), _) => Some(0),
        (OpKind::Binary(BinaryOp::Mul, left, right), _) => {
            value(program, who, *left, fuel)?.checked_mul(value(program, who, *right, fuel)?)
        }
        (OpKind::Use(place), _) if place.path.is_empty() => value(program, who, place.base, fuel),
        (OpKind::Path(_), Target::Value(def)) => constant(program, *def, fuel),
        (OpKind::Path(_), Target::External(path)) if is_zero(program, path) => Some(0),
        (OpKind::Call { callee: Callee::Path(_), args }, Target::External(path)) => {
            let is_duration = program.models.function(path).is_some_and(|model| model.role == FnRole::Duration);
            let numbers: Option<Vec<u128>> = args.iter().map(|arg| value(program, who, *arg, fuel)).collect();
            numbers.filter(|_| is_duration).and_then(|numbers| length(path, &numbers))
        }
        _ => None,
    }
}
