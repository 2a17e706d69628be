//! From words to the files and bodies that are parsed.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::spread::{Group, Seen};
use super::{Choice, File, Package};
use crate::outline::{Body, Declaration, End, Kind, Outline, Word};
use crate::parse::speaks_of_us;

/// What is asked for besides contexts.
pub(super) struct Asked {
    /// What starts work.
    pub(super) starters: FxHashSet<Word>,
    /// Work is of interest where it has nothing to do with a context, too.
    pub(super) all_tasks: bool,
}

/// The bodies of a file, and whether anything in it needs to be looked at.
pub(super) struct Bodies<'o> {
    /// Its package.
    group: usize,
    outline: &'o Outline,
    /// Some declaration or body has a known word.
    matters: bool,
    /// By declaration.
    needs: Vec<Need>,
    /// The types that are of no interest, unless the file matters.
    plain: Vec<Word>,
}

/// Whether a body is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// It is none, or nobody learns anything from it.
    Never,
    /// Whoever is needed and calls it must know what it does.
    IfCalled,
    /// The same, and its file is read for it if nothing else in that matters: it ends the process, or gives work it is
    /// given to a task.
    IfNamed,
    /// It starts work: to who looks at all tasks that matters where anything does.
    Beside,
    /// It has something to do with a context.
    Always,
}

impl<'o> Bodies<'o> {
    /// Judges the bodies of a file by the words its package, which is `group`, knows.
    pub(super) fn of(group: usize, words: &Group, asked: &Asked, text: &str, outline: &'o Outline) -> Bodies<'o> {
        let seen = words.in_file(outline);
        let mut matters = outline.imports.iter().any(|import| seen.any_word(&[import.name]));
        let mut needs = Vec::with_capacity(outline.declarations.len());
        for declaration in &outline.declarations {
            let need = match &declaration.body {
                Some(body) => need(&seen, asked, text, outline, declaration, body),
                None => {
                    matters |= seen.any_outside(outline.words(declaration));
                    Need::Never
                }
            };
            matters |= need == Need::Always;
            needs.push(need);
        }
        // The types of a file that is parsed are known.
        let plain = if matters { Vec::new() } else { outline.types().filter(|name| seen.is_plain(*name)).collect() };
        Bodies { group, outline, matters, needs, plain }
    }

    /// The words of what is needed: what they name may be called. A static or macro runs where nobody
    /// sees it.
    fn calls(&self) -> Vec<Word> {
        let needed = self.outline.declarations.iter().zip(&self.needs);
        let words = needed.filter_map(|(declaration, need)| match (&declaration.body, declaration.kind) {
            (Some(body), _) => self.is_needed(*need).then(|| self.outline.body(body)),
            (None, Kind::Value | Kind::Macro) => Some(self.outline.words(declaration)),
            (None, _) => None,
        });
        let renamed = self.outline.imports.iter().filter(|import| import.name != import.of);
        words.flatten().copied().chain(renamed.map(|import| import.of)).collect()
    }

    fn is_needed(&self, need: Need) -> bool {
        need == Need::Always || (need == Need::Beside && self.matters)
    }

    /// Makes the bodies needed that are called; the words of those. A file in which nothing else matters
    /// does for the sake of a free function, not for that of a type's, unless it is needed wherever it is named:
    /// a method's name does not say whose it is, and a type's is on everybody's lips.
    fn need_called(&mut self, called: &Called) -> Vec<Word> {
        let outline = self.outline;
        let group = self.group;
        let calls = |declaration: &Declaration| called.names(group, outline, declaration);
        let is_enough = |(declaration, need): (&Declaration, &Need)| {
            let counts = *need == Need::IfNamed || (*need == Need::IfCalled && declaration.container.is_none());
            counts && calls(declaration)
        };
        if !self.matters && !outline.declarations.iter().zip(&self.needs).any(is_enough) {
            return Vec::new();
        }
        let is_news = !std::mem::replace(&mut self.matters, true);
        let mut more = if is_news { self.calls() } else { Vec::new() };
        for (declaration, need) in self.outline.declarations.iter().zip(&mut self.needs) {
            if matches!(need, Need::IfCalled | Need::IfNamed) && calls(declaration) {
                *need = Need::Always;
                more.extend(declaration.body.iter().flat_map(|body| self.outline.body(body)));
            }
        }
        more
    }

    fn choice(self, text: &str, called: &Called) -> Choice {
        let is_left_out = |need: Need| matches!(need, Need::Never | Need::IfCalled | Need::IfNamed);
        let left_out = self.outline.declarations.iter().zip(&self.needs).filter(|(_, need)| is_left_out(**need));
        let says_directive = |from: u32, to: u32| text.get(from as usize..to as usize).is_some_and(speaks_of_us);
        let is_ours = speaks_of_us(text);
        let spans = left_out.filter_map(|(declaration, _)| {
            let is_named = is_ours || declaration.name.is_none_or(|name| called.says(self.group, name));
            declaration.whole.filter(|_| !is_named).or(declaration.body?.span)
        });
        Choice {
            matters: self.matters || is_ours,
            quiet: spans.filter(|span| !(is_ours && says_directive(span.start, span.end))).collect(),
            plain: self.plain,
        }
    }
}

/// The words of what is needed.
struct Called {
    /// By package: those of its own bodies, and of the packages that depend on it.
    visible: Vec<FxHashSet<Word>>,
    /// Of all bodies: what implements a trait is called where the trait is.
    anywhere: FxHashSet<Word>,
    /// By package: all that it depends on, directly or by others.
    depends_on: Vec<FxHashSet<usize>>,
}

impl Called {
    fn by_none(packages: &[Package]) -> Called {
        let depends_on: Vec<FxHashSet<usize>> = (0..=packages.len()).map(|at| dependencies(packages, at)).collect();
        let visible = vec![FxHashSet::default(); depends_on.len()];
        Called { visible, anywhere: FxHashSet::default(), depends_on }
    }

