//! `ctxlint config`: what is in force for a path, and where it is from.

use std::fmt::Write as _;

use camino::Utf8Path;
use ctxlint_lints::RULES;

use crate::cli::ConfigArgs;
use crate::config::{Config, Layer, layers};
use crate::discover::{self, Request};
use crate::levels::{Levels, level_name};
use crate::run::{Failure, Outcome, current_folder, print};

pub(crate) fn run(args: &ConfigArgs) -> Result<Outcome, Failure> {
    let current = current_folder()?;
    let path = discover::absolute(&current, &args.path);
    let plan =
        discover::plan(&Request { current: current.clone(), paths: vec![args.path.clone()], ..Request::default() });
    let explicit = args.config.as_deref().map(|file| discover::absolute(&current, file));
    let layers = layers(explicit.as_deref(), &plan).map_err(|error| Failure::new(error.to_string()))?;
    if let Some(problem) = plan.problems.iter().find(|problem| problem.fatal) {
        return Err(Failure::new(problem.message.clone()));
    }
    // Globs match what is in a folder, not the folder.
    let path = if path.is_dir() { path.join("src/lib.rs") } else { path };
    print(&describe(&Config { layers, ..Config::default() }, &path))
}

fn describe(config: &Config, path: &Utf8Path) -> String {
    let mut text = String::new();
    match config.layers.as_slice() {
        [] => text.push_str("# no ctxlint.toml and no metadata.ctxlint in a manifest: everything as built in\n"),
        layers => layers.iter().for_each(|layer| {
            let _ = writeln!(text, "# from {}", layer.source);
        }),
    }
    let _ = writeln!(text, "# in force for {path}\n");
    let excluded: Vec<&String> = config.layers.iter().flat_map(|layer| layer.exclude.patterns()).collect();
    let _ = writeln!(text, "exclude = {excluded:?}{}", if config.excludes(path) { "  # this path is" } else { "" });
    let _ = writeln!(text, "require-reason = {}\n\n[rules]", config.require_reason(path));
    let levels = config.levels(path);
    let width = RULES.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for (index, rule) in RULES.iter().enumerate() {
        let level = format!("\"{}\"", level_name(levels.of_index(index)));
        let origin = origin(config, path, index);
        let _ = writeln!(text, "{:width$} = {level:8}  # {origin}", rule.name);
    }
    let models: Vec<&str> =
        config.layers.iter().flat_map(|layer| &layer.models).map(|model| model.name.as_str()).collect();
    if !models.is_empty() {
        let _ = writeln!(text, "\n# models besides those built in: {}", models.join(", "));
    }
    text
}

/// The last layer that changes a rule's level.
fn origin(config: &Config, path: &Utf8Path, index: usize) -> String {
    let mut origin = "built in".to_owned();
    let mut before = Levels::default();
    for count in 1..=config.layers.len() {
        let layers: Vec<Layer> = config.layers.iter().take(count).cloned().collect();
        let source = layers.last().map_or(String::new(), |layer| layer.source.to_string());
        let after = Config { layers, ..Config::default() }.levels(path);
        if after.of_index(index) != before.of_index(index) {
            origin = source;
        }
        before = after;
    }
    origin
}
