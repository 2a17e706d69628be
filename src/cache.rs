//! What earlier runs know of files: facts by the hash of the text they were made from.
//!
//! Facts depend on nothing but the text of their file and on this program, so an entry is right for
//! ever and for any file with the same text. Besides, the report of the last run is kept as it was. A
//! run that finds the cache damaged, locked or missing goes on without a word.

pub mod report;

use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use ctxlint_analysis::facts::FileFacts;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::engine::Parsed;
use crate::workspace::Workspace;
use crate::write;

/// Entries that so many runs in a row did not need are dropped.
const MAX_AGE: u8 = 30;

/// The cache of a run.
#[derive(Debug)]
pub struct Cache {
    folder: Utf8PathBuf,
    entries: FxHashMap<u128, Entry>,
}

/// The facts of one text.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    /// How many runs ago it was last needed.
    age: u8,
    /// [`FileFacts`], apart, so that only what is needed is decoded, and that in parallel.
    #[serde(with = "serde_bytes")]
    facts: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    /// [`program`] of the run that wrote it.
    program: u128,
    /// Of the value, to tell a damaged file.
    check: u128,
    #[serde(with = "serde_bytes")]
    value: Vec<u8>,
}

impl Cache {
    /// Reads the cache in this folder; an empty one if there is none that can be used.
    pub fn open(folder: &Utf8Path) -> Cache {
        let entries: Option<Vec<(u128, Entry)>> = unsealed(&folder.join("facts.bin"));
        Cache { folder: folder.to_owned(), entries: entries.unwrap_or_default().into_iter().collect() }
    }

    /// Gives the files of a workspace the facts that are known.
    pub fn fill(&self, workspace: &mut Workspace) {
        if self.entries.is_empty() {
            return;
        }
        workspace.files.par_iter_mut().filter(|file| file.parsed.is_none()).for_each(|file| {
            let entry = self.entries.get(&xxh3_128(file.text.as_bytes()));
            let facts = entry.and_then(|entry| postcard::from_bytes::<FileFacts>(&entry.facts).ok());
            file.parsed = facts.map(|facts| Ok(Arc::new(facts)));
        });
    }

    /// Keeps what a run learned.
    ///
    /// # Errors
    /// Why it could not be written.
    pub fn store(mut self, workspace: &Workspace, parsed: &[Option<Parsed>]) -> Result<(), String> {
        let needed: Vec<(u128, Arc<FileFacts>)> = workspace
            .files
            .par_iter()
            .zip(parsed)
            .filter_map(|(file, parsed)| {
                let facts = parsed.as_ref()?.as_ref().ok()?;
                Some((xxh3_128(file.text.as_bytes()), facts.clone()))
            })
            .collect();
        let is_known = |hash: &u128| self.entries.get(hash).is_some_and(|entry| entry.age == 0);
        let is_current = self.entries.len() == needed.len() && needed.iter().all(|(hash, _)| is_known(hash));
        if is_current {
            return Ok(());
        }
        let new: Vec<(u128, Vec<u8>)> = needed
            .par_iter()
            .filter(|(hash, _)| !self.entries.contains_key(hash))
            .filter_map(|(hash, facts)| Some((*hash, postcard::to_allocvec(&**facts).ok()?)))
            .collect();
        self.entries.values_mut().for_each(|entry| entry.age = entry.age.saturating_add(1));
        for (hash, _) in &needed {
            if let Some(entry) = self.entries.get_mut(hash) {
                entry.age = 0;
            }
        }
        self.entries.extend(new.into_iter().map(|(hash, facts)| (hash, Entry { age: 0, facts })));
        self.entries.retain(|_, entry| entry.age <= MAX_AGE);
        self.write()
    }

    fn write(&self) -> Result<(), String> {
        let folder = &self.folder;
        fs::create_dir_all(folder).map_err(|error| format!("{folder}: {error}"))?;
        mark_as_cache(folder);
        let mut entries: Vec<(&u128, &Entry)> = self.entries.iter().collect();
        entries.sort_by_key(|(hash, _)| **hash);
        let file = folder.join("facts.bin");
        write::atomically(&file, &sealed(&entries)?).map_err(|error| format!("{file}: {error}"))
    }
}

/// A value as the bytes of a cache file.
fn sealed(value: &impl Serialize) -> Result<Vec<u8>, String> {
    let value = postcard::to_allocvec(value).map_err(|error| error.to_string())?;
    let sealed = Sealed { program: program(), check: xxh3_128(&value), value };
    postcard::to_allocvec(&sealed).map_err(|error| error.to_string())
}

/// A value from a cache file that this very program wrote and nothing has damaged.
fn unsealed<T: DeserializeOwned>(file: &Utf8Path) -> Option<T> {
    let bytes = fs::read(file).ok()?;
    let sealed: Sealed = postcard::from_bytes(&bytes).ok()?;
    let is_ours = sealed.program == program() && sealed.check == xxh3_128(&sealed.value);
    if is_ours { postcard::from_bytes(&sealed.value).ok() } else { None }
}

/// Tells one build of this program from another: facts of one are not for the other.
fn program() -> u128 {
    let built = std::env::current_exe().and_then(fs::metadata).map(|found| {
        let changed = found.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        (found.len(), changed.map_or(0, |time| time.as_nanos()))
    });
    let (length, changed) = built.unwrap_or_default();
    xxh3_128(format!("{}\0{length}\0{changed}", env!("CARGO_PKG_VERSION")).as_bytes())
}

/// Backup programs leave out what is marked so.
fn mark_as_cache(folder: &Utf8Path) {
    let text = b"Signature: 8a477f597d28d172789f06886806bc55\n# Written by ctxlint; see https://bford.info/cachedir/\n";
    // Only for the comfort of others: if it fails, nothing is lost.
    let made = fs::OpenOptions::new().write(true).create_new(true).open(folder.join("CACHEDIR.TAG"));
    let _ = made.and_then(|mut tag| tag.write_all(text));
}
