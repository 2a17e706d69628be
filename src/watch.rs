//! Watching folders for changes of what is checked.
//!
//! Where the system watches a folder by itself (inotify), one after the other is watched, and none that
//! holds what is built, hidden or ignored: a build changes thousands of files there, and the system may
//! limit how many folders there can be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use camino::Utf8PathBuf;
use notify::event::ModifyKind;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::discover::{folders_below, is_build_folder};

/// Whether all that is below a folder is watched with it, at no cost for each.
const WHOLE_TREES: bool = cfg!(any(target_os = "macos", windows));

/// Watches the folders it is given for as long as it is kept.
pub(crate) struct Watch {
    orders: Sender<Order>,
}

enum Order {
    /// Watch a folder and all below it, and say whether that went well.
    Watch(PathBuf, Sender<notify::Result<()>>),
    /// Something happened.
    Seen(Event),
    /// It is enough.
    End,
}

impl Watch {
    /// Begins to watch. `tell` is called for every file of interest that changed, came or went, and for
    /// folders that went with all that was in them.
    ///
    /// # Errors
    /// What keeps the system from watching.
    pub(crate) fn start(tell: impl Fn(Utf8PathBuf) + Send + 'static) -> notify::Result<Watch> {
        let (orders, receiver) = channel();
        let seen = orders.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !matches!(event.kind, EventKind::Access(_)) {
                // Nobody listens any more only when it is enough.
                let _ = seen.send(Order::Seen(event));
            }
        })?;
        let eyes = Eyes { watcher, roots: BTreeSet::new(), watched: BTreeSet::new(), tell };
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || eyes.run(&receiver))?;
        Ok(Watch { orders })
    }

    /// Watches a folder and all below it too. What comes back tells when it does, or why it does not.
    pub(crate) fn add(&self, folder: &Path) -> Receiver<notify::Result<()>> {
        let (done, answer) = channel();
        // The thread ends only with `self`.
        let _ = self.orders.send(Order::Watch(folder.to_owned(), done));
        answer
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.orders.send(Order::End);
    }
}

struct Eyes<T> {
    watcher: RecommendedWatcher,
    /// What was asked for.
    roots: BTreeSet<PathBuf>,
    /// The folders that are watched, if it is one after the other.
    watched: BTreeSet<PathBuf>,
    tell: T,
}

impl<T: Fn(Utf8PathBuf)> Eyes<T> {
    fn run(mut self, orders: &Receiver<Order>) {
        for order in orders {
            match order {
                Order::Watch(root, done) => {
                    let answer = self.root(&root);
                    self.roots.insert(root);
                    // Whoever does not wait for the answer does not want it.
                    let _ = done.send(answer);
                }
                Order::Seen(event) => self.seen(&event),
                Order::End => return,
            }
        }
    }

    fn root(&mut self, root: &Path) -> notify::Result<()> {
        if WHOLE_TREES {
            return self.watcher.watch(root, RecursiveMode::Recursive);
        }
        self.watcher.watch(root, RecursiveMode::NonRecursive)?;
        self.watched.insert(root.to_owned());
        folders_below(root, root).try_for_each(|folder| self.folder(folder))
    }

    fn folder(&mut self, folder: PathBuf) -> notify::Result<()> {
        match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
            Err(error) if folder.exists() => Err(error),
            _ => {
                self.watched.insert(folder);
                Ok(())
            }
        }
    }

    fn seen(&mut self, event: &Event) {
        if event.need_rescan() {
            self.roots.iter().for_each(|root| self.tell(root));
        }
        let is_move = matches!(event.kind, EventKind::Modify(ModifyKind::Name(_)));
        for path in &event.paths {
            if self.is_of_interest(path) {
                self.tell(path);
            } else if is_move || matches!(event.kind, EventKind::Create(_) | EventKind::Remove(_)) {
                self.came_or_went(path);
            }
        }
    }

    /// A folder, perhaps.
    fn came_or_went(&mut self, path: &Path) {
        if path.is_dir() {
            self.came(path);
        } else if self.watched.contains(path) || (WHOLE_TREES && !self.is_built(path)) {
            self.watched.retain(|folder| !folder.starts_with(path));
            self.tell(path);
        }
    }

    /// Files and folders may be in a new folder before it is watched: what comes later is told by the system, what
    /// came before is found by looking again once all that was found is watched.
    fn came(&mut self, folder: &Path) {
        let Some(root) = self.root_of(folder).cloned() else { return };
        let mut met = BTreeSet::new();
        loop {
            let news: Vec<PathBuf> = folders_below(&root, folder).filter(|folder| met.insert(folder.clone())).collect();
            if news.is_empty() {
                return;
            }
            news.into_iter().for_each(|folder| self.came_alone(folder));
        }
    }

    /// A new folder, and the files that are in it already.
    fn came_alone(&mut self, folder: PathBuf) {
        if !WHOLE_TREES {
            // What cannot be watched is seen with the next change beside it.
            let _ = self.folder(folder.clone());
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| self.is_of_interest(path)).for_each(|path| self.tell(&path));
    }

    fn root_of(&self, path: &Path) -> Option<&PathBuf> {
        self.roots.iter().rfind(|root| path.starts_with(root))
    }

    fn is_of_interest(&self, path: &Path) -> bool {
        is_of_interest(path) && !self.is_built(path)
    }

    fn is_built(&self, path: &Path) -> bool {
        self.root_of(path).is_some_and(|root| is_built(root, path))
    }

    fn tell(&self, path: &Path) {
        if let Ok(path) = Utf8PathBuf::from_path_buf(path.to_owned()) {
            (self.tell)(path);
        }
    }
}

