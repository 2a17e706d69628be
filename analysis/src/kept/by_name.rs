//! What no flow tells of: fields whose names stand in macros, after what has no known type, or in bodies that were not
//! looked at, since all they may do is to wait.

use std::collections::BTreeSet;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::{Analysis, grouped};
use crate::facts::{Callee, ItemKind, Name, Op, OpKind, PathRef, Place, Step};
use crate::flow::kept::{Field, of_place};
use crate::flow::value::Uses;
use crate::link::Program;
use crate::model::{FnModel, FnRole};
use crate::source::FileId;
use crate::types::{BodyRef, Target};

/// What is done with some fields where only their names tell so.
pub(super) fn uses<'f>(analysis: &Analysis, fields: impl Iterator<Item = &'f Field>) -> BTreeSet<(Field, Uses)> {
    let program = &analysis.program;
    let names =
        Names { analysis, fields: grouped(fields.map(|field| (field.1.clone(), field))), macros: macros(program) };
    let in_body = |who: &BodyRef| {
        let used = program.operations(*who).flat_map(|(op, target)| names.used(*who, op, target));
        used.map(|(field, uses)| (field.clone(), uses)).collect::<Vec<_>>()
    };
    let real = program.bodies().par_iter().filter(|who| !program.is_test(**who));
    let mut found: BTreeSet<(Field, Uses)> = real.flat_map_iter(in_body).collect();
    found.extend(names.said_among_items().map(|field| (field.clone(), Uses::OPAQUE)));
    found
}

/// What the rules of macros say, by the macros' names, with what the macros say that they call.
type Macros<'a> = FxHashMap<&'a Name, FxHashSet<&'a Name>>;

fn macros(program: &Program) -> Macros<'_> {
    let mut macros = Macros::default();
    let facts = program.sources.files.iter().filter_map(|file| file.facts.as_deref());
    for item in facts.flat_map(|facts| &facts.items) {
        if let ItemKind::MacroRules { mentions } = &item.kind {
            macros.entry(&item.name).or_default().extend(mentions);
        }
    }
    let names: Vec<&Name> = macros.keys().copied().collect();
    for name in names {
        let mut said = macros.get(name).cloned().unwrap_or_default();
        let mut left: Vec<&Name> = said.iter().copied().collect();
        while let Some(called) = left.pop() {
            left.extend(macros.get(called).into_iter().flatten().filter(|name| said.insert(name)));
        }
        macros.insert(name, said);
    }
    macros
}

struct Names<'a> {
    analysis: &'a Analysis,
    /// The fields, by their names.
    fields: FxHashMap<Name, Vec<&'a Field>>,
    macros: Macros<'a>,
}

