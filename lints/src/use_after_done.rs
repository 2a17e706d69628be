//! A context used for work where it is certainly done.

use std::collections::BTreeSet;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::events::{Event, Flow, Seen};
use ctxlint_analysis::flow::value::{Ctx, ObjId, Uses};
use ctxlint_analysis::model::FnRole;

use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "use_after_done",
    group: Group::Suspicious,
    level: Level::Warn,
    summary: "a context used for work where it is certainly done",
    docs: include_str!("../docs/use_after_done.md"),
    in_tests: false,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

/// Work that fails at once on a context that is done.
const WORKS: Uses = Uses(Uses::WORK.0 | Uses::RACE.0 | Uses::SPAWN.0 | Uses::DERIVE.0);

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    // Tests use contexts that are done on purpose, to see what happens.
    for flow in analysis.flows().filter(|flow| !analysis.program.is_test(flow.body)) {
        let told = derived(flow);
        for event in &flow.events {
            let is_told = |ctx: &&Ctx| ctx.line().iter().any(|node| told.contains(&node.id));
            if let Some(ctx) = used(event).filter(|ctx| !is_told(ctx)) {
                findings.push(
                    Finding::new(
                        RULE.name,
                        event.site,
                        "the context is already done here: the work fails at once",
                        "used after its end",
                    )
                    .label(ctx.site, "the context")
                    .note("what derives from a context that is done is done at birth")
                    .help("use the context before it ends, or for clean-up a fresh one: `.without_cancel()` with a timeout of its own"),
                );
            }
        }
    }
}

/// The contexts that are derived from one that is done: what is done with them is told of there.
fn derived(flow: &Flow) -> BTreeSet<ObjId> {
    let at = |event: &Event| (event.block, event.op);
    let from: BTreeSet<(u32, u32)> = flow.events.iter().filter(|event| used(event).is_some()).map(at).collect();
    let made = flow.events.iter().filter(|event| from.contains(&at(event))).flat_map(|event| &event.seen);
    made.filter_map(|seen| if let Seen::Derived { ctx } = seen { Some(ctx.id) } else { None }).collect()
}

fn used(event: &Event) -> Option<&Ctx> {
    let mut found = None;
    for seen in &event.seen {
        found = match seen {
            Seen::Context {
                role: FnRole::Derive | FnRole::Run | FnRole::RunSelf, ctx: Some(ctx), done: true, ..
            } => Some(ctx),
            Seen::Passed { ctx, uses, done: true, .. } if uses.any(WORKS) => Some(ctx),
            _ => return None,
        };
    }
    found
}
