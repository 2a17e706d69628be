//! Listing the files of a plan, and reading them.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::manifest::FoundTarget;
use super::walk::{Limits, rust_files};
use super::{Discovered, Plan, Problem, STDIN};
use crate::workspace::{File, Package, Target, Workspace};

/// A larger file is not read.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A file before it is read.
#[derive(Clone, Debug, Default)]
struct Listed {
    selected: bool,
    named: bool,
    only_if_reached: bool,
    package: Option<usize>,
}

pub(super) fn read(mut plan: Plan, is_excluded: &(dyn Fn(&Utf8Path) -> bool + Sync)) -> Discovered {
    let root = plan.root();
    let mut listing = Listing::default();
    listing.workspaces(&mut plan);
    listing.folders(&mut plan);
    listing.named(&plan);
    let by_glob = |path: &Utf8Path| {
        let relative = path.strip_prefix(&plan.current).unwrap_or(path);
        plan.exclude.is_match(relative) || relative.ancestors().any(|above| plan.exclude.is_match(above))
    };
    listing.files.retain(|path, file| file.named || !(is_excluded(path) || by_glob(path)));
    let (files, unread) = load(&listing.files, &plan.overlay, &root);
    let mut problems = plan.problems;
    problems.extend(unread);
    problems.sort();
    problems.dedup();
    let workspace = assemble(root, files, listing.packages, listing.targets);
    Discovered { workspace, problems }
}

#[derive(Default)]
struct Listing {
    files: BTreeMap<Utf8PathBuf, Listed>,
    packages: Vec<Package>,
    targets: Vec<FoundTarget>,
}

impl Listing {
    fn workspaces(&mut self, plan: &mut Plan) {
        for part in &plan.workspaces {
            let base = self.packages.len();
            let (mut packages, targets) = part.what.packages(base);
            for package in &mut packages {
                let asked = plan.packages.is_empty() || plan.packages.iter().any(|asked| asked.fits(&package.name));
                package.selected = asked && !plan.exclude.is_match(&package.name);
            }
            let folders: FxHashMap<&Utf8Path, usize> =
                packages.iter().enumerate().map(|(index, package)| (package.folder(), index)).collect();
            let root = part.what.root();
            let limits = Limits {
                members: folders.keys().copied().collect(),
                stop_at_manifests: true,
                target: Some(part.what.target_folder()),
            };
            let outside = folders.keys().copied().filter(|folder| !folder.starts_with(root));
            let outside: Vec<&Utf8Path> = outside.collect::<FxHashSet<_>>().into_iter().collect();
            let walked = std::iter::once(root).chain(outside);
            let walked: Vec<Utf8PathBuf> =
                walked.flat_map(|folder| rust_files(folder, &limits, &mut plan.problems)).collect();
            let roots: FxHashSet<&Utf8Path> = targets.iter().map(|target| target.root.as_path()).collect();
            let roots_there = roots.iter().filter(|root| root.is_file()).map(|root| (*root).to_owned());
            for path in walked.iter().cloned().chain(roots_there) {
                let package = path.ancestors().find_map(|above| folders.get(above).copied());
                let package = package.and_then(|index| Some((index, packages.get(index)?)));
                let listed = list(&path, package, root, &part.asked, &roots);
                self.files.insert(path, Listed { package: listed.package.map(|index| base + index), ..listed });
            }
            self.packages.extend(packages);
            self.targets.extend(targets);
        }
    }

    /// Files below folders without a manifest are each on their own.
    fn folders(&mut self, plan: &mut Plan) {
        let members: FxHashSet<&Utf8Path> = FxHashSet::default();
        for folder in &plan.folders {
            let limits = Limits { members: members.clone(), stop_at_manifests: false, target: None };
            for path in rust_files(folder, &limits, &mut plan.problems) {
                // What is in a package that could be read is there with it already.
                let in_package = self.packages.iter().any(|package| path.starts_with(package.folder()));
                if !in_package {
                    self.files.entry(path).or_insert(Listed { selected: true, ..Listed::default() });
                }
            }
        }
    }

