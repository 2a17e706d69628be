//! The state of a context that never ends.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::model::FnRole;

use crate::endless;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "state_of_detached",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "asking for the state of a context that never ends",
    docs: include_str!("../docs/state_of_detached.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    let roles = [FnRole::IsDone, FnRole::State, FnRole::Run];
    for (flow, event, endless) in endless::calls(analysis, &roles) {
        // A function that is given a context asks on behalf of all its callers, a closure of what it is run with.
        if analysis.program.is_test(flow.body) || !endless.way.hops.is_empty() || !endless.certain {
            continue;
        }
        let message = format!("the answer is always the same: {} never ends", endless::kind(&endless));
        let finding = Finding::new(RULE.name, event.site, message, "nothing ever changes this answer");
        findings.push(
            endless::told(finding, &endless).help(
                "ask the context it was detached from, or bound it first: `.with_timeout(..)`, `.reparent(&owner)`",
            ),
        );
    }
}
