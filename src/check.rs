//! The main job, top to bottom: files in, report out. Pure: no file system, no terminal.

use std::sync::Arc;
use std::time::Instant;

use ctxlint_analysis::AT_ONCE;
use ctxlint_analysis::facts::{Name, Span};
use ctxlint_analysis::model::Models;
use ctxlint_analysis::outline::Word;
use ctxlint_analysis::source::{Crate, CrateId, CrateKind, Dependency, FileId, SourceFile, Sources};
use ctxlint_lints::RULES;
use ctxlint_lints::finding::{Finding, Place};
use rayon::prelude::*;

use crate::config::Config;
use crate::engine::{self, Memory, Parsed};
use crate::graph::Graph;
use crate::modules::{self, Trees};
use crate::report::{Report, Reported, Work, fingerprint};
use crate::selection::{self, Selected};
use crate::suppress;
use crate::workspace::{DependencyKind, File, Workspace};

/// Checks a workspace. Runs on the threads of the current rayon pool; the report is the same for any
/// number of them.
pub fn check(workspace: &Workspace, config: &Config) -> Report {
    check_observed(workspace, config, &|| ())
}

/// The same, and calls `parsed_one` for every file that was parsed.
pub fn check_observed(workspace: &Workspace, config: &Config, parsed_one: &(dyn Fn() + Sync)) -> Report {
    check_and_draw(workspace, config, parsed_one, false)
}

/// The same, and if `draw` says so the report has a graph of how contexts flow.
pub fn check_and_draw(workspace: &Workspace, config: &Config, parsed_one: &(dyn Fn() + Sync), draw: bool) -> Report {
    let mut memory = Memory::default();
    let wish = Wish { parsed_one, is_wanted: &|| true, draw };
    let report = in_steps(workspace, config, &wish, &mut memory).unwrap_or_default();
    engine::forget(memory);
    report
}

/// Checks a workspace, with what the last check left in the memory: files with the same facts are not
/// analysed again as long as that gives the same. Stops soon after nobody wants the report any more: it asks
/// before every file and every body. Who once said no must not say yes again.
///
/// # Errors
/// That it stopped.
pub fn check_while(
    workspace: &Workspace,
    config: &Config,
    memory: &mut Memory,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Result<Report, Stopped> {
    in_steps(workspace, config, &Wish { parsed_one: &|| (), is_wanted, draw: false }, memory)
}

/// A check that nobody wanted any more.
#[derive(Debug)]
pub struct Stopped {
    /// What was parsed by then, by file.
    pub parsed: Vec<Option<Parsed>>,
}

/// What is wanted of a check besides its findings.
struct Wish<'w> {
    /// Called for every file that was parsed.
    parsed_one: &'w (dyn Fn() + Sync),
    /// Whether anybody still waits for the report.
    is_wanted: &'w (dyn Fn() -> bool + Sync),
    /// Whether the report has a graph.
    draw: bool,
}

fn in_steps(workspace: &Workspace, config: &Config, wish: &Wish<'_>, memory: &mut Memory) -> Result<Report, Stopped> {
    let mut clock = Clock::start();
    let models = match memory.models(config.models()) {
        Ok(models) => models,
        Err(cause) => {
            let failures = vec![format!("internal error: {cause}")];
            return Ok(Report { failures, ..Report::default() });
        }
    };

    let all_tasks = RULES.iter().enumerate().any(|(index, rule)| rule.all_tasks && config.may_run(index));
    let Selected { parsed, plain } = selection::parse(workspace, &models, all_tasks, wish.parsed_one, wish.is_wanted);
    clock.step("parse");
    if !(wish.is_wanted)() {
        return Err(Stopped { parsed });
    }

    let trees = modules::trees(workspace, &parsed);
    let parsed = leave_out_unreached(workspace, parsed, &trees);
    let sources = assemble(workspace, &models, &parsed, plain, &trees);
    clock.step("modules");
    let Some(judged) = judge(sources, models, config, wish, memory, &mut clock) else {
        return Err(Stopped { parsed });
    };

    let tests: Vec<bool> = (0..workspace.files.len()).map(|file| is_test(workspace, &trees, file)).collect();
    let mut failures = internal_errors(workspace, &parsed);
    failures.extend(judged.failures);
    let mut findings = syntax_errors(&parsed);
    findings.extend(judged.findings);
    let (findings, suppressed) = settle(workspace, config, &parsed, &tests, findings);
    clock.step("suppressions");

    let graph = judged.graph.map(|mut graph| {
        graph.mark(&findings);
        Arc::new(graph)
    });

    let work = measure(workspace, &parsed, clock.steps);
    Ok(Report { graph, findings, suppressed, failures, target_of: trees.target_of, parsed, work, ..Report::default() })
}

