//! A value that the code cannot do without.

use std::collections::BTreeMap;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, LocalId, OpKind, Span, Terminator, Test};
use ctxlint_analysis::flow::value::{Site, is_success};
use ctxlint_analysis::model::FnRole;
use ctxlint_analysis::types::{BodyRef, Ty};

use crate::code::{Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::values;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "required_value",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a value that the code cannot do without",
    docs: include_str!("../docs/required_value.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// What is looked through between a look-up and what is done with it.
const THROUGH: &[FnRole] = &[FnRole::Clone, FnRole::Same, FnRole::Borrow, FnRole::Map, FnRole::Inspect];

/// How far a context is followed back to where the value was put into it.
const MAX_LINKS: u8 = 8;

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in values::that_look_up(analysis).filter(|code| !analysis.program.is_test(code.who)) {
        let mut found = BTreeMap::new();
        for call in code.calls().filter(|call| panics_without(&code, call)) {
            let read = call.args.first().and_then(|local| read_by(&code, *local));
            found.extend(read.map(|read| (code.site(call.name), read)));
        }
        for block in &code.body.blocks {
            let Terminator::Match { place, test: Test::Variant(path), then, other, .. } = &block.end else { continue };
            let missing = if is_success(path.last()) { *other } else { *then };
            let Some(read) = read_by(&code, place.base).filter(|_| place.path.is_empty()) else { continue };
            found.extend(panics(&code, missing).map(|otherwise| (code.site(otherwise), read)));
        }
        findings.extend(found.into_iter().map(|(place, read)| finding(place, read)));
    }
}

/// Whether a call panics where what it is about holds nothing: itself, or by what it is to do then.
fn panics_without(code: &Code<'_>, call: &Call<'_>) -> bool {
    let Some(model) = call.model else { return false };
    let never_returns = |local: &LocalId| match code.definition(code.root(*local)).map(|(_, op)| &op.kind) {
        Some(OpKind::Closure(inner)) => {
            let inner = Code::of(code.analysis, BodyRef { file: code.who.file, body: *inner });
            inner.is_some_and(|inner| panics(&inner, BlockId(0)).is_some())
        }
        _ => false,
    };
    let otherwise = match model.role {
        FnRole::InnerOr => model.work.first().copied(),
        FnRole::AndThen => model.other,
        _ => None,
    };
    model.panics || otherwise.and_then(|at| call.args.get(at)).is_some_and(never_returns)
}

/// The look-up that a value is the result of, by way of functions that give back what they find.
fn read_by(code: &Code<'_>, local: LocalId) -> Option<Site> {
    let call = code.made_by(local, THROUGH)?;
    let (inner, read) = values::look_up(code, &call)?;
    if inner.who == code.who && is_written_here(code, &read) {
        return None;
    }
    let is_given_back = inner.body.blocks.iter().all(|block| match block.end {
        Terminator::Return(local) => inner.made_by(local, THROUGH).is_some_and(|call| call.at == read.at),
        _ => true,
    });
    (inner.who == code.who || is_given_back).then(|| inner.site(read.name))
}

/// The type of the key that a value is read or written with.
fn key<'a>(code: &Code<'a>, call: &Call<'_>) -> Option<&'a Ty> {
    let at = call.model.and_then(|model| model.key)?;
    Some(code.ty(*call.args.get(at)?).unreferenced())
}

/// Whether what is read was put into the context in the same function: it is there.
fn is_written_here(code: &Code<'_>, read: &Call<'_>) -> bool {
    let wanted = key(code, read);
    let mut context = read.args.first().copied();
    for _ in 0..MAX_LINKS {
        let Some(made) = context.and_then(|local| code.made_by(code.source(local), &[])) else { return false };
        let writes = |call: &Call<'_>, key: Option<&Ty>| {
            values::accesses(call) == Some(true) && key.is_some_and(|ty| !ty.is_unknown()) && key == wanted
        };
        let by_callee =
            code.callee(&made).is_some_and(|callee| callee.calls().any(|call| writes(&call, key(&callee, &call))));
        if by_callee || writes(&made, key(code, &made)) {
            return true;
        }
        let keeps = made.is(&[FnRole::Derive, FnRole::Detach, FnRole::Reparent]);
        context = made.model.filter(|_| keeps).and_then(|model| made.args.get(model.subject)).copied();
    }
    false
}

/// What leads into a panic and nowhere else: the keyword of an `else`, or the panic.
fn panics(code: &Code<'_>, block: BlockId) -> Option<Span> {
    let block = code.body.block(block)?;
    let calls = block.ops.iter().any(|op| matches!(op.kind, OpKind::Call { .. } | OpKind::MethodCall { .. }));
    if block.end != Terminator::Diverge || calls {
        return None;
    }
    // What ends there has the keyword's place, which no other way of not matching has.
    let first = block.ops.first()?;
    let is_else = matches!(first.kind, OpKind::EndTemps { .. }) && first.span.end - first.span.start == 4;
    let panic = block.ops.iter().rev().find_map(|op| match &op.kind {
        OpKind::Inspect { path, .. } => Some(path.span),
        _ => None,
    });
    if is_else { Some(first.span) } else { panic }
}

fn finding(place: Site, read: Site) -> Finding {
    Finding::new(
        RULE.name,
        place,
        "this panics whenever the context does not carry the value, and nothing makes a caller put it there",
        "panics without the value",
    )
    .label(read, "looked up here")
    .help("take what the function cannot do without as a parameter, or handle its absence")
}
