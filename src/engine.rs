//! The border to the analysis: what the command asks of it, in one place.

use std::sync::Arc;

use ctxlint_analysis::Analysis;
use ctxlint_analysis::facts::{FileFacts, Span};
use ctxlint_analysis::model::Model;
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
    match guarded(|| parse::parse(text)) {
        Ok(Ok(facts)) => Ok(Arc::new(facts)),
        Ok(Err(error)) => Err(SyntaxError { message: error.message, span: error.span, internal: false }),
        Err(message) => Err(SyntaxError { message, span: Span::new(0, 0), internal: true }),
    }
}

/// The words of which a file must contain one to be parsed.
pub fn words(_models: &[Model]) -> Vec<String> {
    vec!["ctxlint".to_owned(), "Context".to_owned()]
}

/// Names by which files that were not parsed may still take part: what the parsed ones export under
/// other names.
pub fn further_words(_facts: &[Option<Parsed>]) -> Vec<String> {
    Vec::new()
}

/// Links and analyses the sources.
///
/// # Errors
/// What the analysis died of.
pub fn analyse(_sources: Sources, _models: &[Model]) -> Result<Analysis, String> {
    guarded(|| Analysis {})
}

/// Runs a job; a panic becomes an error with its message.
///
/// # Errors
/// The panic's message.
pub fn guarded<T>(job: impl FnOnce() -> T) -> Result<T, String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).map_err(|cause| {
        let text = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| cause.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown cause".to_owned())
    })
}
