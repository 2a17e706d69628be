//! `--watch`: running again on change.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use camino::Utf8PathBuf;

use crate::run::Failure;
use crate::watch::Watch;

/// An editor writes a file in several steps, a branch switch many files: a run begins when it has
/// been quiet for so long.
const QUIET: Duration = Duration::from_millis(150);

/// Runs a job now and again after every change below these folders, until the program is ended.
pub(super) fn watch(folders: &[Utf8PathBuf], mut run: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    let failed = |error: notify::Error| Failure::new(format!("--watch: {error}"));
    let (sender, changes) = channel();
    let tell = move |_| {
        // Nobody listens any more only when the program ends.
        let _ = sender.send(());
    };
    let watch = Watch::start(tell).map_err(failed)?;
    for folder in folders {
        let watched = watch.add(folder.as_std_path()).recv();
        watched.map_err(|_| gone())?.map_err(failed)?;
    }
    loop {
        run()?;
        wait(&changes)?;
    }
}

/// Until there was a change and then none for a while.
fn wait(changes: &Receiver<()>) -> Result<(), Failure> {
    changes.recv().map_err(|_| gone())?;
    loop {
        match changes.recv_timeout(QUIET) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(RecvTimeoutError::Disconnected) => return Err(gone()),
        }
    }
}

fn gone() -> Failure {
    Failure::new("--watch: no more changes can be seen")
}
