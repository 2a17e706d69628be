//! The thread that checks: it takes what changed, waits until it is quiet, and tells what is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::ThreadPool;

use super::buffer::Buffer;
use super::findings::Marked;
use super::project::{Buffers, Place, Project, Settings};
use crate::discover::manifest_around;
use crate::engine;
use crate::watch::{is_built, is_of_interest};

/// A key is followed by the next one so soon at least: less is no waiting, more is felt.
const SHORT: Duration = Duration::from_millis(2);
/// A check that takes long is begun only when the hands rest for so long.
const LONG: Duration = Duration::from_millis(200);
/// Files on disk change by the hundred when a branch is switched.
const BURST: Duration = Duration::from_millis(100);
/// Who never rests is shown something all the same.
const AT_MOST: Duration = Duration::from_secs(2);

/// Something that changed.
#[derive(Debug)]
pub(super) enum Change {
    /// Folders that are open in the editor came or went.
    Folders { added: Vec<Utf8PathBuf>, removed: Vec<Utf8PathBuf> },
    /// A file was opened or edited.
    Buffer(Utf8PathBuf, Buffer),
    /// An open file was saved as it is.
    Saved(Utf8PathBuf),
    /// A file was closed: what is on disk counts again.
    Closed(Utf8PathBuf),
    /// A file on disk changed, came or went.
    Disk(Utf8PathBuf),
}

/// A change with its number; numbers grow.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) revision: u64,
    pub(super) change: Change,
}

/// What is found in the end.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    /// Of the last change that it is from.
    pub(super) revision: u64,
    /// By path; a file that is not there has nothing to show.
    pub(super) files: BTreeMap<Utf8PathBuf, Arc<Marked>>,
    /// Which text of every open file was checked.
    pub(super) versions: BTreeMap<Utf8PathBuf, i32>,
    /// What else there is to say, for the log.
    pub(super) notes: Vec<String>,
}

/// The thread's belongings.
pub(super) struct Worker {
    pub(super) settings: Settings,
    pub(super) pool: Arc<ThreadPool>,
    /// The number of the newest change there is, taken or not.
    pub(super) newest: Arc<AtomicU64>,
    folders: Vec<Utf8PathBuf>,
    buffers: Buffers,
    projects: Vec<Project>,
    /// Places that were looked at and need no project, until files or folders change.
    refused: BTreeSet<Place>,
    told: BTreeSet<String>,
}

