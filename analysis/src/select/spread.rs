//! Words spread: what is declared with a known word is a known word.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::vocabulary::Vocabulary;
use super::{Library, Package};
use crate::model::Models;
use crate::outline::{self, Body, Declaration, End, Kind, Outline, Word};

/// How many words a method has at most that does little else than to ask, or to wait.
const MAX_ANSWER: usize = 12;

/// The words of a package.
#[derive(Debug, Default)]
pub(super) struct Group {
    known: Vocabulary,
    /// Libraries whose names for things are never those of a model.
    others: FxHashSet<Word>,
    /// Some library with a model may be in view.
    pub(super) can_matter: bool,
    /// How many words were known when nothing more followed from them.
    closed: usize,
}

/// The packages, and last a group for the files that are of none, with the words of the models in
/// view and whether they can have any.
pub(super) fn groups(models: &Models, packages: &[Package]) -> Vec<Group> {
    let builtin = models.iter().count() - models.own().len();
    // The user's own models hold everywhere.
    let in_view: Vec<InView<'_>> = (models.iter().zip(0..))
        .filter(|(model, at)| model.matters() || *at >= builtin)
        .map(|(model, at)| InView {
            libraries: model.libraries().collect(),
            everywhere: at >= builtin,
            vocabulary: Vocabulary::of(models, model, model.words.is_empty() && at < builtin),
        })
        .collect();
    let all = packages.iter().map(Some).chain([None]);
    let mut groups: Vec<Group> = all.map(|package| Group::new(&in_view, package)).collect();
    loop {
        let mut changed = false;
        for (at, package) in packages.iter().enumerate() {
            let sees = package.dependencies.iter().any(|of| groups.get(*of).is_some_and(|of| of.can_matter));
            if let Some(group) = groups.get_mut(at).filter(|group| sees && !group.can_matter) {
                group.can_matter = true;
                changed = true;
            }
        }
        if !changed {
            return groups;
        }
    }
}

/// A model that can make a file matter.
struct InView<'m> {
    /// Where one of them is in view, so is the model.
    libraries: FxHashSet<&'m str>,
    /// It is in view in any case.
    everywhere: bool,
    vocabulary: Vocabulary,
}

/// Finds all words: those of a package spread within it, and to the packages that depend on it.
pub(super) fn spread(packages: &[Package], groups: &mut [Group], outlines: &[Vec<&Outline>]) {
    let order = dependencies_first(packages, groups.len());
    // Dependencies may go round in a circle, by way of tests.
    loop {
        let mut changed = false;
        for &at in &order {
            changed |= enrich(packages, groups, outlines, at);
        }
        if !changed {
            return;
        }
    }
}

/// Takes over the words of the dependencies of the package at `at`; whether there are new ones.
fn enrich(packages: &[Package], groups: &mut [Group], outlines: &[Vec<&Outline>], at: usize) -> bool {
    let Some(group) = groups.get_mut(at).filter(|group| group.can_matter) else { return false };
    let mut known = std::mem::take(&mut group.known);
    let dependencies = packages.get(at).into_iter().flat_map(|package| &package.dependencies);
    dependencies.filter_map(|of| groups.get(*of)).for_each(|of| known.extend(&of.known));
    let Some(group) = groups.get_mut(at) else { return false };
    group.known = known;
    if group.known.len() == group.closed {
        return false;
    }
    group.close(outlines.get(at).map_or(&[], Vec::as_slice));
    true
}

/// Every package behind those that it depends on, as far as that goes.
fn dependencies_first(packages: &[Package], count: usize) -> Vec<usize> {
    let mut order = Vec::with_capacity(count);
    let mut met = vec![false; count];
    for start in 0..count {
        let mut left = vec![(start, false)];
        while let Some((at, done)) = left.pop() {
            if done {
                order.push(at);
                continue;
            }
            let Some(met) = met.get_mut(at).filter(|met| !**met) else { continue };
            *met = true;
            left.push((at, true));
            left.extend(packages.get(at).into_iter().flat_map(|package| &package.dependencies).map(|of| (*of, false)));
        }
    }
    order
}

