//! Where the report goes, and the last words on standard error.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use camino::Utf8PathBuf;
use clap::ArgMatches;
use ctxlint_lints::finding::Applicability;

use super::{Done, Job};
use crate::cli::OutputArgs;
use crate::report::{Format, Report, Style, View};
use crate::run::{Failure, colored, tell};

/// A format and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) format: Format,
    /// Standard output if none.
    pub(super) file: Option<Utf8PathBuf>,
}

/// Gives the files to the formats before them that have none, several at once in their order, and what is
/// left to those that come later.
pub(super) fn outputs(args: &OutputArgs, matches: &ArgMatches) -> Result<Vec<Output>, Failure> {
    let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<usize>>();
    let at: Vec<usize> = places("message_format");
    let mut outputs: Vec<Output> =
        args.message_format.iter().map(|format| Output { format: *format, file: None }).collect();
    // Files with no format between them, and how many formats stand before them.
    let mut runs: Vec<(usize, Vec<&Utf8PathBuf>)> = Vec::new();
    for (place, file) in places("output_file").into_iter().zip(&args.output_file) {
        let before = at.iter().filter(|format| **format < place).count();
        match runs.last_mut() {
            Some((formats, files)) if *formats == before => files.push(file),
            _ => runs.push((before, vec![file])),
        }
    }
    for (before, files) in runs {
        let free = |outputs: &[Output]| -> Vec<usize> {
            let free = outputs.iter().enumerate().filter(|(_, output)| output.file.is_none());
            free.map(|(index, _)| index).collect()
        };
        let (earlier, later): (Vec<usize>, Vec<usize>) = free(&outputs).into_iter().partition(|index| *index < before);
        let nearest = earlier.get(earlier.len().saturating_sub(files.len())..).unwrap_or_default();
        let mut taken = nearest.iter().chain(&later);
        for file in files {
            let Some(output) = taken.next().and_then(|index| outputs.get_mut(*index)) else {
                return Err(Failure::new(format!("--output-file {file} has no --message-format of its own")));
            };
            output.file = Some(file.clone());
        }
    }
    let files: Vec<&Utf8PathBuf> = outputs.iter().filter_map(|output| output.file.as_ref()).collect();
    if let Some(twice) = files.iter().enumerate().find(|(at, file)| files.iter().take(*at).any(|other| other == *file))
    {
        return Err(Failure::new(format!("--output-file {} is given twice", twice.1)));
    }
    let to_stdout = outputs.iter().filter(|output| output.file.is_none()).count();
    // `--message-format=json,json-diagnostic-rendered-ansi` is one format, as cargo spells it.
    let is_json = |output: &Output| matches!(output.format, Format::Json | Format::JsonShort | Format::JsonAnsi);
    if to_stdout > 1 && outputs.iter().filter(|output| output.file.is_none()).all(is_json) {
        let last = outputs.iter().rfind(|output| output.file.is_none()).cloned();
        return Ok(outputs.into_iter().filter(|output| output.file.is_some()).chain(last).collect());
    }
    if to_stdout > 1 {
        return Err(Failure::new("only one format can go to standard output; give the others an --output-file"));
    }
    Ok(outputs)
}

/// Writes the report in every format that is asked for, and what there is to say about the run.
pub(super) fn write(job: &Job, done: &Done) -> Result<(), Failure> {
    let problems = done.problems.iter().map(|problem| job.shorten(&problem.message));
    tell(&problems.chain(done.report.failures.iter().chain(&done.report.notes).cloned()).collect::<Vec<_>>());
    if let Some(patch) = &done.patch {
        crate::run::print(patch)?;
    }
    for output in &job.outputs {
        let style = Style {
            color: output.file.is_none() && colored(job.args.output.color),
            current: job.current.clone(),
            ci_root: ci_root(),
        };
        let view = View { workspace: &done.workspace, report: &done.report, style: &style };
        match &output.file {
            None if done.patch.is_some() => {}
            None => {
                let mut out = io::BufWriter::new(io::stdout().lock());
                output.format.write(view, &mut out)?;
                out.flush()?;
            }
            Some(file) => to_file(output.format, view, file)?,
        }
    }
    last_words(job, done);
    Ok(())
}

