//! The report of the last run, for a run over the very same files with the very same configuration.

use camino::Utf8Path;
use ctxlint_analysis::facts::Span;
use ctxlint_analysis::source::FileId;
use ctxlint_lints::RULES;
use ctxlint_lints::finding::{Applicability, Edit, Finding, Help, Label, Place};
use ctxlint_lints::rule::Level;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::{program, sealed, unsealed};
use crate::config::Config;
use crate::levels::{level_name, parse_level};
use crate::report::{Report, Reported, Work};
use crate::workspace::Workspace;
use crate::write;

/// Everything that a report depends on, as a hash.
pub fn key(workspace: &Workspace, config: &Config) -> u128 {
    let mut hash = Xxh3::new();
    hash.update(&program().to_le_bytes());
    let mut add = |text: &str| {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    add(workspace.root.as_str());
    for layer in &config.layers {
        add(&format!("{} {:?} {}", layer.source, layer.folder, layer.text));
    }
    add(&format!("{:?} {:?}", config.command_line, config.only));
    add(&format!("{:?} {:?}", workspace.packages, workspace.targets));
    for file in &workspace.files {
        add(&file.path);
        add(file.absolute.as_str());
        add(&file.text);
        let what = (file.bom, file.selected, file.named, file.only_if_reached, file.package);
        add(&format!("{what:?}"));
    }
    hash.digest128()
}

/// A report as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    key: u128,
    findings: Vec<KeptFinding>,
    suppressed: usize,
    target_of: Vec<Option<usize>>,
    files: usize,
    parsed: usize,
    lines: usize,
    bytes: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptFinding {
    rule: String,
    level: String,
    fingerprint: String,
    primary: KeptPlace,
    message: String,
    label: String,
    labels: Vec<(KeptPlace, String)>,
    notes: Vec<String>,
    helps: Vec<KeptHelp>,
}

type KeptPlace = (FileId, Span);

/// Its message, its edits, and its place in [`APPLICABILITIES`].
type KeptHelp = (String, Vec<(KeptPlace, String)>, u8);

const APPLICABILITIES: [Applicability; 3] =
    [Applicability::MachineApplicable, Applicability::MaybeIncorrect, Applicability::HasPlaceholders];

impl Kept {
    /// What to keep of a report; nothing of one that something is missing from.
    pub fn new(key: u128, report: &Report) -> Option<Kept> {
        let work = &report.work;
        report.failures.is_empty().then(|| Kept {
            key,
            findings: report.findings.iter().map(KeptFinding::new).collect(),
            suppressed: report.suppressed,
            target_of: report.target_of.clone(),
            files: work.files,
            parsed: work.parsed,
            lines: work.lines,
            bytes: work.bytes,
        })
    }

    /// What was kept in this folder, if it can be read.
    pub fn read(folder: &Utf8Path) -> Option<Kept> {
        unsealed(&folder.join("report.bin"))
    }

    /// Keeps it in this folder.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn write(&self, folder: &Utf8Path) -> Result<(), String> {
        let file = folder.join("report.bin");
        write::atomically(&file, &sealed(self)?).map_err(|error| format!("{file}: {error}"))
    }

    /// The report again, if it is of the same key.
    pub fn report(&self, key: u128) -> Option<Report> {
        if self.key != key {
            return None;
        }
        Some(Report {
            findings: self.findings.iter().map(KeptFinding::reported).collect::<Option<_>>()?,
            suppressed: self.suppressed,
            target_of: self.target_of.clone(),
            parsed: vec![None; self.files],
            work: Work {
                files: self.files,
                parsed: self.parsed,
                cached: self.parsed,
                lines: self.lines,
                bytes: self.bytes,
                steps: Vec::new(),
            },
            ..Report::default()
        })
    }
}

impl KeptFinding {
    fn new(reported: &Reported) -> KeptFinding {
        let finding = &reported.finding;
        let place = |place: Place| (place.file, place.span);
        let help = |help: &Help| {
            let edits = help.edits.iter().map(|edit| (place(edit.place), edit.text.clone())).collect();
            let applicability = APPLICABILITIES.iter().position(|known| *known == help.applicability);
            (help.message.clone(), edits, applicability.unwrap_or(APPLICABILITIES.len()) as u8)
        };
        KeptFinding {
            rule: finding.rule.to_owned(),
            level: level_name(reported.level).to_owned(),
            fingerprint: reported.fingerprint.clone(),
            primary: place(finding.primary),
            message: finding.message.clone(),
            label: finding.label.clone(),
            labels: finding.labels.iter().map(|label| (place(label.place), label.text.clone())).collect(),
            notes: finding.notes.clone(),
            helps: finding.helps.iter().map(help).collect(),
        }
    }

    fn reported(&self) -> Option<Reported> {
        let place = |(file, span): KeptPlace| Place { file, span };
        let help = |(message, edits, applicability): &KeptHelp| {
            let edit = |(at, text): &(KeptPlace, String)| Edit { place: place(*at), text: text.clone() };
            Some(Help {
                message: message.clone(),
                edits: edits.iter().map(edit).collect(),
                applicability: *APPLICABILITIES.get(usize::from(*applicability))?,
            })
        };
        let level: Level = parse_level(&self.level)?;
        let finding = Finding {
            rule: RULES.iter().find(|rule| rule.name == self.rule)?.name,
            primary: place(self.primary),
            message: self.message.clone(),
            label: self.label.clone(),
            labels: self.labels.iter().map(|(at, text)| Label { place: place(*at), text: text.clone() }).collect(),
            notes: self.notes.clone(),
            helps: self.helps.iter().map(help).collect::<Option<_>>()?,
        };
        Some(Reported { finding, level, fingerprint: self.fingerprint.clone() })
    }
}