impl Worker {
    /// One that has nothing to check yet.
    pub(super) fn new(settings: Settings, pool: Arc<ThreadPool>, newest: Arc<AtomicU64>) -> Worker {
        Worker {
            settings,
            pool,
            newest,
            folders: Vec::new(),
            buffers: Buffers::new(),
            projects: Vec::new(),
            refused: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// Works until nobody sends changes any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>, tell: impl Fn(Checked)) {
        while let Some(taken) = self.gather(orders) {
            let revision = taken.last().map_or(0, |order| order.revision);
            let pool = self.pool.clone();
            let done = engine::guarded(|| pool.install(|| self.work(taken, revision)));
            match done {
                // A newer change is waiting.
                Ok(false) => continue,
                Ok(true) => tell(self.checked(revision, Vec::new())),
                Err(cause) => {
                    // Nothing of what there was can be trusted: the next change begins anew.
                    self.projects.clear();
                    tell(self.checked(revision, vec![format!("internal error: {cause}")]));
                }
            }
            let pool = self.pool.clone();
            pool.install(|| self.projects.iter_mut().for_each(Project::store));
        }
    }

    /// Waits for a change, and until there are no more for a while. None if there will be no more.
    fn gather(&self, orders: &Receiver<Order>) -> Option<Vec<Order>> {
        let mut taken = vec![orders.recv().ok()?];
        let start = Instant::now();
        loop {
            let pause = taken.last().map_or(SHORT, |order| self.pause(&order.change));
            let pause = pause.min(AT_MOST.saturating_sub(start.elapsed()));
            match orders.recv_timeout(pause) {
                Ok(order) => taken.push(order),
                Err(RecvTimeoutError::Timeout) => return Some(taken),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// How long it must be quiet after a change: the longer, the longer checks take.
    fn pause(&self, change: &Change) -> Duration {
        let longest = self.projects.iter().map(|project| project.took).max().unwrap_or_default();
        match change {
            Change::Disk(_) => BURST,
            _ => (longest / 8).clamp(SHORT, LONG),
        }
    }

    /// Checks everything that changed. False if there is a newer change to see to first.
    fn work(&mut self, taken: Vec<Order>, revision: u64) -> bool {
        for change in but_for_replaced(taken) {
            self.take(change);
        }
        self.choose_projects();
        let newest = self.newest.clone();
        let is_wanted = move || newest.load(Ordering::Relaxed) == revision;
        for project in &mut self.projects {
            project.refresh(&self.settings, &self.buffers);
            if !project.check(&self.settings, &self.buffers, &is_wanted) {
                return false;
            }
        }
        true
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Folders { added, removed } => {
                self.folders.retain(|folder| !removed.contains(folder));
                let new: Vec<_> = added.into_iter().filter(|folder| !self.folders.contains(folder)).collect();
                self.folders.extend(new);
                self.refused.clear();
            }
            Change::Buffer(path, buffer) => {
                self.projects.iter_mut().for_each(|project| project.edit(&path, &buffer));
                self.buffers.insert(path, buffer);
            }
            Change::Saved(path) => {
                if let Some(buffer) = self.buffers.get_mut(&path) {
                    buffer.unsaved = false;
                }
                if path.extension() == Some("rs") {
                    self.projects.iter_mut().for_each(|project| project.saved(&path));
                } else {
                    self.disk(&path);
                }
            }
            Change::Closed(path) => {
                self.refused.clear();
                if self.buffers.remove(&path).is_some() {
                    self.projects.iter_mut().filter(|it| it.has(&path)).for_each(|project| project.reread(&path));
                }
            }
            Change::Disk(path) => self.disk(&path),
        }
    }

    /// What is open counts, not what is on disk.
    fn disk(&mut self, path: &Utf8Path) {
        if self.settings.config.as_deref() == Some(path) {
            return self.projects.iter_mut().for_each(Project::expire);
        }
        let is_of_interest = is_of_interest(path.as_std_path());
        if is_of_interest {
            self.refused.clear();
        }
        let is_source = path.extension() == Some("rs");
        let is_built = |project: &Project| is_built(project.root().as_std_path(), path.as_std_path());
        // A folder that went took along what was in it.
        let matters = |project: &&mut Project| match is_of_interest {
            true => !is_built(project),
            false => project.has_below(path),
        };
        for project in self.projects.iter_mut().filter(matters) {
            match is_source {
                true if self.buffers.contains_key(path) && project.has(path) => {}
                true => project.reread(path),
                false => project.stale_if_within(path),
            }
        }
    }

    /// A project for each folder, and one for each open file that none of them is for.
    fn choose_projects(&mut self) {
        let folders = self.folders.iter().cloned().map(Place::Folder);
        for place in folders.collect::<Vec<_>>() {
            self.add(place, None);
        }
        let paths: Vec<Utf8PathBuf> = self.buffers.keys().cloned().collect();
        for path in paths.iter().filter(|path| path.extension() == Some("rs")) {
            if let Some(place) = self.place_of(path) {
                self.add(place, Some(path));
            }
        }
        let (folders, buffers) = (&self.folders, &self.buffers);
        self.projects.retain(|project| match &project.place {
            Place::Folder(folder) if folders.contains(folder) => true,
            _ => project.has_any(buffers),
        });
    }

    /// Adds a project, unless it is there, or not the one that this file is looked for in, or the same
    /// as another: two folders of one workspace are one project.
    fn add(&mut self, place: Place, sought: Option<&Utf8Path>) {
        if self.refused.contains(&place) || self.projects.iter().any(|project| project.place == place) {
            return;
        }
        let mut project = Project::new(place);
        project.refresh(&self.settings, &self.buffers);
        let is_double = |other: &Project| {
            matches!((&other.place, &project.place), (Place::Folder(_), Place::Folder(_)))
                && other.root() == project.root()
        };
        if sought.is_some_and(|path| !project.has(path)) || self.projects.iter().any(is_double) {
            self.refused.insert(project.place);
        } else {
            self.projects.push(project);
        }
    }

    /// Where to look for a file that no project has: in its own workspace, if that is not one of those
    /// that leave it out, and within the folders that are open if there are any.
    fn place_of(&self, path: &Utf8Path) -> Option<Place> {
        let manifest = manifest_around(path.parent().unwrap_or(path));
        let is_known = self.projects.iter().any(|project| project.knows(path, manifest.as_deref()));
        let is_outside = !self.folders.is_empty() && !self.folders.iter().any(|folder| path.starts_with(folder));
        if is_known || is_outside {
            return None;
        }
        match manifest.as_deref().and_then(Utf8Path::parent) {
            Some(folder) => Some(Place::Folder(folder.to_owned())),
            None => Some(Place::File(path.to_owned())).filter(|_| self.folders.is_empty() && path.exists()),
        }
    }

    fn checked(&mut self, revision: u64, mut notes: Vec<String>) -> Checked {
        let mut files = BTreeMap::new();
        for project in &mut self.projects {
            for (path, marked) in &project.marked {
                files.entry(path.clone()).or_insert_with(|| marked.clone());
            }
            notes.append(&mut project.notes);
        }
        notes.retain(|note| self.told.insert(note.clone()));
        let versions = self.buffers.iter().map(|(path, buffer)| (path.clone(), buffer.version)).collect();
        Checked { revision, files, versions, notes }
    }
}

/// The changes without the texts that a later one takes the place of: parsing them is for nobody.
fn but_for_replaced(taken: Vec<Order>) -> Vec<Change> {
    let mut newer = BTreeSet::new();
    let mut changes: Vec<Change> = Vec::new();
    for Order { change, .. } in taken.into_iter().rev() {
        match &change {
            Change::Buffer(path, _) if !newer.insert(path.clone()) => {}
            _ => changes.push(change),
        }
    }
    changes.reverse();
    changes
}
