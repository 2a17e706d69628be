//! Which files can matter at all, and which bodies in them: parsing dominates the cost of a check,
//! so nothing else is parsed.
//!
//! What is looked for are words: the names of a library's contexts, handles and guards, then, over
//! and over, the names of what is made of them: types with a field of such a type, functions that
//! give one, statics, macros. A body without any such word has no context in hand, and whoever calls
//! it learns nothing from it. A type that merely has a token among its fields is not followed, or a
//! service would be nothing else; the field is. Words are found by package: what one package declares matters to
//! itself and to those that depend on it.
//!
//! A function that makes a root is looked for by its own name too, and so are those that call it,
//! since whether only handlers reach it depends on all of them.

use std::sync::OnceLock;

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use crate::facts::Span;
use crate::model::{FnRole, Model, Models, TypeRole};
use crate::outline::{Body, Declaration, End, Kind, Outline, Word};

/// Where words may stand for the words of a model.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The libraries it names in its manifest, and itself.
    pub libraries: Vec<Library>,
    /// Those of its dependencies that are packages of the same run: indices.
    pub dependencies: Vec<usize>,
}

/// A library in view.
#[derive(Clone, Debug)]
pub struct Library {
    /// As code calls it.
    pub name: String,
    /// As models call it.
    pub known_as: String,
    /// It is part of the same run.
    pub is_ours: bool,
}

/// A file to select from.
#[derive(Clone, Copy, Debug)]
pub struct File<'f> {
    /// Its text.
    pub text: &'f str,
    /// Its package, an index; a file of none may speak of any library.
    pub package: Option<usize>,
    /// Its outline, made here where it is asked for.
    pub outline: &'f OnceLock<Outline>,
}

/// What of a file is to be parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Something in it can matter.
    pub matters: bool,
    /// The bodies to leave out: what stands between their braces, in source order.
    pub quiet: Vec<Span>,
}

/// Words, by what follows from them.
#[derive(Clone, Debug, Default)]
struct Vocabulary {
    /// All of them: a body with one matters.
    words: FxHashSet<Word>,
    /// Types of contexts that carry more than their end, and what is made of them.
    carriers: FxHashSet<Word>,
    /// Types of tokens, and what is little else.
    tokens: FxHashSet<Word>,
    /// Functions that make or detach carriers, and all that call them: what is wrong there depends on
    /// who calls.
    roots: FxHashSet<Word>,
    /// Functions that end the process, and all that call them.
    exits: FxHashSet<Word>,
}

impl Vocabulary {
    fn len(&self) -> usize {
        self.words.len() + self.carriers.len() + self.tokens.len() + self.roots.len() + self.exits.len()
    }

    fn extend(&mut self, other: &Vocabulary) {
        self.words.extend(&other.words);
        self.carriers.extend(&other.carriers);
        self.tokens.extend(&other.tokens);
        self.roots.extend(&other.roots);
        self.exits.extend(&other.exits);
    }
}