/// What the rules say of the program.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    failures: Vec<String>,
    graph: Option<Graph>,
}

/// Analyses the program, runs the rules over it and draws it if that is wished; none if nobody wants to
/// know any more.
fn judge(
    sources: Sources,
    models: Arc<Models>,
    config: &Config,
    wish: &Wish<'_>,
    memory: &mut Memory,
    clock: &mut Clock,
) -> Option<Judged> {
    let mut judged = Judged::default();
    let analysis = match memory.analyse(sources, models, wish.is_wanted) {
        Ok(analysis) => analysis?,
        Err(cause) => {
            judged.failures.push(format!("internal error: the analysis failed: {cause}"));
            return Some(judged);
        }
    };
    clock.step("analyse");
    for (rule, outcome) in run_rules(analysis, config, wish.is_wanted)? {
        match outcome {
            Ok(found) => judged.findings.extend(found),
            Err(cause) => judged.failures.push(format!("internal error: the rule `{rule}` failed: {cause}")),
        }
    }
    clock.step("rules");
    if wish.draw {
        match engine::guarded(|| Graph::new(analysis)) {
            Ok(drawn) => judged.graph = Some(drawn),
            Err(cause) => judged.failures.push(format!("internal error: the graph failed: {cause}")),
        }
        clock.step("graph");
    }
    Some(judged)
}

/// Files that count only as part of a target do not count if none has them.
fn leave_out_unreached(workspace: &Workspace, parsed: Vec<Option<Parsed>>, trees: &Trees) -> Vec<Option<Parsed>> {
    let counts = |(file, target): (&File, &Option<usize>)| target.is_some() || !file.only_if_reached;
    let counted = workspace.files.iter().zip(&trees.target_of).map(counts);
    parsed.into_iter().zip(counted).map(|(parsed, counts)| parsed.filter(|_| counts)).collect()
}

/// The crates: one for each target, and one for each file that no target has.
fn assemble(
    workspace: &Workspace,
    models: &Models,
    parsed: &[Option<Parsed>],
    plain: Vec<Vec<Word>>,
    trees: &Trees,
) -> Sources {
    let facts = parsed.iter().map(|parsed| parsed.as_ref().and_then(|parsed| parsed.as_ref().ok().cloned()));
    let file = |((file, facts), plain): ((&File, _), _)| {
        let (path, outline) = (file.path.clone(), Arc::clone(&file.outline));
        SourceFile { path, facts, plain, outline }
    };
    let files = workspace.files.iter().zip(facts).zip(plain).map(file);
    let targets = workspace.targets.iter().map(|target| Crate {
        name: target.name.clone(),
        root: FileId(target.root as u32),
        kind: target.kind,
        package: target.package as u32,
        package_name: package_name(workspace, Some(target.package)),
        edition: target.edition,
        dependencies: dependencies(workspace, models, target.package, target.kind),
    });
    let loose = trees.loose.iter().filter(|&&index| matches!(parsed.get(index), Some(Some(_))));
    let loose = loose.filter_map(|&index| Some(loose_crate(workspace, models, index, workspace.files.get(index)?)));
    Sources { files: files.collect(), crates: targets.chain(loose).collect() }
}

fn package_name(workspace: &Workspace, package: Option<usize>) -> Name {
    let package = package.and_then(|package| workspace.packages.get(package));
    package.map_or(Name::default(), |package| Name::from(package.name.as_str()))
}

