//! The end of a context treated as a failure.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BodyKind, Callee, LocalId, Op, OpKind, Place, Span, Terminator, Test};
use ctxlint_analysis::flow::value::{is_failure, is_success};
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::names::{Namespace, Res};
use ctxlint_analysis::types::{Target, Ty};

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// How many names an end is followed through.
const MAX_MOVES: u8 = 4;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "cancellation_as_error",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "the end of a context treated as a failure",
    docs: include_str!("../docs/cancellation_as_error.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for code in Code::all(analysis) {
        for region in regions(&code) {
            if is_told_apart(&code, &region.blocks) {
                continue;
            }
            for span in failures(&code, &region.blocks).filter(|span| seen.insert(code.site(*span))) {
                findings.push(
                    Finding::new(
                        RULE.name,
                        code.site(span),
                        "a caller who goes away counts as a failure here: the end of a context is not told apart",
                        "reached by a cancellation too",
                    )
                    .label(code.site(region.span), "this is the end of a context")
                    .help("tell `Canceled` and `DeadlineExceeded` apart from failures: log them at a lower level, answer them as what they are"),
                );
            }
        }
    }
}

/// Where an error that says that a context has ended is dealt with.
struct Region {
    blocks: BTreeSet<u32>,
    span: Span,
}

fn regions(code: &Code<'_>) -> Vec<Region> {
    let mut found = Vec::new();
    for (block, at) in code.body.blocks.iter().zip(0u32..) {
        let Terminator::Match { place, test, then, other, span } = &block.end else { continue };
        let (failure, success) = match test {
            Test::Variant(path) if is_failure(path.last()) => (then, other),
            Test::Variant(path) if is_success(path.last()) => (other, then),
            Test::Success => (other, then),
            _ => continue,
        };
        let ty = code.type_at(place);
        // Who asks a context for its error has one where there is something.
        let asked = is_asked(code, place.base);
        let (failure, success) = if asked { (success, failure) } else { (failure, success) };
        if !(asked || may_end(code, &ty)) || was_looked_into(code, place, at) {
            continue;
        }
        let mut apart = code.ways().after(success.0);
        apart.insert(success.0);
        let mut blocks = code.ways().after(failure.0);
        blocks.insert(failure.0);
        blocks.retain(|block| !apart.contains(block));
        found.push(Region { blocks, span: *span });
    }
    // A closure that is given the error.
    let given = code.body.params.iter().find(|param| is_end(code, code.ty(**param)));
    if let (BodyKind::Closure(_), Some(param)) = (code.body.kind, given) {
        let blocks = (0..code.body.blocks.len() as u32).collect();
        found.push(Region { blocks, span: code.body.local_span(*param) });
    }
    found
}

/// Whether an arm before, or its guard, has looked which end is in an outcome.
fn was_looked_into(code: &Code<'_>, outcome: &Place, block: u32) -> bool {
    let is_end_of_it =
        |local: LocalId| is_end(code, code.ty(local)) && is_part_of(code, local, outcome.base, MAX_MOVES);
    code.body.blocks.iter().zip(0u32..).any(|(known, at)| {
        let matches = match &known.end {
            Terminator::Match { place, .. } => place.base == outcome.base && is_end(code, &code.type_at(place)),
            _ => false,
        };
        let compares = |op: &Op| match &op.kind {
            OpKind::Binary(_, left, right) => is_end_of_it(*left) || is_end_of_it(*right),
            OpKind::MethodCall { receiver, .. } => is_end_of_it(receiver.base),
            OpKind::Call { args, .. } => args.iter().any(|arg| is_end_of_it(*arg)),
            _ => false,
        };
        (matches || known.ops.iter().any(compares) || is_guard(code, outcome, at))
            && code.ways().leads(at, |to| to == block)
    })
}