/// Whether a file that changes may change a report, by its name: a source, a manifest or our configuration,
/// but not what we write beside a file to take its place.
pub(crate) fn is_of_interest(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("");
    (name.ends_with(".rs") || name == "Cargo.toml" || name == "ctxlint.toml") && !name.starts_with(".ctxlint-")
}

/// Whether a file was made by building something below `root`, or is git's own.
pub(crate) fn is_built(root: &Path, path: &Path) -> bool {
    let below = |folder: &&Path| folder.starts_with(root) && *folder != root;
    path.ancestors().skip(1).take_while(below).any(|folder| folder.ends_with(".git") || is_build_folder(folder))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use super::*;

    struct Seen {
        root: tempfile::TempDir,
        watch: Watch,
        told: Receiver<Utf8PathBuf>,
    }

    impl Seen {
        fn new(files: &[&str]) -> Seen {
            let root = tempfile::tempdir().expect("a folder");
            let (tell, told) = channel();
            let watch = Watch::start(move |path| tell.send(path).unwrap_or(())).expect("it watches");
            let seen = Seen { root, watch, told };
            files.iter().for_each(|file| seen.write(file));
            seen.watch.add(seen.root.path()).recv().expect("an answer").expect("it is watched");
            seen
        }

        fn write(&self, file: &str) {
            let path = self.root.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, file).expect("a file");
        }

        /// Waits until this is told, and returns what else was by then.
        fn until(&self, file: &str) -> BTreeSet<String> {
            let mut others = BTreeSet::new();
            let end = Instant::now() + Duration::from_secs(60);
            loop {
                let left = end.saturating_duration_since(Instant::now());
                let path = self.told.recv_timeout(left).unwrap_or_else(|_| panic!("{file} is not told: {others:?}"));
                let path = path.strip_prefix(self.root.path().to_str().expect("Unicode")).expect("below").to_string();
                if path == file {
                    return others;
                }
                others.insert(path);
            }
        }
    }

    #[test]
    fn what_is_built_is_not_watched() {
        let seen = Seen::new(&["Cargo.toml", "src/lib.rs", "target/debug/out/a.rs", ".gitignore", "src/target/mod.rs"]);
        for file in ["target/debug/out/a.rs", "target/new/b.rs", ".git/c.rs", "src/notes.txt"] {
            seen.write(file);
        }
        seen.write("src/lib.rs");
        assert_eq!(seen.until("src/lib.rs"), BTreeSet::new());
        seen.write("src/target/mod.rs");
        let others = seen.until("src/target/mod.rs");
        assert!(others.iter().all(|other| other == "src/lib.rs"), "a module may be called so: {others:?}");
    }

    #[test]
    fn folders_that_come_one_in_another_are_all_seen() {
        let seen = Seen::new(&["src/lib.rs"]);
        for round in 0..200 {
            let file = format!("src/of{round}/one/in/another/a.rs");
            seen.write(&file);
            seen.until(&file);
        }
    }

    #[test]
    fn folders_that_come_are_watched_and_those_that_go_are_told() {
        let seen = Seen::new(&["src/lib.rs"]);
        seen.write("src/deep/er/a.rs");
        seen.until("src/deep/er/a.rs");
        // Told either because it was there, or because it was watched by then.
        seen.write("src/deep/er/b.rs");
        seen.until("src/deep/er/b.rs");
        let away = tempfile::tempdir().expect("a folder");
        fs::rename(seen.root.path().join("src/deep"), away.path().join("deep")).expect("it is moved");
        seen.until("src/deep");
        fs::rename(away.path().join("deep"), seen.root.path().join("src/back")).expect("it is moved");
        seen.until("src/back/er/a.rs");
        seen.write("src/back/er/c.rs");
        seen.until("src/back/er/c.rs");
    }
}
