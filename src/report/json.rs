//! cargo's own messages, one JSON object a line: every tool that reads `cargo clippy
//! --message-format=json` reads these.

use std::io::{self, Write};

use ctxlint_lints::finding::{Applicability, Help, Place};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Reported, View, human, short};
use crate::workspace::File;

/// What goes into `rendered`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendered {
    /// As people read it.
    Plain,
    /// As people read it, with colours.
    Ansi,
    /// One line.
    Short,
}

/// Writes all findings, then an artifact for each package that was checked, so that what a tool
/// showed of it before goes away, then the end.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, style: Rendered, out: &mut dyn Write) -> io::Result<()> {
    for reported in &view.report.findings {
        let owner = Owner::of(view, reported.finding.primary);
        let message = Message {
            reason: "compiler-message",
            package_id: &owner.package_id,
            manifest_path: &owner.manifest_path,
            target: &owner.target,
            message: diagnostic(view, reported, style),
        };
        line(out, &message)?;
    }
    for owner in checked_packages(view) {
        line(out, &artifact(&owner))?;
    }
    let report = view.report;
    let success = !report.findings.iter().any(Reported::is_error) && report.failures.is_empty() && !report.cargo_failed;
    line(out, &json!({ "reason": "build-finished", "success": success }))
}

fn line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// The package and target that a message is told of.
struct Owner {
    package_id: String,
    manifest_path: String,
    target: Value,
}

impl Owner {
    /// A file's package, and the target that reaches it, or else the package's first.
    fn of(view: View<'_>, place: Place) -> Owner {
        let index = place.file.index();
        let package = view.file(place).and_then(|file| file.package);
        let of_file = view.report.target_of.get(index).copied().flatten();
        let first = || view.workspace.targets.iter().position(|target| Some(target.package) == package);
        let target = of_file.or_else(first).and_then(|target| view.workspace.targets.get(target));
        match (target, view.file(place)) {
            (Some(target), _) => Owner::of_target(view, target),
            (None, Some(file)) => Owner::of_loose_file(view, file),
            (None, None) => Owner { package_id: String::new(), manifest_path: String::new(), target: Value::Null },
        }
    }

    fn of_target(view: View<'_>, target: &crate::workspace::Target) -> Owner {
        let package = view.workspace.packages.get(target.package);
        Owner {
            package_id: package.map_or(String::new(), |package| package.id.clone()),
            manifest_path: package.map_or(String::new(), |package| package.manifest.to_string()),
            target: target.metadata.clone(),
        }
    }

    /// A package made up for files that have none: the folder of the run.
    fn of_loose_file(view: View<'_>, file: &File) -> Owner {
        let root = &view.workspace.root;
        Owner {
            package_id: format!("path+file://{root}#ctxlint-loose-files@0.0.0"),
            manifest_path: root.join("Cargo.toml").into_string(),
            target: json!({
                "kind": ["bin"],
                "crate_types": ["bin"],
                "name": "ctxlint-loose-files",
                "src_path": file.absolute,
                "edition": "2024",
                "doc": false,
                "doctest": false,
                "test": false,
            }),
        }
    }
}

/// One owner for each package with a selected file, in order; one more if there are loose files.
fn checked_packages(view: View<'_>) -> Vec<Owner> {
    let selected = |index: usize| view.workspace.files.iter().any(|file| file.selected && file.package == Some(index));
    let first_target = |index: usize| view.workspace.targets.iter().find(|target| target.package == index);
    let packages = (0..view.workspace.packages.len()).filter(|&index| selected(index));
    let mut owners: Vec<Owner> =
        packages.filter_map(first_target).map(|target| Owner::of_target(view, target)).collect();
    let loose = view.workspace.files.iter().find(|file| file.selected && file.package.is_none());
    owners.extend(loose.map(|file| Owner::of_loose_file(view, file)));
    owners
}

fn artifact(owner: &Owner) -> Value {
    json!({
        "reason": "compiler-artifact",
        "package_id": owner.package_id,
        "manifest_path": owner.manifest_path,
        "target": owner.target,
        "profile": { "opt_level": "0", "debuginfo": 0, "debug_assertions": true, "overflow_checks": true, "test": false },
        "features": [],
        "filenames": [],
        "executable": null,
        "fresh": false,
    })
}

