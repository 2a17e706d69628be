//! A context that is not the first parameter.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::value::Site;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "context_not_first",
    group: Group::Style,
    level: Level::Warn,
    summary: "a context that is not the first parameter",
    docs: include_str!("../docs/context_not_first.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let program = &analysis.program;
    for (def, function) in support::functions(analysis) {
        let body = program.body_of(def);
        if support::is_trait_impl(analysis, def)
            || program.used_as_value(def)
            || body.is_some_and(|body| program.handler(body).is_some())
        {
            continue;
        }
        let types = program.param_types(def);
        let params = function.params.iter().zip(types).skip(usize::from(function.has_self));
        let mut before = None;
        for (param, ty) in params {
            if !support::is_context(analysis, ty) {
                before = before.or(Some(param.span));
                continue;
            }
            let Some(first) = before else { continue };
            findings.push(
                Finding::new(
                    RULE.name,
                    Site::new(def.file, param.span),
                    "the context is not the first parameter: calls read differently from place to place, and it is easily overlooked",
                    "stands behind other parameters",
                )
                .label(Site::new(def.file, first), "first here")
                .help("make it the first parameter, after `self`"),
            );
            break;
        }
    }
}