fn loose_crate(workspace: &Workspace, models: &Models, index: usize, file: &File) -> Crate {
    let package = file.package.and_then(|package| workspace.packages.get(package));
    let name = file.path.rsplit('/').next().unwrap_or("").trim_end_matches(".rs").replace('-', "_");
    Crate {
        name: name.into(),
        root: FileId(index as u32),
        kind: loose_kind(workspace, file),
        package: file.package.unwrap_or(workspace.packages.len() + index) as u32,
        package_name: package_name(workspace, file.package),
        edition: package.map_or(2024, |package| package.edition),
        dependencies: file
            .package
            .map_or(Vec::new(), |package| dependencies(workspace, models, package, CrateKind::Loose)),
    }
}

/// What `extern` names mean in a target of this kind.
fn dependencies(workspace: &Workspace, models: &Models, package: usize, kind: CrateKind) -> Vec<(Name, Dependency)> {
    let library = |package: usize| {
        let is_library = |target: &crate::workspace::Target| target.package == package && target.kind == CrateKind::Lib;
        workspace.targets.iter().position(is_library)
    };
    let mut known = Vec::new();
    let own = library(package).filter(|_| !matches!(kind, CrateKind::Lib | CrateKind::BuildScript));
    if let Some((index, target)) = own.and_then(|index| Some((index, workspace.targets.get(index)?))) {
        known.push((target.name.clone(), Dependency::Crate(CrateId(index as u32))));
    }
    let Some(package) = workspace.packages.get(package) else { return known };
    let is_seen = |seen: DependencyKind| match kind {
        CrateKind::BuildScript => seen == DependencyKind::Build,
        // Tests within a library see what is for development too.
        _ => seen != DependencyKind::Build,
    };
    for dependency in package.dependencies.iter().filter(|dependency| is_seen(dependency.kind)) {
        if let Some(index) = dependency.package.and_then(library) {
            known.push((dependency.name.clone(), Dependency::Crate(CrateId(index as u32))));
        } else if dependency.name != selection::library_name(dependency, models) {
            known.push((
                dependency.name.clone(),
                Dependency::External(selection::library_name(dependency, models).into()),
            ));
        }
    }
    known
}

/// A file of a package that no target has is what its folder says.
fn loose_kind(workspace: &Workspace, file: &File) -> CrateKind {
    let package = file.package.and_then(|package| workspace.packages.get(package));
    let first = package.and_then(|package| file.absolute.strip_prefix(package.folder()).ok()?.iter().next());
    match first {
        Some("tests") => CrateKind::Test,
        Some("benches") => CrateKind::Bench,
        Some("examples") => CrateKind::Example,
        _ => CrateKind::Loose,
    }
}

fn is_test(workspace: &Workspace, trees: &Trees, index: usize) -> bool {
    let target = trees.target_of.get(index).copied().flatten().and_then(|target| workspace.targets.get(target));
    match (target, workspace.files.get(index)) {
        (Some(target), _) => target.kind.is_test(),
        (None, Some(file)) => loose_kind(workspace, file).is_test(),
        (None, None) => false,
    }
}

