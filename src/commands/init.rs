//! `ctxlint init`: a commented `ctxlint.toml`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

use crate::cli::InitArgs;
use crate::run::{Failure, Outcome, tell};

/// What is written; a test reads it back.
pub(crate) const TEMPLATE: &str = include_str!("init.toml");

pub(crate) fn run(args: &InitArgs) -> Result<Outcome, Failure> {
    let path = args.folder.join("ctxlint.toml");
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(Failure::new(format!("{path} is there already; it is left as it is")));
        }
        Err(error) => return Err(Failure::new(format!("{path}: {error}"))),
    };
    file.write_all(TEMPLATE.as_bytes()).map_err(|error| Failure::new(format!("{path}: {error}")))?;
    tell(&[format!("wrote {path}")]);
    Ok(Outcome::Clean)
}
