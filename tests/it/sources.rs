//! The repository's own texts, and the check run on them without the program around it.

use std::fs;
use std::path::{Path, PathBuf};

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint::check::check;
use ctxlint::config::Config;
use ctxlint::discover::{self, Request};
use ctxlint::levels::{Selector, Setting};
use ctxlint::report::{Report, Reported, Style, View};
use ctxlint::workspace::{File, Workspace};
use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Group, Level, Rule};

/// A checked workspace with what was found in it.
pub(crate) struct Checked {
    pub(crate) workspace: Workspace,
    pub(crate) report: Report,
    style: Style,
}

impl Checked {
    pub(crate) fn view(&self) -> View<'_> {
        View { workspace: &self.workspace, report: &self.report, style: &self.style }
    }

    pub(crate) fn path(&self, reported: &Reported) -> &str {
        self.view().path(reported.finding.primary)
    }

    /// The line from 1.
    pub(crate) fn line(&self, reported: &Reported) -> u32 {
        self.view().positions(reported.finding.primary).0.line
    }
}

/// Checks one text as a file of its own, at default levels, with the rule raised to `warn` if it is lower.
pub(crate) fn check_text(path: &str, text: &str, raised: &str) -> Checked {
    let file = File { named: true, ..File::new(path.to_owned(), Utf8Path::new("/loose").join(path), text) };
    let workspace = Workspace { root: Utf8PathBuf::from("/loose"), files: vec![file], ..Workspace::default() };
    check_workspace(workspace, raised)
}

/// Checks a folder with manifests of its own, in the same way.
pub(crate) fn check_folder(folder: &Path, raised: &str) -> Checked {
    let current = Utf8Path::from_path(folder).expect("a UTF-8 path").to_owned();
    let found = discover::plan(&Request { current, ..Request::default() }).read(&|_| false);
    assert_eq!(found.problems, [], "in {}", folder.display());
    check_workspace(found.workspace, raised)
}

pub(crate) fn check_workspace(workspace: Workspace, raised: &str) -> Checked {
    let lower = |rule: &&Rule| rule.name == raised && rule.level == Level::Allow;
    let config = Config {
        command_line: (RULES.iter().position(lower).into_iter())
            .map(|index| Setting { selector: Selector::Rule(index), level: Level::Warn })
            .collect(),
        ..Config::default()
    };
    let report = check(&workspace, &config);
    Checked { workspace, report, style: Style::default() }
}

/// The rules that look for misuse of contexts, as against those about the check itself.
pub(crate) fn rules() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().filter(|rule| rule.group != Group::Meta)
}

pub(crate) fn is_rule(name: &str) -> bool {
    RULES.iter().any(|rule| rule.name == name)
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

/// The names of the files in a folder that end in this, without it, sorted.
pub(crate) fn stems(folder: &str, ending: &str) -> Vec<String> {
    names(&root().join(folder)).iter().filter_map(|name| Some(name.strip_suffix(ending)?.to_owned())).collect()
}

/// The folder of the fixtures.
pub(crate) fn fixtures() -> PathBuf {
    root().join("tests/fixtures")
}

/// The folders of fixtures of a rule, sorted.
pub(crate) fn fixture_folders() -> Vec<String> {
    let is_rules = |name: &String| {
        let folder = fixtures().join(name);
        folder.is_dir() && !folder.join("Cargo.toml").exists() && name != "target"
    };
    names(&fixtures()).into_iter().filter(is_rules).collect()
}
