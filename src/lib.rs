//! The command: what a person, a CI or an editor touches, and the only place that does I/O.
//!
//! [`check::check`] is the main job, a pure function from a [`workspace::Workspace`] and a
//! [`config::Config`] to a [`report::Report`]; [`discover`] makes the one, [`config`] the other, and
//! [`report`] writes it. [`run`] puts them together.

pub mod adopt;
pub mod baseline;
pub mod cache;
pub mod check;
pub mod cli;
mod commands;
pub mod config;
pub mod discover;
pub mod edit;
pub mod engine;
pub mod fix;
pub mod graph;
pub mod job;
pub mod levels;
pub mod lsp;
pub mod modules;
pub mod progress;
pub mod report;
pub mod run;
mod selection;
pub mod since;
pub mod suppress;
pub mod text;
mod watch;
pub mod workspace;
pub mod write;
