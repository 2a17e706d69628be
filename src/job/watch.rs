//! `--watch`: running again on change.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use camino::Utf8PathBuf;
use notify::{Event, EventKind, RecursiveMode, Watcher};

use crate::run::Failure;

/// An editor writes a file in several steps, a branch switch many files: a run begins when it has
/// been quiet for so long.
const QUIET: Duration = Duration::from_millis(150);

/// Runs a job now and again after every change below these folders, until the program is ended.
pub(super) fn watch(folders: &[Utf8PathBuf], mut run: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    let failed = |error: notify::Error| Failure::new(format!("--watch: {error}"));
    let (sender, changes) = channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| matters(&event)) {
            // Nobody listens any more only when the program ends.
            let _ = sender.send(());
        }
    })
    .map_err(failed)?;
    for folder in folders {
        watcher.watch(folder.as_std_path(), RecursiveMode::Recursive).map_err(failed)?;
    }
    loop {
        run()?;
        wait(&changes)?;
    }
}

/// Until there was a change and then none for a while.
fn wait(changes: &Receiver<()>) -> Result<(), Failure> {
    let gone = |_| Failure::new("--watch: no more changes can be seen");
    changes.recv().map_err(gone)?;
    loop {
        match changes.recv_timeout(QUIET) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::new("--watch: no more changes can be seen")),
        }
    }
}

/// Whether an event is about a source, a manifest or our configuration, and not about reading it.
fn matters(event: &Event) -> bool {
    !matches!(event.kind, EventKind::Access(_)) && event.paths.iter().any(|path| is_of_interest(path))
}

/// Whether a file that changes may change a report: a source, a manifest, our configuration, but
/// nothing that was made by building.
pub(crate) fn is_of_interest(path: &Path) -> bool {
    let built = path.components().any(|part| part.as_os_str() == "target" || part.as_os_str() == ".git");
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    !built
        && !name.starts_with(".ctxlint-")
        && (name.ends_with(".rs") || name == "Cargo.toml" || name == "ctxlint.toml")
}
