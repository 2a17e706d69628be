//! `ctxlint check`: plan, configure, read, check, tell.

mod act;
mod cargo;
mod memory;
mod output;
pub(crate) mod settings;
mod watch;

use std::io::Read as _;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use clap::ArgMatches;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::check::check_and_draw;
use crate::cli::CheckArgs;
use crate::config::{self, Config};
use crate::discover::{self, Plan, Problem, Request, Stdin};
use crate::levels::{Selector, Setting};
use crate::progress::Progress;
use crate::report::{Format, Report, Reported};
use crate::run::{Failure, Outcome, current_folder, tell};
use crate::workspace::Workspace;

use memory::Memory;
use output::Output;

/// What `ctxlint check` is asked to do.
#[derive(Debug)]
pub struct Job {
    args: CheckArgs,
    current: Utf8PathBuf,
    levels: Vec<Setting>,
    only: Vec<Selector>,
    exclude: GlobSet,
    outputs: Vec<Output>,
}

impl Job {
    /// Reads the arguments; `matches` tells their order.
    ///
    /// # Errors
    /// Unknown rules and bad globs, and formats that do not go together.
    pub fn new(args: CheckArgs, matches: &ArgMatches) -> Result<Job, Failure> {
        Ok(Job {
            current: current_folder()?,
            levels: settings::levels(&args.rules, matches)?,
            only: settings::only(&args.rules)?,
            exclude: globs(&args.input.exclude)?,
            outputs: output::outputs(&args.output, matches)?,
            args,
        })
    }

    fn request(&self) -> Result<Request, Failure> {
        let (stdin, paths): (Vec<_>, Vec<_>) = self.args.paths.iter().cloned().partition(|path| path == "-");
        let stdin_path = self.args.input.stdin_filename.clone();
        let stdin = match !stdin.is_empty() || stdin_path.is_some() {
            true => Some(Stdin { path: stdin_path, text: standard_input()? }),
            false => None,
        };
        Ok(Request {
            current: self.current.clone(),
            paths,
            stdin,
            packages: self.args.input.packages.clone(),
            exclude: self.exclude.clone(),
            whole_workspace: self.args.input.workspace,
        })
    }

    fn config(&self, plan: &Plan) -> Result<Config, Failure> {
        let explicit = self.args.input.config.as_deref().map(|file| discover::absolute(&self.current, file));
        let layers = config::layers(explicit.as_deref(), plan)
            .map_err(|error| Failure::new(self.shorten(&error.to_string())))?;
        Ok(Config { layers, command_line: self.levels.clone(), only: self.only.clone() })
    }

    /// Where facts are kept: where the user says, or with what cargo makes.
    fn cache_folder(&self, plan: &Plan) -> Option<Utf8PathBuf> {
        let run = &self.args.run;
        let given = run.cache_dir.as_deref().map(|folder| discover::absolute(&self.current, folder));
        given.or_else(|| plan.target_folder().map(|target| target.join("ctxlint"))).filter(|_| !run.no_cache)
    }

    /// The format that goes to standard output, if one does.
    fn stdout_format(&self) -> Option<Format> {
        self.outputs.iter().find(|output| output.file.is_none()).map(|output| output.format)
    }

    /// The folder to run other programs in: that of the first path given.
    fn folder(&self) -> Utf8PathBuf {
        let first = self.args.paths.iter().find(|path| *path != "-");
        let first = first.map_or(self.current.clone(), |path| discover::absolute(&self.current, path));
        if first.is_dir() { first } else { first.parent().map_or(self.current.clone(), Utf8Path::to_owned) }
    }

    fn tell_plan(&self, plan: &Plan, config: &Config) {
        if self.args.output.verbose {
            let mut lines = vec![format!("paths are relative to {}", plan.root())];
            lines.extend(config.layers.iter().map(|layer| format!("configuration from {}", layer.source)));
            lines.extend(self.cache_folder(plan).map(|folder| format!("cache in {folder}")));
            tell(&lines);
        }
    }

    /// A message that begins with an absolute path, with the path as people would write it.
    fn shorten(&self, message: &str) -> String {
        message.strip_prefix(&format!("{}/", self.current)).unwrap_or(message).to_owned()
    }
}

