//! `ctxlint graph`: how contexts flow.

use std::collections::BTreeSet;

use camino::Utf8Path;
use ctxlint_analysis::source::FileId;
use ctxlint_lints::RULES;

use crate::cache::Cache;
use crate::check::check_and_draw;
use crate::cli::{GraphArgs, GraphFormat};
use crate::config::{self, Config};
use crate::discover::{self, Request};
use crate::graph::select::{Ask, Selected, select};
use crate::graph::{dot, html, mermaid};
use crate::job;
use crate::levels::Selector;
use crate::report::Report;
use crate::run::{Failure, Outcome, current_folder, print, tell};
use crate::workspace::Workspace;

/// More than this on one sheet cannot be read.
const LIMIT: usize = 400;

/// A page shows one part at a time.
const LIMIT_OF_PAGE: usize = 20_000;

pub(crate) fn run(args: &GraphArgs) -> Result<Outcome, Failure> {
    let pool = job::pool(args.jobs)?;
    pool.install(|| draw(args))
}

fn draw(args: &GraphArgs) -> Result<Outcome, Failure> {
    let only = only(args)?;
    let (workspace, report, mut failed) = checked(args, only.clone())?;
    if !workspace.files.iter().any(|file| file.selected) {
        tell(&["nothing to draw: no Rust files there".to_owned()]);
        return Ok(Outcome::Nothing);
    }
    tell(&report.failures);
    failed |= !report.failures.is_empty();
    let ask = Ask {
        files: files(&workspace),
        crates: args.crates.clone(),
        handlers: args.handlers.clone(),
        rules: covered(&only),
        limit: args.limit.unwrap_or(match args.message_format {
            GraphFormat::Html => LIMIT_OF_PAGE,
            GraphFormat::Dot | GraphFormat::Mermaid => LIMIT,
        }),
    };
    let graph = report.graph.as_deref().cloned().unwrap_or_default();
    let selected = select(&graph, &ask).map_err(Failure::new)?;
    tell(&remarks(&selected, args));
    let text = match args.message_format {
        GraphFormat::Dot => dot::text(&selected.graph, &workspace),
        GraphFormat::Mermaid => mermaid::text(&selected.graph, &workspace),
        GraphFormat::Html => html::page(&selected.graph, &workspace),
    };
    match &args.output_file {
        None => drop(print(&text)?),
        Some(file) => std::fs::write(file, text).map_err(|error| Failure::new(format!("{file}: {error}")))?,
    }
    Ok(if failed { Outcome::Failed } else { Outcome::Clean })
}

/// Reads and checks what is asked for; whether part of it could not be read.
fn checked(args: &GraphArgs, only: Vec<Selector>) -> Result<(Workspace, Report, bool), Failure> {
    let current = current_folder()?;
    let plan = discover::plan(&Request {
        current: current.clone(),
        paths: args.paths.clone(),
        exclude: job::globs(&args.exclude)?,
        ..Request::default()
    });
    let explicit = args.config.as_deref().map(|file| discover::absolute(&current, file));
    let layers = config::layers(explicit.as_deref(), &plan).map_err(|error| Failure::new(error.to_string()))?;
    let config = Config { layers, only, ..Config::default() };
    let cache = plan.target_folder().map(|target| target.join("ctxlint")).filter(|_| !args.no_cache);
    let mut found = plan.read(&|file: &Utf8Path| config.excludes(file));
    if let Some(folder) = cache {
        // What an earlier check left there.
        Cache::open(&folder).fill(&mut found.workspace);
    }
    let shorten = |message: &str| message.strip_prefix(&format!("{current}/")).unwrap_or(message).to_owned();
    tell(&found.problems.iter().map(|problem| shorten(&problem.message)).collect::<Vec<_>>());
    let failed = found.problems.iter().any(|problem| problem.fatal);
    let report = check_and_draw(&found.workspace, &config, &|| (), true);
    Ok((found.workspace, report, failed))
}

fn only(args: &GraphArgs) -> Result<Vec<Selector>, Failure> {
    let parse = |name: &String| Selector::parse(name).map_err(|error| Failure::new(format!("--rule: {error}")));
    args.rules.iter().map(parse).collect()
}

/// The rules that are meant.
fn covered(only: &[Selector]) -> Vec<String> {
    let rules = RULES.iter().enumerate();
    let covered = rules.filter(|(index, rule)| only.iter().any(|selector| selector.covers(*index, rule)));
    covered.map(|(_, rule)| rule.name.to_owned()).collect()
}

/// The files that are asked for, where those are not all that were read.
fn files(workspace: &Workspace) -> Option<BTreeSet<FileId>> {
    let selected = workspace.files.iter().zip(0..).filter(|(file, _)| file.selected).map(|(_, at)| FileId(at));
    let selected: BTreeSet<FileId> = selected.collect();
    (selected.len() < workspace.files.len()).then_some(selected)
}

fn remarks(selected: &Selected, args: &GraphArgs) -> Vec<String> {
    let shown = selected.graph.nodes.len();
    let filtered = !(args.crates.is_empty() && args.handlers.is_empty() && args.rules.is_empty());
    match (shown, selected.whole) {
        (0, _) if filtered => vec!["nothing in the graph is what these filters ask for".to_owned()],
        (0, _) => vec!["no contexts there".to_owned()],
        (shown, whole) if shown < whole => vec![format!(
            "the graph has {whole} nodes and only {shown} are drawn; \
             narrow it with --crate, --handler or --rule, or raise --limit"
        )],
        _ => Vec::new(),
    }
}