#[derive(Serialize)]
struct Message<'m> {
    reason: &'static str,
    package_id: &'m str,
    manifest_path: &'m str,
    target: &'m Value,
    message: Diagnostic,
}

/// rustc's diagnostic.
#[derive(Serialize)]
struct Diagnostic {
    rendered: Option<String>,
    #[serde(rename = "$message_type", skip_serializing_if = "Option::is_none")]
    message_type: Option<&'static str>,
    children: Vec<Diagnostic>,
    level: &'static str,
    message: String,
    spans: Vec<Span>,
    code: Option<Code>,
}

#[derive(Serialize)]
struct Code {
    code: String,
    explanation: Option<String>,
}

#[derive(Serialize)]
struct Span {
    file_name: String,
    byte_start: u32,
    byte_end: u32,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    text: Vec<Line>,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<&'static str>,
    expansion: Option<()>,
}

#[derive(Serialize)]
struct Line {
    text: String,
    highlight_start: u32,
    highlight_end: u32,
}

fn diagnostic(view: View<'_>, reported: &Reported, style: Rendered) -> Diagnostic {
    let finding = &reported.finding;
    let label = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let primary =
        span(view, finding.primary).map(|span| Span { is_primary: true, label: label(&finding.label), ..span });
    let labels = finding
        .labels
        .iter()
        .filter_map(|secondary| Some(Span { label: label(&secondary.text), ..span(view, secondary.place)? }));
    let notes = finding.notes.iter().map(|note| child("note", note.clone(), Vec::new()));
    let helps = finding.helps.iter().map(|help| child("help", help.message.clone(), suggestions(view, help)));
    let more = format!("for further information run `ctxlint explain {}`", finding.rule);
    let rendered = match style {
        Rendered::Plain => String::from_utf8_lossy(&human::rendered(view, reported, false)).into_owned(),
        Rendered::Ansi => String::from_utf8_lossy(&human::rendered(view, reported, true)).into_owned(),
        Rendered::Short => format!("{}\n", short::line(view, reported)),
    };
    Diagnostic {
        rendered: Some(rendered),
        message_type: Some("diagnostic"),
        children: notes.chain(helps).chain([child("help", more, Vec::new())]).collect(),
        level: reported.severity(),
        message: finding.message.clone(),
        spans: primary.into_iter().chain(labels).collect(),
        code: Some(Code { code: reported.code(), explanation: None }),
    }
}

fn child(level: &'static str, message: String, spans: Vec<Span>) -> Diagnostic {
    Diagnostic { rendered: None, message_type: None, children: Vec::new(), level, message, spans, code: None }
}

/// The edits of a suggestion; several are one edit in parts.
fn suggestions(view: View<'_>, help: &Help) -> Vec<Span> {
    let applicability = match help.applicability {
        Applicability::MachineApplicable => "MachineApplicable",
        Applicability::MaybeIncorrect => "MaybeIncorrect",
        Applicability::HasPlaceholders => "HasPlaceholders",
    };
    let suggestion = |edit: &ctxlint_lints::finding::Edit| {
        Some(Span {
            is_primary: true,
            suggested_replacement: Some(edit.text.clone()),
            suggestion_applicability: Some(applicability),
            ..span(view, edit.place)?
        })
    };
    help.edits.iter().filter_map(suggestion).collect()
}

fn span(view: View<'_>, place: Place) -> Option<Span> {
    let file = view.file(place)?;
    let range = crate::text::clamp(place.span, &file.text);
    let (start, end) = view.positions(place);
    let line = |number: u32| {
        let text = file.lines.line(number - 1, &file.text);
        let width = text.chars().count() as u32 + 1;
        Line {
            text: text.to_owned(),
            highlight_start: if number == start.line { start.column.min(width) } else { 1 },
            highlight_end: if number == end.line { end.column.min(width) } else { width },
        }
    };
    Some(Span {
        file_name: file.path.clone(),
        byte_start: range.start as u32 + file.offset(),
        byte_end: range.end as u32 + file.offset(),
        line_start: start.line,
        line_end: end.line,
        column_start: start.column,
        column_end: end.column,
        is_primary: false,
        text: (start.line..=end.line).map(line).collect(),
        label: None,
        suggested_replacement: None,
        suggestion_applicability: None,
        expansion: None,
    })
}
