//! The smaller commands.

pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod graph;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod rules;
