//! What can be done about a finding.

use std::collections::HashMap;

use ctxlint_analysis::source::FileId;
use ctxlint_lints::finding::{Applicability, Edit as TextChange, Help, Place};
use ctxlint_lints::rule::Level;
use gen_lsp_types::{
    CodeAction, CodeActionKind, Diagnostic, DocumentChange, Edit, OptionalVersionedTextDocumentIdentifier, Range,
    TextDocumentEdit, TextDocumentIdentifier, TextEdit, Uri, WorkspaceEdit,
};

use super::client::Client;
use super::deeply;
use super::findings::{FileEdit, Fix, Mark, Marked};
use super::position::Encoding;
use crate::adopt;
use crate::edit::Edits;
use crate::engine;
use crate::report::Reported;
use crate::workspace::{File, Workspace};

/// Everything that can be fixed without a look, at once.
pub(super) const FIX_ALL: &str = "source.fixAll.ctxlint";
const QUICK_FIX: &str = "quickfix";

/// Only the user knows why; what is written invites to say it.
const REASON: &str = "TODO: say why";

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) range: Range,
    /// Kinds; everything if there are none.
    pub(super) only: Option<Vec<String>>,
}

impl Wish {
    fn includes(&self, kind: &str) -> bool {
        let Some(only) = &self.only else { return true };
        only.iter().any(|wanted| wanted.is_empty() || kind.strip_prefix(wanted.as_str()).is_some_and(ends_a_part))
    }
}

fn ends_a_part(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// What can be done about the findings in a range of a file, whose text has this version.
pub(super) fn actions(marked: &Marked, version: Option<i32>, wish: &Wish, client: &Client) -> Vec<CodeAction> {
    let mut actions = Vec::new();
    if wish.includes(QUICK_FIX) {
        let here: Vec<&Mark> = marked.marks.iter().filter(|mark| overlap(mark.diagnostic.range, wish.range)).collect();
        actions.extend(here.iter().flat_map(|mark| mark.fixes.iter().map(|fix| quick_fix(mark, fix, client))));
        actions.extend(deeply(|| suppressions(marked, version, &here, client)).into_iter().flatten());
    }
    if wish.includes(FIX_ALL) {
        actions.extend(deeply(|| fix_all(marked, version, client)).flatten());
    }
    actions
}

/// Touching counts: a cursor is an empty range.
fn overlap(a: Range, b: Range) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn quick_fix(mark: &Mark, fix: &Fix, client: &Client) -> CodeAction {
    let look = match fix.applicability {
        Applicability::MachineApplicable => "",
        Applicability::MaybeIncorrect => " (may need a look)",
        Applicability::HasPlaceholders => " (has parts to fill in)",
    };
    CodeAction {
        is_preferred: Some(fix.applicability == Applicability::MachineApplicable),
        ..action(format!("{}{look}", fix.title), CodeActionKind::QuickFix, &mark.diagnostic, &fix.edits, client)
    }
}

/// For each finding a suppression with a reason, as `--add-suppressions` writes it.
fn suppressions(marked: &Marked, version: Option<i32>, here: &[&Mark], client: &Client) -> Vec<CodeAction> {
    let Some(file) = &marked.file else { return Vec::new() };
    let suppression = |mark: &&Mark| {
        let Reported { finding, level, .. } = mark.finding.as_ref()?;
        if *level == Level::Forbid {
            return None;
        }
        let (suppressed, left) = engine::guarded(|| adopt::suppress(file, &[finding], REASON)).ok()?;
        let edit = difference(file, &suppressed.text, client.encoding).filter(|_| left == 0)?;
        let edits = [FileEdit { uri: marked.uri.clone(), version, edit }];
        let title = format!("Suppress `{}` here, with a reason", finding.rule);
        Some(action(title, CodeActionKind::QuickFix, &mark.diagnostic, &edits, client))
    };
    here.iter().filter_map(suppression).collect()
}

/// All suggestions for this file that need no look and do not clash, if the file still parses with them.
fn fix_all(marked: &Marked, version: Option<i32>, client: &Client) -> Option<CodeAction> {
    let file = marked.file.as_ref()?;
    let workspace = Workspace { files: vec![file.clone()], ..Workspace::default() };
    let parses = |edits: &Edits| {
        let text = edits.apply(&workspace, FileId(0));
        text.is_some_and(|text| engine::guarded(|| engine::parse(&text).is_ok()) == Ok(true))
    };
    let candidates: Vec<(&Diagnostic, Vec<TextChange>)> =
        marked.marks.iter().filter_map(|mark| Some((&mark.diagnostic, safe_edits(mark)?))).collect();
    let (mut edits, mut fixed) = gather(&candidates, |_| true);
    if !parses(&edits) {
        (edits, fixed) = gather(&candidates, parses);
    }
    let text = edits.apply(&workspace, FileId(0))?;
    let edit = difference(file, &text, client.encoding)?;
    let findings = if fixed.len() == 1 { "1 finding" } else { &format!("{} findings", fixed.len()) };
    Some(CodeAction {
        title: format!("Fix {findings} of ctxlint in this file"),
        kind: Some(CodeActionKind::Custom(FIX_ALL.into())),
        diagnostics: Some(fixed),
        edit: Some(workspace_edit(&[FileEdit { uri: marked.uri.clone(), version, edit }], client)),
        ..CodeAction::default()
    })
}

/// The first suggestion of a finding that needs no look and changes nothing but its file, as edits of
/// the one file of a workspace.
fn safe_edits(mark: &Mark) -> Option<Vec<TextChange>> {
    let finding = &mark.finding.as_ref()?.finding;
    let is_safe = |help: &&Help| {
        help.applicability == Applicability::MachineApplicable
            && !help.edits.is_empty()
            && help.edits.iter().all(|edit| edit.place.file == finding.primary.file)
    };
    let moved = |edit: &TextChange| TextChange {
        place: Place { file: FileId(0), span: edit.place.span },
        text: edit.text.clone(),
    };
    Some(finding.helps.iter().find(is_safe)?.edits.iter().map(moved).collect())
}

/// Edits that do not clash, each of which leaves something good, with what they are about.
fn gather(candidates: &[(&Diagnostic, Vec<TextChange>)], is_good: impl Fn(&Edits) -> bool) -> (Edits, Vec<Diagnostic>) {
    let mut edits = Edits::default();
    let mut fixed = Vec::new();
    for (diagnostic, alone) in candidates {
        let mut with = edits.clone();
        if with.add(alone) && is_good(&with) {
            edits = with;
            fixed.push((*diagnostic).clone());
        }
    }
    (edits, fixed)
}

fn action(
    title: String,
    kind: CodeActionKind,
    diagnostic: &Diagnostic,
    edits: &[FileEdit],
    client: &Client,
) -> CodeAction {
    CodeAction {
        title,
        kind: Some(kind),
        diagnostics: Some(vec![diagnostic.clone()]),
        edit: Some(workspace_edit(edits, client)),
        ..CodeAction::default()
    }
}

fn workspace_edit(edits: &[FileEdit], client: &Client) -> WorkspaceEdit {
    let mut by_file: Vec<(&Uri, Option<i32>, Vec<TextEdit>)> = Vec::new();
    for FileEdit { uri, version, edit } in edits {
        match by_file.iter_mut().find(|(there, ..)| *there == uri) {
            Some((_, _, edits)) => edits.push(edit.clone()),
            None => by_file.push((uri, *version, vec![edit.clone()])),
        }
    }
    if !client.versioned_edits {
        let changes: HashMap<Uri, Vec<TextEdit>> =
            by_file.into_iter().map(|(uri, _, edits)| (uri.clone(), edits)).collect();
        return WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() };
    }
    let changes = by_file.into_iter().map(|(uri, version, edits)| {
        DocumentChange::TextDocumentEdit(TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version,
                text_document_identifier: TextDocumentIdentifier { uri: uri.clone() },
            },
            edits: edits.into_iter().map(Edit::TextEdit).collect(),
        })
    });
    WorkspaceEdit { document_changes: Some(changes.collect()), ..WorkspaceEdit::default() }
}

