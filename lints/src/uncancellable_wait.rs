//! A wait that the context at hand cannot end.

use ctxlint_analysis::Analysis;

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::waits;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "uncancellable_wait",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a wait that the context at hand cannot end",
    docs: include_str!("../docs/uncancellable_wait.md"),
    in_tests: true,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in Code::all(analysis) {
        if waits::is_raced_outside(&code) {
            continue;
        }
        for wait in waits::of(&code) {
            let Some(context) = waits::context_at(&code, wait.name) else { continue };
            let name = code.body.local(context).and_then(|local| local.name.clone()).unwrap_or_else(|| "ctx".into());
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(wait.name),
                    format!(
                        "this waits for {} however long it takes: the context's end does not reach it",
                        wait.what()
                    ),
                    "goes on when the context is done",
                )
                .label(code.site(code.body.local_span(context)), "this context could end it")
                .help(format!("race it: `{name}.run(..).await`, a `select!` with a `done()` arm, or a timeout")),
            );
        }
    }
}
