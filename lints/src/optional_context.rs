//! A context parameter that may be missing, and `None` passed for one.

use std::collections::BTreeMap;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{LocalId, OpKind};
use ctxlint_analysis::flow::value::{Site, is_failure};
use ctxlint_analysis::model::TypeRole;
use ctxlint_analysis::types::{DefId, Target, Ty};

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "optional_context",
    group: Group::Style,
    level: Level::Warn,
    summary: "a context parameter that may be missing, and `None` passed for one",
    docs: include_str!("../docs/optional_context.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let program = &analysis.program;
    let mut optional: BTreeMap<DefId, Vec<usize>> = BTreeMap::new();
    for (def, function) in support::functions(analysis) {
        for ((param, ty), at) in function.params.iter().zip(program.param_types(def)).zip(0..) {
            if !is_optional(analysis, ty) {
                continue;
            }
            optional.entry(def).or_default().push(at);
            if !support::is_trait_impl(analysis, def) {
                findings.push(
                    Finding::new(
                        RULE.name,
                        Site::new(def.file, param.span),
                        "callers may leave the context out, and then nothing can cancel what this does",
                        "may be missing",
                    )
                    .help("take `&Context`; a caller without one of its own says so with `Context::background()`"),
                );
            }
        }
    }
    if optional.is_empty() {
        return;
    }
    let calls_one = |code: &Code<'_>| {
        let mut targets = code.typed.targets.iter().flatten();
        targets.any(|target| matches!(target, Target::Def(callee) if optional.contains_key(callee)))
    };
    for code in Code::all(analysis).filter(calls_one) {
        for call in code.calls() {
            let Target::Def(callee) = call.target else { continue };
            let args = optional.get(callee).into_iter().flatten().filter_map(|at| call.args.get(*at));
            for local in args.filter(|local| is_none(&code, **local)) {
                let mut finding = Finding::new(
                    RULE.name,
                    code.site(code.body.local_span(*local)),
                    "no context is given: nothing can cancel what the callee does",
                    "no context",
                );
                if let Some(item) = program.item(*callee) {
                    finding =
                        finding.label(Site::new(callee.file, item.name_span), "takes a context that may be missing");
                }
                findings.push(finding.help("pass the caller's context on"));
            }
        }
    }
}

/// Whether a type is a context that may be missing.
fn is_optional(analysis: &Analysis, ty: &Ty) -> bool {
    // A slot that the callee fills is no context that it is given.
    if matches!(ty, Ty::Ref(_, true)) {
        return false;
    }
    match analysis.program.peel(ty) {
        held @ Ty::Adt(_, args) if args.len() == 1 => {
            analysis.program.role(held) == Some(TypeRole::Maybe)
                && args.iter().all(|arg| support::is_context(analysis, arg))
        }
        _ => false,
    }
}

/// Whether a local is written as nothing.
fn is_none(code: &Code<'_>, local: LocalId) -> bool {
    code.definition(local).is_some_and(|(at, op)| {
        matches!(op.kind, OpKind::Path(_))
            && match code.target(at) {
                Target::Constructor(name, _) => is_failure(name),
                Target::External(path) => path.rsplit("::").next().is_some_and(is_failure),
                _ => false,
            }
    })
}
