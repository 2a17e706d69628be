//! A callback on a context that never ends.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::model::FnRole;

use crate::endless;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "after_func_on_detached",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a callback registered on a context that never ends",
    docs: include_str!("../docs/after_func_on_detached.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (_, event, endless) in
        endless::calls(analysis, &[FnRole::Callback]).filter(|(_, _, endless)| endless::is_plain(endless))
    {
        let message =
            format!("the callback never runs: it is registered on {}, which never ends", endless::kind(&endless));
        let finding = Finding::new(RULE.name, event.site, message, "waits for an end that never comes")
            .note("the callback and all it holds stay in memory for as long as the context does");
        findings.push(
            endless::told(finding, &endless)
                .help("register it on the context before it is detached, or bound the detached one first: `.with_timeout(..)`, `.reparent(&owner)`"),
        );
    }
}