    fn names(&self, group: usize, outline: &Outline, declaration: &Declaration) -> bool {
        let of_trait = outline.container(declaration).is_some_and(|(container, _)| container.is_of_trait());
        let words = if of_trait { Some(&self.anywhere) } else { self.visible.get(group) };
        words.is_some_and(|words| declaration.uses.iter().any(|word| words.contains(word)))
    }

    /// Whether something of a package is named by that word.
    fn says(&self, group: usize, word: Word) -> bool {
        self.visible.get(group).is_some_and(|words| words.contains(&word))
    }

    /// Takes up a word that a body of a package names; whether it is a new one. What is visible in a package
    /// is so in all that it depends on.
    fn add(&mut self, group: usize, word: Word) -> bool {
        if !self.visible.get_mut(group).is_some_and(|visible| visible.insert(word)) {
            return false;
        }
        self.anywhere.insert(word);
        for of in self.depends_on.get(group).into_iter().flatten() {
            if let Some(visible) = self.visible.get_mut(*of) {
                visible.insert(word);
            }
        }
        true
    }

    /// The same for the words of several bodies, with their packages; whether there is a new one.
    fn add_all(&mut self, found: &[(usize, Vec<Word>)]) -> bool {
        let mut changed = false;
        for (group, words) in found {
            for word in words {
                changed |= self.add(*group, *word);
            }
        }
        changed
    }
}

/// The packages that one depends on, directly or by others; it may be one of them, by way of its tests.
fn dependencies(packages: &[Package], of: usize) -> FxHashSet<usize> {
    let direct = |at: usize| packages.get(at).into_iter().flat_map(|package| &package.dependencies).copied();
    let mut found = FxHashSet::default();
    let mut left: Vec<usize> = direct(of).collect();
    while let Some(at) = left.pop() {
        if found.insert(at) {
            left.extend(direct(at));
        }
    }
    found
}

/// Chooses by the bodies of each file; none for one that has no words at all.
pub(super) fn choose(packages: &[Package], files: &[File<'_>], mut bodies: Vec<Option<Bodies<'_>>>) -> Vec<Choice> {
    let mut called = Called::by_none(packages);
    let mut more: Vec<(usize, Vec<Word>)> =
        bodies.par_iter().flatten().map(|bodies| (bodies.group, bodies.calls())).collect();
    while called.add_all(&more) {
        let called = &called;
        more = bodies.par_iter_mut().flatten().map(|bodies| (bodies.group, bodies.need_called(called))).collect();
    }
    files
        .par_iter()
        .zip(bodies)
        .map(|(file, bodies)| match bodies {
            Some(bodies) => bodies.choice(file.text, &called),
            // Suppressions are looked at wherever they are.
            None => Choice { matters: speaks_of_us(file.text), ..Choice::default() },
        })
        .collect()
}

fn need(seen: &Seen<'_>, asked: &Asked, text: &str, outline: &Outline, declaration: &Declaration, body: &Body) -> Need {
    let code = body.span.and_then(|span| text.get(span.start as usize..span.end as usize));
    let container = outline.container(declaration);
    let says = |words: &FxHashSet<Word>| outline.body(body).iter().any(|word| words.contains(word));
    let starts_work = || says(&asked.starters);
    // It has something to do with a context, or changes what a file that does means.
    let always = seen.any_word(outline.body(body))
        || seen.any_word(outline.words(declaration))
        || container.is_some_and(|(_, words)| seen.any_word(words))
        || seen.takes_apart(outline, declaration, body)
        || seen.lets_go_of_guard(outline.body(body), code);
    let hands_to_task = declaration.takes_work && starts_work();
    if always || (asked.all_tasks && hands_to_task) {
        return Need::Always;
    }
    if hands_to_task || body.end == End::Exits {
        return Need::IfNamed;
    }
    if asked.all_tasks && starts_work() {
        return Need::Beside;
    }
    // Work given to it may be run, it never comes back, it may do something with a token in what it is given, or it is
    // what a trait's method does by default.
    let if_called = declaration.takes_work
        || body.end != End::Returns
        || seen.exits(outline, body)
        || seen.sees_holder(outline, declaration)
        || container.is_some_and(|(container, _)| container.is_trait || container.takes_work);
    if if_called { Need::IfCalled } else { Need::Never }
}
