//! Waiting for the end of a context that never ends.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::model::FnRole;

use crate::endless;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "wait_on_detached",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "waiting for the end of a context that never ends",
    docs: include_str!("../docs/wait_on_detached.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for (_, event, endless) in
        endless::calls(analysis, &[FnRole::Wait]).filter(|(_, _, endless)| endless::is_plain(endless))
    {
        let message = format!("this waits for ever: it is the end of {}, which never comes", endless::kind(&endless));
        let finding =
            Finding::new(RULE.name, event.site, message, "never ready").note("as an arm of `select!` it is dead");
        findings.push(
            endless::told(finding, &endless)
                .help("wait on a context that can end: the one before it was detached, or a bounded one: `.with_timeout(..)`, `.reparent(&owner)`"),
        );
    }
}
