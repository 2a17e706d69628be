//! From words to the files and bodies that are parsed.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::spread::{Group, Seen};
use super::{Choice, File};
use crate::outline::{Body, Declaration, End, Kind, Outline, Word};
use crate::parse::speaks_of_us;

/// The bodies of a file, and whether anything in it needs to be looked at.
pub(super) struct Bodies<'o> {
    outline: &'o Outline,
    /// Some declaration or body has a known word.
    matters: bool,
    /// By declaration.
    needs: Vec<Need>,
}

/// Whether a body is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// It is none, or nobody learns anything from it.
    Never,
    /// Whoever is needed and calls it must know what it does.
    IfCalled,
    /// It starts work: that matters where anything does.
    Beside,
    /// It has something to do with a context.
    Always,
}

impl<'o> Bodies<'o> {
    /// Judges the bodies of a file by the words its package knows.
    pub(super) fn of(group: &Group, starters: &FxHashSet<Word>, outline: &'o Outline) -> Bodies<'o> {
        let seen = group.in_file(outline);
        let mut matters = outline.imports.iter().any(|import| seen.any_word(&[import.name]));
        let mut needs = Vec::with_capacity(outline.declarations.len());
        for declaration in &outline.declarations {
            let need = match &declaration.body {
                Some(body) => need(&seen, starters, outline, declaration, body),
                None => {
                    matters |= seen.any_word(outline.words(declaration));
                    Need::Never
                }
            };
            matters |= need == Need::Always;
            needs.push(need);
        }
        Bodies { outline, matters, needs }
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
        words.flatten().copied().collect()
    }

    fn is_needed(&self, need: Need) -> bool {
        need == Need::Always || (need == Need::Beside && self.matters)
    }

    /// Makes the bodies needed that are called; the words of those. A file in which nothing else matters
    /// does for the sake of a free function, not for that of a type's: a method's name does not say whose
    /// it is, and a type's is on everybody's lips.
    fn need_called(&mut self, called: &FxHashSet<Word>) -> Vec<Word> {
        let calls = |declaration: &Declaration| declaration.uses.iter().any(|word| called.contains(word));
        let all = || self.outline.declarations.iter().zip(&self.needs).filter(|(_, need)| **need == Need::IfCalled);
        if !self.matters && !all().any(|(declaration, _)| declaration.container.is_none() && calls(declaration)) {
            return Vec::new();
        }
        let is_news = !std::mem::replace(&mut self.matters, true);
        let mut more = if is_news { self.calls() } else { Vec::new() };
        for (declaration, need) in self.outline.declarations.iter().zip(&mut self.needs) {
            if *need == Need::IfCalled && calls(declaration) {
                *need = Need::Always;
                more.extend(declaration.body.iter().flat_map(|body| self.outline.body(body)));
            }
        }
        more
    }

    fn choice(&self, text: &str) -> Choice {
        let is_left_out = |need: Need| matches!(need, Need::Never | Need::IfCalled);
        let left_out = self.outline.declarations.iter().zip(&self.needs).filter(|(_, need)| is_left_out(**need));
        let spans = left_out.filter_map(|(declaration, _)| declaration.body?.span);
        let says_directive = |from: u32, to: u32| text.get(from as usize..to as usize).is_some_and(speaks_of_us);
        let is_ours = speaks_of_us(text);
        Choice {
            matters: self.matters || is_ours,
            quiet: spans.filter(|span| !(is_ours && says_directive(span.start, span.end))).collect(),
        }
    }
}

/// Chooses by the bodies of each file; none for one that has no words at all.
pub(super) fn choose(files: &[File<'_>], mut bodies: Vec<Option<Bodies<'_>>>) -> Vec<Choice> {
    let mut called: FxHashSet<Word> = FxHashSet::default();
    let mut more: Vec<Vec<Word>> = bodies.par_iter().flatten().map(Bodies::calls).collect();
    loop {
        let before = called.len();
        called.extend(more.iter().flatten());
        if called.len() == before {
            break;
        }
        more = bodies.par_iter_mut().flatten().map(|bodies| bodies.need_called(&called)).collect();
    }
    files
        .par_iter()
        .zip(&bodies)
        .map(|(file, bodies)| match bodies {
            Some(bodies) => bodies.choice(file.text),
            // Suppressions are looked at wherever they are.
            None => Choice { matters: speaks_of_us(file.text), quiet: Vec::new() },
        })
        .collect()
}

fn need(
    seen: &Seen<'_>,
    starters: &FxHashSet<Word>,
    outline: &Outline,
    declaration: &Declaration,
    body: &Body,
) -> Need {
    let container = outline.container(declaration);
    let starts_work = || outline.body(body).iter().any(|word| starters.contains(word));
    // It has something to do with a context, or changes what a file that does means.
    let always = body.end == End::Exits
        || seen.any_word(outline.body(body))
        || seen.any_word(outline.words(declaration))
        || container.is_some_and(|(_, words)| seen.any_word(words))
        || (declaration.takes_work && starts_work());
    if always {
        return Need::Always;
    }
    if starts_work() {
        return Need::Beside;
    }
    // Work given to it may be run, it never comes back, it may give on a token it was given, or it is what
    // a trait's method does by default.
    let if_called = declaration.takes_work
        || body.end != End::Returns
        || seen.exits(outline, body)
        || seen.has_holder(outline, declaration)
        || container.is_some_and(|(container, _)| container.is_trait || container.takes_work);
    if if_called { Need::IfCalled } else { Need::Never }
}
