//! A string as the key of a value.

use ctxlint_analysis::Analysis;

use crate::finding::{Finding, Place};
use crate::key_types::{self, NewType};
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
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let new_types = key_types::new_types(analysis);
    for (flow, event, local, kind) in keys::keys(analysis) {
        if kind != KeyKind::Text {
            continue;
        }
        let text = analysis.program.body(flow.body).and_then(|body| keys::literal(body, local));
        let finding = Finding::new(
            RULE.name,
            event.site,
            "a string is no key of one's own: any other package with the same text reads and hides this value",
            "a key of string type",
        )
        .note("keys are equal when their type and value are, and every string of the same text is the same key");
        let is_here = |place: Place| place.file == event.site.file_id() && event.site.span.contains(place.span);
        let replaces = |made: &&NewType| made.edits.iter().any(|edit| is_here(edit.place));
        findings.push(match text.and_then(|text| new_types.get(text)).filter(replaces) {
            Some(made) => finding.fix(
                format!("make the key a type, `{}`, private to the module", made.name),
                made.edits.clone(),
                made.applicability,
            ),
            None => {
                let name = text.map_or_else(|| "RequestId".to_owned(), support::type_name);
                finding.help(format!(
                    "declare a type for the key, private to the module: `struct {name};` with `#[derive(PartialEq, Eq)]`"
                ))
            }
        });
    }
}
