//! The words of a model.

use rustc_hash::FxHashSet;

use crate::model::{FnRole, Model, Models, Shape, TypeRole, expand, last_segment};
use crate::outline::Word;

/// Words, by what follows from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    /// All of them: a body with one matters.
    pub(super) words: FxHashSet<Word>,
    /// Types of contexts that carry more than their end, and what is made of them.
    pub(super) carriers: FxHashSet<Word>,
    /// Types of tokens, and what is little else.
    pub(super) tokens: FxHashSet<Word>,
    /// Types with a token somewhere in them: a service may be one, so they are no words by themselves.
    pub(super) holders: FxHashSet<Word>,
    /// Fields with a token, as patterns that take such a type apart have them.
    pub(super) parts: FxHashSet<Word>,
    /// Functions that make or detach carriers, and all that call them: what is wrong there depends on
    /// who calls.
    pub(super) roots: FxHashSet<Word>,
    /// Functions that end the process, and all that call them.
    pub(super) exits: FxHashSet<Word>,
    /// Methods that ask for a context's state, and those that do little else for their callers.
    pub(super) asks: FxHashSet<Word>,
    /// Methods that wait for a context's end, and those of what has a token in it that do little else.
    pub(super) waits: FxHashSet<Word>,
    /// Methods that make guards of something else than contexts: of interest where one is not kept.
    pub(super) guards: FxHashSet<Word>,
}

impl Vocabulary {
    /// How many there are; a vocabulary only grows.
    pub(super) fn len(&self) -> usize {
        let Vocabulary { words, carriers, tokens, holders, parts, roots, exits, asks, waits, guards } = self;
        let all = [words, carriers, tokens, holders, parts, roots, exits, asks, waits, guards];
        all.into_iter().map(FxHashSet::len).sum()
    }

    pub(super) fn extend(&mut self, other: &Vocabulary) {
        self.words.extend(&other.words);
        self.carriers.extend(&other.carriers);
        self.tokens.extend(&other.tokens);
        self.holders.extend(&other.holders);
        self.parts.extend(&other.parts);
        self.roots.extend(&other.roots);
        self.exits.extend(&other.exits);
        self.asks.extend(&other.asks);
        self.waits.extend(&other.waits);
        self.guards.extend(&other.guards);
    }

    /// The names by which a model's things appear; of one that only knows a framework, the fields that
    /// hold contexts.
    pub(super) fn of(models: &Models, model: &Model, only_fields: bool) -> Vocabulary {
        let contexts = || model.types.iter().filter(|ty| ty.role == TypeRole::Context);
        let carries = contexts().any(|ty| !ty.own_handle);
        let is_token = contexts().any(|ty| ty.own_handle);

        let mut found = Vocabulary::default();
        let fields = model.types.iter().flat_map(|ty| &ty.context_fields);
        found.words.extend(fields.map(|field| Word::member(field)));
        if only_fields {
            return found;
        }
        let of_contexts = model.types.iter().filter(|ty| ty.role.is_of_contexts());
        let paths = of_contexts.flat_map(|ty| std::iter::once(&ty.path).chain(&ty.also));
        let types: FxHashSet<String> =
            paths.flat_map(|path| expand(path)).map(|path| last_segment(&path).to_owned()).collect();
        for name in &types {
            let word = Word::name(name);
            found.words.insert(word);
            found.carriers.extend(carries.then_some(word));
            if is_token && !carries {
                found.tokens.insert(word);
                found.holders.insert(word);
            }
        }
        for function in &model.functions {
            // A future that waits for a context's end may be all that a function is given.
            if let (FnRole::Wait, Some(Shape::Named(path, _))) = (function.role, &function.returns) {
                found.words.insert(Word::name(last_segment(path)));
            }
            let makes_root = carries && function.role.makes_root();
            for path in std::iter::once(&function.path).chain(&function.also).flat_map(|path| expand(path)) {
                let owner = path.rsplit_once("::").map_or("", |(owner, _)| last_segment(owner));
                let word = called(owner, last_segment(&path));
                if makes_root {
                    found.roots.extend([word, Word::function(last_segment(&path))]);
                }
                if function.asks_for_end() {
                    found.asks.insert(word);
                }
                // All kinds of things have a `wait` that blocks.
                if function.role == FnRole::Wait && function.returns_future(models) {
                    found.waits.insert(word);
                }
                if function.role == FnRole::OtherGuard && is_type(owner) {
                    found.guards.insert(word);
                } else if function.role.gives_context() && !types.contains(owner) {
                    found.words.insert(word);
                }
            }
        }
        found
    }
}

/// The functions that start work, by all the names they go by.
pub(super) fn starters(models: &Models) -> FxHashSet<Word> {
    let functions = models.iter().flat_map(|model| &model.functions);
    functions
        .filter(|function| matches!(function.role, FnRole::Spawn | FnRole::Scope))
        .flat_map(|function| expand(&function.path))
        .flat_map(|path| [Word::function(last_segment(&path)), Word::member(last_segment(&path))])
        .collect()
}

/// How a function of a type or module is called: `new` by its type, since its own name says nothing.
fn called(owner: &str, name: &str) -> Word {
    match is_type(owner) {
        true if name == "new" => Word::name(owner),
        true => Word::member(name),
        false => Word::function(name),
    }
}

fn is_type(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}
