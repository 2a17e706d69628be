//! What Rust code does with its contexts.
//!
//! The way of the data is the order of the modules: a file is parsed and lowered to [`facts`], the
//! facts of all files are linked into one program, flows are computed over its bodies. This crate
//! knows no rule and no output.

pub mod facts;
pub mod facts_dump;
pub mod handlers;
pub mod infer;
pub mod link;
mod lower;
pub mod model;
pub mod names;
pub mod parse;
pub mod source;
pub mod types;

#[cfg(test)]
mod tests;

/// The analysed program: what rules look at.
pub struct Analysis {}