/// What makes one text of another, as one edit; none if they are the same.
fn difference(old: &File, new: &str, encoding: Encoding) -> Option<TextEdit> {
    let before: &str = &old.text;
    if before == new {
        return None;
    }
    let matching = before.chars().zip(new.chars()).take_while(|(a, b)| a == b);
    let start: usize = matching.map(|(c, _)| c.len_utf8()).sum();
    let (old_rest, new_rest) = (before.get(start..)?, new.get(start..)?);
    let matching = old_rest.chars().rev().zip(new_rest.chars().rev()).take_while(|(a, b)| a == b);
    let end: usize = matching.map(|(c, _)| c.len_utf8()).sum();
    let span = ctxlint_analysis::facts::Span::new(start as u32, (before.len() - end) as u32);
    Some(TextEdit {
        range: encoding.range(span, &old.lines, before),
        new_text: new_rest.get(..new_rest.len() - end)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use gen_lsp_types::Position;

    use super::*;

    #[test]
    fn kinds_include_what_is_below_them() {
        let wish = |only: &[&str]| Wish {
            range: Range::default(),
            only: Some(only.iter().map(|kind| (*kind).to_owned()).collect()),
        };
        assert!(wish(&["source"]).includes(FIX_ALL) && wish(&["source.fixAll"]).includes(FIX_ALL));
        assert!(wish(&[""]).includes(QUICK_FIX) && wish(&["quickfix", "x"]).includes(QUICK_FIX));
        assert!(!wish(&["source.fix"]).includes(FIX_ALL) && !wish(&[]).includes(QUICK_FIX));
        assert!(Wish { only: None, ..wish(&[]) }.includes(FIX_ALL));
    }

    #[test]
    fn a_difference_is_one_edit() {
        let file = File::new("a.rs".to_owned(), "/a.rs".into(), "aéa\nb\n");
        let edit = |new: &str| difference(&file, new, Encoding::Utf16);
        assert_eq!(edit("aéa\nb\n"), None);
        let edit = edit("aéaéa\nb\n").expect("an edit");
        assert_eq!((edit.range.start, edit.new_text.as_str()), (Position { line: 0, character: 3 }, "éa"));
        assert_eq!(edit.range.start, edit.range.end);
    }
}
