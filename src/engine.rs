//! The border to the analysis: what the command asks of it, in one place.

use std::cell::RefCell;
use std::sync::Arc;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{Directive, FileFacts, Span};
use ctxlint_analysis::model::{Model, Models};
use ctxlint_analysis::parse;
use ctxlint_analysis::source::Sources;

use serde::{Deserialize, Serialize};

/// What parsing a file gave.
pub type Parsed = Result<Arc<FileFacts>, SyntaxError>;

/// Why a file has no facts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyntaxError {
    /// In a few words.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Not the file's fault: the analysis itself failed.
    pub internal: bool,
}

/// Parses a file. A panic becomes an error of this file alone.
pub fn parse(text: &str) -> Parsed {
    parse_but(text, &[])
}

/// Parses a file but for the bodies that stand in these ranges.
pub fn parse_but(text: &str, quiet: &[Span]) -> Parsed {
    match guarded(|| parse::parse_but(text, quiet)) {
        Ok(Ok(facts)) => Ok(Arc::new(facts)),
        Ok(Err(error)) => Err(SyntaxError { message: error.message, span: error.span, internal: false }),
        Err(message) => Err(SyntaxError { message, span: Span::new(0, 0), internal: true }),
    }
}

/// The suppressions in a file that does not parse.
pub fn directives_of_broken(text: &str) -> Vec<Directive> {
    guarded(|| parse::directives_only(text)).unwrap_or_default()
}

/// What one analysis leaves for the next one of nearly the same files. It changes nothing but how long
/// that takes.
#[derive(Default)]
pub struct Memory {
    own_models: Vec<Model>,
    models: Option<Arc<Models>>,
    analysis: Option<Analysis>,
}

impl Memory {
    /// The built-in models with the user's.
    ///
    /// # Errors
    /// What is wrong with a model that is built in; never, as a test shows.
    pub(crate) fn models(&mut self, own: Vec<Model>) -> Result<Arc<Models>, String> {
        if let Some(models) = self.models.as_ref().filter(|_| self.own_models == own) {
            return Ok(Arc::clone(models));
        }
        let models = Models::builtin().map_err(|error| error.to_string())?;
        let models = Arc::new(models.with(own.clone()));
        self.own_models = own;
        Ok(Arc::clone(self.models.insert(models)))
    }

    /// Links and analyses the sources; none if it is not wanted any more before that is done.
    ///
    /// # Errors
    /// What the analysis died of.
    pub(crate) fn analyse(
        &mut self,
        sources: Sources,
        models: Arc<Models>,
        is_wanted: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<&Analysis>, String> {
        let go_on = || if is_wanted() { Ok(()) } else { Err(()) };
        let earlier = self.analysis.as_ref();
        let Some(analysis) = guarded(|| Analysis::after(earlier, sources, models, &go_on).ok())? else {
            return Ok(None);
        };
        forget(self.analysis.take());
        Ok(Some(self.analysis.insert(analysis)))
    }
}

/// Takes something large apart while nobody waits for it.
pub(crate) fn forget<T: Send + 'static>(what: T) {
    rayon::spawn(move || drop(what));
}

thread_local! {
    /// Where this thread last panicked, for the message of [`guarded`].
    static PANICKED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Notes where the current thread panics: for the panic hook of a program that runs jobs.
pub fn panicked_at(place: String) {
    PANICKED_AT.with(|last| *last.borrow_mut() = Some(place));
}

/// Runs a job; a panic becomes an error with its message.
///
/// # Errors
/// The panic's message, and its place in our own source if the program's panic hook notes it.
pub fn guarded<T>(job: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).map_err(|cause| {
        let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text =
            text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown cause".to_owned());
        match PANICKED_AT.with(|last| last.borrow_mut().take()) {
            Some(place) => format!("{text} (at {place})"),
            None => text,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_of_its_job_alone() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| -> u8 { panic!("no {}", "luck") }), Err("no luck".to_owned()));
        let told = guarded(|| {
            panicked_at("here.rs:7".to_owned());
            panic!("again")
        });
        assert_eq!(told, Err::<u8, _>("again (at here.rs:7)".to_owned()));
    }

    #[test]
    fn the_built_in_models_are_read() {
        assert!(Memory::default().models(Vec::new()).expect("models").iter().count() > 20);
    }
}
