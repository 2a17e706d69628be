//! A file that does not parse; made by the command, which has the files parsed.

use crate::rule::{Group, Level, Rule};

/// See the page.
pub(crate) const RULE: Rule = Rule {
    name: "syntax_error",
    group: Group::Meta,
    level: Level::Deny,
    summary: "a file that does not parse",
    docs: include_str!("../docs/syntax_error.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: None,
};