impl<'a> Names<'a> {
    fn program(&self) -> &'a Program {
        &self.analysis.program
    }

    fn of_name(&self, name: &Name) -> impl Iterator<Item = &'a Field> + use<'a, '_> {
        self.fields.get(name).into_iter().flatten().copied()
    }

    /// Those that a body may mean.
    fn seen(&self, who: BodyRef, name: &Name) -> impl Iterator<Item = &'a Field> + use<'a, '_> {
        self.of_name(name).filter(move |(owner, name)| self.program().may_say(who, *owner, name))
    }

    /// The fields whose names a macro's call says, or the rules of that macro.
    fn said(&self, path: Option<&PathRef>, paths: &[PathRef], fields: &[Name]) -> Vec<&'a Field> {
        let rules = path.and_then(|path| self.macros.get(&path.segments.last()?.name));
        let in_rules = rules.into_iter().flatten().copied();
        let mut found: Vec<&Field> = in_rules.chain(fields).flat_map(|name| self.of_name(name)).collect();
        // A pattern says the struct's name, too.
        let says = |name: &str| paths.iter().any(|path| path.last() == name);
        let words = paths.iter().flat_map(|path| &path.segments).flat_map(|word| self.of_name(&word.name));
        let is_apart =
            |(owner, _): &&Field| says("Self") || self.program().item(*owner).is_some_and(|it| says(&it.name));
        found.extend(words.filter(is_apart));
        found
    }

    /// What macros among items say: they may make any code there. What a file says that is included is not known.
    fn said_among_items(&self) -> impl Iterator<Item = &'a Field> {
        let files = (0..self.program().sources.files.len() as u32).map(FileId);
        files.flat_map(move |file| {
            let items = self.program().facts(file).into_iter().flat_map(|facts| &facts.items);
            items.flat_map(move |item| {
                let ItemKind::MacroCall { path, mentions, fields } = &item.kind else { return Vec::new() };
                let here = (file, item.scope);
                if path.last() == "include" {
                    let all = self.fields.values().flatten().copied();
                    return all.filter(|(owner, _)| self.program().is_beside(here, *owner)).collect();
                }
                let said = self.said(Some(path), mentions, fields).into_iter();
                said.filter(|(owner, name)| self.program().sees_field(here, *owner, name)).collect()
            })
        })
    }

    /// The fields that an operation may get at by their names, with what it does with them.
    fn used(&self, who: BodyRef, op: &Op, target: &Target) -> Vec<(&'a Field, Uses)> {
        let opaque = |field: &'a Field| (field, Uses::OPAQUE);
        let place = match &op.kind {
            OpKind::Use(place) | OpKind::Ref(place, _) | OpKind::Assign { place, .. } => place,
            OpKind::MethodCall { receiver, .. } => receiver,
            OpKind::Call { callee: Callee::Value(place), .. } => place,
            OpKind::Unknown { path, paths, fields, .. } => {
                let said = self.said(path.as_ref(), paths, fields).into_iter();
                return said.filter(|(owner, name)| self.program().may_say(who, *owner, name)).map(opaque).collect();
            }
            _ => return Vec::new(),
        };
        if !fields_in(place).any(|name| self.fields.contains_key(name)) {
            return Vec::new();
        }
        let Some(typed) = self.program().typed(who) else { return Vec::new() };
        let is_looked_at = self.analysis.flow(who).is_some();
        let part = |end: usize| Place { base: place.base, path: place.path.get(..end).unwrap_or_default().to_vec() };
        let parts =
            (1..=place.path.len()).filter_map(|end| of_place(self.program(), typed.local(place.base), &part(end)));
        let used = parts.flat_map(|(owner, name)| -> Vec<(&Field, Uses)> {
            match owner {
                Some(_) if is_looked_at => Vec::new(),
                Some(owner) => {
                    let uses = self.at_rest(op, target);
                    self.of_name(&name).filter(|field| field.0 == owner).map(|field| (field, uses)).collect()
                }
                None if self.only_waits(op) => Vec::new(),
                None => self.seen(who, &name).map(opaque).collect(),
            }
        });
        used.collect()
    }

    /// What an operation does with the token it begins with, in a body that was not looked at: nothing in it cancels.
    fn at_rest(&self, op: &Op, target: &Target) -> Uses {
        match (&op.kind, self.program().model_of(target)) {
            (OpKind::MethodCall { .. }, Some(model)) if is_wait(model) => Uses::WAIT,
            (OpKind::MethodCall { .. }, Some(_)) => Uses::default(),
            _ => Uses::OPAQUE,
        }
    }

    /// Whether an operation calls a method that only waits for the end of a token, or asks for it, if it is of one.
    fn only_waits(&self, op: &Op) -> bool {
        let OpKind::MethodCall { name, .. } = &op.kind else { return false };
        let models = &self.program().models;
        let of_tokens = |model: &&FnModel| models.owner(&model.path).is_some_and(|ty| ty.own_handle);
        let mut named = models.methods_named(name).filter(of_tokens).peekable();
        named.peek().is_some() && named.all(is_wait)
    }
}

fn is_wait(model: &FnModel) -> bool {
    matches!(model.role, FnRole::Wait | FnRole::IsDone | FnRole::State | FnRole::Run | FnRole::RunSelf)
}

fn fields_in(place: &Place) -> impl Iterator<Item = &Name> {
    place.path.iter().filter_map(|step| match step {
        Step::Field(name) | Step::Variant(_, name) => Some(name),
        _ => None,
    })
}
