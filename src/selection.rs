//! What of a workspace is parsed.

use ctxlint_analysis::AT_ONCE;
use ctxlint_analysis::model::{Model, Models};
use ctxlint_analysis::outline::Word;
use ctxlint_analysis::select::{self, Choice};
use ctxlint_analysis::source::CrateKind;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::engine::{self, Parsed};
use crate::modules;
use crate::workspace::{File, Package, PackageDependency, Target, Workspace};

/// What was parsed of a workspace.
pub(crate) struct Selected {
    /// By file; none for one that was left out.
    pub(crate) parsed: Vec<Option<Parsed>>,
    /// By file: of one that was left out, the types that are of no interest.
    pub(crate) plain: Vec<Vec<Word>>,
}

/// Parses the files that can matter and those on the way to them from their crate's root, each but
/// for what in it cannot. Once it is not wanted any more, what is left is not parsed.
pub(crate) fn parse(
    workspace: &Workspace,
    models: &Models,
    all_tasks: bool,
    parsed_one: &(dyn Fn() + Sync),
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Selected {
    let choices = select::select(models, &packages(workspace, models), &candidates(workspace), all_tasks);
    let has_path_attribute = |file: &File| match file.outline.get() {
        Some(outline) => outline.has_path_attribute,
        None => memchr::memmem::find(file.text.as_bytes(), b"#[path").is_some(),
    };
    let mut wanted: Vec<bool> = (workspace.files.par_iter().zip(&choices))
        .map(|(file, choice)| choice.matters || file.named || has_path_attribute(file))
        .collect();
    want_parents(workspace, &mut wanted);
    let job = |((file, choice), wanted): ((&File, &Choice), &bool)| {
        if !wanted || !is_wanted() {
            return None;
        }
        // In a file that somebody asked for by name, syntax errors are of interest everywhere.
        let quiet = if file.named { &[] } else { &choice.quiet[..] };
        let known = file.parsed.as_ref().filter(|known| known.as_ref().map_or(true, |facts| facts.quiet == quiet));
        let parsed = known.cloned().unwrap_or_else(|| engine::parse_but(&file.text, quiet));
        parsed_one();
        Some(parsed)
    };
    let files = workspace.files.par_iter().with_max_len(AT_ONCE);
    let parsed: Vec<Option<Parsed>> = files.zip(&choices).zip(&wanted).map(job).collect();
    let plain = |(choice, wanted): (Choice, &bool)| if *wanted { Vec::new() } else { choice.plain };
    Selected { parsed, plain: choices.into_iter().zip(&wanted).map(plain).collect() }
}

fn candidates(workspace: &Workspace) -> Vec<select::File<'_>> {
    let files = workspace.files.iter();
    files.map(|file| select::File { text: &file.text, package: file.package, outline: &file.outline }).collect()
}

/// What the packages see.
fn packages(workspace: &Workspace, models: &Models) -> Vec<select::Package> {
    let own = |at: usize, package: &Package| {
        let library = |target: &&Target| target.package == at && target.kind == CrateKind::Lib;
        let name = &workspace.targets.iter().find(library)?.name;
        let is_model = |model: &&Model| match &model.package {
            Some(of) => *of == package.name,
            None => model.name == name.as_str(),
        };
        let known_as = models.iter().find(is_model).map_or(name.as_str(), |model| &model.name);
        Some(select::Library { name: name.to_string(), known_as: known_as.to_owned(), is_ours: true })
    };
    let package = |(at, package): (usize, &Package)| {
        let named = package.dependencies.iter().map(|dependency| select::Library {
            name: dependency.name.to_string(),
            known_as: library_name(dependency, models).to_owned(),
            is_ours: dependency.package.is_some(),
        });
        select::Package {
            libraries: named.chain(own(at, package)).collect(),
            dependencies: package.dependencies.iter().filter_map(|dependency| dependency.package).collect(),
        }
    };
    workspace.packages.iter().enumerate().map(package).collect()
}

/// What a library calls itself: a manifest only names its package.
pub(crate) fn library_name<'w>(dependency: &'w PackageDependency, models: &'w Models) -> &'w str {
    let is_of = |package: &String| package.replace('-', "_") == dependency.library;
    let model = models.iter().find(|model| model.package.as_ref().is_some_and(is_of));
    model.map_or(&dependency.library, |model| &model.name)
}

/// Adds the files through which a wanted file may be part of its crate.
fn want_parents(workspace: &Workspace, wanted: &mut [bool]) {
    let by_path: FxHashMap<&str, usize> =
        workspace.files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
    let mut roots: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for root in workspace.targets.iter().map(|target| target.root) {
        let Some(file) = workspace.files.get(root) else { continue };
        if memchr::memmem::find(file.text.as_bytes(), b"mod ").is_some() {
            roots.entry(modules::folders_above(&file.path).next().unwrap_or("")).or_default().push(root);
        }
    }
    let first: Vec<usize> = wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(index, _)| index).collect();
    for file in first.iter().filter_map(|&index| workspace.files.get(index)) {
        let usual = modules::possible_parents(&file.path);
        let usual = usual.iter().filter_map(|path| by_path.get(path.as_str()).copied());
        let roots = modules::folders_above(&file.path).filter_map(|folder| roots.get(folder)).flatten().copied();
        for parent in usual.chain(roots) {
            if let Some(slot) = wanted.get_mut(parent) {
                *slot = true;
            }
        }
    }
}