/// Runs the job.
///
/// # Errors
/// What kept it from being done at all.
pub fn run(job: &Job) -> Result<Outcome, Failure> {
    let pool = pool(job.args.run.jobs)?;
    let request = job.request()?;
    let once = || {
        let cargo_failed = match job.args.run.with_cargo {
            Some(command) => !cargo::run(job, command)?,
            None => false,
        };
        let outcome = pool.install(|| run_once(job, &request, cargo_failed))?;
        Ok(if cargo_failed { outcome.worse(Outcome::Findings) } else { outcome })
    };
    if job.args.run.watch {
        let folders = discover::plan(&request).folders();
        watch::watch(&folders, || watched(once()))?;
    }
    once()
}

/// A run that failed is told, and the next change may mend it.
fn watched(outcome: Result<Outcome, Failure>) -> Result<(), Failure> {
    if let Err(failure) = outcome {
        tell(&failure.0);
    }
    tell(&["waiting for changes".to_owned()]);
    Ok(())
}

/// What a run is about, from the first look at the arguments to the last word.
pub(crate) struct Done {
    pub(crate) workspace: Workspace,
    pub(crate) report: Report,
    pub(crate) problems: Vec<Problem>,
    pub(crate) patch: Option<String>,
}

fn run_once(job: &Job, request: &Request, cargo_failed: bool) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let plan = discover::plan(request);
    let config = job.config(&plan)?;
    job.tell_plan(&plan, &config);
    let folder = job.cache_folder(&plan);
    let mut found = plan.read(&|file: &Utf8Path| config.excludes(file));
    let draw = job.outputs.iter().any(|output| output.format == Format::Html);
    let memory = Memory::open(folder.as_deref(), &mut found.workspace, &config, draw);
    let read = start.elapsed();
    let progress = Progress::default();
    let files = found.workspace.files.len();
    let checked = |workspace: &Workspace| {
        memory.recall(workspace, &config).unwrap_or_else(|key| {
            let report = check_and_draw(workspace, &config, &|| progress.parsed_one(), draw);
            memory.keep(key, &report);
            report
        })
    };
    let mut acted =
        progress.during(!job.args.output.quiet, files, || act::act(job, &config, found.workspace, checked))?;
    acted.report.work.steps.insert(0, ("read", read));
    let act::Acted { workspace, mut report, patch } = acted;
    report.cargo_failed = cargo_failed;
    let before_store = Instant::now();
    if let Err(why) = memory.store(&workspace, &report.parsed)
        && job.args.output.verbose
    {
        report.notes.push(format!("the cache is not written: {why}"));
    }
    report.work.steps.push(("cache", before_store.elapsed()));
    let done = Done { workspace, report, problems: found.problems, patch };
    output::write(job, &done)?;
    Ok(outcome(job, &done))
}

fn outcome(job: &Job, done: &Done) -> Outcome {
    let failed = done.problems.iter().any(|problem| problem.fatal) || !done.report.failures.is_empty();
    if failed {
        return Outcome::Failed;
    }
    if !done.workspace.files.iter().any(|file| file.selected) {
        tell(&["nothing to check: no Rust files there".to_owned()]);
        return Outcome::Nothing;
    }
    match done.report.findings.iter().any(Reported::is_error) && !job.args.gate.exit_zero {
        true => Outcome::Findings,
        false => Outcome::Clean,
    }
}

/// The threads that a check runs on.
pub(crate) fn pool(jobs: Option<u16>) -> Result<rayon::ThreadPool, Failure> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs.map_or(0, usize::from))
        .stack_size(64 * 1024 * 1024)
        .build()
        .map_err(|error| Failure::new(format!("no threads: {error}")))
}

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Failure::new("standard input is not UTF-8"))
}

pub(crate) fn globs(patterns: &[String]) -> Result<GlobSet, Failure> {
    let bad = |error: globset::Error| Failure::new(format!("--exclude: {error}"));
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).map_err(bad)?);
    }
    builder.build().map_err(bad)
}
