//! A context that is derived from itself in every turn of a loop.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::LocalId;
use ctxlint_analysis::flow::events::{Event, Seen};

use crate::code::Code;
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "context_grows_in_loop",
    group: Group::Perf,
    level: Level::Warn,
    summary: "a context that is derived from itself in every turn of a loop",
    docs: include_str!("../docs/context_grows_in_loop.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        let Some(code) = Code::of(analysis, flow.body) else { continue };
        let is_direct = |event: &Event| matches!(event.seen.first(), Some(Seen::Grows { direct: true, .. }));
        let any_direct = flow.events.iter().any(is_direct);
        for event in flow.events.iter().filter(|event| !any_direct || is_direct(event)) {
            let Some(Seen::Grows { ctx, local, .. }) = event.seen.first() else { continue };
            // It grows with every turn of a loop that it is declared outside of and that goes on after it.
            let grows = code
                .loops_from(event.in_loop)
                .any(|of| !code.is_bound_in(LocalId(*local), of) && code.turns(event.block, of));
            if !grows {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    event.site,
                    "the context's chain grows by a link with every turn of the loop: look-ups and cancellation walk all of it",
                    "derived from what the turn before left here",
                )
                .label(ctx.site, "the context it grows from")
                .note("every link stays in memory for as long as the last context does")
                .help("derive each turn's context afresh from one that does not change: `let ctx = base.with_value(..);` within the loop"),
            );
        }
    }
}
