//! What Rust code does with its contexts.
//!
//! The way of the data is the order of the modules: a file is parsed and lowered to [`facts`], the
//! facts of all files are linked into one program, flows are computed over its bodies. This crate
//! knows no rule and no output.

pub mod facts;
pub mod facts_dump;
mod lower;
pub mod model;
pub mod parse;
pub mod source;
pub mod types;

/// The analysed program: what rules look at.
pub struct Analysis {}
