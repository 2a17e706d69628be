//! Watching files for an editor that does not.

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};

use camino::Utf8PathBuf;
use notify::{Event, EventKind, RecursiveMode, Watcher};

use crate::job::watch::is_of_interest;

/// Starts a thread that watches all folders it is sent, and tells of files that change there. Without
/// it, or where the system cannot watch, only what is saved in the editor is seen.
pub(super) fn start(tell: impl Fn(Utf8PathBuf) + Send + 'static) -> std::io::Result<Sender<Utf8PathBuf>> {
    let (sender, folders) = channel::<Utf8PathBuf>();
    let watch = move || {
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Access(_)) {
                event.paths.into_iter().filter_map(interesting).for_each(&tell);
            }
        });
        let Ok(mut watcher) = watcher else { return };
        // Ends when the session does.
        for folder in folders {
            let _ = watcher.watch(folder.as_std_path(), RecursiveMode::Recursive);
        }
    };
    std::thread::Builder::new().name("watcher".to_owned()).spawn(watch)?;
    Ok(sender)
}

fn interesting(path: PathBuf) -> Option<Utf8PathBuf> {
    Utf8PathBuf::from_path_buf(path).ok().filter(|path| is_of_interest(path.as_std_path()))
}
