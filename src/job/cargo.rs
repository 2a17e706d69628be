//! `--with-cargo`: cargo's own check beside ours, so that one editor command serves both.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use super::Job;
use crate::cli::CargoCommand;
use crate::report::Format;
use crate::run::Failure;

/// Runs cargo and passes its messages through as they come. True if it succeeded.
pub(super) fn run(job: &Job, command: CargoCommand) -> Result<bool, Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut child = Command::new(cargo);
    child.arg(match command {
        CargoCommand::Check => "check",
        CargoCommand::Clippy => "clippy",
    });
    if job.args.input.packages.is_empty() {
        child.arg("--workspace");
    }
    child.args(job.args.input.packages.iter().flat_map(|package| ["--package", package.as_str()]));
    child.args(["--all-targets", "--keep-going"]);
    let format = job.stdout_format().and_then(cargo_format);
    if let Some(format) = format {
        child.arg(format!("--message-format={format}"));
    }
    child.current_dir(job.folder()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child =
        child.spawn().map_err(|error| Failure::new(format!("--with-cargo: cargo cannot be run: {error}")))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            // The end of the build is told once, after our own messages.
            if !line.starts_with(br#"{"reason":"build-finished""#) {
                let mut out = std::io::stdout().lock();
                out.write_all(&line)?;
                out.write_all(b"\n")?;
                out.flush()?;
            }
        }
    }
    Ok(child.wait()?.success())
}

/// How cargo spells one of our formats.
fn cargo_format(format: Format) -> Option<&'static str> {
    match format {
        Format::Json => Some("json"),
        Format::JsonShort => Some("json-diagnostic-short"),
        Format::JsonAnsi => Some("json-diagnostic-rendered-ansi"),
        Format::Short => Some("short"),
        _ => None,
    }
}
