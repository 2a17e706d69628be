//! From what the user names to files and packages: the only place that looks for sources.
//!
//! First a plan is made ([`plan`]): which cargo workspaces and which folders. With it the
//! configuration can be found. Then the files are listed and read ([`Plan::read`]).

mod files;
mod manifest;
mod walk;

use std::collections::BTreeMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use globset::{Glob, GlobMatcher, GlobSet};
use rayon::prelude::*;

pub use manifest::{CargoWorkspace, find as manifest_around};
pub(crate) use walk::{folders_below, is_build_folder};

use crate::workspace::Workspace;

/// What the user asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The current folder, absolute.
    pub current: Utf8PathBuf,
    /// Packages, folders or files; none for the workspace around the current folder.
    pub paths: Vec<Utf8PathBuf>,
    /// A text that stands for a file, on disk or not.
    pub stdin: Option<Stdin>,
    /// Findings only in these packages, by name or glob, if any are named.
    pub packages: Vec<String>,
    /// Packages and paths to leave out.
    pub exclude: GlobSet,
    /// Findings everywhere in the workspaces, though paths below them are given.
    pub whole_workspace: bool,
}

/// What comes on standard input.
#[derive(Clone, Debug)]
pub struct Stdin {
    /// The file it stands for; none for a text of its own.
    pub path: Option<Utf8PathBuf>,
    /// The text.
    pub text: String,
}

/// Something that cannot be read or is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// One line.
    pub message: String,
    /// Whether the run has failed by it.
    pub fatal: bool,
}

impl Problem {
    fn fatal(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), fatal: true }
    }

    fn about(path: &Utf8Path, error: &std::io::Error) -> Problem {
        Problem::fatal(format!("{path}: {}", reason(error)))
    }
}

/// An I/O error without the operating system's number.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// What is to be looked at.
#[derive(Debug, Default)]
pub struct Plan {
    current: Utf8PathBuf,
    /// Cargo workspaces, each with what of it is asked for.
    workspaces: Vec<Part<CargoWorkspace>>,
    /// Folders without a manifest.
    folders: Vec<Utf8PathBuf>,
    /// Files by name.
    files: Vec<Utf8PathBuf>,
    /// Texts that stand for files.
    overlay: BTreeMap<Utf8PathBuf, String>,
    packages: Vec<Pattern>,
    exclude: GlobSet,
    /// What went wrong so far.
    pub problems: Vec<Problem>,
}

/// A package's name, or a glob for several, as cargo takes them.
#[derive(Debug)]
struct Pattern {
    text: String,
    glob: Option<GlobMatcher>,
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        Pattern { text: text.to_owned(), glob: Glob::new(text).ok().map(|glob| glob.compile_matcher()) }
    }

    fn fits(&self, name: &str) -> bool {
        self.text == name || self.glob.as_ref().is_some_and(|glob| glob.is_match(name))
    }
}

/// A part of the plan with the folders and files of it that are asked for.
#[derive(Debug)]
struct Part<T> {
    what: T,
    asked: Vec<Utf8PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The files, packages and targets.
    pub workspace: Workspace,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// The name of a text on standard input that stands for no file.
pub const STDIN: &str = "<stdin>";

/// Finds the cargo workspaces of everything the user names.
pub fn plan(request: &Request) -> Plan {
    let mut plan = Plan {
        current: request.current.clone(),
        packages: request.packages.iter().map(|name| Pattern::new(name)).collect(),
        exclude: request.exclude.clone(),
        ..Plan::default()
    };
    if let Some(stdin) = &request.stdin {
        let path = absolute(&request.current, stdin.path.as_deref().unwrap_or(STDIN.into()));
        plan.overlay.insert(path.clone(), stdin.text.clone());
        plan.add_file(path);
    }
    for path in &request.paths {
        plan.add(absolute(&request.current, path), path);
    }
    let nothing_named = request.paths.is_empty() && request.stdin.is_none();
    if nothing_named {
        plan.add(request.current.clone(), ".".into());
    }
    if request.whole_workspace || nothing_named {
        for part in &mut plan.workspaces {
            part.asked = vec![part.what.root().to_owned()];
            part.asked.extend(part.what.folders().map(Utf8Path::to_owned));
        }
    }
    plan.check_package_names();
    plan
}

impl Plan {
    fn add(&mut self, path: Utf8PathBuf, as_given: &Utf8Path) {
        match std::fs::metadata(&path) {
            Err(error) => self.problems.push(Problem::about(as_given, &error)),
            Ok(_) if path.file_name() == Some("Cargo.toml") => {
                self.add_folder(path.parent().unwrap_or(&path).to_owned());
            }
            Ok(found) if found.is_dir() => self.add_folder(path),
            Ok(_) => self.add_file(path),
        }
    }

