//! Applying edits to texts.

use std::borrow::Cow;

use ctxlint_analysis::source::FileId;
use ctxlint_lints::finding::Edit;
use rustc_hash::FxHashMap;

use crate::text::clamp;
use crate::workspace::Workspace;

/// Edits by file, none of which overlap.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    by_file: FxHashMap<FileId, Vec<Edit>>,
}

impl Edits {
    /// Adds edits that belong together, if none of them overlaps one that is there.
    pub fn add(&mut self, together: &[Edit]) -> bool {
        let clashes = |(at, edit): (usize, &Edit)| {
            let there = self.by_file.get(&edit.place.file).into_iter().flatten();
            let own = together.iter().take(at).filter(|own| own.place.file == edit.place.file);
            there.chain(own).any(|other| other != edit && overlap(other, edit))
        };
        if together.iter().enumerate().any(clashes) {
            return false;
        }
        for edit in together {
            let edits = self.by_file.entry(edit.place.file).or_default();
            if !edits.contains(edit) {
                edits.push(edit.clone());
            }
        }
        true
    }

    /// The files that change, in order.
    pub fn files(&self) -> Vec<FileId> {
        let mut files: Vec<FileId> = self.by_file.keys().copied().collect();
        files.sort();
        files
    }

    /// The new text of a file.
    pub fn apply(&self, workspace: &Workspace, id: FileId) -> Option<String> {
        let file = workspace.files.get(id.index())?;
        let text: &str = &file.text;
        let mut edits: Vec<&Edit> = self.by_file.get(&id)?.iter().collect();
        edits.sort_by_key(|edit| edit.place.span);
        let mut out = String::with_capacity(text.len() + 64);
        let mut at = 0;
        for edit in edits {
            let range = clamp(edit.place.span, text);
            out.push_str(text.get(at..range.start)?);
            out.push_str(&line_breaks_of(text, &edit.text));
            at = range.end;
        }
        out.push_str(text.get(at..)?);
        Some(out)
    }
}

/// What is to be put into a text, with that text's line breaks.
pub(crate) fn line_breaks_of<'e>(text: &str, new: &'e str) -> Cow<'e, str> {
    match text.contains("\r\n") {
        true => Cow::Owned(new.replace("\r\n", "\n").replace('\n', "\r\n")),
        false => Cow::Borrowed(new),
    }
}

/// Whether two edits of one file touch the same bytes, or both insert at the same place, where their
/// order would be a matter of chance.
fn overlap(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (a.place.span, b.place.span);
    if a.start == a.end || b.start == b.end {
        return a.start <= b.end && b.start <= a.end;
    }
    a.start < b.end && b.start < a.end
}

#[cfg(test)]
mod tests {
    use ctxlint_analysis::facts::Span;
    use ctxlint_lints::finding::Place;

    use super::*;
    use crate::workspace::File;

    fn edit(start: u32, end: u32, text: &str) -> Edit {
        Edit { place: Place { file: FileId(0), span: Span::new(start, end) }, text: text.to_owned() }
    }

    fn workspace(text: &str) -> Workspace {
        let file = File::new("a.rs".to_owned(), "/a.rs".into(), text);
        Workspace { files: vec![file], ..Workspace::default() }
    }

    #[test]
    fn edits_are_applied_together_or_not_at_all() {
        let mut edits = Edits::default();
        assert!(edits.add(&[edit(0, 1, "x"), edit(3, 3, "\ny")]));
        assert!(!edits.add(&[edit(6, 7, "z"), edit(0, 2, "q")]));
        assert!(!edits.add(&[edit(3, 3, "another")]));
        assert!(edits.add(&[edit(0, 1, "x"), edit(4, 5, "")]), "the same edit twice is one");
        assert_eq!(edits.apply(&workspace("abc\ndef"), FileId(0)).as_deref(), Some("xbc\ny\nef"));
    }

    #[test]
    fn line_endings_are_those_of_the_file() {
        let mut edits = Edits::default();
        edits.add(&[edit(3, 3, "x\ny\r\n")]);
        assert_eq!(edits.apply(&workspace("a\r\nb"), FileId(0)).as_deref(), Some("a\r\nx\r\ny\r\nb"));
    }
}