/// Chooses what to parse of each file. A file that cannot matter has its choice too, in case it is
/// parsed for the sake of others.
pub fn select(models: &Models, packages: &[Package], files: &[File<'_>]) -> Vec<Choice> {
    let mut groups: Vec<Group> = packages.iter().map(|package| Group::new(models, Some(package))).collect();
    groups.push(Group::new(models, None));
    let loose = packages.len();
    reach(packages, &mut groups);
    let group_of = |file: &File<'_>| file.package.filter(|package| *package < loose).unwrap_or(loose);

    let outlines: Vec<Option<&Outline>> = files
        .par_iter()
        .map(|file| {
            let can_matter = groups.get(group_of(file)).is_some_and(|group| group.can_matter);
            can_matter.then(|| file.outline.get_or_init(|| Outline::of(file.text)))
        })
        .collect();
    let by_group: Vec<Vec<usize>> = (0..=loose)
        .map(|group| (0..files.len()).filter(|file| files.get(*file).map(group_of) == Some(group)).collect())
        .collect();
    spread(packages, &mut groups, &by_group, &outlines);

    files
        .par_iter()
        .zip(&outlines)
        .map(|(file, outline)| match (groups.get(group_of(file)), outline) {
            (Some(group), Some(outline)) if group.can_matter => group.choose(file.text, outline),
            // Suppressions are looked at wherever they are.
            _ => Choice { matters: file.text.contains("ctxlint"), quiet: Vec::new() },
        })
        .collect()
}

/// The words of a package.
#[derive(Debug, Default)]
struct Group {
    known: Vocabulary,
    /// Libraries whose names for things are never those of a model.
    others: FxHashSet<Word>,
    /// Functions that start work.
    starters: FxHashSet<Word>,
    /// Some library with a model may be in view.
    can_matter: bool,
}

impl Group {
    fn new(models: &Models, package: Option<&Package>) -> Group {
        let mut group = Group::default();
        let libraries = || package.into_iter().flat_map(|package| &package.libraries);
        let builtin = models.iter().count() - models.own().len();
        for (model, at) in models.iter().zip(0..) {
            let is_own = at >= builtin;
            if model.words.is_empty() && !is_own {
                continue;
            }
            if is_own || package.is_none() || libraries().any(|library| library.known_as == model.name) {
                group.known.extend(&Vocabulary::of(model));
                group.can_matter = true;
            }
        }
        let starts = |role| matches!(role, FnRole::Spawn | FnRole::Scope);
        let starters = models.iter().flat_map(|model| &model.functions).filter(|function| starts(function.role));
        group.starters = starters
            .flat_map(|function| last_segments(&function.path))
            .flat_map(|name| [Word::function(&name), Word::member(&name)])
            .collect();
        let is_modelled =
            |library: &Library| models.iter().any(|model| model.name == library.known_as && !model.words.is_empty());
        let others = libraries().filter(|library| !library.is_ours && !is_modelled(library));
        group.others = others.map(|library| Word::name(&library.name)).collect();
        group.others.extend(["std", "core", "alloc"].map(Word::name));
        group
    }
}

impl Vocabulary {
    /// The names by which a model's things appear.
    fn of(model: &Model) -> Vocabulary {
        let mut found = Vocabulary::default();
        let mut types: FxHashSet<String> = FxHashSet::default();
        for ty in model.types.iter().filter(|ty| matters(ty.role)) {
            types.extend(std::iter::once(&ty.path).chain(&ty.also).flat_map(|path| last_segments(path)));
        }
        let contexts = || model.types.iter().filter(|ty| ty.role == TypeRole::Context);
        let carries = contexts().any(|ty| !ty.own_handle);
        let is_token = contexts().any(|ty| ty.own_handle);
        for function in &model.functions {
            let is_root = matches!(
                function.role,
                FnRole::Root | FnRole::Placeholder | FnRole::Never | FnRole::Detach | FnRole::Reparent
            );
            for path in std::iter::once(&function.path).chain(&function.also) {
                let owners = path.rsplit_once("::").map_or_else(Vec::new, |(owner, _)| last_segments(owner));
                let of_type = owners.iter().any(|owner| types.contains(owner));
                for name in last_segments(path) {
                    if is_root && carries {
                        found.roots.extend([Word::member(&name), Word::function(&name)]);
                    }
                    if !of_type && gives(function.role) {
                        let is_free = owners.iter().all(|owner| !owner.starts_with(char::is_uppercase));
                        found.words.insert(if is_free { Word::function(&name) } else { Word::member(&name) });
                    }
                }
            }
        }
        let types: Vec<Word> = types.iter().map(|name| Word::name(name)).collect();
        found.words.extend(&types);
        match (carries, is_token) {
            (true, _) => found.carriers.extend(&types),
            (false, true) => found.tokens.extend(&types),
            (false, false) => {}
        }
        found
    }
}

/// The names at the end of a model's path: `a::{B, C}` has two.
fn last_segments(path: &str) -> Vec<String> {
    let (list, _) = path.rsplit_once('}').unwrap_or((path, ""));
    let last = if path.ends_with('}') {
        list.rsplit_once('{').map_or(list, |(_, list)| list)
    } else {
        path.rsplit("::").next().unwrap_or(path)
    };
    last.split(',').filter_map(|name| name.trim().rsplit("::").next()).map(str::to_owned).collect()
}

/// Whether a value of the type is a context, comes with one, or ends with one.
fn matters(role: TypeRole) -> bool {
    matches!(
        role,
        TypeRole::Context
            | TypeRole::Handle
            | TypeRole::Guard
            | TypeRole::Stop
            | TypeRole::Task
            | TypeRole::TaskSet
            | TypeRole::Group
            | TypeRole::Request
            | TypeRole::Extractor
            | TypeRole::Next
            | TypeRole::Process
    )
}

/// Whether a function brings a context, handle or guard to those who had none.
fn gives(role: FnRole) -> bool {
    matches!(
        role,
        FnRole::Root
            | FnRole::Placeholder
            | FnRole::Never
            | FnRole::Derive
            | FnRole::Detach
            | FnRole::Reparent
            | FnRole::RequestContext
            | FnRole::RequestValue
            | FnRole::Guard
            | FnRole::GuardRef
            | FnRole::OtherGuard
            | FnRole::MakeGroup
            | FnRole::MakeTaskSet
            | FnRole::AbortOnDrop
            | FnRole::Wrap
            | FnRole::Callback
    )
}

/// Lets every package see what the packages it depends on can see.
fn reach(packages: &[Package], groups: &mut [Group]) {
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
            return;
        }
    }
}

/// Finds all words: those of a package spread within it, and to the packages that depend on it.
fn spread(packages: &[Package], groups: &mut [Group], by_group: &[Vec<usize>], outlines: &[Option<&Outline>]) {
    loop {
        let mut changed = false;
        for at in 0..groups.len() {
            let dependencies = packages.get(at).into_iter().flat_map(|package| &package.dependencies);
            let inherited: Vec<Vocabulary> =
                dependencies.filter_map(|of| groups.get(*of)).map(|of| of.known.clone()).collect();
            let Some(group) = groups.get_mut(at).filter(|group| group.can_matter) else { continue };
            let before = group.known.len();
            inherited.iter().for_each(|known| group.known.extend(known));
            let files: Vec<&Outline> = by_group
                .get(at)
                .into_iter()
                .flatten()
                .filter_map(|file| outlines.get(*file).copied().flatten())
                .collect();
            group.close(&files);
            changed |= group.known.len() != before;
        }
        if !changed {
            return;
        }
    }
}

