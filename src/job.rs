//! `ctxlint check`: plan, configure, read, check, tell.

mod act;
mod output;
mod settings;

use std::io::Read as _;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use clap::ArgMatches;
use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::check::check;
use crate::cli::CheckArgs;
use crate::config::{self, Config};
use crate::discover::{self, Plan, Problem, Request, Stdin};
use crate::levels::{Selector, Setting};
use crate::report::{Report, Reported};
use crate::run::{Failure, Outcome, current_folder, tell};
use crate::workspace::Workspace;

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
    let threads = job.args.run.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(64 * 1024 * 1024)
        .build()
        .map_err(|error| Failure::new(format!("no threads: {error}")))?;
    let request = job.request()?;
    pool.install(|| run_once(job, &request))
}

/// What a run is about, from the first look at the arguments to the last word.
pub(crate) struct Done {
    pub(crate) workspace: Workspace,
    pub(crate) report: Report,
    pub(crate) problems: Vec<Problem>,
    pub(crate) patch: Option<String>,
}

fn run_once(job: &Job, request: &Request) -> Result<Outcome, Failure> {
    let start = Instant::now();
    let plan = discover::plan(request);
    let config = job.config(&plan)?;
    let found = plan.read(&|file: &Utf8Path| config.excludes(file));
    let read = start.elapsed();
    let mut acted = act::act(job, found.workspace, |workspace| check(workspace, &config))?;
    acted.report.work.steps.insert(0, ("read", read));
    let act::Acted { workspace, report, patch } = acted;
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

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    String::from_utf8(bytes).map_err(|_| Failure::new("standard input is not UTF-8"))
}

fn globs(patterns: &[String]) -> Result<GlobSet, Failure> {
    let bad = |error: globset::Error| Failure::new(format!("--exclude: {error}"));
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(Glob::new(pattern).map_err(bad)?);
    }
    builder.build().map_err(bad)
}
