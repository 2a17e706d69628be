//! What Rust code does with its contexts.
//!
//! The way of the data is the order of the modules: a file is parsed and lowered to [`facts`], the
//! facts of all files are linked into one program, flows are computed over its bodies. This crate
//! knows no rule and no output.

pub mod analysis;
pub mod facts;
pub mod facts_check;
pub mod facts_dump;
pub mod flow;
pub mod handlers;
pub mod infer;
mod kept;
pub mod link;
mod lower;
pub mod model;
pub mod names;
pub mod outline;
pub mod parse;
mod reuse;
pub mod select;
pub mod source;
pub mod summary;
mod takes_time;
pub mod types;
pub mod ways;

pub use analysis::Analysis;

/// How many files, bodies or rules a thread takes at a time. What rayon has once begun it does not divide any more;
/// without a limit it begins with a quarter of all where there are two threads, and one waits for the other in the end.
pub const AT_ONCE: usize = 1;

#[cfg(test)]
mod tests;
