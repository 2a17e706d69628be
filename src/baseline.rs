//! The baseline: findings that are known and not to be told.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_lints::rule::Level;
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::report::{Report, Reported};
use crate::workspace::Workspace;

/// The file's version, for readers to come.
const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    version: u32,
    findings: Vec<Entry>,
}

/// A known finding, by what does not change when lines move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    rule: String,
    fingerprint: String,
}

impl Entry {
    fn of(workspace: &Workspace, reported: &Reported) -> Entry {
        let file = workspace.files.get(reported.finding.primary.file.index());
        Entry {
            path: file.map_or(String::new(), |file| file.path.clone()),
            rule: reported.finding.rule.to_owned(),
            fingerprint: reported.fingerprint.clone(),
        }
    }
}

/// A baseline as it was read.
#[derive(Debug)]
pub struct Known {
    file: Utf8PathBuf,
    entries: BTreeSet<Entry>,
}

/// Reads a baseline.
///
/// # Errors
/// One line on what is wrong with it.
pub fn read(file: &Utf8Path) -> Result<Known, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("the baseline {file}: {error}"))?;
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| format!("the baseline {file}: {error}"))?;
    if baseline.version != VERSION {
        return Err(format!("the baseline {file}: version {} is not known here, only {VERSION}", baseline.version));
    }
    Ok(Known { file: file.to_owned(), entries: baseline.findings.into_iter().collect() })
}

impl Known {
    /// The same report with none but the known findings.
    pub fn only(&self, workspace: &Workspace, report: &Report) -> Report {
        let mut known = report.clone();
        known.findings.retain(|reported| self.entries.contains(&Entry::of(workspace, reported)));
        known
    }

    /// Takes the known findings out of a report.
    pub fn apply(&self, workspace: &Workspace, report: &mut Report) {
        let before = report.findings.len();
        report.findings.retain(|reported| !self.entries.contains(&Entry::of(workspace, reported)));
        report.in_baseline += before - report.findings.len();
    }

    /// Tells of entries whose findings are gone from files that were checked, or that are gone
    /// themselves. `report` is the one before [`Known::apply`].
    pub fn stale(&self, workspace: &Workspace, config: &Config, report: &Report) -> Option<String> {
        let found: BTreeSet<Entry> = report.findings.iter().map(|reported| Entry::of(workspace, reported)).collect();
        let looked_at = looked_at(workspace, config);
        let gone = |entry: &&Entry| !found.contains(entry) && looked_at(entry);
        let stale: Vec<&Entry> = self.entries.iter().filter(gone).collect();
        let first = stale.first()?;
        let more = match stale.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        Some(format!(
            "{0}: stale: {1} in {2}{more}; `--baseline {0} --write-baseline {0}` takes out what is gone",
            self.file, first.rule, first.path
        ))
    }
}

/// Whether a run could have found what an entry is of: its file was checked or is gone from a workspace
/// that was checked as a whole, and its rule was on there.
fn looked_at<'r>(workspace: &'r Workspace, config: &'r Config) -> impl Fn(&Entry) -> bool + 'r {
    let is_partial = workspace.files.iter().any(|file| !file.selected);
    let checked: BTreeSet<&str> =
        workspace.files.iter().filter(|file| file.selected).map(|file| file.path.as_str()).collect();
    move |entry| {
        let absolute = workspace.root.join(&entry.path);
        let in_view = checked.contains(entry.path.as_str()) || (!is_partial && !absolute.exists());
        in_view && config.levels(&absolute).of(&entry.rule) != Level::Allow
    }
}

/// The findings of a report as a baseline, one a line. What the run did not look at stays as it was
/// known before.
pub fn text(workspace: &Workspace, config: &Config, report: &Report, before: Option<&Known>) -> String {
    let mut entries: BTreeSet<Entry> = report.findings.iter().map(|reported| Entry::of(workspace, reported)).collect();
    let looked_at = looked_at(workspace, config);
    let unseen = before.into_iter().flat_map(|known| &known.entries).filter(|entry| !looked_at(entry));
    entries.extend(unseen.cloned());
    let lines: Vec<String> =
        entries.iter().filter_map(|entry| Some(format!("    {}", serde_json::to_string(entry).ok()?))).collect();
    let list = if lines.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", lines.join(",\n")) };
    format!("{{\n  \"version\": {VERSION},\n  \"findings\": {list}\n}}\n")
}
