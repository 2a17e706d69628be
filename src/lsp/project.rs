//! A folder of the editor as the check sees it: files from disk, and over them what is being edited.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use rustc_hash::FxHashMap;

use super::buffer::Buffer;
use super::findings::{Broken, Marked, Show};
use super::position::Encoding;
use crate::cache::Cache;
use crate::check::check_while;
use crate::config::{self, Config, ConfigError};
use crate::discover::{self, Plan, Request};
use crate::engine::{self, Memory};
use crate::workspace::{File, Workspace};

/// What the editor calls its files.
pub(super) type Buffers = BTreeMap<Utf8PathBuf, Buffer>;

/// What a project is made from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// A folder: the workspace around it, or all that is in it.
    Folder(Utf8PathBuf),
    /// A file that belongs to nothing.
    File(Utf8PathBuf),
}

/// How to check and how to show.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// A configuration instead of the one that would be found.
    pub(super) config: Option<Utf8PathBuf>,
    /// Levels from the command line; its layers are filled in.
    pub(super) levels: Config,
    pub(super) encoding: Encoding,
    pub(super) related: bool,
}

/// How much of a project is out of date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Current,
    /// Texts changed.
    Changed,
    /// Files may have come or gone, or the configuration may have changed.
    Stale,
}

/// A project.
pub(super) struct Project {
    pub(super) place: Place,
    state: State,
    config: Config,
    config_error: Option<ConfigError>,
    workspace: Workspace,
    by_path: FxHashMap<Utf8PathBuf, usize>,
    broken: FxHashMap<usize, Broken>,
    cache: Option<Cache>,
    memory: Memory,
    /// What is to be shown.
    pub(super) marked: Vec<(Utf8PathBuf, Arc<Marked>)>,
    /// What else there is to say since the last time.
    pub(super) notes: Vec<String>,
    /// How long the last check took.
    pub(super) took: Duration,
}

impl Project {
    /// One that is still to be read.
    pub(super) fn new(place: Place) -> Project {
        Project {
            place,
            state: State::Stale,
            config: Config::default(),
            config_error: None,
            workspace: Workspace::default(),
            by_path: FxHashMap::default(),
            broken: FxHashMap::default(),
            cache: None,
            memory: Memory::default(),
            marked: Vec::new(),
            notes: Vec::new(),
            took: Duration::ZERO,
        }
    }

    /// Reads what has to be read.
    pub(super) fn refresh(&mut self, settings: &Settings, buffers: &Buffers) {
        if self.state < State::Stale {
            return;
        }
        let plan = discover::plan(&self.request());
        self.configure(settings, &plan);
        let cache = plan.target_folder().map(|target| target.join("ctxlint"));
        let found = plan.read(&|file: &Utf8Path| self.config.excludes(file));
        let old = std::mem::replace(&mut self.workspace, found.workspace);
        self.keep_parsed(&old);
        if let Some(cache) = cache.filter(|_| old.files.is_empty()).map(|folder| Cache::open(&folder)) {
            cache.fill(&mut self.workspace);
            self.cache = Some(cache);
        }
        self.notes.extend(found.problems.into_iter().map(|problem| problem.message));
        self.add_unsaved(buffers);
        let files = self.workspace.files.iter().enumerate();
        self.by_path = files.map(|(index, file)| (file.absolute.clone(), index)).collect();
        self.broken.clear();
        for (path, buffer) in buffers {
            self.edit(path, buffer);
        }
        self.state = State::Changed;
    }

    fn request(&self) -> Request {
        match &self.place {
            Place::Folder(folder) => Request { current: folder.clone(), ..Request::default() },
            Place::File(file) => Request {
                current: file.parent().unwrap_or(file).to_owned(),
                paths: vec![file.clone()],
                ..Request::default()
            },
        }
    }

    /// Reads the configuration. With an error in it, what was in force stays so until that is mended.
    fn configure(&mut self, settings: &Settings, plan: &Plan) {
        let layers = match config::layers(settings.config.as_deref(), plan) {
            Ok(layers) => {
                self.config_error = None;
                layers
            }
            Err(error) => {
                self.config_error = Some(error);
                std::mem::take(&mut self.config.layers)
            }
        };
        self.config = Config { layers, ..settings.levels.clone() };
    }

    /// Takes over what is known of texts that are the same; and what parsed last still stands in for what
    /// is being edited, whatever was saved since.
    fn keep_parsed(&mut self, old: &Workspace) {
        for file in &mut self.workspace.files {
            let Some(&index) = self.by_path.get(&file.absolute) else { continue };
            let Some(before) = old.files.get(index) else { continue };
            if before.text == file.text {
                file.parsed.clone_from(&before.parsed);
            } else if self.broken.contains_key(&index) {
                *file = File { parsed: before.parsed.clone(), ..file.with_text(&before.text) };
            }
        }
    }

    /// Files that are not on disk yet.
    fn add_unsaved(&mut self, buffers: &Buffers) {
        let Place::Folder(folder) = &self.place else { return };
        let is_new = |path: &Utf8Path| {
            path.extension() == Some("rs") && path.starts_with(folder) && !path.exists() && !self.config.excludes(path)
        };
        for (path, buffer) in buffers.iter().filter(|(path, _)| is_new(path)) {
            let shown = path.strip_prefix(&self.workspace.root).unwrap_or(path).as_str().replace('\\', "/");
            let mut file = File::new(shown, path.clone(), &buffer.text);
            let packages = self.workspace.packages.iter().enumerate();
            let around = packages.filter(|(_, package)| path.starts_with(package.folder()));
            file.package = around.max_by_key(|(_, package)| package.folder().as_str().len()).map(|(index, _)| index);
            self.workspace.insert(file);
        }
    }