/// Whether a block asks the context, once it is known what the outcome is.
fn is_guard(code: &Code<'_>, outcome: &Place, block: u32) -> bool {
    let tests = |end: &Terminator| matches!(end, Terminator::Match { place, .. } if place.base == outcome.base);
    let asks = || code.calls_in(&BTreeSet::from([block])).any(|call| support::asks(code, &call).is_some());
    let mut tested = code.body.blocks.iter().zip(0u32..).filter(|(known, _)| tests(&known.end));
    tested.any(|(_, at)| code.ways().leads(at, |to| to == block)) && asks()
}

/// Whether a local is bound to a part of another: a name in a pattern is bound once for the guard and once for the arm.
fn is_part_of(code: &Code<'_>, local: LocalId, whole: LocalId, moves: u8) -> bool {
    let is_it = |place: &Place| {
        place.base == whole || moves.checked_sub(1).is_some_and(|moves| is_part_of(code, place.base, whole, moves))
    };
    code.definitions(local)
        .any(|(_, op)| matches!(&op.kind, OpKind::Use(place) | OpKind::Ref(place, _) if is_it(place)))
}

/// Whether a type is an outcome that may be a context's end.
fn may_end(code: &Code<'_>, ty: &Ty) -> bool {
    match code.analysis.program.peel(ty) {
        held @ Ty::Adt(_, args) => {
            code.analysis.program.role(held) == Some(TypeRole::Maybe)
                && args.get(1).is_some_and(|error| is_end(code, error))
        }
        _ => false,
    }
}

/// Whether a context was asked for its end, and this is the answer.
fn is_asked(code: &Code<'_>, answer: LocalId) -> bool {
    let through = [FnRole::Clone, FnRole::Same, FnRole::Borrow];
    let of_end = matches!(code.analysis.program.peel(code.ty(answer)), Ty::Adt(_, args)
        if matches!(args.as_slice(), [only] if is_end(code, only)));
    of_end && code.made_by(answer, &through).is_some_and(|call| call.is(&[FnRole::State, FnRole::RunSelf]))
}

fn is_end(code: &Code<'_>, ty: &Ty) -> bool {
    code.analysis.program.role(ty) == Some(TypeRole::End)
}

/// Whether anything in the region looks at which end it was, at the context, or hands the error to
/// somebody who may.
fn is_told_apart(code: &Code<'_>, blocks: &BTreeSet<u32>) -> bool {
    let ends = |local: &LocalId| is_end(code, code.ty(*local));
    let matched = blocks.iter().filter_map(|at| code.body.blocks.get(*at as usize)).any(|block| match &block.end {
        Terminator::Match { place, .. } => is_end(code, &code.type_at(place)),
        _ => false,
    });
    matched
        || code.ops_in(blocks).any(|(at, op)| match &op.kind {
            OpKind::Binary(_, left, right) => ends(left) || ends(right),
            OpKind::Unknown { .. } => true,
            OpKind::Call { .. } | OpKind::MethodCall { .. } => code.call(at).is_none_or(|call| {
                let known = !matches!(call.target, Target::Def(_) | Target::Closure(_) | Target::Unknown);
                support::asks(code, &call).is_some()
                    || (call.args.iter().any(ends) && (!known || call.is(&[FnRole::State])))
            }),
            _ => false,
        })
}

/// What in a region tells of a failure.
fn failures(code: &Code<'_>, blocks: &BTreeSet<u32>) -> impl Iterator<Item = Span> {
    let program = &code.analysis.program;
    let is_failure = |path: &str| program.models.function(path).is_some_and(|model| model.role == FnRole::Failure);
    code.ops_in(blocks).filter_map(move |(at, op)| {
        let path = match &op.kind {
            OpKind::Inspect { path, .. } => match program.resolve_path(code.who.file, path, Namespace::Macro) {
                Res::External(name) if is_failure(&name) => return Some(path.span),
                _ => return None,
            },
            OpKind::Path(path) | OpKind::Call { callee: Callee::Path(path), .. } => path,
            _ => return None,
        };
        match code.target(at) {
            Target::External(name) if is_failure(name) => Some(path.span),
            _ => None,
        }
    })
}
