//! Whether a call of a function may take its time.
//!
//! Most functions have nothing to do with contexts and are not read. So it is told from the words of their outlines:
//! a loop, a call that blocks, or a call of a function of the same package that has either. A word means whatever is
//! called so, and a body that is read has its words too; what is told does not depend on what is read.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::analysis::Analysis;
use crate::facts::Span;
use crate::link::Program;
use crate::model::{FnModel, FnRole, Models, Shape, last_segment};
use crate::outline::{Body, Declaration, Kind, Outline, Word};
use crate::source::FileId;
use crate::summary;
use crate::types::DefId;

/// How many calls down a function is looked for that takes its time.
const CALLS: u8 = 3;

/// Code that goes round until something happens.
const LOOPS: [&str; 2] = ["loop", "while"];

/// What tells so, for all functions.
#[derive(Debug)]
pub(crate) struct TakesTime {
    /// Words of bodies: loops, and library functions that block.
    blocking: FxHashSet<Word>,
    /// The functions that a word calls in a package; methods only if the standard library has none of that name.
    functions: FxHashMap<(u32, Word), Vec<At>>,
    /// The methods that impls give to traits, by the word that calls them.
    of_traits: FxHashMap<Word, Vec<At>>,
}

/// A declaration in the outline of a file.
type At = (FileId, usize);

impl Analysis {
    /// Whether a call of a function may take its time, as far as one can tell without reading everything.
    pub fn takes_time(&self, def: DefId) -> bool {
        if self.program.function(def).is_none_or(|function| function.is_async) {
            return false;
        }
        let lasts = summary::body_of(&self.program, def).is_some_and(|body| self.summaries.lasts(body));
        let known = || self.takes_time.get_or_init(|| TakesTime::of(&self.program));
        lasts || known().of_function(&self.program, def)
    }
}

impl TakesTime {
    fn of(program: &Program) -> TakesTime {
        let words = LibraryWords::of(&program.models);
        let mut found =
            TakesTime { blocking: words.blocking, functions: FxHashMap::default(), of_traits: FxHashMap::default() };
        for (file, source) in (0..).map(FileId).zip(&program.sources.files) {
            let (Some(outline), Some(of)) = (source.outline.get(), program.crate_of(file)) else { continue };
            for (at, declared) in outline.declarations.iter().enumerate() {
                let (Some(word), Kind::Function) = (declared.uses, declared.kind) else { continue };
                // Such a word is the name of a type.
                if declared.container.is_some() && !declared.has_self {
                    continue;
                }
                if outline.container(declared).is_some_and(|(container, _)| container.is_of_trait()) {
                    found.of_traits.entry(word).or_default().push((file, at));
                }
                if !words.usual.contains(&word) {
                    found.functions.entry((of.package, word)).or_default().push((file, at));
                }
            }
        }
        found
    }

    fn of_function(&self, program: &Program, def: DefId) -> bool {
        let (Some(item), Some(outline)) = (program.item(def), outline(program, def.file)) else { return false };
        match declared_at(outline, item.span) {
            Some((at, Declaration { body: Some(_), .. })) => self.of_declared(program, (def.file, at), CALLS),
            // Whichever impl it is that is called.
            _ => {
                let impls = self.of_traits.get(&Word::member(&item.name)).into_iter().flatten();
                impls.into_iter().any(|at| self.of_declared(program, *at, CALLS))
            }
        }
    }

    fn of_declared(&self, program: &Program, (file, at): At, calls: u8) -> bool {
        let Some(calls) = calls.checked_sub(1) else { return false };
        let outline = outline(program, file);
        let body = outline.and_then(|outline| outline.declarations.get(at)).and_then(|declared| declared.body.as_ref());
        let (Some(outline), Some(body), Some(of)) = (outline, body, program.crate_of(file)) else { return false };
        let words = outline.body(body);
        let called = |word: &Word| self.functions.get(&(of.package, *word)).into_iter().flatten();
        words.iter().any(|word| self.blocking.contains(word))
            || words.iter().flat_map(called).any(|at| self.of_declared(program, *at, calls))
    }
}

fn outline(program: &Program, file: FileId) -> Option<&Outline> {
    program.sources.files.get(file.index())?.outline.get()
}

/// The outermost function that is declared within a function's span: itself.
fn declared_at(outline: &Outline, span: Span) -> Option<(usize, &Declaration)> {
    let is_in = |body: &Body| body.span.is_some_and(|body| span.contains(body));
    outline.declarations.iter().enumerate().find(|(_, declared)| declared.body.as_ref().is_some_and(is_in))
}

/// The words of library functions.
struct LibraryWords {
    /// Of those that block, and loops.
    blocking: FxHashSet<Word>,
    /// Of methods of the standard library that do not: a method that has such a name is one among many.
    usual: FxHashSet<Word>,
}

impl LibraryWords {
    fn of(models: &Models) -> LibraryWords {
        let mut blocking: FxHashSet<Word> = LOOPS.map(Word::name).into_iter().collect();
        let mut usual = FxHashSet::default();
        for function in models.functions().filter(|function| blocks(function, models)) {
            let name = last_segment(&function.path);
            blocking.extend([Word::function(name), Word::member(name)]);
        }
        for function in models.functions().filter(|function| !waits(function)) {
            let name = last_segment(&function.path);
            for word in [Word::function(name), Word::member(name)] {
                blocking.remove(&word);
            }
            if function.path.starts_with("std::") {
                usual.insert(Word::member(name));
            }
        }
        LibraryWords { blocking, usual }
    }
}

/// Whether what it does, now or once it is awaited, is to wait or to do what it is given.
fn waits(function: &FnModel) -> bool {
    matches!(
        function.role,
        FnRole::Waiting
            | FnRole::Wait
            | FnRole::Join
            | FnRole::Drive
            | FnRole::Run
            | FnRole::RunSelf
            | FnRole::Flight
            | FnRole::Outbound
    )
}

fn blocks(function: &FnModel, models: &Models) -> bool {
    let runs = function.role != FnRole::Drive || matches!(function.returns, Some(Shape::Output(_)));
    waits(function) && runs && !function.returns_future(models)
}