    /// What is named is checked, whatever ignores or leaves it out.
    fn named(&mut self, plan: &Plan) {
        for path in &plan.files {
            let packages = self.packages.iter().enumerate().filter(|(_, package)| path.starts_with(package.folder()));
            let package = packages.max_by_key(|(_, package)| package.folder().as_str().len()).map(|(index, _)| index);
            let file = self.files.entry(path.clone()).or_insert(Listed { package, ..Listed::default() });
            file.selected = true;
            file.named = true;
            file.only_if_reached = false;
        }
    }
}

fn list(
    path: &Utf8Path,
    package: Option<(usize, &Package)>,
    root: &Utf8Path,
    asked: &[Utf8PathBuf],
    roots: &FxHashSet<&Utf8Path>,
) -> Listed {
    let within: Vec<&Utf8PathBuf> = asked.iter().filter(|asked| path.starts_with(asked)).collect();
    let folder = package.map_or(root, |(_, package)| package.folder());
    // A folder within a package is asked for as it is; a package is asked for as cargo knows it.
    let deep = within.iter().any(|asked| asked.starts_with(folder) && *asked != folder);
    let in_src = package.is_some() && path.starts_with(folder.join("src"));
    Listed {
        selected: !within.is_empty() && package.is_none_or(|(_, package)| package.selected),
        named: false,
        only_if_reached: !deep && !in_src && !roots.contains(path),
        package: package.map(|(index, _)| index),
    }
}

fn load(
    listed: &BTreeMap<Utf8PathBuf, Listed>,
    overlay: &BTreeMap<Utf8PathBuf, String>,
    root: &Utf8Path,
) -> (Vec<File>, Vec<Problem>) {
    let read = |(path, listed): (&Utf8PathBuf, &Listed)| {
        let text = match overlay.get(path) {
            Some(text) => text.clone(),
            None => read_text(path)?,
        };
        let shown = if path.file_name() == Some(STDIN) { STDIN.to_owned() } else { relative(path, root) };
        let mut file = File::new(shown, path.clone(), &text);
        file.selected = listed.selected;
        file.named = listed.named;
        file.only_if_reached = listed.only_if_reached;
        file.package = listed.package;
        Ok(file)
    };
    let results: Vec<Result<File, Problem>> = listed.par_iter().map(read).collect();
    let mut files = Vec::new();
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    (files, problems)
}

fn read_text(path: &Utf8Path) -> Result<String, Problem> {
    let found = fs::metadata(path).map_err(|error| Problem::about(path, &error))?;
    if found.len() > MAX_BYTES {
        let (size, limit) = (found.len() / (1024 * 1024), MAX_BYTES / (1024 * 1024));
        let message = format!("{path}: {size} MiB, more than {limit} MiB, is not checked; `exclude` it to say so");
        return Err(Problem::fatal(message));
    }
    let bytes = fs::read(path).map_err(|error| Problem::about(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        Problem::fatal(format!("{path}: not UTF-8 (byte {}), is not checked", error.utf8_error().valid_up_to()))
    })
}

fn relative(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/")
}

fn assemble(root: Utf8PathBuf, files: Vec<File>, packages: Vec<Package>, found: Vec<FoundTarget>) -> Workspace {
    let by_path: FxHashMap<&Utf8Path, usize> =
        files.iter().enumerate().map(|(index, file)| (file.absolute.as_path(), index)).collect();
    let targets = found.into_iter().filter_map(|target| {
        Some(Target {
            package: target.package,
            name: target.name.into(),
            kind: target.kind,
            root: *by_path.get(target.root.as_path())?,
            edition: target.edition,
            metadata: target.metadata,
        })
    });
    let targets = targets.collect();
    Workspace { root, files, packages, targets }
}
