//! What a run tells, and the formats it is told in.

pub mod fingerprint;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod human;
pub mod json;
pub mod junit;
pub mod preview;
pub mod sarif;
pub mod short;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_lints::finding::{Applicability, Finding, Place};
use ctxlint_lints::rule::Level;

use crate::engine::Parsed;
use crate::graph::Graph;
use crate::text::Position;
use crate::workspace::{File, Workspace};

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Sorted by path, position and rule.
    pub findings: Vec<Reported>,
    /// How many findings a suppression in the source took out.
    pub suppressed: usize,
    /// How many findings are in the baseline.
    pub in_baseline: usize,
    /// How many findings were fixed in this run.
    pub fixed: usize,
    /// Whether the cargo command that ran along failed.
    pub cargo_failed: bool,
    /// What else there is to say; one line each.
    pub notes: Vec<String>,
    /// What kept part of the check from being done; one line each.
    pub failures: Vec<String>,
    /// For each file the target it is part of: an index into [`Workspace::targets`].
    pub target_of: Vec<Option<usize>>,
    /// For each file what parsing gave, if it was parsed.
    pub parsed: Vec<Option<Parsed>>,
    /// How contexts flow, if that was asked for.
    pub graph: Option<Arc<Graph>>,
    /// What was done and how long it took.
    pub work: Work,
}

/// What was done and how long it took.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// How many files there were.
    pub files: usize,
    /// How many of them were of interest: parsed in this run or known from the cache.
    pub parsed: usize,
    /// How many of these came from the cache.
    pub cached: usize,
    /// Lines of the files of interest.
    pub lines: usize,
    /// Bytes of the files of interest.
    pub bytes: usize,
    /// The steps, in order.
    pub steps: Vec<(&'static str, Duration)>,
}

/// A finding with what the configuration makes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// What a rule says.
    pub finding: Finding,
    /// At which level: warn, deny or forbid.
    pub level: Level,
    /// The same for the same misuse though lines move.
    pub fingerprint: String,
}

impl Reported {
    /// Whether the check fails because of it.
    pub fn is_error(&self) -> bool {
        self.level >= Level::Deny
    }

    /// `error` or `warning`.
    pub fn severity(&self) -> &'static str {
        if self.is_error() { "error" } else { "warning" }
    }

    /// `ctxlint::rule`.
    pub fn code(&self) -> String {
        format!("ctxlint::{}", self.finding.rule)
    }

    /// Whether a suggestion of this sort can be applied.
    pub fn is_fixable(&self, applicability: Applicability) -> bool {
        self.finding.helps.iter().any(|help| !help.edits.is_empty() && help.applicability == applicability)
    }
}

/// Everything a format needs.
#[derive(Clone, Copy, Debug)]
pub struct View<'r> {
    /// The texts.
    pub workspace: &'r Workspace,
    /// The findings.
    pub report: &'r Report,
    /// How it is to look.
    pub style: &'r Style,
}

/// How a report is to look.
#[derive(Clone, Debug, Default)]
pub struct Style {
    /// With ANSI escapes.
    pub color: bool,
    /// The current folder: paths for people are relative to it where that is shorter.
    pub current: Utf8PathBuf,
    /// The folder that a CI counts paths from, if it says so.
    pub ci_root: Option<Utf8PathBuf>,
}

impl<'r> View<'r> {
    /// The file of a place.
    pub fn file(&self, place: Place) -> Option<&'r File> {
        self.workspace.files.get(place.file.index())
    }

    /// Where a place begins and ends.
    pub fn positions(&self, place: Place) -> (Position, Position) {
        match self.file(place) {
            Some(file) => file.lines.positions(place.span, &file.text),
            None => (Position { line: 1, column: 1 }, Position { line: 1, column: 1 }),
        }
    }

    /// The path of a place as everyone writes it: relative to the workspace.
    pub fn path(&self, place: Place) -> &'r str {
        self.file(place).map_or("", |file| &file.path)
    }

    /// The path of a place for people: relative to the current folder if it is below it.
    pub fn shown(&self, place: Place) -> String {
        self.file(place).map_or(String::new(), |file| shown(file, &self.style.current))
    }

    /// The path of a place for a CI: relative to where that counts from.
    pub fn ci_path(&self, place: Place) -> &'r str {
        let Some(file) = self.file(place) else { return "" };
        let root = self.style.ci_root.as_deref();
        root.and_then(|root| file.absolute.strip_prefix(root).ok()).map_or(&file.path, Utf8Path::as_str)
    }
}

/// Where a rule's page can be read.
pub fn page(rule: &str) -> String {
    format!("{}/blob/main/lints/docs/{rule}.md", env!("CARGO_PKG_REPOSITORY"))
}

/// A file's path for people.
pub fn shown(file: &File, current: &Utf8Path) -> String {
    match file.absolute.strip_prefix(current) {
        Ok(relative) if !relative.as_str().is_empty() => relative.as_str().replace('\\', "/"),
        _ => file.path.clone(),
    }
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people: source, labels, notes.
    Human,
    /// One line a finding.
    Short,
    /// cargo's messages, one JSON object a line.
    Json,
    /// The same, `rendered` as one line.
    #[value(name = "json-diagnostic-short")]
    JsonShort,
    /// The same, `rendered` with colours.
    #[value(name = "json-diagnostic-rendered-ansi")]
    JsonAnsi,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// JUnit's XML.
    Junit,
    /// A page to look at.
    Html,
}

impl Format {
    /// Writes the report in this format.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(self, view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Format::Human => human::write(view, out),
            Format::Short => short::write(view, out),
            Format::Json => json::write(view, json::Rendered::Plain, out),
            Format::JsonShort => json::write(view, json::Rendered::Short, out),
            Format::JsonAnsi => json::write(view, json::Rendered::Ansi, out),
            Format::Sarif => sarif::write(view, out),
            Format::Github => github::write(view, out),
            Format::Gitlab => gitlab::write(view, out),
            Format::Junit => junit::write(view, out),
            Format::Html => html::write(view, out),
        }
    }

    /// Whether programs read it.
    pub fn is_for_programs(self) -> bool {
        !matches!(self, Format::Human | Format::Short)
    }
}
