//! Which files can matter at all, and which bodies in them: parsing dominates the cost of a check,
//! so nothing else is parsed.
//!
//! What is looked for are words: the names of a library's contexts, handles and guards, then, over
//! and over, the names of what is made of them: types with a field of such a type, functions that
//! give one, statics, macros. A body without any such word has no context in hand, and whoever calls
//! it learns nothing from it. A type that merely has a token among its fields is not followed, or a
//! service would be nothing else; the field is. Words are found by package: what one package declares
//! matters to itself and to those that depend on it.
//!
//! A guard of something else, such as a span, is of interest only where it is not kept under a name.
//!
//! A function that makes a root is looked for by its own name too, and so are those that call it,
//! since whether only handlers reach it depends on all of them. So is a method that asks a context for its state
//! and does little else, whatever its type, and one of what has a token in it that does little else than wait for its end.
//!
//! The way of the data: models and manifests to a `vocabulary` for each package; outlines to more
//! words (`spread`); words to the bodies that need them, and to those beside that they call and that do
//! something with what they are given (`choose`). What they call is of their own package or of those it
//! depends on; what implements a trait may be anybody's. Of another function only the signature is left,
//! and not even that if none of these bodies can name it.

mod choose;
mod spread;
mod vocabulary;

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::AT_ONCE;
use crate::facts::Span;
use crate::model::Models;
use crate::outline::{Outline, Word};

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
    /// What to leave out, in source order: of bodies what stands between their braces, and whole functions that
    /// nobody names.
    pub quiet: Vec<Span>,
    /// Unless it matters: the structs and enums declared in it that have no part in anything.
    pub plain: Vec<Word>,
}

/// Chooses what to parse of each file. A file that cannot matter has its choice too, in case it is
/// parsed for the sake of others. With `all_tasks`, work that is started is looked at though it has
/// nothing to do with a context, in the files that matter.
pub fn select(models: &Models, packages: &[Package], files: &[File<'_>], all_tasks: bool) -> Vec<Choice> {
    let mut groups = spread::groups(models, packages);
    let loose = packages.len();
    let group_of = |file: &File<'_>| file.package.filter(|package| *package < loose).unwrap_or(loose);
    let outlines: Vec<Option<&Outline>> = files
        .par_iter()
        .with_max_len(AT_ONCE)
        .map(|file| {
            let can_matter = groups.get(group_of(file)).is_some_and(|group| group.can_matter);
            can_matter.then(|| file.outline.get_or_init(|| Outline::of(file.text)))
        })
        .collect();
    let mut by_group: Vec<Vec<&Outline>> = vec![Vec::new(); groups.len()];
    for (file, outline) in files.iter().zip(&outlines) {
        if let (Some(outlines), Some(outline)) = (by_group.get_mut(group_of(file)), outline) {
            outlines.push(*outline);
        }
    }
    spread::spread(packages, &mut groups, &by_group);
    let asked = choose::Asked { starters: vocabulary::starters(models), all_tasks };
    let seen: Vec<Option<choose::Bodies<'_>>> = files
        .par_iter()
        .with_max_len(AT_ONCE)
        .zip(&outlines)
        .map(|(file, outline)| {
            let at = group_of(file);
            Some(choose::Bodies::of(at, groups.get(at)?, &asked, file.text, (*outline)?))
        })
        .collect();
    choose::choose(packages, files, seen)
}
