//! The configuration: what `ctxlint.toml` or a manifest says, checked, with places for its errors.

mod file;
pub mod globs;
pub mod schema;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_analysis::model::Model;
use ctxlint_lints::RULES;
use ctxlint_lints::rule::{Level, Options};

pub use file::{find, read_file, read_manifest, read_text};

use crate::discover::Plan;

use crate::levels::{Levels, Selector, Setting};
use globs::Globs;

/// Everything that is configured for a run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// From the least to the most particular.
    pub layers: Vec<Layer>,
    /// Levels from the command line, in order.
    pub command_line: Vec<Setting>,
    /// Run just these, if any are given.
    pub only: Vec<Selector>,
}

/// What one table of configuration says.
#[derive(Clone, Debug, Default)]
pub struct Layer {
    /// The file it is from.
    pub source: Utf8PathBuf,
    /// The text it was read from.
    pub text: String,
    /// For which files: all, or those below this folder.
    pub folder: Option<Utf8PathBuf>,
    /// `[rules]`.
    pub rules: Vec<Setting>,
    /// `[[overrides]]`.
    pub overrides: Vec<Override>,
    /// `exclude`.
    pub exclude: Globs,
    /// `require-reason`.
    pub require_reason: Option<bool>,
    /// `[[models]]`.
    pub models: Vec<Model>,
    /// `[options.<rule>]`.
    pub options: BTreeMap<&'static str, Options>,
}

impl Layer {
    fn applies_to(&self, file: &Utf8Path) -> bool {
        self.folder.as_deref().is_none_or(|folder| file.starts_with(folder))
    }
}

/// Levels for some files.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// Which files.
    pub paths: Globs,
    /// Which levels.
    pub rules: Vec<Setting>,
}

/// An error in the configuration, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: Utf8PathBuf,
    /// Line and column from 1, if the error has a place.
    pub place: Option<(u32, u32)>,
    /// What is wrong, and the nearest name where a name is unknown.
    pub message: String,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// Finds and reads the configuration of a plan: the given file, or the nearest `ctxlint.toml`, or the
/// tables in the manifests.
///
/// # Errors
/// The first error, with its place.
pub fn layers(explicit: Option<&Utf8Path>, plan: &Plan) -> Result<Vec<Layer>, ConfigError> {
    if let Some(file) = explicit {
        return Ok(vec![read_file(file)?]);
    }
    if let Some(file) = find(&plan.config_folder()) {
        return Ok(vec![read_file(&file)?]);
    }
    let mut layers = Vec::new();
    for manifest in plan.manifests() {
        layers.extend(read_manifest(&manifest)?);
    }
    Ok(layers)
}

impl Config {
    /// The levels of all rules in a file, given by its absolute path.
    pub fn levels(&self, file: &Utf8Path) -> Levels {
        let mut levels = Levels::default();
        for layer in self.layers.iter().filter(|layer| layer.applies_to(file)) {
            levels.apply_table(&layer.rules);
        }
        for layer in self.layers.iter().filter(|layer| layer.applies_to(file)) {
            for part in layer.overrides.iter().filter(|part| part.paths.matches(file)) {
                levels.apply_table(&part.rules);
            }
        }
        levels.apply_in_order(&self.command_line);
        levels.keep_only(&self.only);
        levels
    }

    /// Whether a rule can be on in any file at all.
    pub fn may_run(&self, index: usize) -> bool {
        let Some(rule) = RULES.get(index) else { return false };
        let raised = |settings: &[Setting]| {
            settings.iter().any(|setting| setting.level != Level::Allow && setting.selector.covers(index, rule))
        };
        let mut everywhere = Levels::default();
        for layer in &self.layers {
            everywhere.apply_table(&layer.rules);
        }
        everywhere.apply_in_order(&self.command_line);
        everywhere.keep_only(&self.only);
        let in_some_file = self
            .layers
            .iter()
            .any(|layer| raised(&layer.rules) || layer.overrides.iter().any(|part| raised(&part.rules)));
        let asked = self.only.is_empty() || self.only.iter().any(|selector| selector.covers(index, rule));
        everywhere.of_index(index) != Level::Allow || (in_some_file && asked)
    }

    /// Whether a file, given by its absolute path, is left out of the check.
    pub fn excludes(&self, file: &Utf8Path) -> bool {
        self.layers.iter().any(|layer| layer.applies_to(file) && layer.exclude.matches(file))
    }

    /// Whether suppressions in a file need a reason.
    pub fn require_reason(&self, file: &Utf8Path) -> bool {
        let said = self.layers.iter().filter(|layer| layer.applies_to(file)).filter_map(|layer| layer.require_reason);
        said.fold(false, |_, said| said)
    }

    /// The models of all layers.
    pub fn models(&self) -> Vec<Model> {
        self.layers.iter().flat_map(|layer| layer.models.iter().cloned()).collect()
    }

    /// The options of a rule.
    pub fn options(&self, rule: &str) -> Options {
        let mut merged = Options::default();
        for options in self.layers.iter().filter_map(|layer| layer.options.get(rule)) {
            merged.lists.extend(options.lists.iter().map(|(key, list)| (key.clone(), list.clone())));
        }
        merged
    }
}
