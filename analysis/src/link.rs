//! Joins the facts of all files into one program.
//!
//! Names first, then impls by the type they are for, then the types of every body's locals and what
//! its calls call, in parallel, and last which functions are handlers.

mod exported;
pub(crate) mod impls;
mod inert;
mod macros;
mod methods;
pub(crate) mod paths;
mod query;

use std::convert::Infallible;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::AT_ONCE;
use crate::analysis::{Analysis, GoOn};
use crate::facts::{BodyId, BodyKind, ItemId, ItemKind, Name};
use crate::handlers::{self, Handler};
use crate::infer::{self, FileTypes};
use crate::model::Models;
use crate::names::{Lookup, Names};
use crate::reuse::Earlier;
use crate::source::{FileId, Sources};
use crate::types::{BodyRef, DefId};

use impls::Impls;
pub(crate) use methods::Method;

/// Everything that is known of a set of crates before flows are looked at.
#[derive(Debug)]
pub struct Program {
    /// The files and crates; files that no crate reaches have crates of their own at the end.
    pub sources: Sources,
    /// What is known of libraries.
    pub models: Arc<Models>,
    names: Names,
    impls: Impls,
    /// By file.
    typed: Vec<Arc<FileTypes>>,
    bodies: Vec<BodyRef>,
    /// The function item of each function's body.
    owners: FxHashMap<BodyRef, DefId>,
    handlers: FxHashMap<BodyRef, Handler>,
    /// Functions that are mentioned otherwise than as what is called.
    values: FxHashSet<DefId>,
    exported: FxHashSet<DefId>,
    inert: FxHashSet<DefId>,
}

impl Program {
    /// Links the files of the given crates.
    pub fn link(sources: Sources, models: Models) -> Program {
        let Ok((program, _)) = Program::link_after(None, sources, models.into(), &|| Ok::<(), Infallible>(()));
        program
    }

    /// The same after an earlier analysis, with what of that may still hold. Asks between any two files
    /// whether to go on.
    ///
    /// # Errors
    /// What it is answered.
    pub(crate) fn link_after<'e, S: Send>(
        earlier: Option<&'e Analysis>,
        mut sources: Sources,
        models: Arc<Models>,
        go_on: &GoOn<'_, S>,
    ) -> Result<(Program, Option<Earlier<'e>>), S> {
        go_on()?;
        let names = Names::build(&mut sources, &models);
        go_on()?;
        let mut program = Program {
            sources,
            models,
            names,
            impls: Impls::default(),
            typed: Vec::new(),
            bodies: Vec::new(),
            owners: FxHashMap::default(),
            handlers: FxHashMap::default(),
            values: FxHashSet::default(),
            exported: FxHashSet::default(),
            inert: FxHashSet::default(),
        };
        program.apply_own_models();
        (program.impls, program.exported) = rayon::join(|| Impls::collect(&program), || exported::collect(&program));
        go_on()?;
        program.list_bodies();
        let earlier = earlier.and_then(|earlier| Earlier::of(earlier, &program));
        program.inert = match &earlier {
            Some(earlier) => earlier.program().inert.clone(),
            None => inert::collect(&program),
        };
        let infer_file = |at: usize| {
            let file = FileId(at as u32);
            match earlier.as_ref().and_then(|earlier| earlier.types(file)) {
                Some(types) => Ok(Arc::clone(types)),
                None => go_on().map(|()| Arc::new(infer::file(&program, file))),
            }
        };
        let inferred: Result<Vec<Arc<FileTypes>>, S> =
            (0..program.sources.files.len()).into_par_iter().with_max_len(AT_ONCE).map(infer_file).collect();
        program.typed = inferred?;
        let values = program.typed.iter().flat_map(|file| &file.values).copied().collect::<Vec<_>>();
        program.values.extend(values);
        program.values.extend(program.mentioned_by_macros());
        go_on()?;
        program.handlers = handlers::find(&program);
        Ok((program, earlier))
    }

    /// Items of the program that a user's model speaks of become what it says.
    fn apply_own_models(&mut self) {
        let paths = self.models.own_paths();
        let found = paths.iter().filter_map(|path| Some((self.lookup().own_item(path)?, path))).collect::<Vec<_>>();
        let modelled =
            found.into_iter().map(|(def, path)| (def, self.models.canonical(path).as_ref().into())).collect::<Vec<_>>();
        self.names.set_modelled(modelled);
    }

    /// Functions whose names occur in the bodies of `macro_rules!`: whoever uses the macro may call them.
    fn mentioned_by_macros(&self) -> Vec<DefId> {
        let items = || self.par_items().filter_map(|def| Some((def, self.item(def)?)));
        let mentions: FxHashSet<&Name> = items()
            .filter_map(|(_, item)| match &item.kind {
                ItemKind::MacroRules { mentions } => Some(mentions),
                _ => None,
            })
            .flatten()
            .collect();
        if mentions.is_empty() {
            return Vec::new();
        }
        items()
            .filter(|(_, item)| matches!(item.kind, ItemKind::Function(_)) && mentions.contains(&item.name))
            .map(|(def, _)| def)
            .collect()
    }

    fn list_bodies(&mut self) {
        for (file, at) in self.sources.files.iter().zip(0..) {
            let file_id = FileId(at);
            let Some(facts) = file.facts.as_deref() else { continue };
            for (body, at) in facts.bodies.iter().zip(0..) {
                let id = BodyRef { file: file_id, body: BodyId(at) };
                self.bodies.push(id);
                if let BodyKind::Function(item) | BodyKind::Const(item) = body.kind {
                    self.owners.insert(id, DefId { file: file_id, item });
                }
            }
        }
    }

    /// Looks names up.
    pub fn lookup(&self) -> Lookup<'_> {
        Lookup { sources: &self.sources, models: &self.models, names: &self.names }
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = DefId> + '_ {
        (0..self.sources.files.len()).flat_map(|file| self.items_of(FileId(file as u32)))
    }

    /// The same items in the same order, looked at on all threads.
    pub(crate) fn par_items(&self) -> impl ParallelIterator<Item = DefId> + '_ {
        (0..self.sources.files.len()).into_par_iter().flat_map_iter(|file| self.items_of(FileId(file as u32)))
    }

    fn items_of(&self, file: FileId) -> impl Iterator<Item = DefId> + use<> {
        let count = self.facts(file).map_or(0, |facts| facts.items.len());
        (0..count as u32).map(move |item| DefId { file, item: ItemId(item) })
    }
}
