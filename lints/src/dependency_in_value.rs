//! Something that lives as long as the process, stored as a context's value.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::model::TypeRole;
use ctxlint_analysis::types::Ty;

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::values;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "dependency_in_value",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "something that lives as long as the process, stored as a value",
    docs: include_str!("../docs/dependency_in_value.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let written = Code::calling(analysis, values::ACCESSES).filter(|(_, call)| values::accesses(call) == Some(true));
    for (code, call) in written {
        let Some(value) = call.model.and_then(|model| call.args.get(model.value?)) else { continue };
        let Some(what) = dependency(analysis, code.ty(*value)) else { continue };
        findings.push(
            Finding::new(
                RULE.name,
                code.site(call.name),
                format!("a {what} lives as long as the process, not as long as a request: hidden in a context, nothing says who needs it"),
                format!("stores a {what}"),
            )
            .label(code.site(code.body.local_span(*value)), format!("the {what}"))
            .help("give it to those who need it: a field of the service, a parameter, the server's state"),
        );
    }
}

/// What a type's model calls it, if it lives as long as the process or may hold what does.
fn dependency<'a>(analysis: &'a Analysis, ty: &Ty) -> Option<&'a str> {
    let ty = analysis.program.peel(ty);
    let model = analysis.program.type_model(ty)?;
    match model.role {
        TypeRole::Maybe => dependency(analysis, &analysis.program.held(ty)),
        TypeRole::Process => Some(model.what.as_deref().unwrap_or("dependency")),
        TypeRole::Channel => model.what.as_deref(),
        _ => None,
    }
}
