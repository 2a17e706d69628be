//! A rule name nobody knows in a suppression; made by the command, which reads them.

use crate::rule::{Group, Level, Rule};

/// See the page.
pub(crate) const RULE: Rule = Rule {
    name: "unknown_rule",
    group: Group::Meta,
    level: Level::Deny,
    summary: "a suppression of a rule that nobody knows",
    docs: include_str!("../docs/unknown_rule.md"),
    in_tests: true,
    all_tasks: false,
    fixable: true,
    check: None,
};
