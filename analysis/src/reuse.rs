//! What of an earlier analysis still holds.
//!
//! An edit changes one file, and mostly within a body. As long as all files declare what they
//! declared, the types in the bodies of a file are what they were if the file is the same; and what a body
//! does is what it did if, besides, none of the bodies whose doings it asked for does anything else now. So an
//! edit costs the file it is in, and the bodies that depend on what its bodies do. What a body asks for is
//! noted while it is looked at, as in a build system with dynamic dependencies (A. Mokhov, N. Mitchell,
//! S. Peyton Jones, Build systems à la carte, 2018).

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::analysis::Analysis;
use crate::flow::events::Asked;
use crate::infer::FileTypes;
use crate::link::Program;
use crate::source::{FileId, SourceFile, Sources};
use crate::summary::{Looked, Summaries};
use crate::types::BodyRef;

/// An earlier analysis of files that declare the same.
pub(crate) struct Earlier<'e> {
    analysis: &'e Analysis,
    /// By file: it is the same as then.
    same: Vec<bool>,
}

impl<'e> Earlier<'e> {
    /// None if anything is declared differently now.
    pub(crate) fn of(analysis: &'e Analysis, program: &Program) -> Option<Earlier<'e>> {
        let before = &analysis.program;
        let is_comparable = Arc::ptr_eq(&before.models, &program.models)
            && before.sources.crates == program.sources.crates
            && have_the_same_files(&before.sources, &program.sources);
        let files = || before.sources.files.iter().zip(&program.sources.files);
        let same: Vec<bool> = files().map(|(before, now)| is_the_same(before, now)).collect();
        let declares_the_same = |((before, now), same): ((&SourceFile, &SourceFile), &bool)| {
            let facts = || before.facts.as_deref().zip(now.facts.as_deref());
            *same || facts().and_then(|(before, now)| Some(before.declared()? == now.declared()?)) == Some(true)
        };
        (is_comparable && files().zip(&same).all(declares_the_same)).then_some(Earlier { analysis, same })
    }

    /// The earlier program, in which everything that is declared is declared the same.
    pub(crate) fn program(&self) -> &'e Program {
        &self.analysis.program
    }

    /// The types in a file's bodies, if they are the same.
    pub(crate) fn types(&self, file: FileId) -> Option<&'e Arc<FileTypes>> {
        self.analysis.program.types_of(file).filter(|_| self.is_same(file))
    }

    fn is_same(&self, file: FileId) -> bool {
        self.same.get(file.index()) == Some(&true)
    }
}

fn have_the_same_files(before: &Sources, now: &Sources) -> bool {
    before.files.iter().map(|file| &file.path).eq(now.files.iter().map(|file| &file.path))
}

fn is_the_same(before: &SourceFile, now: &SourceFile) -> bool {
    before.facts.as_ref().map(Arc::as_ptr) == now.facts.as_ref().map(Arc::as_ptr) && before.plain == now.plain
}

/// Bodies that do something else than before, as far as that is known by now.
pub(crate) struct Changes<'e> {
    earlier: Option<&'e Earlier<'e>>,
    changed: FxHashSet<BodyRef>,
}

impl<'e> Changes<'e> {
    /// What changed since an earlier analysis; without one, everything did.
    pub(crate) fn since(earlier: Option<&'e Earlier<'e>>) -> Changes<'e> {
        Changes { earlier, changed: FxHashSet::default() }
    }

    /// What bodies that are looked at together did before, if they still do. Those that they call are
    /// looked at already.
    pub(crate) fn kept(&self, program: &Program, known: &Summaries, together: &[BodyRef]) -> Option<Vec<Looked>> {
        let earlier = self.earlier?;
        let analysis = earlier.analysis;
        let kept = |body: &BodyRef| {
            let flow = analysis.shared_flow(*body)?;
            let is_asked_the_same = |(asked, was_known): &Asked| {
                together.contains(asked)
                    || (self.is_as_before(known, *asked) && known.get(*asked).is_some() == *was_known)
            };
            let holds = earlier.is_same(body.file)
                && analysis.program.handler(*body) == program.handler(*body)
                && flow.asked.as_ref()?.iter().all(is_asked_the_same);
            let summary = analysis.summaries.known(*body).filter(|_| holds)?;
            Some(Looked { body: *body, summary: Arc::clone(summary), flow: Arc::clone(flow) })
        };
        together.iter().map(kept).collect()
    }

    /// Notes what a body does now.
    pub(crate) fn note(&mut self, looked: &Looked) {
        let Some(Earlier { analysis, .. }) = self.earlier else { return };
        let before = analysis.summaries.known(looked.body);
        if before.is_none_or(|before| !Arc::ptr_eq(before, &looked.summary) && *before != looked.summary) {
            self.changed.insert(looked.body);
        }
    }

    /// Whether a body, if it was looked at by now, does what it did. Of a file that changed none does: its
    /// bodies may have changed their places.
    fn is_as_before(&self, known: &Summaries, body: BodyRef) -> bool {
        self.earlier.is_some_and(|earlier| {
            earlier.is_same(body.file)
                && earlier.analysis.summaries.same_standing(known, body)
                && !self.changed.contains(&body)
        })
    }
}
