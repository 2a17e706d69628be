//! Reading `ctxlint.toml` and the `metadata.ctxlint` tables of manifests.

use std::collections::BTreeMap;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_analysis::model::Model;
use ctxlint_lints::RULES;
use ctxlint_lints::rule::Options;
use serde::Deserialize;
use toml::Spanned;

use super::globs::Globs;
use super::{ConfigError, Layer, Override};
use crate::levels::{Selector, Setting, parse_level};
use crate::text::{LineIndex, nearest};

/// The file as it is written; [`super::schema`] describes the same.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Table {
    rules: RuleTable,
    overrides: Vec<OverrideTable>,
    exclude: Vec<Spanned<String>>,
    require_reason: Option<bool>,
    models: Vec<Spanned<Model>>,
    options: BTreeMap<Spanned<String>, BTreeMap<String, OneOrMany>>,
}

type RuleTable = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverrideTable {
    paths: Vec<Spanned<String>>,
    rules: RuleTable,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// What of a manifest matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Manifest {
    workspace: Metadata,
    package: Metadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    metadata: Tools,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tools {
    ctxlint: Option<Table>,
}

/// The nearest `ctxlint.toml` in this folder or above.
pub fn find(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    folder.ancestors().map(|above| above.join("ctxlint.toml")).find(|file| file.is_file())
}

/// Reads a `ctxlint.toml`.
///
/// # Errors
/// The first error, with its place.
pub fn read_file(path: &Utf8Path) -> Result<Layer, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError {
        file: path.to_owned(),
        place: None,
        message: format!("cannot be read: {error}"),
    })?;
    read_text(path, &text)
}

/// Reads the text of a `ctxlint.toml`.
///
/// # Errors
/// The first error, with its place.
pub fn read_text(path: &Utf8Path, text: &str) -> Result<Layer, ConfigError> {
    let reader = Reader { path, text, lines: LineIndex::new(text) };
    let table = toml::from_str::<Table>(text).map_err(|error| reader.toml_error(&error))?;
    reader.layer(table, None)
}

/// Reads `[workspace.metadata.ctxlint]` and `[package.metadata.ctxlint]` of a manifest. A manifest
/// that cannot be read has none: cargo tells what is wrong with it.
///
/// # Errors
/// The first error within one of these tables, with its place.
pub fn read_manifest(path: &Utf8Path) -> Result<Vec<Layer>, ConfigError> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(Vec::new()) };
    if memchr::memmem::find(text.as_bytes(), b"ctxlint").is_none() || toml::from_str::<toml::Table>(&text).is_err() {
        return Ok(Vec::new());
    }
    let reader = Reader { path, text: &text, lines: LineIndex::new(&text) };
    let manifest = toml::from_str::<Manifest>(&text).map_err(|error| reader.toml_error(&error))?;
    let mut layers = Vec::new();
    if let Some(table) = manifest.workspace.metadata.ctxlint {
        layers.push(reader.layer(table, None)?);
    }
    if let Some(table) = manifest.package.metadata.ctxlint {
        layers.push(reader.layer(table, path.parent())?);
    }
    Ok(layers)
}

struct Reader<'t> {
    path: &'t Utf8Path,
    text: &'t str,
    lines: LineIndex,
}

