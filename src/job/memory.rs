//! What a run takes from the cache and leaves there.

use std::cell::RefCell;

use camino::{Utf8Path, Utf8PathBuf};

use crate::cache::Cache;
use crate::cache::report::{Kept, key};
use crate::config::Config;
use crate::engine::Parsed;
use crate::report::Report;
use crate::workspace::Workspace;

/// The cache as one run uses it; everything is empty in a run without one.
#[derive(Default)]
pub(super) struct Memory {
    folder: Option<Utf8PathBuf>,
    facts: Option<Cache>,
    last: Option<Kept>,
    new: RefCell<Option<Kept>>,
}

impl Memory {
    /// Reads the last report, and if that is of other files, the facts of those that are the same. No
    /// kept report has a graph: one that is to be drawn makes it anew.
    pub(super) fn open(folder: Option<&Utf8Path>, workspace: &mut Workspace, config: &Config, draw: bool) -> Memory {
        let Some(folder) = folder else { return Memory::default() };
        let last = if draw { None } else { Kept::read(folder) };
        let is_same = last.as_ref().is_some_and(|last| last.report(key(workspace, config)).is_some());
        let facts = (!is_same).then(|| Cache::open(folder));
        if let Some(facts) = &facts {
            facts.fill(workspace);
        }
        Memory { folder: Some(folder.to_owned()), facts, last, new: RefCell::default() }
    }

    /// The report of the last run, if it is of the same files.
    ///
    /// # Errors
    /// The key to keep a new report under.
    pub(super) fn recall(&self, workspace: &Workspace, config: &Config) -> Result<Report, u128> {
        if self.folder.is_none() {
            return Err(0);
        }
        let key = key(workspace, config);
        self.last.as_ref().and_then(|last| last.report(key)).ok_or(key)
    }

    /// Remembers a report.
    pub(super) fn keep(&self, key: u128, report: &Report) {
        if self.folder.is_some() {
            *self.new.borrow_mut() = Kept::new(key, report);
        }
    }

    /// Writes what is new.
    pub(super) fn store(self, workspace: &Workspace, parsed: &[Option<Parsed>]) -> Result<(), String> {
        let (Some(folder), Some(new)) = (&self.folder, self.new.into_inner()) else { return Ok(()) };
        if let Some(facts) = self.facts {
            facts.store(workspace, parsed)?;
        }
        new.write(folder)
    }
}