impl Group {
    fn new(models: &[InView<'_>], package: Option<&Package>) -> Group {
        let libraries = || package.into_iter().flat_map(|package| &package.libraries);
        let mut group = Group::default();
        for model in models {
            let speaks_of = |library: &Library| model.libraries.contains(library.known_as.as_str());
            if model.everywhere || package.is_none() || libraries().any(speaks_of) {
                group.known.extend(&model.vocabulary);
                group.can_matter = true;
            }
        }
        let is_modelled = |library: &Library| models.iter().any(|model| model.libraries.contains(&*library.known_as));
        let others = libraries().filter(|library| !library.is_ours && !is_modelled(library));
        group.others = others.map(|library| Word::name(&library.name)).collect();
        group.others.extend(["std", "core", "alloc"].map(Word::name));
        group
    }

    /// Adds words until nothing follows from them.
    fn close(&mut self, files: &[&Outline]) {
        loop {
            let found: Vec<Vocabulary> = files.par_iter().map(|outline| self.follow(outline)).collect();
            let before = self.known.len();
            found.iter().for_each(|found| self.known.extend(found));
            self.closed = self.known.len();
            if self.closed == before {
                return;
            }
        }
    }

    /// The words that follow from what a file declares.
    fn follow(&self, outline: &Outline) -> Vocabulary {
        let seen = self.in_file(outline);
        let mut found = Vocabulary::default();
        for import in outline.imports.iter().filter(|import| import.name != import.of) {
            for (known, found) in [
                (&self.known.words, &mut found.words),
                (&self.known.carriers, &mut found.carriers),
                (&self.known.tokens, &mut found.tokens),
                (&self.known.holders, &mut found.holders),
            ] {
                found.extend(seen.any(known, &[import.of]).then_some(import.name));
            }
        }
        for declaration in &outline.declarations {
            match declaration.kind {
                Kind::Function => seen.follow_function(outline, declaration, &mut found),
                Kind::Type | Kind::Alias => seen.follow_type(outline, declaration, &mut found),
                Kind::Value | Kind::Macro => {
                    let matters = seen.any_outside(outline.words(declaration));
                    found.words.extend(declaration.uses.iter().filter(|_| matters));
                }
            }
        }
        found
    }

    /// The package's words as a file sees them.
    pub(super) fn in_file(&self, outline: &Outline) -> Seen<'_> {
        let foreign = outline.imports.iter().filter(|import| self.others.contains(&import.root));
        Seen { known: &self.known, hidden: foreign.map(|import| import.name).collect() }
    }
}

/// The words of a package as one file sees them.
pub(super) struct Seen<'g> {
    known: &'g Vocabulary,
    /// Names that stand for something else in this file.
    hidden: FxHashSet<Word>,
}

