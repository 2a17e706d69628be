//! The fixtures as the beginning of everything: each by itself, and the sample codebases whole.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint::discover::{self, Request};
use ctxlint::workspace::{File, Package, Target, Workspace};
use ctxlint_analysis::source::CrateKind;

/// The fixtures.
pub struct Seeds {
    /// Workspaces: one for each file that stands alone, one for each sample codebase.
    pub workspaces: Vec<Workspace>,
    /// The texts of all files.
    pub texts: Vec<String>,
    /// Files that stand alone, each torn into two modules that use each other, and the sample codebases.
    pub torn: Vec<Workspace>,
}

/// All fixtures, read once.
pub fn seeds() -> &'static Seeds {
    static SEEDS: OnceLock<Seeds> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = fixtures();
        let mut workspaces = Vec::new();
        gather(&folder, &folder, &mut workspaces);
        assert!(workspaces.len() > 100, "the fixtures are not in {}", folder.display());
        let files = workspaces.iter().flat_map(|workspace| &workspace.files);
        let texts = files.map(|file| file.text.to_string()).collect();
        let tear = |workspace: &Workspace| match workspace.files.as_slice() {
            [only] => torn(&only.text),
            _ => workspace.clone(),
        };
        let torn = workspaces.iter().map(tear).collect();
        Seeds { workspaces, texts, torn }
    })
}

/// One text as a file of its own, that is parsed whatever is in it.
pub fn loose(text: &str) -> Workspace {
    let file = File { named: true, ..File::new("a.rs".to_owned(), "/loose/a.rs".into(), text) };
    Workspace { root: "/loose".into(), files: vec![file], ..Workspace::default() }
}

/// A text's items, shared out between two modules of one crate in which everything is public.
fn torn(text: &str) -> Workspace {
    let mut parts = ["mod part;\nuse part::*;\n".to_owned(), "use super::*;\n".to_owned()];
    let mut turn = 0;
    for item in items(text) {
        match item.trim_start().starts_with("use ") || item.starts_with("#!") {
            true => parts.iter_mut().for_each(|part| *part = format!("{item}{part}")),
            false => {
                parts[turn % 2].push_str(&item);
                turn += 1;
            }
        }
    }
    krate(&[("lib.rs", &parts[0]), ("part.rs", &parts[1])])
}

/// The library with these files, the first of which is its root; all are parsed whatever is in them.
pub fn krate(files: &[(&str, &str)]) -> Workspace {
    let file = |(name, text): &(&str, &str)| {
        let absolute = format!("/crate/src/{name}").into();
        File { named: true, package: Some(0), ..File::new(format!("src/{name}"), absolute, text) }
    };
    let package = Package {
        id: "krate".to_owned(),
        name: "krate".to_owned(),
        manifest: "/crate/Cargo.toml".into(),
        selected: true,
        edition: 2024,
        dependencies: Vec::new(),
    };
    let target = Target {
        package: 0,
        name: "krate".into(),
        kind: CrateKind::Lib,
        root: 0,
        edition: 2024,
        metadata: serde_json::Value::Null,
    };
    Workspace {
        root: "/crate".into(),
        files: files.iter().map(file).collect(),
        packages: vec![package],
        targets: vec![target],
    }
}

/// The items of a text that is formatted, one by one, with what stands before each.
fn items(text: &str) -> Vec<String> {
    const PRIVATE: [&str; 9] =
        ["fn ", "async fn ", "struct ", "enum ", "trait ", "const ", "static ", "type ", "unsafe fn "];
    let mut items = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let is_private = PRIVATE.iter().any(|start| line.starts_with(start));
        let is_end = line.starts_with('}') || (line.trim_end().ends_with(';') && !line.starts_with(' '));
        let item = items.last_mut().expect("there is one");
        item.push_str(if is_private { "pub " } else { "" });
        item.push_str(line);
        if is_end {
            items.push(String::new());
        }
    }
    items
}

fn fixtures() -> PathBuf {
    // Of the package `fuzz`, or of the whole when the test-suite takes part.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = if here.ends_with("fuzz") { here.parent().expect("a folder") } else { here };
    root.join("tests/fixtures")
}

fn gather(top: &Path, folder: &Path, workspaces: &mut Vec<Workspace>) {
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    if folder != top && folder.join("Cargo.toml").exists() {
        let current = Utf8PathBuf::from_path_buf(folder.to_owned()).expect("a UTF-8 path");
        let found = discover::plan(&Request { current, ..Request::default() }).read(&|_: &Utf8Path| false);
        workspaces.push(found.workspace);
        return;
    }
    for path in paths {
        if path.is_dir() {
            gather(top, &path, workspaces);
        } else if folder != top && path.extension().is_some_and(|end| end == "rs") {
            workspaces.push(loose(&std::fs::read_to_string(&path).expect("a fixture")));
        }
    }
}