impl Group {
    /// Adds words until nothing follows from them.
    fn close(&mut self, files: &[&Outline]) {
        loop {
            let found: Vec<Vocabulary> = files.par_iter().map(|outline| self.follow(outline)).collect();
            let before = self.known.len();
            found.iter().for_each(|found| self.known.extend(found));
            if self.known.len() == before {
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
            ] {
                found.extend(seen.any(known, &[import.of]).then_some(import.name));
            }
        }
        for declaration in &outline.declarations {
            match declaration.kind {
                Kind::Function => seen.follow_function(outline, declaration, &mut found),
                Kind::Type => seen.follow_type(outline, declaration, &mut found),
                Kind::Value | Kind::Macro => {
                    let matters = seen.any(&self.known.words, outline.words(declaration));
                    found.words.extend(declaration.uses.iter().filter(|_| matters));
                }
            }
        }
        found
    }

    fn in_file<'g>(&'g self, outline: &Outline) -> Seen<'g> {
        let foreign = outline.imports.iter().filter(|import| self.others.contains(&import.root));
        Seen { group: self, hidden: foreign.map(|import| import.name).collect() }
    }

    /// What of a file matters, if anything does.
    fn choose(&self, text: &str, outline: &Outline) -> Choice {
        let seen = self.in_file(outline);
        let mut matters =
            text.contains("ctxlint") || outline.imports.iter().any(|import| seen.any_word(&[import.name]));
        let mut quiet = Vec::new();
        for declaration in &outline.declarations {
            let Some(body) = declaration.body else {
                matters |= seen.any_word(outline.words(declaration));
                continue;
            };
            if seen.needs(outline, declaration, &body) {
                matters = true;
            } else if let Some(span) = body.span
                && !seen.may_matter(outline, declaration, &body)
                && !says_directive(text, span)
            {
                quiet.push(span);
            }
        }
        Choice { matters, quiet }
    }
}

fn says_directive(text: &str, span: Span) -> bool {
    text.get(span.start as usize..span.end as usize).is_some_and(|body| body.contains("ctxlint"))
}

/// The words of a package as one file sees them.
struct Seen<'g> {
    group: &'g Group,
    /// Names that stand for something else in this file.
    hidden: FxHashSet<Word>,
}

impl Seen<'_> {
    fn any(&self, known: &FxHashSet<Word>, words: &[Word]) -> bool {
        words.iter().any(|word| known.contains(word) && !self.hidden.contains(word))
    }

    fn any_word(&self, words: &[Word]) -> bool {
        self.any(&self.group.known.words, words)
    }

    fn follow_type(&self, outline: &Outline, declaration: &Declaration, found: &mut Vocabulary) {
        let known = &self.group.known;
        if self.any(&known.carriers, outline.words(declaration)) {
            found.carriers.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        let mut fields = outline.fields(declaration).peekable();
        if fields.peek().is_none() && self.any(&known.tokens, outline.words(declaration)) {
            found.tokens.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        found.words.extend(fields.filter(|(_, words)| self.any(&known.tokens, words)).map(|(field, _)| field));
    }

    fn follow_function(&self, outline: &Outline, declaration: &Declaration, found: &mut Vocabulary) {
        let known = &self.group.known;
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
        if declaration.body.is_some_and(|body| self.any(&known.roots, outline.body(&body))) {
            found.roots.extend(&declaration.uses);
            found.words.extend(&declaration.uses);
        }
        if declaration.body.is_some_and(|body| self.exits(outline, &body)) {
            found.exits.extend(&declaration.uses);
        }
    }

    fn exits(&self, outline: &Outline, body: &Body) -> bool {
        body.end == End::Exits || self.any(&self.group.known.exits, outline.body(body))
    }

    fn starts_work(&self, outline: &Outline, body: &Body) -> bool {
        outline.body(body).iter().any(|word| self.group.starters.contains(word))
    }

    /// Whether a body has something to do with a context, or changes what a file that does means.
    fn needs(&self, outline: &Outline, declaration: &Declaration, body: &Body) -> bool {
        body.end == End::Exits
            || self.any_word(outline.body(body))
            || self.any_word(outline.words(declaration))
            || outline.container(declaration).is_some_and(|(_, words)| self.any_word(words))
            || (declaration.takes_work && self.starts_work(outline, body))
    }

    /// Whether a body may matter beside one that does: it starts work, work given to it may be run, it
    /// never comes back, or it is what a trait's method does by default.
    fn may_matter(&self, outline: &Outline, declaration: &Declaration, body: &Body) -> bool {
        let container = outline.container(declaration);
        declaration.takes_work
            || body.end != End::Returns
            || self.exits(outline, body)
            || self.starts_work(outline, body)
            || container.is_some_and(|(container, _)| container.is_trait || container.takes_work())
    }
}
