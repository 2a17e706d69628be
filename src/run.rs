//! Running the command: arguments in, exit code out.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use camino::Utf8PathBuf;
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::cli::{Cli, Color, Command};
use crate::commands;
use crate::job::{self, Job};

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// No finding at deny level.
    Clean,
    /// At least one.
    Findings,
    /// The run itself failed: bad arguments, configuration, unreadable input.
    Failed,
    /// Nothing to check.
    Nothing,
    /// A language server whose editor went without a word.
    Deserted,
}

impl Outcome {
    /// Of two parts of a run, the outcome of the whole.
    pub fn worse(self, other: Outcome) -> Outcome {
        let rank = |outcome| match outcome {
            Outcome::Clean => 0,
            Outcome::Nothing => 1,
            Outcome::Findings | Outcome::Deserted => 2,
            Outcome::Failed => 3,
        };
        if rank(self) >= rank(other) { self } else { other }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(match outcome {
            Outcome::Clean => 0,
            // The protocol wants 1 of a server that was not told to shut down.
            Outcome::Findings | Outcome::Deserted => 1,
            Outcome::Failed => 2,
            Outcome::Nothing => 3,
        })
    }
}

/// Why a run failed: one line a reason, for standard error.
#[derive(Debug, Default)]
pub struct Failure(pub Vec<String>);

impl Failure {
    /// A failure for one reason.
    pub fn new(reason: impl Into<String>) -> Failure {
        Failure(vec![reason.into()])
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        // Who closed the other end of a pipe has read enough.
        if error.kind() == io::ErrorKind::BrokenPipe { Failure::default() } else { Failure::new(error.to_string()) }
    }
}

/// Runs the command with these arguments, the program's own name included.
pub fn main(args: Vec<OsString>) -> ExitCode {
    quiet_panics();
    let parsed = Cli::command().try_get_matches_from(args).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((cli, matches))
    });
    match parsed {
        Err(error) => {
            let _ = error.print();
            ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
        }
        Ok((cli, matches)) => match dispatch(cli, &matches) {
            Ok(outcome) => outcome.into(),
            Err(Failure(reasons)) if reasons.is_empty() => Outcome::Clean.into(),
            Err(failure) => {
                tell(&failure.0);
                Outcome::Failed.into()
            }
        },
    }
}

fn dispatch(cli: Cli, matches: &ArgMatches) -> Result<Outcome, Failure> {
    match cli.command {
        None => job::run(&Job::new(cli.check, matches)?),
        Some(Command::Check(args)) => {
            job::run(&Job::new(*args, matches.subcommand_matches("check").unwrap_or(matches))?)
        }
        Some(Command::Rules(args)) => commands::rules::run(&args),
        Some(Command::Explain(args)) => commands::explain::run(&args),
        Some(Command::Graph(args)) => commands::graph::run(&args),
        Some(Command::Init(args)) => commands::init::run(&args),
        Some(Command::Config(args)) => commands::config::run(&args),
        Some(Command::Lsp(args)) => crate::lsp::run(&args, matches.subcommand_matches("lsp").unwrap_or(matches)),
        Some(Command::Schema) => print(&crate::config::schema::text()),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "ctxlint", &mut text);
            print(&String::from_utf8_lossy(&text))
        }
        Some(Command::Man) => commands::man::run(),
    }
}

/// Prints a text to standard output.
pub(crate) fn print(text: &str) -> Result<Outcome, Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(Outcome::Clean)
}

/// Prints lines about the run to standard error.
pub(crate) fn tell(lines: &[String]) {
    let mut err = io::stderr().lock();
    for line in lines {
        let _ = writeln!(err, "ctxlint: {line}");
    }
}

/// The current folder.
pub(crate) fn current_folder() -> Result<Utf8PathBuf, Failure> {
    let current = std::env::current_dir().map_err(|error| Failure::new(format!("the current folder: {error}")))?;
    Utf8PathBuf::from_path_buf(current)
        .map_err(|path| Failure::new(format!("the current folder `{}` is not Unicode", path.to_string_lossy())))
}

/// Whether to write colours to standard output.
pub(crate) fn colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never,
    }
}

/// A panic in a job is told as a finding or a failure of its file, not by the default hook.
fn quiet_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("main") {
            default(info);
        } else if let Some(place) = info.location() {
            crate::engine::panicked_at(format!("{}:{}", place.file(), place.line()));
        }
    }));
}
