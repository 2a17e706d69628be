//! The tests of the analysis, in one binary.

mod cases;
mod mutations;
mod parse;
