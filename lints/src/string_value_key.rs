//! A string as the key of a value.

use ctxlint_analysis::Analysis;

use crate::finding::Finding;
use crate::keys::{self, KeyKind};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "string_value_key",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a string as the key of a context's value",
    docs: include_str!("../docs/string_value_key.md"),
    in_tests: true,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (flow, event, local, kind) in keys::keys(analysis) {
        if kind != KeyKind::Text {
            continue;
        }
        let text = analysis.program.body(flow.body).and_then(|body| keys::literal(body, local));
        let name = text.map_or_else(|| "RequestId".to_owned(), support::type_name);
        let finding = Finding::new(
            RULE.name,
            event.site,
            "a string is no key of one's own: any other package with the same text reads and hides this value",
            "a key of string type",
        )
        .note("keys are equal when their type and value are, and every string of the same text is the same key");
        findings.push(finding.help(format!(
            "declare a type for the key, private to the module: `struct {name};` with `#[derive(PartialEq, Eq)]`"
        )));
    }
}
