//! `--fix`: applying suggestions until there are none left.

use std::collections::BTreeMap;

use ctxlint_analysis::source::FileId;
use ctxlint_lints::finding::{Applicability, Edit};
use rayon::prelude::*;

use crate::edit::Edits;
use crate::engine;
use crate::report::{Report, Reported};
use crate::workspace::{File, Workspace};

/// More rounds than any chain of suggestions takes; two rules that undo each other end here.
const MAX_ROUNDS: usize = 10;

/// What fixing did.
#[derive(Debug, Default)]
pub struct Fixed {
    /// The workspace with the new texts.
    pub workspace: Workspace,
    /// What there was to report.
    pub first: Report,
    /// What is left to report.
    pub report: Report,
    /// How many suggestions were applied.
    pub applied: usize,
    /// The files that changed: their texts before.
    pub before: BTreeMap<usize, File>,
}

/// Applies suggestions round by round. `check` gives the report of a workspace.
pub fn fix(workspace: Workspace, unsafe_too: bool, check: impl Fn(&Workspace) -> Report) -> Fixed {
    let report = check(&workspace);
    let mut fixed = Fixed { workspace, first: report.clone(), report, applied: 0, before: BTreeMap::new() };
    for _ in 0..MAX_ROUNDS {
        let (edits, applied) = choose(&fixed.workspace, &fixed.report, unsafe_too);
        if applied == 0 {
            break;
        }
        fixed.applied += applied;
        keep_parsed(&mut fixed.workspace, &fixed.report);
        for id in edits.files() {
            let new = edits.apply(&fixed.workspace, id);
            if let (Some(new), Some(file)) = (new, fixed.workspace.files.get_mut(id.index())) {
                fixed.before.entry(id.index()).or_insert_with(|| file.clone());
                *file = file.with_text(&new);
            }
        }
        fixed.report = check(&fixed.workspace);
    }
    fixed
}

/// What was parsed need not be parsed again.
fn keep_parsed(workspace: &mut Workspace, report: &Report) {
    for (file, parsed) in workspace.files.iter_mut().zip(&report.parsed) {
        file.parsed.clone_from(parsed);
    }
}

/// Suggestions that can be applied together: no two overlap, and every file still parses.
fn choose(workspace: &Workspace, report: &Report, unsafe_too: bool) -> (Edits, usize) {
    let candidates: Vec<&[Edit]> =
        report.findings.iter().filter_map(|reported| suggestion(workspace, reported, unsafe_too)).collect();
    let (edits, count) = gather(&candidates);
    if count == 0 || edits.files().par_iter().all(|&id| parses(workspace, &edits, id)) {
        return (edits, count);
    }
    // One of them breaks a file: each is tried on top of those before.
    let mut good = Edits::default();
    let mut count = 0;
    for candidate in candidates {
        let mut with = good.clone();
        if with.add(candidate) && candidate.iter().all(|edit| parses(workspace, &with, edit.place.file)) {
            good = with;
            count += 1;
        }
    }
    (good, count)
}

fn gather(candidates: &[&[Edit]]) -> (Edits, usize) {
    let mut edits = Edits::default();
    let count = candidates.iter().filter(|candidate| edits.add(candidate)).count();
    (edits, count)
}

/// The first suggestion of a finding that may be applied and changes something.
fn suggestion<'r>(workspace: &Workspace, reported: &'r Reported, unsafe_too: bool) -> Option<&'r [Edit]> {
    let may = |applicability| match applicability {
        Applicability::MachineApplicable => true,
        Applicability::MaybeIncorrect => unsafe_too,
        Applicability::HasPlaceholders => false,
    };
    let helps = reported.finding.helps.iter().filter(|help| may(help.applicability));
    helps.map(|help| help.edits.as_slice()).find(|edits| edits.iter().any(|edit| changes(workspace, edit)))
}

/// Whether an edit does anything.
pub(crate) fn changes(workspace: &Workspace, edit: &Edit) -> bool {
    let file = workspace.files.get(edit.place.file.index());
    file.is_some_and(|file| file.text.get(crate::text::clamp(edit.place.span, &file.text)) != Some(&edit.text))
}

fn parses(workspace: &Workspace, edits: &Edits, id: FileId) -> bool {
    edits.apply(workspace, id).is_some_and(|text| engine::parse(&text).is_ok())
}
