//! The `ctxlint` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ctxlint::run::main(std::env::args_os().collect())
}