impl Seen<'_> {
    fn any(&self, known: &FxHashSet<Word>, words: &[Word]) -> bool {
        words.iter().any(|word| known.contains(word) && !self.hidden.contains(word))
    }

    /// Whether a word is known.
    pub(super) fn any_word(&self, words: &[Word]) -> bool {
        self.any(&self.known.words, words)
    }

    /// Whether a word is known that stands in no body: there nobody knows whether a guard is kept.
    pub(super) fn any_outside(&self, words: &[Word]) -> bool {
        self.any_word(words) || self.makes_guard(words)
    }

    /// Whether a guard of something else than a context may be made.
    fn makes_guard(&self, words: &[Word]) -> bool {
        self.any(&self.known.guards, words)
    }

    /// Whether one is made in a body's code and not kept.
    pub(super) fn lets_go_of_guard(&self, words: &[Word], code: Option<&str>) -> bool {
        self.makes_guard(words) && code.is_none_or(|code| outline::lets_go(code, |word| self.makes_guard(&[word])))
    }

    fn follow_type(&self, outline: &Outline, declaration: &Declaration, found: &mut Vocabulary) {
        if self.any(&self.known.carriers, outline.words(declaration)) {
            found.carriers.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        if self.any(&self.known.holders, outline.words(declaration)) {
            found.holders.extend(&declaration.uses);
        }
        let mut fields = outline.fields(declaration).peekable();
        if fields.peek().is_none() && self.any(&self.known.tokens, outline.words(declaration)) {
            found.tokens.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        for (field, _) in fields.filter(|(_, words)| self.any(&self.known.tokens, words)) {
            found.words.insert(field.member);
            found.parts.insert(field.name);
        }
    }

    fn follow_function(&self, outline: &Outline, declaration: &Declaration, found: &mut Vocabulary) {
        let known = self.known;
        let container = outline.container(declaration);
        // Whoever calls a method of a known type has a value of it, or names it.
        let of_known = container.is_some_and(|(_, words)| self.any_word(words));
        let gives = outline.gives(declaration);
        if !of_known && (self.any(&known.carriers, gives) || self.any(&known.tokens, gives)) {
            found.words.extend(&declaration.uses);
        }
        // A handler is named where it is put into service.
        let takes = outline.words(declaration);
        if !declaration.has_self && container.is_none() && self.any(&known.carriers, takes) {
            found.words.extend(&declaration.uses);
        }
        let Some(body) = &declaration.body else { return };
        if self.any(&known.roots, outline.body(body)) {
            found.roots.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        if self.answers(outline, declaration, body) {
            found.asks.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        if self.only_waits(outline, declaration, body) {
            found.waits.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        // What gives something comes back to give it.
        if gives.is_empty() && self.exits(outline, body) {
            found.exits.extend(&declaration.uses);
        }
    }

    /// Whether a method asks a context for its state and does little else: who calls it asks that.
    fn answers(&self, outline: &Outline, declaration: &Declaration, body: &Body) -> bool {
        let words = outline.body(body);
        declaration.has_self
            && words.len() <= MAX_ANSWER
            && outline.gives(declaration).contains(&Word::name("bool"))
            && self.any(&self.known.asks, words)
    }

    /// Whether a method of what has a token in it waits for the token's end and does little else: who calls it waits for
    /// that. One that races it with something waits for whatever comes first.
    fn only_waits(&self, outline: &Outline, declaration: &Declaration, body: &Body) -> bool {
        let words = outline.body(body);
        declaration.has_self
            && words.len() <= MAX_ANSWER
            && self.any(&self.known.waits, words)
            && !words.contains(&Word::called_macro("select"))
            && outline.container(declaration).is_some_and(|(_, words)| self.any(&self.known.holders, words))
    }

    /// Whether all of the types of that name are of no interest, with everything in them.
    pub(super) fn is_plain(&self, name: Word) -> bool {
        let Vocabulary { words, carriers, tokens, holders, parts: _, roots: _, exits: _, asks: _, waits: _, guards: _ } =
            self.known;
        ![words, carriers, tokens, holders].into_iter().any(|known| known.contains(&name))
    }

    /// Whether a function is given or gives something with a token in it, if only to look at: of what is left out
    /// nobody knows that it only looks.
    pub(super) fn sees_holder(&self, outline: &Outline, declaration: &Declaration) -> bool {
        self.names_holder(outline, declaration, outline.words(declaration), &["self", "Self"])
    }

    /// Whether a pattern of a function may take apart something with a token in it, for the token.
    pub(super) fn takes_apart(&self, outline: &Outline, declaration: &Declaration, body: &Body) -> bool {
        let names_holder = |words: &[Word]| self.names_holder(outline, declaration, words, &["Self"]);
        let words = outline.body(body);
        self.any(&self.known.parts, words) && (names_holder(words) || names_holder(outline.words(declaration)))
    }

    /// Whether words of a function name something with a token in it, the type it is of by one of these names.
    fn names_holder(&self, outline: &Outline, declaration: &Declaration, words: &[Word], own_names: &[&str]) -> bool {
        let own = || outline.container(declaration).is_some_and(|(_, words)| self.any(&self.known.holders, words));
        let says_own = || own_names.iter().any(|name| words.contains(&Word::name(name)));
        self.any(&self.known.holders, words) || (says_own() && own())
    }

    /// Whether a body ends the process, or may call what does.
    pub(super) fn exits(&self, outline: &Outline, body: &Body) -> bool {
        body.end == End::Exits || self.any(&self.known.exits, outline.body(body))
    }
}
