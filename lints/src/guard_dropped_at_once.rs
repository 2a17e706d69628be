//! A guard that is thrown away where it is made.

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Discard, MacroDiscard};
use ctxlint_analysis::flow::events::Seen;
use ctxlint_analysis::flow::value::{ObjKind, Site};
use ctxlint_analysis::source::FileId;

use crate::finding::{Applicability, Edit, Finding};
use crate::rule::{Group, Level, Options, Rule};
use crate::support;

/// See the page.
pub(crate) static RULE: Rule = Rule {
    name: "guard_dropped_at_once",
    group: Group::Correctness,
    level: Level::Deny,
    summary: "a guard that is thrown away where it is made",
    docs: include_str!("../docs/guard_dropped_at_once.md"),
    in_tests: true,
    all_tasks: false,
    fixable: true,
    check: Some(check),
};

fn check(analysis: &Analysis, _: &Options, findings: &mut Vec<Finding>) {
    for flow in analysis.flows() {
        for event in &flow.events {
            for seen in event.seen.iter().take(1) {
                let Seen::GuardDropped { id, discard } = seen else { continue };
                let Some(object) = flow.objects.get(id) else { continue };
                let mut finding = finding(object.name_site, matches!(object.kind, ObjKind::Guard { ctx: Some(_), .. }));
                if let ObjKind::Guard { ctx: Some(ctx), .. } = &object.kind {
                    finding = finding.label(ctx.site, "the context that ends at once is made here");
                }
                for via in object.via.iter().take(3) {
                    finding = finding.label(*via, "the guard is made here");
                }
                let statement = support::statement_of(analysis, flow.body, *id);
                let begins = statement.is_some_and(|statement| match object.wild {
                    Some(_) => support::is_let(analysis, flow.body, statement),
                    None => {
                        statement.span.start == object.site.span.start && statement.span.end == object.site.span.end
                    }
                });
                findings.push(keep(finding, event.site.file_id(), *discard, object.site, object.wild, begins));
            }
        }
    }
    for (index, file) in analysis.program.sources.files.iter().enumerate() {
        let file_id = FileId(index as u32);
        for discard in file.facts.iter().flat_map(|facts| &facts.macro_discards) {
            if support::is_guard_method(analysis, discard) {
                findings.push(in_macro(file_id, discard));
            }
        }
    }
}

fn finding(site: Site, ends_context: bool) -> Finding {
    let (message, label) = if ends_context {
        (
            "the guard is dropped at once: its context is cancelled before its first use",
            "this guard ends with its statement",
        )
    } else {
        ("the guard is dropped at once: what it guards ends before it begins", "this guard ends with its statement")
    };
    Finding::new(RULE.name, site, message, label)
        .note("`_` binds nothing, so the value is dropped at the end of the statement")
}

fn in_macro(file: FileId, discard: &MacroDiscard) -> Finding {
    let site = Site::new(file, discard.span);
    keep(finding(site, false), file, discard.discard, site, None, false)
}

fn keep(finding: Finding, file: FileId, discard: Discard, whole: Site, wild: Option<Site>, begins: bool) -> Finding {
    let advice = "give it a name, so that it lives to the end of the scope";
    let edit = match (discard, wild) {
        (Discard::LetWild(span), _) => Some(Edit::replace(Site::new(file, span), "_guard")),
        (Discard::No, Some(site)) if begins => Some(Edit::replace(site, "_guard")),
        (Discard::AssignWild(span), _) => Some(Edit::replace(Site::new(file, span), "let _guard")),
        (Discard::Statement, _) if whole.file_id() == file => {
            Some(Edit::insert(file, whole.span.start, "let _guard = "))
        }
        _ => None,
    };
    match edit {
        Some(edit) => finding.fix(advice, vec![edit], Applicability::MachineApplicable),
        None => finding.help(format!("{advice}: `let _guard = …;`")),
    }
}
