//! Findings as the editor shows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_analysis::facts::Span;
use ctxlint_lints::finding::{Applicability, Edit, Help, Place};
use ctxlint_lints::rule::Level;
use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location,
    Message, Position, Range, TextEdit, Uri,
};
use rustc_hash::FxHashMap;

use super::buffer::Buffer;
use super::position::Encoding;
use super::shift::Shift;
use crate::config::{Config, ConfigError};
use crate::edit::line_breaks_of;
use crate::engine::SyntaxError;
use crate::report::{Report, Reported, page};
use crate::text::LineIndex;
use crate::workspace::{File, Workspace};

/// A file that something is to be shown in.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    /// As the editor calls it.
    pub(super) uri: Uri,
    /// Its text and path, if it is a source.
    pub(super) file: Option<File>,
    /// In order.
    pub(super) marks: Vec<Mark>,
}

/// Something to be shown.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// As it is shown.
    pub(super) diagnostic: Diagnostic,
    /// What it is, where it can still be acted on: the text is the one that was checked.
    pub(super) finding: Option<Reported>,
    /// What can be done.
    pub(super) fixes: Vec<Fix>,
}

/// A suggestion as edits of texts as they are.
#[derive(Clone, Debug)]
pub(super) struct Fix {
    pub(super) title: String,
    pub(super) applicability: Applicability,
    pub(super) edits: Vec<FileEdit>,
}

/// An edit of a file.
#[derive(Clone, Debug)]
pub(super) struct FileEdit {
    pub(super) uri: Uri,
    /// Of the text that is edited, if it is open.
    pub(super) version: Option<i32>,
    pub(super) edit: TextEdit,
}

/// A file whose text in the editor does not parse, so that an older one is checked in its stead.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    text: Arc<str>,
    lines: LineIndex,
    /// From the text that is checked to the one in the editor.
    shift: Shift,
    error: SyntaxError,
}

impl Broken {
    /// The text in the editor, and the one that is checked.
    pub(super) fn new(text: Arc<str>, checked: &str, error: SyntaxError) -> Broken {
        Broken { lines: LineIndex::new(&text), shift: Shift::new(checked, &text), text, error }
    }
}

/// Everything that it takes to show a report.
pub(super) struct Show<'s> {
    pub(super) workspace: &'s Workspace,
    pub(super) config: &'s Config,
    pub(super) broken: &'s FxHashMap<usize, Broken>,
    pub(super) buffers: &'s BTreeMap<Utf8PathBuf, Buffer>,
    pub(super) encoding: Encoding,
    /// Whether the editor shows further places of a finding.
    pub(super) related: bool,
}

