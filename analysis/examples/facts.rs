//! Prints the facts of one file: `cargo run -p ctxlint-analysis --example facts -- FILE`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for looking")]

fn main() -> std::process::ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("which file?");
        return std::process::ExitCode::FAILURE;
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{path}: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match ctxlint_analysis::parse::parse(&text) {
        Ok(facts) => {
            print!("{}", ctxlint_analysis::facts_dump::dump(&facts));
            std::process::ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{path}: {} at {:?}", error.message, error.span);
            std::process::ExitCode::FAILURE
        }
    }
}
