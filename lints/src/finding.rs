//! What a rule says.

use ctxlint_analysis::analysis::Way;
use ctxlint_analysis::facts::Span;
use ctxlint_analysis::flow::value::Site;
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

impl Finding {
    /// A finding of a rule at a place, with what is said there.
    pub fn new(rule: &'static str, site: Site, message: impl Into<String>, label: impl Into<String>) -> Finding {
        Finding {
            rule,
            primary: Place::from(site),
            message: message.into(),
            label: label.into(),
            labels: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// With a word on another place. A place that already has one is left alone.
    pub fn label(mut self, site: Site, text: impl Into<String>) -> Finding {
        let place = Place::from(site);
        if place != self.primary && !self.labels.iter().any(|label| label.place == place) {
            self.labels.push(Label { place, text: text.into() });
        }
        self
    }

    /// With the calls something came through: at most three, then their number.
    pub fn hops(mut self, way: &Way, what: &str) -> Finding {
        for site in way.hops.iter().take(3) {
            self = self.label(*site, format!("{what} through this call"));
        }
        match way.hops.len().saturating_sub(3) {
            0 => self,
            1 => self.note("and through 1 more call"),
            more => self.note(format!("and through {more} more calls")),
        }
    }

    /// With a note.
    pub fn note(mut self, text: impl Into<String>) -> Finding {
        self.notes.push(text.into());
        self
    }

    /// With advice in words.
    pub fn help(mut self, text: impl Into<String>) -> Finding {
        self.helps.push(Help { message: text.into(), edits: Vec::new(), applicability: Applicability::MaybeIncorrect });
        self
    }

    /// With advice as edits.
    pub fn fix(mut self, text: impl Into<String>, edits: Vec<Edit>, applicability: Applicability) -> Finding {
        self.helps.push(Help { message: text.into(), edits, applicability });
        self
    }
}

impl From<Site> for Place {
    fn from(site: Site) -> Place {
        Place { file: site.file_id(), span: site.span }
    }
}

impl Edit {
    /// Puts a text in front of a byte.
    pub fn insert(file: FileId, at: u32, text: impl Into<String>) -> Edit {
        Edit { place: Place { file, span: Span::new(at, at) }, text: text.into() }
    }

    /// Puts a text in a place's stead.
    pub fn replace(site: Site, text: impl Into<String>) -> Edit {
        Edit { place: Place::from(site), text: text.into() }
    }
}
