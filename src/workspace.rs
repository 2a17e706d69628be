//! What a run looks at: files with their texts, and the packages and targets they belong to.
//!
//! Plain data, made by [`crate::discover`] or by a test, and read by [`crate::check`], which never
//! looks at the file system.

use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_analysis::facts::Name;
use ctxlint_analysis::outline::Outline;
use ctxlint_analysis::source::CrateKind;

use crate::engine::Parsed;
use crate::text::LineIndex;

/// Everything a run looks at.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// The folder that paths are relative to: the root of the cargo workspace if there is just one, else the current folder.
    pub root: Utf8PathBuf,
    /// Sorted by path, each path once.
    pub files: Vec<File>,
    /// Packages of all cargo workspaces of the run.
    pub packages: Vec<Package>,
    /// Targets of all packages.
    pub targets: Vec<Target>,
}

impl Workspace {
    /// Adds a file that is not there yet.
    pub fn insert(&mut self, file: File) {
        let at = self.files.partition_point(|there| there.path < file.path);
        self.files.insert(at, file);
        for target in self.targets.iter_mut().filter(|target| target.root >= at) {
            target.root += 1;
        }
    }
}

/// A source file.
#[derive(Clone, Debug)]
pub struct File {
    /// Relative to [`Workspace::root`] where the file is below it, with `/` between the parts.
    pub path: String,
    /// The file itself.
    pub absolute: Utf8PathBuf,
    /// Its text, without a byte-order mark.
    pub text: Arc<str>,
    /// Whether the file begins with a byte-order mark.
    pub bom: bool,
    /// Where the text's lines begin.
    pub lines: LineIndex,
    /// Whether findings in it are told. The others are read because code elsewhere depends on them.
    pub selected: bool,
    /// Given by name: parsed whatever words it contains.
    pub named: bool,
    /// Not part of the check unless a target's modules reach it.
    pub only_if_reached: bool,
    /// The package whose folder it is in: an index into [`Workspace::packages`].
    pub package: Option<usize>,
    /// What the text declares, as far as somebody asked; shared by all copies with the same text.
    pub outline: Arc<OnceLock<Outline>>,
    /// What parsing gave on an earlier run over the same text.
    pub parsed: Option<Parsed>,
}

impl File {
    /// A file with this text; a byte-order mark is taken off.
    pub fn new(path: String, absolute: Utf8PathBuf, text: &str) -> File {
        let (bom, text) = match text.strip_prefix('\u{feff}') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        File {
            path,
            absolute,
            text: Arc::from(text),
            bom,
            lines: LineIndex::new(text),
            selected: true,
            named: false,
            only_if_reached: false,
            package: None,
            outline: Arc::default(),
            parsed: None,
        }
    }

    /// The same file with another text.
    pub fn with_text(&self, text: &str) -> File {
        File {
            text: Arc::from(text),
            lines: LineIndex::new(text),
            outline: Arc::default(),
            parsed: None,
            ..self.clone()
        }
    }

    /// The bytes that make up the file on disk.
    pub fn on_disk(&self) -> Vec<u8> {
        let mark: &[u8] = if self.bom { b"\xef\xbb\xbf" } else { b"" };
        [mark, self.text.as_bytes()].concat()
    }

    /// How many bytes stand before the text on disk.
    pub fn offset(&self) -> u32 {
        if self.bom { 3 } else { 0 }
    }
}

/// A package of a cargo workspace.
#[derive(Clone, Debug)]
pub struct Package {
    /// As cargo writes it in its messages.
    pub id: String,
    /// As in the manifest.
    pub name: String,
    /// Absolute.
    pub manifest: Utf8PathBuf,
    /// Whether findings in it are told.
    pub selected: bool,
    /// 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// What its manifest names.
    pub dependencies: Vec<PackageDependency>,
}

impl Package {
    /// The folder of the manifest.
    pub fn folder(&self) -> &Utf8Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

/// A dependency in a manifest.
#[derive(Clone, Debug)]
pub struct PackageDependency {
    /// As code writes it, after a rename.
    pub name: Name,
    /// The library's own name.
    pub library: Name,
    /// The package of the run that it is: an index into [`Workspace::packages`].
    pub package: Option<usize>,
    /// Which of the package's targets see it.
    pub kind: DependencyKind,
}

/// Which targets see a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DependencyKind {
    /// All but the build script.
    Normal,
    /// Tests, examples, benchmarks.
    Development,
    /// The build script.
    Build,
}

/// A target of a package.
#[derive(Clone, Debug)]
pub struct Target {
    /// An index into [`Workspace::packages`].
    pub package: usize,
    /// As code of other crates writes it.
    pub name: Name,
    /// What it is.
    pub kind: CrateKind,
    /// Its root module: an index into [`Workspace::files`].
    pub root: usize,
    /// 2015, 2018, 2021, 2024.
    pub edition: u16,
    /// As cargo writes it in its messages.
    pub metadata: serde_json::Value,
}
