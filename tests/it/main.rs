//! Runs the built program as its users do, and the check on everything that says what it must find.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests fail by panicking"
)]

mod bad_input;
mod browser;
mod configuration;
mod discovery;
mod editors;
mod extension;
mod fixes;
mod fixtures;
mod foreign_macros;
mod formats;
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
mod gate;
mod graph;
mod growth;
mod json;
mod kept_tokens;
mod killed;
mod levels;
mod lsp;
mod meta;
mod pages;
mod project;
mod proofs;
mod readme;
mod reuse;
mod robustness;
mod selection;
mod shop;
mod site;
mod sources;
mod stopping;
mod suggestions;
mod suppressions;
mod verbs;
