//! A value that the code cannot do without.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BlockId, OpKind, Span, Terminator, Test};
use ctxlint_analysis::model::FnRole;

use crate::code::{Call, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

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
    for code in Code::that_call(analysis, &[FnRole::ReadValue]).filter(|code| !analysis.program.is_test(code.who)) {
        for call in code.calls().filter(|call| call.model.is_some_and(|model| model.panics)) {
            let Some(read) = call.args.first().and_then(|local| code.made_by(*local, THROUGH)) else { continue };
            if read.is(&[FnRole::ReadValue]) {
                findings.push(finding(&code, call.name, &read));
            }
        }
        for block in &code.body.blocks {
            let Terminator::Match { place, test: Test::Variant(_), other, .. } = &block.end else { continue };
            let Some(read) = code.made_by(place.base, THROUGH) else { continue };
            if read.is(&[FnRole::ReadValue])
                && let Some(otherwise) = panics(&code, *other)
            {
                findings.push(finding(&code, otherwise, &read));
            }
        }
    }
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

fn finding(code: &Code<'_>, span: Span, read: &Call<'_>) -> Finding {
    Finding::new(
        RULE.name,
        code.site(span),
        "this panics whenever the context does not carry the value, and nothing makes a caller put it there",
        "panics without the value",
    )
    .label(code.site(read.name), "looked up here")
    .help("take what the function cannot do without as a parameter, or handle its absence")
}