impl Reader<'_> {
    fn layer(&self, table: Table, folder: Option<&Utf8Path>) -> Result<Layer, ConfigError> {
        let overrides = table
            .overrides
            .iter()
            .map(|part| Ok(Override { paths: self.globs(&part.paths)?, rules: self.settings(&part.rules)? }));
        Ok(Layer {
            source: self.path.to_owned(),
            text: self.text.to_owned(),
            folder: folder.map(Utf8Path::to_owned),
            rules: self.settings(&table.rules)?,
            overrides: overrides.collect::<Result<_, ConfigError>>()?,
            exclude: self.globs(&table.exclude)?,
            require_reason: table.require_reason,
            models: self.models(table.models)?,
            options: self.options(table.options)?,
        })
    }

    fn settings(&self, rules: &RuleTable) -> Result<Vec<Setting>, ConfigError> {
        let setting = |(name, level): (&Spanned<String>, &Spanned<String>)| {
            let selector =
                Selector::parse(name.get_ref()).map_err(|unknown| self.error(name.span(), unknown.to_string()))?;
            let level = parse_level(level.get_ref()).ok_or_else(|| self.unknown_level(level))?;
            Ok(Setting { selector, level })
        };
        rules.iter().map(setting).collect()
    }

    fn unknown_level(&self, level: &Spanned<String>) -> ConfigError {
        let words = ["allow", "warn", "deny", "forbid"];
        let hint = match nearest(level.get_ref(), words) {
            Some(word) => format!("did you mean `{word}`?"),
            None => "expected `allow`, `warn`, `deny` or `forbid`".to_owned(),
        };
        self.error(level.span(), format!("unknown level `{}`; {hint}", level.get_ref()))
    }

    fn globs(&self, patterns: &[Spanned<String>]) -> Result<Globs, ConfigError> {
        let texts: Vec<String> = patterns.iter().map(|pattern| pattern.get_ref().clone()).collect();
        let folder = self.path.parent().unwrap_or(self.path);
        Globs::new(folder, &texts).map_err(|(index, why)| {
            let span = patterns.get(index).map_or(0..0, Spanned::span);
            self.error(span, why)
        })
    }

    fn models(&self, models: Vec<Spanned<Model>>) -> Result<Vec<Model>, ConfigError> {
        let checked = models.into_iter().map(|model| match model.get_ref().check() {
            Ok(()) => Ok(model.into_inner()),
            Err(why) => Err(self.error(model.span(), format!("model `{}`: {why}", model.get_ref().name))),
        });
        checked.collect()
    }

    fn options(
        &self,
        tables: BTreeMap<Spanned<String>, BTreeMap<String, OneOrMany>>,
    ) -> Result<BTreeMap<&'static str, Options>, ConfigError> {
        let mut options = BTreeMap::new();
        for (name, table) in tables {
            let Some(rule) = RULES.iter().find(|rule| rule.name == name.get_ref()) else {
                let hint = nearest(name.get_ref(), RULES.iter().map(|rule| rule.name))
                    .map_or("`ctxlint rules` lists all".to_owned(), |near| format!("did you mean `{near}`?"));
                return Err(self.error(name.span(), format!("unknown rule `{}`; {hint}", name.get_ref())));
            };
            let lists = table.into_iter().map(|(key, value)| match value {
                OneOrMany::One(one) => (key, vec![one]),
                OneOrMany::Many(many) => (key, many),
            });
            options.insert(rule.name, Options { lists: lists.collect() });
        }
        Ok(options)
    }

    fn toml_error(&self, error: &toml::de::Error) -> ConfigError {
        let mut message = error.message().trim_end().replace('\n', ", ");
        if let Some(meant) = meant_by(&message) {
            message.push_str(&format!("; did you mean `{meant}`?"));
        }
        match error.span() {
            Some(span) => self.error(span, message),
            None => ConfigError { file: self.path.to_owned(), place: None, message },
        }
    }

    fn error(&self, span: Range<usize>, message: String) -> ConfigError {
        let position = self.lines.position(span.start as u32, self.text);
        ConfigError { file: self.path.to_owned(), place: Some((position.line, position.column)), message }
    }
}

/// serde says "unknown field `a`, expected one of `b`, `c`": the expected word most like the unknown one.
fn meant_by(message: &str) -> Option<&str> {
    let (unknown, expected) = message.strip_prefix("unknown ")?.split_once(", expected ")?;
    let word = unknown.split('`').nth(1)?;
    nearest(word, expected.split('`').skip(1).step_by(2))
}
