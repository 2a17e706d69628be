//! Walking through folders: `.gitignore` honoured, links followed once, nothing built looked at.

use std::fs;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use rustc_hash::FxHashSet;

use super::Problem;

/// Which folders not to enter.
pub(super) struct Limits<'a> {
    /// Folders with a manifest to enter all the same; none where folders with any manifest are entered.
    pub(super) members: FxHashSet<&'a Utf8Path>,
    /// Whether folders with another manifest are left out: they are workspaces of their own.
    pub(super) stop_at_manifests: bool,
    /// Cargo's folder for things made by building.
    pub(super) target: Option<&'a Utf8Path>,
}

impl<'a> Limits<'a> {
    /// Folders to enter all the same that the way from `root` does not come to: another manifest is above them.
    fn cut_off(&self, root: &Utf8Path) -> impl Iterator<Item = &'a Utf8Path> {
        self.members.iter().copied().filter(move |member| {
            let mut between = member.ancestors().skip(1).take_while(|above| *above != root && above.starts_with(root));
            let nearest = between.find(|above| above.join("Cargo.toml").is_file());
            nearest.is_some_and(|nearest| !self.members.contains(nearest))
        })
    }
}

/// The Rust files below a folder, in no particular order.
pub(super) fn rust_files(root: &Utf8Path, limits: &Limits<'_>, problems: &mut Vec<Problem>) -> Vec<Utf8PathBuf> {
    let mut walk = Walk { root, limits, problems, files: Vec::new(), links: vec![], linked: FxHashSet::default() };
    walk.folder(root);
    limits.cut_off(root).for_each(|member| walk.folder(member));
    while let Some(link) = walk.links.pop() {
        walk.folder(&link);
    }
    walk.files
}

/// The manifests below a folder that has none itself or above: of each workspace the outermost.
pub(super) fn manifests_below(root: &Utf8Path, problems: &mut Vec<Problem>) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    let walker = builder(root).filter_entry(|entry| !is_build_folder(entry.path())).build();
    for entry in walker.flatten() {
        if entry.file_name() != "Cargo.toml" {
            continue;
        }
        match Utf8PathBuf::from_path_buf(entry.into_path()) {
            Ok(path) => found.push(path),
            Err(path) => problems.push(not_unicode(&path)),
        }
    }
    found.sort_by_key(|path| (path.components().count(), path.clone()));
    let mut outermost: Vec<Utf8PathBuf> = Vec::new();
    for manifest in found {
        let is_below = |above: &Utf8PathBuf| above.parent().is_some_and(|folder| manifest.starts_with(folder));
        if !outermost.iter().any(is_below) {
            outermost.push(manifest);
        }
    }
    outermost
}

/// The folders that are looked through when all below `root` is, those above `from` left out: none that is
/// hidden, ignored or for what is built. Without `root` itself.
pub(crate) fn folders_below(root: &Path, from: &Path) -> impl Iterator<Item = PathBuf> {
    let below = from.to_owned();
    let from = from.to_owned();
    let enter = move |entry: &DirEntry| {
        let path = entry.path();
        (path.starts_with(&from) || from.starts_with(path))
            && path.is_dir()
            && !is_build_folder(path)
            && !path.join("CACHEDIR.TAG").is_file()
    };
    let walker = WalkBuilder::new(root).follow_links(true).require_git(false).filter_entry(enter).build();
    let entries = walker.flatten().filter(move |entry| entry.depth() > 0 && entry.path().starts_with(&below));
    entries.map(DirEntry::into_path)
}

