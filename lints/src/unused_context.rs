//! A context parameter that nothing reads.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{BodyKind, OpKind, Terminator};
use ctxlint_analysis::flow::value::Site;
use ctxlint_analysis::model::{FnRole, TypeRole};
use ctxlint_analysis::types::{BodyRef, Target};

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "unused_context",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a context parameter that nothing reads",
    docs: include_str!("../docs/unused_context.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let program = &analysis.program;
    for (def, function) in support::functions(analysis) {
        let Some(code) = program.body_of(def).and_then(|body| Code::of(analysis, body)) else { continue };
        // A signature that somebody else asks for is kept whole.
        let is_asked_for = support::is_trait_member(analysis, def)
            || program.used_as_value(def)
            || program.handler(code.who).is_some();
        if is_asked_for || !could_use(&code) {
            continue;
        }
        for ((param, ty), local) in function.params.iter().zip(program.param_types(def)).zip(&code.body.params) {
            if program.role(ty) != Some(TypeRole::Context) || code.is_read(*local) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    Site::new(def.file, param.span),
                    "the context is never used: what this function waits for goes on when its caller has given up",
                    "nothing reads it",
                )
                .help("pass it on to what the function calls, and wait under it; or take no context"),
            );
        }
    }
}

/// Whether a body does something that a context could end.
fn could_use(code: &Code<'_>) -> bool {
    let program = &code.analysis.program;
    let waits = code.ops().any(|(_, _, op)| matches!(op.kind, OpKind::Await(_)));
    let selects = code.body.blocks.iter().any(|block| matches!(block.end, Terminator::Select { .. }));
    // What a function gives back to be awaited is its work, too.
    let inner = code.ops().filter_map(|(_, _, op)| match op.kind {
        OpKind::Closure(inner) => Code::of(code.analysis, BodyRef { file: code.who.file, body: inner }),
        _ => None,
    });
    let later = inner.into_iter().any(|inner| matches!(inner.body.kind, BodyKind::AsyncBlock(_)) && could_use(&inner));
    waits
        || selects
        || later
        || code.calls().any(|call| {
            call.is(&[FnRole::Waiting, FnRole::Outbound, FnRole::Run, FnRole::RunSelf, FnRole::Wait])
                || matches!(call.target, Target::Def(callee)
                    if program.param_types(*callee).iter().any(|ty| program.role(ty) == Some(TypeRole::Context)))
        })
}
