//! The project's own chores: `cargo xtask NAME`.

mod bench;
mod corpus;
mod docs;
mod fuzz;
mod new_rule;

use std::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

/// A chore's result; failures are told in one line.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const USAGE: &str = "\
usage: cargo xtask CHORE

  new-rule NAME [GROUP]     makes a rule's file, page, fixtures and list entry; GROUP is suspicious unless given
  corpus [OPTIONS] [NAME]…  fetches the crates of xtask/corpus.toml and checks them (all, or those named)
      --bin FILE            the ctxlint to run; the release build of this tree unless given
      --pedantic            lists the findings of rules that are off by default too
      --dependencies        checks everything the crates depend on as well
  docs                      makes the site, an mdBook, under target/book
  bench                     the whole check against parsing alone, over the corpus if it is there; how long the
                            language server takes from a key to what it finds; the command beside ast-grep
      --beside [AST-GREP]   only the last; with this program
  fuzz SECONDS [TARGET]     runs the fuzz targets, or one of them, for so long each; needs cargo-fuzz
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["new-rule", name] => new_rule::run(root(), name, "suspicious"),
        ["new-rule", name, group] => new_rule::run(root(), name, group),
        ["corpus", options @ ..] => corpus::run(root(), options),
        ["docs"] => docs::run(root()),
        ["bench", options @ ..] => bench::run(root(), options),
        ["fuzz", seconds] => fuzz::run(root(), None, seconds),
        ["fuzz", seconds, target] => fuzz::run(root(), Some(target), seconds),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