fn to_file(format: Format, view: View<'_>, file: &Utf8PathBuf) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    format.write(view, &mut bytes)?;
    std::fs::write(file, bytes).map_err(|error| Failure::new(format!("{file}: {error}")))
}

/// Where a CI counts paths from.
fn ci_root() -> Option<Utf8PathBuf> {
    let root = ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"].iter().find_map(std::env::var_os)?;
    Utf8PathBuf::from_path_buf(root.into()).ok()
}

fn last_words(job: &Job, done: &Done) {
    let mut lines = Vec::new();
    if job.args.output.statistics {
        lines.extend(statistics(&done.report));
    }
    if job.args.output.timings {
        lines.extend(timings(&done.report));
    }
    let for_people = job.outputs.iter().any(|output| !output.format.is_for_programs());
    if for_people && !job.args.output.quiet && done.workspace.files.iter().any(|file| file.selected) {
        lines.push(summary(done));
    }
    tell(&lines);
}

/// `2 errors, 1 warning; 3 suppressed; 1 can be fixed with --fix`.
fn summary(done: &Done) -> String {
    let report = &done.report;
    let errors = report.findings.iter().filter(|reported| reported.is_error()).count();
    let warnings = report.findings.len() - errors;
    let files = done.workspace.files.iter().filter(|file| file.selected).count();
    let mut line = match (errors, warnings) {
        (0, 0) => format!("no findings in {}", count(files, "file")),
        (0, _) => count(warnings, "warning"),
        (_, 0) => count(errors, "error"),
        _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
    };
    if report.fixed > 0 {
        let _ = write!(line, "; {} fixed", report.fixed);
    }
    if report.suppressed > 0 {
        let _ = write!(line, "; {} suppressed", report.suppressed);
    }
    if report.in_baseline > 0 {
        let _ = write!(line, "; {} in the baseline", report.in_baseline);
    }
    let fixable = |applicability| report.findings.iter().filter(|reported| reported.is_fixable(applicability)).count();
    let safe = fixable(Applicability::MachineApplicable);
    let unsafe_too = fixable(Applicability::MaybeIncorrect);
    if safe > 0 {
        let _ = write!(line, "; {safe} can be fixed with --fix");
    }
    if unsafe_too > 0 {
        let _ = write!(line, "; {unsafe_too} {}with --unsafe-fixes", if safe > 0 { "" } else { "can be fixed " });
    }
    line
}

fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

fn statistics(report: &Report) -> Vec<String> {
    let mut by_rule: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for reported in &report.findings {
        let (count, fixable) = by_rule.entry(reported.finding.rule).or_default();
        *count += 1;
        *fixable += usize::from(reported.is_fixable(Applicability::MachineApplicable));
    }
    let mut rows: Vec<_> = by_rule.into_iter().collect();
    rows.sort_by_key(|(rule, (count, _))| (std::cmp::Reverse(*count), *rule));
    let row = |(rule, (count, fixable)): (&str, (usize, usize))| match fixable {
        0 => format!("{count:>6}  {rule}"),
        _ => format!("{count:>6}  {rule} ({fixable} can be fixed with --fix)"),
    };
    rows.into_iter().map(row).collect()
}

fn timings(report: &Report) -> Vec<String> {
    let work = &report.work;
    let total: f64 = work.steps.iter().map(|(_, time)| time.as_secs_f64()).sum();
    let per_second = |amount: usize| if total > 0.0 { amount as f64 / total } else { 0.0 };
    let steps = work.steps.iter().map(|(name, time)| format!("{:>9.1} ms  {name}", time.as_secs_f64() * 1000.0));
    let sizes = [
        format!("{:>9.1} ms  in all", total * 1000.0),
        format!("{} of {} files of interest, {} of them from the cache", work.parsed, work.files, work.cached),
        format!(
            "{:.0} files, {:.0} lines, {:.1} MB per second",
            per_second(work.parsed),
            per_second(work.lines),
            per_second(work.bytes) / 1e6
        ),
    ];
    steps.chain(sizes).collect()
}