/// A rule's name with what it found, or what it died of.
type OfRule = (&'static str, Result<Vec<Finding>, String>);

/// Runs every rule that is on anywhere, each as a job of its own; none if nobody wants to know any more.
fn run_rules(
    analysis: &ctxlint_analysis::Analysis,
    config: &Config,
    is_wanted: &(dyn Fn() -> bool + Sync),
) -> Option<Vec<OfRule>> {
    let rules: Vec<_> = RULES.iter().enumerate().filter(|(index, _)| config.may_run(*index)).collect();
    let job = |(_, rule): &(usize, &&'static ctxlint_lints::rule::Rule)| {
        let run = || {
            let mut found = Vec::new();
            if let Some(check) = rule.check {
                check(analysis, &config.options(rule.name), &mut found);
            }
            found
        };
        is_wanted().then(|| (rule.name, engine::guarded(run)))
    };
    rules.par_iter().with_max_len(AT_ONCE).map(job).collect()
}

fn syntax_errors(parsed: &[Option<Parsed>]) -> Vec<Finding> {
    let finding = |(index, parsed): (usize, &Option<Parsed>)| {
        let Some(Err(error)) = parsed else { return None };
        let message = match error.internal {
            true => format!("this file could not be analysed because of an internal error: {}", error.message),
            false => format!("this file does not parse, so nothing in it is checked: {}", error.message),
        };
        Some(Finding {
            rule: "syntax_error",
            primary: Place { file: FileId(index as u32), span: error.span },
            message,
            label: if error.internal { String::new() } else { "the parser stops here".to_owned() },
            labels: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        })
    };
    parsed.iter().enumerate().filter_map(finding).collect()
}

fn internal_errors(workspace: &Workspace, parsed: &[Option<Parsed>]) -> Vec<String> {
    let failed = |(file, parsed): (&File, &Option<Parsed>)| match parsed {
        Some(Err(error)) if error.internal => Some(format!("internal error in {}: {}", file.path, error.message)),
        _ => None,
    };
    workspace.files.iter().zip(parsed).filter_map(failed).collect()
}

/// Gives findings their levels, applies suppressions, and sorts. Files that were not selected have
/// no say.
fn settle(
    workspace: &Workspace,
    config: &Config,
    parsed: &[Option<Parsed>],
    tests: &[bool],
    findings: Vec<Finding>,
) -> (Vec<Reported>, usize) {
    let mut by_file: Vec<Vec<Finding>> = vec![Vec::new(); workspace.files.len()];
    for finding in findings {
        if let Some(file) = by_file.get_mut(finding.primary.file.index()) {
            file.push(finding);
        }
    }
    let settle_file = |(index, findings): (usize, Vec<Finding>)| {
        let file = workspace.files.get(index).filter(|file| file.selected)?;
        let facts = parsed.get(index)?.as_ref()?.as_deref().ok();
        let of_broken = if facts.is_none() { engine::directives_of_broken(&file.text) } else { Vec::new() };
        let directives = facts.map_or(&of_broken[..], |facts| &facts.directives);
        if findings.is_empty() && directives.is_empty() {
            return None;
        }
        let scope = suppress::Scope {
            id: FileId(index as u32),
            file,
            directives,
            facts,
            levels: config.levels(&file.absolute),
            require_reason: config.require_reason(&file.absolute),
            test: tests.get(index) == Some(&true),
        };
        let mut outcome = suppress::apply(&scope, findings);
        outcome.kept.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
        outcome.kept.dedup();
        Some((fingerprint::add(file, outcome.kept), outcome.suppressed))
    };
    let settled: Vec<(Vec<Reported>, usize)> = by_file.into_par_iter().enumerate().filter_map(settle_file).collect();
    let suppressed = settled.iter().map(|(_, suppressed)| suppressed).sum();
    (settled.into_iter().flat_map(|(reported, _)| reported).collect(), suppressed)
}

fn order(finding: &Finding) -> (Span, &str, &str, &[ctxlint_lints::finding::Label]) {
    (finding.primary.span, finding.rule, &finding.message, &finding.labels)
}

fn measure(workspace: &Workspace, parsed: &[Option<Parsed>], steps: Vec<(&'static str, std::time::Duration)>) -> Work {
    let of_interest: Vec<&File> =
        workspace.files.iter().zip(parsed).filter(|(_, parsed)| parsed.is_some()).map(|(file, _)| file).collect();
    Work {
        files: workspace.files.len(),
        parsed: of_interest.len(),
        cached: of_interest.iter().filter(|file| file.parsed.is_some()).count(),
        lines: of_interest.iter().map(|file| file.lines.lines() as usize).sum(),
        bytes: of_interest.iter().map(|file| file.text.len()).sum(),
        steps,
    }
}

struct Clock {
    last: Instant,
    steps: Vec<(&'static str, std::time::Duration)>,
}

impl Clock {
    fn start() -> Clock {
        Clock { last: Instant::now(), steps: Vec::new() }
    }

    fn step(&mut self, name: &'static str) {
        let now = Instant::now();
        self.steps.push((name, now - self.last));
        self.last = now;
    }
}