    fn add_file(&mut self, path: Utf8PathBuf) {
        self.add_around(path.parent().unwrap_or(&path).to_owned(), path.clone());
        self.files.push(path);
    }

    fn add_folder(&mut self, folder: Utf8PathBuf) {
        if self.add_around(folder.clone(), folder.clone()) {
            return;
        }
        // No manifest around it: there may be workspaces in it. Asking cargo is the slow part.
        let manifests = walk::manifests_below(&folder, &mut self.problems);
        let loaded: Vec<_> = manifests.par_iter().map(|manifest| CargoWorkspace::load(manifest)).collect();
        for (manifest, loaded) in manifests.iter().zip(loaded) {
            self.add_workspace(manifest, folder.clone(), || loaded);
        }
        self.folders.push(folder);
    }

    /// Adds the cargo workspace around a folder, with what is asked of it, unless it is there
    /// already. False if there is none that can be read.
    fn add_around(&mut self, folder: Utf8PathBuf, asked: Utf8PathBuf) -> bool {
        let Some(manifest) = manifest::find(&folder) else { return false };
        self.add_workspace(&manifest, asked, || CargoWorkspace::load(&manifest))
    }

    fn add_workspace(
        &mut self,
        manifest: &Utf8Path,
        asked: Utf8PathBuf,
        load: impl FnOnce() -> Result<CargoWorkspace, Problem>,
    ) -> bool {
        let known = self.workspaces.iter_mut().find(|part| part.what.has_manifest(manifest));
        if let Some(part) = known {
            part.asked.push(asked);
            return true;
        }
        match load() {
            Ok(workspace) => {
                self.workspaces.push(Part { what: workspace, asked: vec![asked] });
                true
            }
            Err(problem) => {
                if !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                false
            }
        }
    }

    fn check_package_names(&mut self) {
        let names: Vec<&str> = self.workspaces.iter().flat_map(|part| part.what.package_names()).collect();
        for package in &self.packages {
            if !names.iter().any(|name| package.fits(name)) {
                let text = &package.text;
                let hint = crate::text::nearest(text, names.iter().copied());
                let hint = hint.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
                self.problems.push(Problem::fatal(format!("no package is called `{text}`{hint}")));
            }
        }
    }

    /// The folder that paths are told relative to, and that configuration is looked for in and above.
    pub fn root(&self) -> Utf8PathBuf {
        let [only] = self.workspaces.as_slice() else { return self.current.clone() };
        let root = only.what.root();
        let outside = |path: &Utf8PathBuf| !path.starts_with(root);
        if self.folders.iter().any(outside) || self.files.iter().any(outside) {
            return self.current.clone();
        }
        root.to_owned()
    }

    /// The folder in and above which a `ctxlint.toml` counts.
    pub fn config_folder(&self) -> Utf8PathBuf {
        match (self.workspaces.first(), self.folders.first(), self.files.first()) {
            (Some(first), ..) => first.what.root().to_owned(),
            (None, Some(folder), _) => folder.clone(),
            (None, None, Some(file)) => file.parent().unwrap_or(file).to_owned(),
            (None, None, None) => self.current.clone(),
        }
    }

    /// The folders that everything is in.
    pub fn folders(&self) -> Vec<Utf8PathBuf> {
        let roots = self.workspaces.iter().map(|part| part.what.root().to_owned());
        let files = self.files.iter().filter_map(|file| file.parent()).filter(|folder| folder.is_dir());
        let mut folders: Vec<Utf8PathBuf> =
            roots.chain(self.folders.iter().cloned()).chain(files.map(Utf8Path::to_owned)).collect();
        folders.sort();
        folders.dedup_by(|below, above| below.starts_with(above));
        folders
    }

    /// Manifests with configuration: the root's first, then those of its members.
    pub fn manifests(&self) -> Vec<Utf8PathBuf> {
        self.workspaces.first().map_or(Vec::new(), |part| part.what.manifests())
    }

    /// The first cargo workspace's folder for things made by building, if there is one.
    pub fn target_folder(&self) -> Option<&Utf8Path> {
        self.workspaces.first().map(|part| part.what.target_folder())
    }

    /// Lists and reads the files, but for those left out.
    pub fn read(self, is_excluded: &(dyn Fn(&Utf8Path) -> bool + Sync)) -> Discovered {
        files::read(self, is_excluded)
    }
}

/// A path made absolute, with `.` and `..` taken out.
pub fn absolute(current: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for component in current.join(path).components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                out.pop();
            }
            _ => out.push(component),
        }
    }
    out
}