struct Walk<'w> {
    root: &'w Utf8Path,
    limits: &'w Limits<'w>,
    problems: &'w mut Vec<Problem>,
    files: Vec<Utf8PathBuf>,
    /// Links to folders that are still to be followed.
    links: Vec<Utf8PathBuf>,
    /// What links already led to.
    linked: FxHashSet<PathBuf>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Utf8Path) {
        let members: FxHashSet<Utf8PathBuf> = self.limits.members.iter().map(|member| (*member).to_owned()).collect();
        let target = self.limits.target.map(Utf8Path::to_owned);
        let stop = self.limits.stop_at_manifests;
        let top = folder.to_owned();
        let enter = move |entry: &DirEntry| {
            let path = entry.path();
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            if !is_folder || path == top.as_std_path() {
                return true;
            }
            let is_foreign = stop
                && path.join("Cargo.toml").is_file()
                && !Utf8Path::from_path(path).is_some_and(|path| members.contains(path));
            let is_target = target.as_deref().is_some_and(|target| target.as_std_path() == path);
            !is_foreign && !is_target && !is_build_folder(path)
        };
        for entry in builder(folder).filter_entry(enter).build() {
            match entry {
                Ok(entry) => self.entry(entry),
                Err(error) => self.error(&error),
            }
        }
    }

    fn entry(&mut self, entry: DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        if kind.is_dir() {
            return;
        }
        let path = match Utf8PathBuf::from_path_buf(entry.into_path()) {
            Ok(path) => path,
            Err(path) if path.extension().is_some_and(|extension| extension == "rs") => {
                return self.problems.push(not_unicode(&path));
            }
            Err(_) => return,
        };
        if kind.is_symlink() {
            self.link(path);
        } else if path.extension() == Some("rs") && kind.is_file() {
            self.files.push(path);
        }
    }

    fn link(&mut self, path: Utf8PathBuf) {
        match fs::metadata(&path) {
            Err(error) if is_loop(&error) => self.problems.push(Problem::fatal(format!("{path}: a loop of links"))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                self.problems.push(Problem::fatal(format!("{path}: a link that leads nowhere")));
            }
            Err(error) => self.problems.push(Problem::about(&path, &error)),
            Ok(found) if found.is_dir() => self.linked_folder(path),
            Ok(found) if found.is_file() && path.extension() == Some("rs") => self.files.push(path),
            Ok(_) => {}
        }
    }

    fn linked_folder(&mut self, path: Utf8PathBuf) {
        let (Ok(to), Ok(root)) = (fs::canonicalize(&path), fs::canonicalize(self.root)) else { return };
        let from = path.parent().and_then(|parent| fs::canonicalize(parent).ok());
        if from.is_some_and(|from| from.starts_with(&to)) {
            self.problems.push(Problem::fatal(format!("{path}: a loop of links")));
        } else if !to.starts_with(&root) && !is_build_folder(&to) && self.linked.insert(to) {
            // What is below the root is found there.
            self.links.push(path);
        }
    }

    fn error(&mut self, error: &ignore::Error) {
        let Some((path, cause)) = innermost(error, None) else {
            return self.problems.push(Problem::fatal(error.to_string()));
        };
        match path {
            Some(path) => {
                let shown = path.to_string_lossy();
                self.problems.push(Problem::fatal(format!("{shown}: {}", super::reason(cause))));
            }
            None => self.problems.push(Problem::fatal(cause.to_string())),
        }
    }
}

fn builder(root: &Utf8Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    builder.follow_links(false).require_git(false).sort_by_file_name(std::ffi::OsStr::cmp);
    builder
}

fn innermost<'e>(error: &'e ignore::Error, path: Option<&'e Path>) -> Option<(Option<&'e Path>, &'e std::io::Error)> {
    match error {
        ignore::Error::Io(cause) => Some((path, cause)),
        ignore::Error::WithPath { path, err } => innermost(err, Some(path)),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => innermost(err, path),
        _ => None,
    }
}

fn is_loop(error: &std::io::Error) -> bool {
    error.to_string().contains("symbolic link")
}

/// `target` beside a manifest, or with cargo's mark in it. A module may be called `target` too.
pub(crate) fn is_build_folder(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "target")
        && (path.join("CACHEDIR.TAG").is_file()
            || path.parent().is_some_and(|parent| parent.join("Cargo.toml").is_file()))
}

fn not_unicode(path: &Path) -> Problem {
    Problem::fatal(format!("{}: the file's name is not Unicode", path.to_string_lossy()))
}