    /// Whether this is the place to look for a file, though it may be left out here.
    pub(super) fn knows(&self, path: &Utf8Path, manifest: Option<&Utf8Path>) -> bool {
        let is_member = |manifest: &Utf8Path| {
            manifest == self.workspace.root.join("Cargo.toml")
                || self.workspace.packages.iter().any(|package| package.manifest == manifest)
        };
        self.by_path.contains_key(path) || manifest.is_some_and(is_member)
    }

    /// Puts a text of the editor over that of a file.
    pub(super) fn edit(&mut self, path: &Utf8Path, buffer: &Buffer) {
        let Some(&index) = self.by_path.get(path) else {
            return if self.may_be_new(path) {
                self.state = State::Stale
            };
        };
        let Some(file) = self.workspace.files.get_mut(index) else { return };
        let text = buffer.text.strip_prefix('\u{feff}').unwrap_or(&buffer.text);
        if *file.text == *text {
            if self.broken.remove(&index).is_some() {
                self.state = self.state.max(State::Changed);
            }
            return;
        }
        self.state = self.state.max(State::Changed);
        match engine::parse(text) {
            // Something that parsed, or that nobody asked whether it does, is checked in its stead.
            Err(error) if !matches!(file.parsed, Some(Err(_))) => {
                self.broken.insert(index, Broken::new(Arc::from(text), &file.text, error));
            }
            parsed => {
                *file = file.with_text(text);
                file.parsed = Some(parsed);
                // What is being edited is looked at whole: it has just been parsed so.
                file.named = true;
                self.broken.remove(&index);
            }
        }
    }

    /// A file that is not known because it was not there when the files were listed.
    fn may_be_new(&self, path: &Utf8Path) -> bool {
        let Place::Folder(folder) = &self.place else { return false };
        path.starts_with(folder) && !path.exists() && !self.config.excludes(path)
    }

    /// Takes a file from disk again.
    pub(super) fn reread(&mut self, path: &Utf8Path) {
        let Some(&index) = self.by_path.get(path) else { return self.stale_if_within(path) };
        let Some(file) = self.workspace.files.get_mut(index) else { return };
        let Ok(text) = std::fs::read_to_string(path) else {
            self.state = State::Stale;
            return;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let was_broken = self.broken.remove(&index).is_some();
        if *file.text != *text {
            *file = file.with_text(text);
            self.state = self.state.max(State::Changed);
        } else if was_broken {
            self.state = self.state.max(State::Changed);
        }
    }

    /// Something came, went or changed that decides about more than itself.
    pub(super) fn stale_if_within(&mut self, path: &Utf8Path) {
        let is_within = match &self.place {
            Place::Folder(folder) => path.starts_with(folder) || path.starts_with(&self.workspace.root),
            Place::File(file) => file == path,
        };
        // A configuration above counts too.
        let is_above = path.parent().is_some_and(|folder| self.workspace.root.starts_with(folder));
        if is_within || is_above {
            self.state = State::Stale;
        }
    }

    /// Everything is to be read again.
    pub(super) fn expire(&mut self) {
        self.state = State::Stale;
    }

    /// That a text was saved decides how loud it is told that it does not parse.
    pub(super) fn saved(&mut self, path: &Utf8Path) {
        if self.by_path.get(path).is_some_and(|index| self.broken.contains_key(index)) {
            self.state = self.state.max(State::Changed);
        }
    }

    /// Whether one of these files is part of it.
    pub(super) fn has_any(&self, buffers: &Buffers) -> bool {
        buffers.keys().any(|path| self.by_path.contains_key(path))
    }

    /// Whether a file is part of it.
    pub(super) fn has(&self, path: &Utf8Path) -> bool {
        self.by_path.contains_key(path)
    }

    /// Whether a file below a folder is part of it.
    pub(super) fn has_below(&self, folder: &Utf8Path) -> bool {
        self.by_path.keys().any(|path| path != folder && path.starts_with(folder))
    }

    /// The folder that paths are relative to.
    pub(super) fn root(&self) -> &Utf8Path {
        &self.workspace.root
    }

    /// Checks what changed. False if it stopped because nobody wants to know any more.
    pub(super) fn check(
        &mut self,
        settings: &Settings,
        buffers: &Buffers,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> bool {
        if self.state == State::Current {
            return true;
        }
        let start = Instant::now();
        let outcome = check_while(&self.workspace, &self.config, &mut self.memory, is_wanted);
        let parsed = match &outcome {
            Ok(report) => &report.parsed,
            Err(stopped) => &stopped.parsed,
        };
        for (file, parsed) in self.workspace.files.iter_mut().zip(parsed) {
            if parsed.is_some() {
                file.parsed.clone_from(parsed);
            }
        }
        let Ok(report) = outcome else { return false };
        self.took = start.elapsed();
        self.state = State::Current;
        let show = Show {
            workspace: &self.workspace,
            config: &self.config,
            broken: &self.broken,
            buffers,
            encoding: settings.encoding,
            related: settings.related,
        };
        self.marked = show.report(&report);
        self.marked.extend(self.config_error.as_ref().and_then(|error| show.config_error(error)));
        self.notes.extend(report.failures.iter().chain(&report.notes).cloned());
        true
    }

    /// Keeps for the next start what the first check learned.
    pub(super) fn store(&mut self) {
        if let Some(cache) = self.cache.take() {
            let parsed: Vec<_> = self.workspace.files.iter().map(|file| file.parsed.clone()).collect();
            // A cache that cannot be written costs time, nothing else.
            let _ = cache.store(&self.workspace, &parsed);
        }
    }
}
