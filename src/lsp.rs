//! `ctxlint lsp`: the same findings in an editor, while the user types.
//!
//! Three threads: one reads messages, one answers them (`server`), and one checks (`worker`), on
//! the threads of a pool. What the editor has open stands over what is on disk; a change is checked as
//! soon as the hands rest, and a newer change ends the check of an older one. A file that does not
//! parse is checked as it was when it last did, and the places of what is found there move with the
//! text (`shift`). What is asked about a text that is still being checked is answered after that.

mod actions;
mod buffer;
mod client;
mod findings;
mod hover;
mod position;
mod project;
mod server;
mod session;
mod shift;
mod transport;
mod worker;

use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Arc, mpsc};

use camino::Utf8PathBuf;
use clap::ArgMatches;
use rayon::ThreadPool;

use crate::cli::LspArgs;
use crate::config::Config;
use crate::discover;
use crate::job::settings;
use crate::run::{Failure, Outcome, current_folder};

use server::{Event, Server, Start};
use transport::Incoming;

/// Code nests deeply.
const STACK: usize = 64 * 1024 * 1024;

/// Talks to an editor until that tells it to exit or is gone.
///
/// # Errors
/// Arguments that cannot be understood, and threads that cannot be started.
pub(crate) fn run(args: &LspArgs, matches: &ArgMatches) -> Result<Outcome, Failure> {
    let current = current_folder()?;
    let threads = args.jobs.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build()
        .map_err(|error| Failure::new(format!("no threads: {error}")))?;
    let levels = Config {
        layers: Vec::new(),
        command_line: settings::levels(&args.rules, matches)?,
        only: settings::only(&args.rules)?,
    };
    let config = args.config.as_deref().map(|file| discover::absolute(&current, file));
    let input = BufReader::new(std::io::stdin());
    Ok(talk(input, Box::new(std::io::stdout()), config, levels, pool.into())?)
}

/// The same over any pair of streams. `config` is a configuration instead of the one that would be
/// found, `levels` what the command line says of rules; checks run on `pool`.
///
/// # Errors
/// Threads that cannot be started, and what writing fails with.
pub fn talk(
    mut input: impl BufRead + Send + 'static,
    out: Box<dyn Write>,
    config: Option<Utf8PathBuf>,
    levels: Config,
    pool: Arc<ThreadPool>,
) -> io::Result<Outcome> {
    let start = Start { config, levels, pool };
    let (sender, events) = mpsc::channel();
    let incoming = sender.clone();
    let reader = move || {
        loop {
            let message = transport::read(&mut input);
            let is_end = matches!(message, Incoming::End);
            if incoming.send(Event::Incoming(message)).is_err() || is_end {
                return;
            }
        }
    };
    std::thread::Builder::new().name("reader".to_owned()).spawn(reader)?;
    Server::new(start, sender, out).run(&events)
}

/// Runs a job that may parse, on a stack that is deep enough. None if it dies.
fn deeply<T: Send>(job: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, job).ok()?;
        thread.join().ok()
    })
}
