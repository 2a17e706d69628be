//! A value that the code cannot do without.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, LocalId, OpKind, Span, Terminator, Test};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::model::FnRole;

use crate::code::Code;
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
const THROUGH: &[FnRole] = &[FnRole::Clone, FnRole::Same, FnRole::Borrow];

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in values::that_look_up(analysis).filter(|code| !analysis.program.is_test(code.who)) {
        for call in code.calls().filter(|call| call.model.is_some_and(|model| model.panics)) {
            let Some(read) = call.args.first().and_then(|local| read_by(&code, *local)) else { continue };
            findings.push(finding(code.site(call.name), read));
        }
        for block in &code.body.blocks {
            let Terminator::Match { place, test: Test::Variant(_), other, .. } = &block.end else { continue };
            let Some(read) = read_by(&code, place.base) else { continue };
            if let Some(otherwise) = panics(&code, *other) {
                findings.push(finding(code.site(otherwise), read));
            }
        }
    }
}

/// The look-up that a value is the result of, by way of functions that give back what they find.
fn read_by(code: &Code<'_>, local: LocalId) -> Option<Site> {
    let call = code.made_by(local, THROUGH)?;
    let (inner, read) = values::look_up(code, &call)?;
    let is_given_back = inner.body.blocks.iter().all(|block| match block.end {
        Terminator::Return(local) => inner.made_by(local, THROUGH).is_some_and(|call| call.at == read.at),
        _ => true,
    });
    (inner.who == code.who || is_given_back).then(|| inner.site(read.name))
}

/// The `else` of a `let` that leads into a panic and nowhere else.
fn panics(code: &Code<'_>, block: BlockId) -> Option<Span> {
    let block = code.body.block(block)?;
    let first = block.ops.first()?;
    // What ends there has the keyword's place, which no other way of not matching has.
    let is_else = matches!(first.kind, OpKind::EndTemps { .. }) && first.span.end - first.span.start == 4;
    let calls = block.ops.iter().any(|op| matches!(op.kind, OpKind::Call { .. } | OpKind::MethodCall { .. }));
    (is_else && block.end == Terminator::Diverge && !calls).then_some(first.span)
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
