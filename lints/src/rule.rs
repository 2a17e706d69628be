//! What a rule is.

use crate::finding::Finding;

/// A rule's group, which decides its default level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// Certain misuse: deny.
    Correctness,
    /// Very likely misuse: warn.
    Suspicious,
    /// How it should be written: warn.
    Style,
    /// Needless cost: warn.
    Perf,
    /// Strict opinions: allow.
    Pedantic,
    /// For those who ask: allow.
    Restriction,
    /// About the check itself: unused suppressions, unknown names, files that do not parse.
    Meta,
}

/// A level of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Not reported.
    Allow,
    /// Reported.
    Warn,
    /// Reported, and the check fails.
    Deny,
    /// The same, and no configuration or suppression lowers it.
    Forbid,
}

/// A rule.
pub struct Rule {
    /// snake_case; the name of its file, page and fixtures.
    pub name: &'static str,
    /// Its group.
    pub group: Group,
    /// The level without configuration.
    pub level: Level,
    /// One line, for lists.
    pub summary: &'static str,
    /// Its page, `docs/<name>.md`.
    pub docs: &'static str,
    /// Whether it looks at test code too (not marked "¬test").
    pub in_tests: bool,
    /// Whether it looks at tasks that have nothing to do with a context.
    pub all_tasks: bool,
    /// Whether one of its suggestions can be applied.
    pub fixable: bool,
    /// Finds its misuses; none for the rules about the check itself.
    pub check: Option<Check>,
}

/// A pure function from the analysed program to findings, in no particular order.
pub type Check = fn(&ctxlint_analysis::Analysis, &Options, &mut Vec<Finding>);

/// A rule's own options from the configuration (`[options.<rule>]`): strings and lists of strings by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// By key.
    pub lists: std::collections::BTreeMap<String, Vec<String>>,
}
