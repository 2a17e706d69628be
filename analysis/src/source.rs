//! What the analysis is given: files with their facts, and the crates they make up.

use std::sync::{Arc, OnceLock};

use crate::facts::{FileFacts, Name, index};
use crate::outline::{Outline, Word};

index! {
    /// A file in [`Sources::files`].
    FileId,
    /// A crate in [`Sources::crates`].
    CrateId,
}

/// A set of crates to be looked at together.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// In the order the findings are to be told: by path.
    pub files: Vec<SourceFile>,
    /// One for each target of each package, and one for each loose file.
    pub crates: Vec<Crate>,
}

/// A file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// With `/` between the parts; `mod name;` is resolved against the paths of the other files.
    pub path: String,
    /// None if the file was not parsed: it names nothing of interest, or does not parse.
    pub facts: Option<Arc<FileFacts>>,
    /// Of a file that was not parsed because it names nothing of interest: the structs and enums it declares.
    /// They have no part in anything.
    pub plain: Vec<Word>,
    /// What it declares, and which words that uses; empty where no library in view is of interest.
    pub outline: Arc<OnceLock<Outline>>,
}

/// A crate, as rustc would be called for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// As code of other crates writes it (`my_crate`).
    pub name: Name,
    /// The file with its root module.
    pub root: FileId,
    /// What kind of target it is.
    pub kind: CrateKind,
    /// Groups the crates of one package.
    pub package: u32,
    /// The package's own name as the manifest has it (`ctxlint-context`); empty for a loose file. A
    /// crate of the workspace that *is* a modelled library is told from a namesake by it.
    pub package_name: Name,
    /// 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// What `extern` names mean here: the name as written in code, and what it stands for.
    /// Names that are not listed are external crates of that very name.
    pub dependencies: Vec<(Name, Dependency)>,
}

/// What a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrateKind {
    /// A library, procedural macros included.
    Lib,
    /// A program.
    Bin,
    /// `tests/`.
    Test,
    /// `benches/`.
    Bench,
    /// `examples/`.
    Example,
    /// `build.rs`.
    BuildScript,
    /// A file that belongs to no target: given alone, or on standard input.
    Loose,
}

impl CrateKind {
    /// Whether rules marked "not in tests" are off in the whole crate.
    pub fn is_test(self) -> bool {
        matches!(self, CrateKind::Test | CrateKind::Bench | CrateKind::Example)
    }
}

/// What a dependency's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dependency {
    /// A crate of this set.
    Crate(CrateId),
    /// A crate from elsewhere, by its own library name (after a rename in the manifest: the real one).
    External(Name),
}
