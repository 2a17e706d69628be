//! A wait that the context at hand cannot end.

use std::collections::BTreeMap;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::LocalId;
use ctxlint_analysis::flow::value::Uses;
use ctxlint_analysis::model::FnRole;
use ctxlint_analysis::types::Target;

use crate::code::{At, Code};
use crate::finding::Finding;
use crate::rule::{Group, Level, Options, Rule};
use crate::waits::{self, Contexts, Ended};

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "uncancellable_wait",
    group: Group::Pedantic,
    level: Level::Allow,
    summary: "a wait that the context at hand cannot end",
    docs: include_str!("../docs/uncancellable_wait.md"),
    in_tests: true,
    all_tasks: false,
    fixable: false,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for code in Code::all(analysis) {
        if waits::is_raced_outside(&code) {
            continue;
        }
        let waits = waits::of(&code);
        if waits.is_empty() {
            continue;
        }
        let (contexts, ends, mut ended) = (Contexts::of(&code), ends(&code), Ended::of(&code));
        for wait in waits {
            let Some(context) = contexts.at(&code, &wait) else { continue };
            let is_ended = is_ended_here(&code, &ends, wait.at, context) || ended.has(&code, context, wait.at);
            if is_ended || wait.is_for_aborted(&code) || wait.is_over_at_once(&code) {
                continue;
            }
            let name = code.body.local(context).and_then(|local| local.name.clone()).unwrap_or_else(|| "ctx".into());
            findings.push(
                Finding::new(
                    RULE.name,
                    code.site(wait.name),
                    format!(
                        "this waits for {} however long it takes: the context's end does not reach it",
                        wait.what()
                    ),
                    "goes on when the context is done",
                )
                .label(code.site(code.body.local_span(context)), "this context could end it")
                .help(format!("race it: `{name}.run(..).await`, a `select!` with a `done()` arm, or a timeout")),
            );
        }
    }
}

/// Whether the context is ended here: once the wait is over, then what is waited for decides on the
/// context and not the other way round; or before, then what is waited for comes of its end.
fn is_ended_here(code: &Code<'_>, ends: &Ends, wait: At, context: LocalId) -> bool {
    let source = code.source(context);
    let is_near = |at: &At| code.leads(wait, *at) || code.leads(*at, wait);
    !is_derived(code, source) && ends.get(&source).is_some_and(|all| all.iter().any(is_near))
}

/// Whether a context is derived here from one that may end: that reaches it besides.
fn is_derived(code: &Code<'_>, source: LocalId) -> bool {
    let made = code.definition(source).and_then(|(at, _)| code.call(at));
    made.filter(|call| call.is(&[FnRole::Derive])).is_some_and(|call| {
        let parent = call.args.first().and_then(|parent| code.made_by(*parent, &[FnRole::Clone]));
        !parent.is_some_and(|parent| parent.is(&[FnRole::Root]))
    })
}

/// By the local that a context comes from, the calls that end it, by itself or by its handle.
type Ends = BTreeMap<LocalId, Vec<At>>;

fn ends(code: &Code<'_>) -> Ends {
    let mut found = Ends::new();
    for call in code.calls() {
        let summary = match call.target {
            Target::Def(def) => code.analysis.program.body_of(*def).and_then(|body| code.analysis.summaries.get(body)),
            _ => None,
        };
        for (arg, input) in call.args.iter().zip(0u32..) {
            let by_callee = || summary.is_some_and(|summary| summary.uses_at(input, &[]).any(Uses::CANCEL));
            if (input == 0 && call.is(&[FnRole::Cancel])) || by_callee() {
                found.entry(code.source(*arg)).or_default().push(call.at);
            }
        }
    }
    found
}
