//! A callback that nobody takes back when the work it guards is done.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::flow::value::ObjKind;

use crate::code::{At, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "lost_stop",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a callback that nobody can take back when its work is done",
    docs: include_str!("../docs/lost_stop.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        let Some(code) = Code::of(analysis, flow.body) else { continue };
        for (id, object) in &flow.objects {
            let is_lost = object.kind == ObjKind::Stop
                && !id.old
                && object.via.is_empty()
                && flow.used.get(id).is_none_or(|uses| uses.is_empty());
            if !is_lost || !code.waits_after(At { block: id.block, op: id.op }) {
                continue;
            }
            findings.push(
                Finding::new(
                    RULE.name,
                    object.name_site,
                    "nothing takes the callback back when the work is done: it still runs when the context ends, and what it holds stays until then",
                    "its `StopHandle` is dropped",
                )
                .help("keep the handle and call `stop()` when the work is done"),
            );
        }
    }
}
