//! A suppression that suppresses nothing; made by the command, which applies suppressions.

use crate::rule::{Group, Level, Rule};

/// See the page.
pub(crate) const RULE: Rule = Rule {
    name: "unused_suppression",
    group: Group::Meta,
    level: Level::Warn,
    summary: "a suppression that suppresses nothing",
    docs: include_str!("../docs/unused_suppression.md"),
    in_tests: true,
    all_tasks: false,
    fixable: true,
    check: None,
};
