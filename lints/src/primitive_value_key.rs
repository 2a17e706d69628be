//! A built-in type as the key of a value.

use ctxlint_analysis::Analysis;

use crate::finding::Finding;
use crate::keys::{self, KeyKind};
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "primitive_value_key",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a number, tuple or other built-in type as the key of a context's value",
    docs: include_str!("../docs/primitive_value_key.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (_, event, _, kind) in keys::keys(analysis) {
        if kind == KeyKind::Primitive {
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "a built-in type is no key of one's own: any other package with an equal key reads and hides this value",
                    "a key made of built-in types alone",
                )
                .help("declare a type for the key, private to the module: `#[derive(PartialEq, Eq)] struct RequestId;`"),
            );
        }
    }
}
