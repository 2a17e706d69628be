//! Which functions and closures a server calls with its requests.

use rustc_hash::FxHashMap;

use crate::link::Program;
use crate::types::BodyRef;

/// How a body is a handler.
#[derive(Clone, Debug, PartialEq)]
pub struct Handler {
    /// The model's name.
    pub framework: String,
}

/// Finds all handlers.
pub(crate) fn find(_program: &Program) -> FxHashMap<BodyRef, Handler> {
    FxHashMap::default()
}
