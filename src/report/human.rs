//! The report for people: source, labels, what happens, what to write instead.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;

use codespan_reporting::diagnostic::{Diagnostic, Label, Severity};
use codespan_reporting::files::{Error, Files};
use codespan_reporting::term::termcolor::{Ansi, NoColor};
use codespan_reporting::term::{Config, Styles, StylesWriter, emit_to_write_style};
use ctxlint_lints::finding::{Applicability, Help, Place};

use super::preview::hunks;
use super::{Reported, View, shown};
use crate::text::clamp;

/// Writes all findings.
///
/// # Errors
/// What the writer says.
pub fn write(view: View<'_>, out: &mut dyn Write) -> io::Result<()> {
    view.report.findings.iter().try_for_each(|reported| out.write_all(&rendered(view, reported, view.style.color)))
}

/// One finding as people read it, with a blank line at the end.
pub fn rendered(view: View<'_>, reported: &Reported, color: bool) -> Vec<u8> {
    let files = Texts { view };
    let config = Config { tab_width: 4, ..Config::default() };
    let styles = Styles::default();
    let diagnostic = diagnostic(view, reported);
    let mut buffer = Vec::new();
    let outcome = if color {
        emit_to_write_style(&mut StylesWriter::new(Ansi::new(&mut buffer), &styles), &config, &files, &diagnostic)
    } else {
        emit_to_write_style(&mut StylesWriter::new(NoColor::new(&mut buffer), &styles), &config, &files, &diagnostic)
    };
    if outcome.is_err() {
        // Never for spans within the text, and those are cut to it; but a finding must not be lost.
        buffer.clear();
        buffer.extend_from_slice(super::short::line(view, reported).as_bytes());
        buffer.push(b'\n');
    }
    if color { buffer } else { without_trailing_blanks(&buffer) }
}

/// Lines that end where their text ends, for whoever compares or copies them.
fn without_trailing_blanks(bytes: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end).collect();
    lines.join(&b'\n')
}

fn diagnostic(view: View<'_>, reported: &Reported) -> Diagnostic<usize> {
    let finding = &reported.finding;
    let severity = if reported.is_error() { Severity::Error } else { Severity::Warning };
    let range = |place: Place| view.file(place).map_or(0..0, |file| clamp(place.span, &file.text));
    let mut labels =
        vec![Label::primary(finding.primary.file.index(), range(finding.primary)).with_message(&finding.label)];
    labels.extend(
        finding
            .labels
            .iter()
            .map(|label| Label::secondary(label.place.file.index(), range(label.place)).with_message(&label.text)),
    );
    let mut notes: Vec<String> = finding.notes.iter().map(|note| format!("note: {}", indent(note, "      "))).collect();
    notes.extend(finding.helps.iter().map(|help| format!("help: {}", indent(&help_text(view, help), "      "))));
    Diagnostic::new(severity)
        .with_code(reported.code())
        .with_message(&finding.message)
        .with_labels(labels)
        .with_notes(notes)
}

/// The words of a suggestion, and what it makes of the lines it touches.
fn help_text(view: View<'_>, help: &Help) -> String {
    let mut text = help.message.clone();
    if !help.edits.is_empty() && help.applicability != Applicability::MachineApplicable {
        text.push_str(match help.applicability {
            Applicability::HasPlaceholders => " (with parts to fill in)",
            _ => " (look at it first)",
        });
    }
    let home = help.edits.first().map(|edit| edit.place.file);
    for hunk in hunks(view, help) {
        if Some(hunk.file) != home
            && let Some(file) = view.workspace.files.get(hunk.file.index())
        {
            let _ = write!(text, "\n{}:", shown(file, &view.style.current));
        }
        let width = hunk.lines.iter().map(|line| line.number.to_string().len()).max().unwrap_or(1);
        for line in &hunk.lines {
            let sign = if line.added { '+' } else { '-' };
            let _ = write!(text, "\n{:>width$} {sign} {}", line.number, line.text.trim_end());
        }
    }
    text
}

fn indent(text: &str, by: &str) -> String {
    text.replace('\n', &format!("\n{by}"))
}

/// The texts as codespan-reporting asks for them.
struct Texts<'v> {
    view: View<'v>,
}

impl<'v> Files<'v> for Texts<'v> {
    type FileId = usize;
    type Name = String;
    type Source = &'v str;

    fn name(&'v self, id: usize) -> Result<String, Error> {
        let file = self.view.workspace.files.get(id).ok_or(Error::FileMissing)?;
        Ok(shown(file, &self.view.style.current))
    }

    fn source(&'v self, id: usize) -> Result<&'v str, Error> {
        Ok(&self.view.workspace.files.get(id).ok_or(Error::FileMissing)?.text)
    }

    fn line_index(&'v self, id: usize, byte: usize) -> Result<usize, Error> {
        let file = self.view.workspace.files.get(id).ok_or(Error::FileMissing)?;
        Ok(file.lines.line_of(byte as u32) as usize)
    }

    fn line_range(&'v self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        let file = self.view.workspace.files.get(id).ok_or(Error::FileMissing)?;
        Ok(file.lines.line_range(line as u32, &file.text))
    }
}
