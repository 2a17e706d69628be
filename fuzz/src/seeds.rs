//! The fixtures as the beginning of everything: each by itself, and the sample codebases whole.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint::discover::{self, Request};
use ctxlint::workspace::{File, Workspace};

/// The fixtures.
pub struct Seeds {
    /// Workspaces: one for each file that stands alone, one for each sample codebase.
    pub workspaces: Vec<Workspace>,
    /// The texts of all files.
    pub texts: Vec<String>,
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
        Seeds { workspaces, texts }
    })
}

/// One text as a file of its own, that is parsed whatever is in it.
pub fn loose(text: &str) -> Workspace {
    let file = File { named: true, ..File::new("a.rs".to_owned(), "/loose/a.rs".into(), text) };
    Workspace { root: "/loose".into(), files: vec![file], ..Workspace::default() }
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
