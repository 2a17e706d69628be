//! What a run does to files and to its own report: gate, fixes, suppressions.

use std::fmt::Write as _;

use camino::Utf8Path;
use similar::TextDiff;

use super::Job;
use crate::adopt;
use crate::baseline::{self, Known};
use crate::config::Config;
use crate::discover;
use crate::fix;
use crate::report::Report;
use crate::run::Failure;
use crate::since::{self, Changes};
use crate::workspace::{File, Workspace};
use crate::write;

/// What is left out of the report.
#[derive(Debug, Default)]
pub(super) struct Gate {
    known: Option<Known>,
    changes: Option<Changes>,
}

impl Gate {
    /// Reads the baseline and asks git.
    pub(super) fn new(job: &Job, workspace: &Workspace) -> Result<Gate, Failure> {
        let gate = &job.args.gate;
        let known = match &gate.baseline {
            // The first run of `--baseline x --write-baseline x` makes it.
            Some(file) if gate.write_baseline.as_ref() == Some(file) && !file.exists() => None,
            Some(file) => Some(baseline::read(file).map_err(Failure::new)?),
            None => None,
        };
        let changes = match &gate.since {
            Some(revision) => Some(since::changes(&workspace.root, revision).map_err(Failure::new)?),
            None => None,
        };
        Ok(Gate { known, changes })
    }

    /// Takes out what is not to be told.
    pub(super) fn apply(&self, workspace: &Workspace, config: &Config, mut report: Report) -> Report {
        if let Some(known) = &self.known {
            report.notes.extend(known.stale(workspace, config, &report));
            known.apply(workspace, &mut report);
        }
        if let Some(changes) = &self.changes {
            changes.apply(workspace, &mut report);
        }
        report
    }
}

/// A workspace with its report, after everything that was to be done with it.
pub(super) struct Acted {
    pub(super) workspace: Workspace,
    pub(super) report: Report,
    /// What `--diff` prints.
    pub(super) patch: Option<String>,
}

/// Checks, and does what the arguments ask for.
pub(super) fn act(
    job: &Job,
    config: &Config,
    workspace: Workspace,
    check: impl Fn(&Workspace) -> Report,
) -> Result<Acted, Failure> {
    let gate = Gate::new(job, &workspace)?;
    let gated = |workspace: &Workspace| gate.apply(workspace, config, check(workspace));
    let wanted = &job.args.fix;
    if let Some(file) = &job.args.gate.write_baseline {
        let report = check(&workspace);
        let pruned = gate.known.filter(|_| job.args.gate.baseline.as_ref() == Some(file));
        return write_baseline(file, config, workspace, report, pruned);
    }
    if let Some(reason) = &wanted.add_suppressions {
        return add_suppressions(workspace, reason, gated);
    }
    if wanted.fix || wanted.diff {
        return apply_fixes(job, workspace, gated);
    }
    let report = gated(&workspace);
    Ok(Acted { workspace, report, patch: None })
}

/// Writes what is found. A baseline that is read and written only loses what is gone: what is new is still
/// to be told.
fn write_baseline(
    file: &Utf8Path,
    config: &Config,
    workspace: Workspace,
    mut report: Report,
    pruned: Option<Known>,
) -> Result<Acted, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("the baseline {file}: {error}"));
    let write = |text: String| write::atomically(file, text.as_bytes()).map_err(failed);
    if let Some(known) = pruned {
        write(baseline::text(&workspace, config, &known.only(&workspace, &report), Some(&known)))?;
        known.apply(&workspace, &mut report);
    } else {
        let before = if file.exists() { Some(baseline::read(file).map_err(Failure::new)?) } else { None };
        write(baseline::text(&workspace, config, &report, before.as_ref()))?;
        report.in_baseline = report.findings.len();
        report.findings.clear();
    }
    Ok(Acted { workspace, report, patch: None })
}

fn apply_fixes(job: &Job, workspace: Workspace, check: impl Fn(&Workspace) -> Report) -> Result<Acted, Failure> {
    let stdin = workspace.files.iter().any(|file| file.path == discover::STDIN);
    if job.args.fix.fix && !job.args.fix.diff && (stdin || job.args.input.stdin_filename.is_some()) {
        return Err(Failure::new("standard input cannot be fixed in place; `--diff` prints a patch"));
    }
    let original = job.args.fix.diff.then(|| workspace.clone());
    let mut fixed = fix::fix(workspace, job.args.fix.unsafe_fixes, check);
    if let Some(workspace) = original {
        let changed = fixed.before.iter().filter_map(|(&at, before)| Some((before, fixed.workspace.files.get(at)?)));
        let patch = changed.map(|(before, after)| patch(before, after)).collect();
        return Ok(Acted { workspace, report: fixed.first, patch: Some(patch) });
    }
    for (&at, before) in &fixed.before {
        let Some(after) = fixed.workspace.files.get(at) else { continue };
        if let Err(why) = write::source(before, after) {
            fixed.report.failures.push(format!("{}: {why}", before.path));
        }
    }
    fixed.report.fixed = fixed.applied;
    Ok(Acted { workspace: fixed.workspace, report: fixed.report, patch: None })
}

/// A change as `git apply` and `patch -p1` read it.
fn patch(before: &File, after: &File) -> String {
    let (old, new) = (before.on_disk(), after.on_disk());
    let (old, new) = (String::from_utf8_lossy(&old), String::from_utf8_lossy(&new));
    let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
    let mut text = String::new();
    let headers = (format!("a/{}", before.path), format!("b/{}", before.path));
    let _ = write!(text, "{}", diff.unified_diff().context_radius(3).header(&headers.0, &headers.1));
    text
}

fn add_suppressions(
    mut workspace: Workspace,
    reason: &str,
    check: impl Fn(&Workspace) -> Report,
) -> Result<Acted, Failure> {
    let report = check(&workspace);
    let (changed, left) = adopt::suppress_all(&workspace, &report, reason);
    let count = report.findings.len() - left;
    let mut failures = Vec::new();
    for (at, after) in changed {
        let Some(before) = workspace.files.get_mut(at) else { continue };
        match write::source(before, &after) {
            Ok(()) => *before = after,
            Err(why) => failures.push(format!("{}: {why}", before.path)),
        }
    }
    let mut report = check(&workspace);
    report.failures.extend(failures);
    report.notes.push(format!("suppressions for {count} findings; {left} are left"));
    Ok(Acted { workspace, report, patch: None })
}
