//! What a rule says.

use ctxlint_analysis::facts::Span;
use ctxlint_analysis::source::FileId;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// The bytes.
    pub span: Span,
}

/// One misuse.
///
/// A finding is plain data. Its level is not its own affair: the command decides it from the
/// configuration, and the suppressions in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, without `ctxlint::`.
    pub rule: &'static str,
    /// Where the misuse is.
    pub primary: Place,
    /// What happens at run time, in one sentence without a full stop, lower case, that stands alone.
    pub message: String,
    /// What to say at the primary place.
    pub label: String,
    /// Where the context or handle came from, and the way from there.
    pub labels: Vec<Label>,
    /// More on what happens.
    pub notes: Vec<String>,
    /// What to write instead.
    pub helps: Vec<Help>,
}

/// A secondary place with a word on it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there.
    pub text: String,
}

/// What to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// In words.
    pub message: String,
    /// As edits that belong together; none where words must do. Never two that overlap.
    pub edits: Vec<Edit>,
    /// Whether the edits can be made without a person looking.
    pub applicability: Applicability,
}

/// Replaces the bytes of a place by a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an insertion if empty.
    pub place: Place,
    /// By what.
    pub text: String,
}

/// Whether edits can be made without a person looking; rustc's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// The result compiles and means what was meant (`--fix`).
    MachineApplicable,
    /// The result may not be what was meant (`--unsafe-fixes`).
    MaybeIncorrect,
    /// The text has parts for the user to fill in.
    HasPlaceholders,
}
