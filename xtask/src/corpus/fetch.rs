//! Where the code comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use serde::{Deserialize, Serialize};

use crate::Result;

/// A crate as published.
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// The folder of its manifest.
    pub(crate) root: PathBuf,
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.name, self.version)
    }
}

/// `xtask/corpus.toml`.
#[derive(Deserialize)]
struct List {
    crates: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Manifest {
    package: ManifestPackage,
    workspace: BTreeMap<String, String>,
    dependencies: BTreeMap<String, Dependency>,
}

#[derive(Serialize)]
struct ManifestPackage {
    name: &'static str,
    edition: &'static str,
    publish: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Dependency {
    version: String,
    default_features: bool,
}

/// Has cargo fetch the corpus; gives its packages by name, with `all` those that they depend on too.
pub(crate) fn fetch(root: &Path, all: bool) -> Result<Vec<Package>> {
    let list: List = toml::from_str(&fs::read_to_string(root.join("xtask/corpus.toml"))?)?;
    let folder = root.join("target/corpus");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    fs::write(folder.join("Cargo.toml"), manifest(&list)?)?;

    let metadata = MetadataCommand::new()
        .current_dir(&folder)
        .other_options(["--filter-platform".to_owned(), "x86_64-unknown-linux-gnu".to_owned()])
        .exec()?;
    let mut packages: Vec<Package> = metadata
        .packages
        .iter()
        .filter(|package| package.source.is_some())
        .filter(|package| all || list.crates.get(package.name.as_str()) == Some(&package.version.to_string()))
        .map(|package| Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            root: package.manifest_path.parent().map(PathBuf::from).unwrap_or_default(),
        })
        .collect();
    packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(packages)
}

/// A package that depends on the corpus, so that cargo fetches it. Nothing of it is ever built.
fn manifest(list: &List) -> Result<String> {
    let dependency = |version: &String| Dependency { version: format!("={version}"), default_features: false };
    let manifest = Manifest {
        package: ManifestPackage { name: "corpus", edition: "2024", publish: false },
        workspace: BTreeMap::new(),
        dependencies: list.crates.iter().map(|(name, version)| (name.clone(), dependency(version))).collect(),
    };
    Ok(toml::to_string(&manifest)?)
}

/// The Rust files under a folder, in the order of their paths.
pub(crate) fn rust_files(root: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && entry.path().extension().is_some_and(|end| end == "rs"))
        .map(walkdir::DirEntry::into_path)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_asks_for_exact_versions_and_nothing_else() {
        let list: List = toml::from_str("[crates]\ntokio-util = \"0.7.20\"\n").expect("it is a list");
        let manifest: toml::Table = manifest(&list).expect("it can be written").parse().expect("and read");
        let dependency = &manifest["dependencies"]["tokio-util"];
        assert_eq!(dependency["version"].as_str(), Some("=0.7.20"));
        assert_eq!(dependency["default-features"].as_bool(), Some(false));
        assert!(manifest.contains_key("workspace"), "it must not belong to the workspace around it");
    }

    #[test]
    fn the_list_holds_what_was_promised() {
        let list: List = toml::from_str(include_str!("../../corpus.toml")).expect("it is a list");
        for name in ["rmcp", "tokio-util", "tarpc", "axum", "tower", "tonic", "hyper-util", "actix-web", "reqwest"] {
            assert!(list.crates.contains_key(name), "{name}");
        }
        for name in ["tokio-graceful-shutdown", "dropshot", "quinn"] {
            assert!(list.crates.contains_key(name), "{name}");
        }
    }
}
