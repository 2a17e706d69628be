//! Inputs that nobody writes, and what must hold for every input.
//!
//! The fuzz targets feed this from libFuzzer, the test-suite from a few thousand random numbers.
//! Whatever does not hold panics.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "what does not hold panics")]

pub mod edits;
pub mod laws;
pub mod seeds;
pub mod suppressions;