impl Show<'_> {
    /// All files that there is something to show in.
    pub(super) fn report(&self, report: &Report) -> Vec<(Utf8PathBuf, Arc<Marked>)> {
        let mut by_file: BTreeMap<usize, Vec<Mark>> = BTreeMap::new();
        for reported in &report.findings {
            let index = reported.finding.primary.file.index();
            // Of an older text; the error of the one in the editor is told below.
            if self.broken.contains_key(&index) && reported.finding.rule == SYNTAX_ERROR {
                continue;
            }
            by_file.entry(index).or_default().extend(self.mark(reported));
        }
        for (&index, broken) in self.broken {
            let is_checked = matches!(report.parsed.get(index), Some(Some(_)));
            if let Some(mark) = self.parse_problem(index, broken).filter(|_| is_checked) {
                by_file.entry(index).or_default().push(mark);
            }
        }
        let marked = |(index, marks)| {
            let file: &File = self.workspace.files.get(index)?;
            let file = File { parsed: None, ..file.clone() };
            Some((file.absolute.clone(), Arc::new(Marked { uri: self.uri(&file.absolute)?, file: Some(file), marks })))
        };
        by_file.into_iter().filter_map(marked).collect()
    }

    /// An error in a file of configuration.
    pub(super) fn config_error(&self, error: &ConfigError) -> Option<(Utf8PathBuf, Arc<Marked>)> {
        let (line, column) = error.place.unwrap_or((1, 1));
        let text = std::fs::read_to_string(&error.file).unwrap_or_default();
        let lines = LineIndex::new(&text);
        let start = Encoding::Utf32.byte(
            Position { line: line.saturating_sub(1), character: column.saturating_sub(1) },
            &lines,
            &text,
        );
        let word = text.get(start..).map_or(0, |rest| rest.find(['\n', ' ', '=', ']']).unwrap_or(rest.len()));
        let span = Span::new(start as u32, (start + word) as u32);
        let diagnostic = Diagnostic {
            range: self.encoding.range(span, &lines, &text),
            severity: Some(DiagnosticSeverity::Error),
            source: Some(SOURCE.to_owned()),
            message: Message::String(error.message.clone()),
            ..Diagnostic::default()
        };
        let marks = vec![Mark { diagnostic, finding: None, fixes: Vec::new() }];
        Some((error.file.clone(), Arc::new(Marked { uri: self.uri(&error.file)?, file: None, marks })))
    }

    fn mark(&self, reported: &Reported) -> Option<Mark> {
        let finding = &reported.finding;
        let range = self.location(finding.primary)?.range;
        let is_current = !self.broken.contains_key(&finding.primary.file.index());
        let words = finding.helps.iter().filter(|help| help.edits.is_empty());
        let mut message = finding.message.clone();
        let label = Some(&finding.label).filter(|label| !label.is_empty()).map(|label| (None, label));
        let notes = finding.notes.iter().map(|note| (Some("note"), note));
        let helps = words.map(|help| (Some("help"), &help.message));
        for (what, text) in label.into_iter().chain(notes).chain(helps) {
            message.push('\n');
            message.push_str(&what.map_or(String::new(), |what| format!("{what}: ")));
            message.push_str(text);
        }
        let mut related = Vec::new();
        for label in &finding.labels {
            let Some(location) = self.location(label.place) else { continue };
            match self.related {
                true => related.push(DiagnosticRelatedInformation { location, message: label.text.clone() }),
                false => message.push_str(&format!("\nline {}: {}", location.range.start.line + 1, label.text)),
            }
        }
        let diagnostic = Diagnostic {
            range,
            severity: Some(if reported.is_error() { DiagnosticSeverity::Error } else { DiagnosticSeverity::Warning }),
            related_information: Some(related).filter(|related| !related.is_empty()),
            tags: (finding.rule == "unused_suppression").then(|| vec![DiagnosticTag::Unnecessary]),
            ..about(finding.rule, message)
        };
        let fixes = finding.helps.iter().filter_map(|help| self.fix(help)).collect();
        Some(Mark { diagnostic, finding: is_current.then(|| reported.clone()), fixes })
    }

    /// That a text does not parse is told softly while it is being written: the next key may mend it.
    fn parse_problem(&self, index: usize, broken: &Broken) -> Option<Mark> {
        let file = self.workspace.files.get(index).filter(|file| file.selected)?;
        let level = self.config.levels(&file.absolute).of(SYNTAX_ERROR);
        let severity = match level {
            Level::Allow => return None,
            _ if self.buffers.get(&file.absolute).is_some_and(|buffer| buffer.unsaved) => {
                DiagnosticSeverity::Information
            }
            Level::Warn => DiagnosticSeverity::Warning,
            Level::Deny | Level::Forbid => DiagnosticSeverity::Error,
        };
        let message = match broken.error.internal {
            true => format!("this text could not be analysed because of an internal error: {}", broken.error.message),
            false => format!("this file does not parse: {}", broken.error.message),
        };
        let diagnostic = Diagnostic {
            range: self.encoding.range(broken.error.span, &broken.lines, &broken.text),
            severity: Some(severity),
            ..about(SYNTAX_ERROR, format!("{message}\nnote: what else is shown in it is from before"))
        };
        Some(Mark { diagnostic, finding: None, fixes: Vec::new() })
    }

    /// A suggestion, if all the texts that it changes are those that were checked.
    fn fix(&self, help: &Help) -> Option<Fix> {
        if !help.edits.iter().any(|edit| crate::fix::changes(self.workspace, edit)) {
            return None;
        }
        let edits = help.edits.iter().map(|edit| self.edit(edit)).collect::<Option<_>>()?;
        Some(Fix { title: help.message.clone(), applicability: help.applicability, edits })
    }

    fn edit(&self, edit: &Edit) -> Option<FileEdit> {
        let index = edit.place.file.index();
        let file = self.workspace.files.get(index).filter(|_| !self.broken.contains_key(&index))?;
        Some(FileEdit {
            uri: self.uri(&file.absolute)?,
            version: self.buffers.get(&file.absolute).map(|buffer| buffer.version),
            edit: TextEdit {
                range: self.encoding.range(edit.place.span, &file.lines, &file.text),
                new_text: line_breaks_of(&file.text, &edit.text).into_owned(),
            },
        })
    }

    /// Where a place is in the text that the editor shows; nowhere if that has it no more.
    fn location(&self, place: Place) -> Option<Location> {
        let file = self.workspace.files.get(place.file.index())?;
        let range: Range = match self.broken.get(&place.file.index()) {
            Some(broken) => self.encoding.range(broken.shift.span(place.span)?, &broken.lines, &broken.text),
            None => self.encoding.range(place.span, &file.lines, &file.text),
        };
        Some(Location { uri: self.uri(&file.absolute)?, range })
    }

    fn uri(&self, path: &Utf8Path) -> Option<Uri> {
        self.buffers.get(path).map_or_else(|| Uri::from_file_path(path).ok(), |buffer| Some(buffer.uri.clone()))
    }
}

const SYNTAX_ERROR: &str = "syntax_error";

/// Who says it.
pub(super) const SOURCE: &str = "ctxlint";

/// A diagnostic of a rule, at no place yet.
fn about(rule: &str, message: String) -> Diagnostic {
    Diagnostic {
        code: Some(Code::String(rule.to_owned())),
        code_description: page(rule).parse().ok().map(|href| CodeDescription { href }),
        source: Some(SOURCE.to_owned()),
        message: Message::String(message),
        ..Diagnostic::default()
    }
}
