//! The rules: one file and one page each, and the one list of them.

pub mod finding;
pub mod rule;

use rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[&Rule] = &[];
