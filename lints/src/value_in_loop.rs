//! The same look-up in every turn of a loop.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, LocalId, LoopId, Mutability, OpKind, Place, Step};
use ctxlint_analysis::model::FnRole;
use ctxlint_analysis::types::{Target, Ty};

use crate::code::{Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::values;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "value_in_loop",
    group: Group::Perf,
    level: Level::Warn,
    summary: "the same look-up of a value in every turn of a loop",
    docs: include_str!("../docs/value_in_loop.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in values::that_look_up(analysis) {
        code.calls().for_each(|call| findings.extend(repeated(&code, &call)));
    }
}

fn repeated(code: &Code<'_>, call: &Call<'_>) -> Option<Finding> {
    let of = code.body.block(BlockId(call.at.block))?.in_loop?;
    let (inner, read) = values::look_up(code, call)?;
    let given = call.args.get(usize::from(call.receiver.is_some())..)?;
    let is_same = call.receiver.is_none_or(|place| is_same_place(code, place, of))
        && given.iter().all(|arg| is_same(code, *arg, of, 8));
    if !is_same || !code.turns(call.at.block, of) {
        return None;
    }
    let finding = Finding::new(
        RULE.name,
        code.site(call.name),
        "the same value is looked up in every turn of the loop: each look-up walks the context's chain",
        "gives the same every time",
    )
    .label(code.site(code.body.loops.get(of.index())?.keyword), "in this loop");
    let finding = if inner.who == code.who { finding } else { finding.label(inner.site(read.name), "looked up here") };
    Some(finding.help("look it up once, in front of the loop"))
}

/// Whether a place holds the same context in every turn.
fn is_same_place(code: &Code<'_>, place: &Place, of: LoopId) -> bool {
    let changes = matches!(code.ty(place.base), Ty::Ref(_, true))
        && code.mentions(place.base).any(|(_, block, op)| {
            code.is_within(block.in_loop, of)
                && matches!(&op.kind, OpKind::MethodCall { receiver, .. } if receiver.base == place.base && receiver.path.is_empty())
        });
    !changes && is_same(code, place.base, of, 8)
}

/// Whether a local has the same value in every turn.
fn is_same(code: &Code<'_>, local: LocalId, of: LoopId, fuel: u8) -> bool {
    let Some(fuel) = fuel.checked_sub(1) else { return false };
    if code.is_named(local) && (code.is_steady(local, of) || !code.is_bound_in(local, of) || code.is_changed(local)) {
        return code.is_steady(local, of);
    }
    let all = |locals: &[LocalId]| locals.iter().all(|local| is_same(code, *local, of, fuel));
    let mut definitions = code.definitions(local).peekable();
    definitions.peek().is_some()
        && definitions.all(|(at, op)| match &op.kind {
            OpKind::Lit(_) | OpKind::Path(_) => true,
            OpKind::Use(place) | OpKind::Ref(place, Mutability::Shared) => {
                !place.path.contains(&Step::Index) && is_same(code, place.base, of, fuel)
            }
            OpKind::MethodCall { receiver, .. } => {
                let copies = code.call(at).is_some_and(|call| call.is(&[FnRole::Clone]));
                copies && !receiver.path.contains(&Step::Index) && is_same(code, receiver.base, of, fuel)
            }
            OpKind::Tuple(parts) | OpKind::Array(parts) => all(parts),
            OpKind::Struct { fields, base: None, .. } => {
                fields.iter().all(|(_, local)| is_same(code, *local, of, fuel))
            }
            OpKind::Call { args, .. } => {
                let makes = code.call(at).is_some_and(|call| matches!(call.target, Target::Constructor(..)));
                makes && all(args)
            }
            _ => false,
        })
}
