//! A loop that looks at its context once a turn and then waits without it.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::model::FnRole;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::support;
use crate::waits::{self, Ended};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "polled_not_raced",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a loop that looks at its context once a turn and then waits without it",
    docs: include_str!("../docs/polled_not_raced.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in support::that_ask(analysis) {
        let asks: Vec<_> = code.calls().filter(|call| support::asks(&code, call).is_some()).collect();
        // Where the end of the context wakes the wait, the look after it is soon enough.
        if asks.is_empty() || code.calls().any(|call| call.is(&[FnRole::Callback])) {
            continue;
        }
        if waits::is_raced_outside(&code) || waits::is_raced_by_callers(&code) {
            continue;
        }
        let mut ended = Ended::of(&code);
        for wait in waits::of(&code).into_iter().chain(waits::by_callees(&code)).filter(|wait| wait.is_idle(&code)) {
            let asked = asks.iter().find(|call| {
                let in_loop = code.loop_at(call.at);
                code.loops_from(wait.in_loop).any(|of| {
                    code.is_within(in_loop, of) && code.turns(wait.at.block, of) && code.turns(call.at.block, of)
                })
            });
            let Some(asked) = asked else { continue };
            if asked.args.first().is_some_and(|context| ended.has(&code, *context, wait.at)) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(wait.name),
                    format!("the end of the context goes unnoticed for as long as this waits for {}", wait.what()),
                    "waits without the context",
                )
                .label(code.site(asked.name), "looked at only once a turn")
                .help("race the wait with the context: `ctx.run(..).await`, or a `select!` with an arm `_ = ctx.done() => break`"),
            );
        }
    }
}
