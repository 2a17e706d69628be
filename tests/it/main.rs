//! Runs the built program as its users do.

mod bad_input;
mod configuration;
mod discovery;
mod editors;
mod fixes;
mod formats;
mod gate;
mod json;
mod levels;
mod project;
mod suppressions;
mod verbs;
