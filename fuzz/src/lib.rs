//! Inputs that nobody writes, and what must hold for every input.
//!
//! The fuzz targets feed this from libFuzzer, the test-suite from a few thousand random numbers.
//! Whatever does not hold panics.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "what does not hold panics")]
#![allow(unreachable_pub, reason = "a library for the targets, a module for the test-suite")]

pub mod allocated;
pub mod edits;
pub mod laws;
pub mod seeds;
pub mod server;
pub mod shapes;
pub mod suppressions;
