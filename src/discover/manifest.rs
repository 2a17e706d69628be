//! Cargo workspaces, through `cargo metadata --no-deps`: it needs no network and writes nothing.

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind as CargoKind, Edition, Metadata, MetadataCommand, TargetKind};
use ctxlint_analysis::source::CrateKind;
use rustc_hash::FxHashMap;

use super::Problem;
use crate::workspace::{DependencyKind, Package, PackageDependency};

/// A cargo workspace.
#[derive(Debug)]
pub struct CargoWorkspace {
    metadata: Metadata,
}

/// A target before its file has an index.
#[derive(Clone, Debug)]
pub(super) struct FoundTarget {
    pub(super) package: usize,
    pub(super) name: String,
    pub(super) kind: CrateKind,
    pub(super) root: Utf8PathBuf,
    pub(super) edition: u16,
    pub(super) metadata: serde_json::Value,
}

/// The manifest in this folder or the nearest above.
pub fn find(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    folder.ancestors().map(|above| above.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

impl CargoWorkspace {
    /// Asks cargo about the workspace of a manifest.
    pub(super) fn load(manifest: &Utf8Path) -> Result<CargoWorkspace, Problem> {
        match ask(manifest, None).or_else(|error| ask(manifest, manifest.ancestors().last()).map_err(|_| error)) {
            Ok(metadata) => Ok(CargoWorkspace { metadata }),
            Err(cargo_metadata::Error::Io(error)) => Err(Problem {
                message: format!("cargo cannot be run ({error}): {manifest} is not read, crate names are not known"),
                fatal: false,
            }),
            Err(cargo_metadata::Error::CargoMetadata { stderr }) => {
                Err(Problem::fatal(format!("{manifest}: {}; its files are checked one by one", one_line(&stderr))))
            }
            Err(error) => Err(Problem::fatal(format!("{manifest}: {}", one_line(&error.to_string())))),
        }
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.metadata.workspace_root
    }

    pub(super) fn target_folder(&self) -> &Utf8Path {
        &self.metadata.target_directory
    }

    pub(super) fn package_names(&self) -> impl Iterator<Item = &str> {
        self.metadata.packages.iter().map(|package| package.name.as_str())
    }

    /// The folders of all packages.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Utf8Path> {
        self.metadata.packages.iter().filter_map(|package| package.manifest_path.parent())
    }

    pub(super) fn has_manifest(&self, manifest: &Utf8Path) -> bool {
        manifest == self.root().join("Cargo.toml")
            || self.metadata.packages.iter().any(|package| package.manifest_path == manifest)
    }

    /// The root's manifest first.
    pub(super) fn manifests(&self) -> Vec<Utf8PathBuf> {
        let root = self.root().join("Cargo.toml");
        let members = self.metadata.packages.iter().map(|package| package.manifest_path.clone());
        let members = members.filter(|manifest| *manifest != root).collect::<Vec<_>>();
        std::iter::once(root.clone()).chain(members).collect()
    }

    /// The packages, and their targets, with `base` the number of packages there are already.
    pub(super) fn packages(&self, base: usize) -> (Vec<Package>, Vec<FoundTarget>) {
        let by_folder: FxHashMap<&Utf8Path, usize> =
            self.folders().enumerate().map(|(index, folder)| (folder, base + index)).collect();
        let mut packages = Vec::new();
        let mut targets = Vec::new();
        for (index, package) in self.metadata.packages.iter().enumerate() {
            packages.push(Package {
                id: package.id.repr.clone(),
                name: package.name.to_string(),
                manifest: package.manifest_path.clone(),
                selected: true,
                edition: edition(package.edition),
                dependencies: package.dependencies.iter().map(|found| self.dependency(found, &by_folder)).collect(),
            });
            targets.extend(package.targets.iter().map(|target| found_target(base + index, target)));
        }
        targets.sort_by_key(|target| (target.package, order(target.kind)));
        (packages, targets)
    }

    fn dependency(
        &self,
        found: &cargo_metadata::Dependency,
        by_folder: &FxHashMap<&Utf8Path, usize>,
    ) -> PackageDependency {
        let package = found.path.as_deref().and_then(|folder| by_folder.get(folder).copied());
        let member = found.path.as_deref().and_then(|folder| {
            self.metadata.packages.iter().find(|package| package.manifest_path.parent() == Some(folder))
        });
        let library = member.and_then(|package| package.targets.iter().find(|target| kind(target) == CrateKind::Lib));
        let library = library.map_or(found.name.as_str(), |target| target.name.as_str()).replace('-', "_");
        let name = found.rename.as_ref().map_or(library.clone(), |rename| rename.replace('-', "_"));
        PackageDependency {
            name: name.into(),
            library: library.into(),
            package,
            kind: match found.kind {
                CargoKind::Development => DependencyKind::Development,
                CargoKind::Build => DependencyKind::Build,
                _ => DependencyKind::Normal,
            },
        }
    }
}

fn found_target(package: usize, target: &cargo_metadata::Target) -> FoundTarget {
    FoundTarget {
        package,
        name: target.name.replace('-', "_"),
        kind: kind(target),
        root: target.src_path.clone(),
        edition: edition(target.edition),
        metadata: serde_json::to_value(target).unwrap_or_default(),
    }
}

fn kind(target: &cargo_metadata::Target) -> CrateKind {
    match target.kind.first() {
        Some(TargetKind::Bin) => CrateKind::Bin,
        Some(TargetKind::Test) => CrateKind::Test,
        Some(TargetKind::Bench) => CrateKind::Bench,
        Some(TargetKind::Example) => CrateKind::Example,
        Some(TargetKind::CustomBuild) => CrateKind::BuildScript,
        _ => CrateKind::Lib,
    }
}

/// A file that several targets have is told of the first.
fn order(kind: CrateKind) -> u8 {
    match kind {
        CrateKind::Lib => 0,
        CrateKind::Bin => 1,
        CrateKind::BuildScript => 2,
        CrateKind::Example => 3,
        CrateKind::Test => 4,
        CrateKind::Bench => 5,
        CrateKind::Loose => 6,
    }
}

fn edition(edition: Edition) -> u16 {
    edition.as_str().parse().unwrap_or(2024)
}

/// Asks cargo. From a folder outside of the workspace its toolchain file is not seen: the toolchain it names need not
/// be installed, since any cargo can tell what the workspace consists of, if it is told to read what only a nightly one
/// would.
fn ask(manifest: &Utf8Path, from: Option<&Utf8Path>) -> cargo_metadata::Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(manifest).no_deps().other_options(vec!["--offline".to_owned()]);
    // Where it asks for them, rustup puts the trace of its own error behind what it says.
    command.env("RUST_BACKTRACE", "0");
    if let Some(folder) = from {
        command.current_dir(folder).env("RUSTC_BOOTSTRAP", "1");
    }
    command.exec()
}

/// What cargo says, without its decoration: the innermost cause, which names the place.
fn one_line(stderr: &str) -> String {
    let lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "Caused by:");
    let lines = lines.filter(|line| !line.starts_with('|') && !line.starts_with("-->") && !line.starts_with("warning"));
    let lines: Vec<&str> = lines.take(4).map(|line| line.trim_start_matches("error: ")).collect();
    lines.join(": ")
}
