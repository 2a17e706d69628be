//! The rules: one file and one page each, and the one list of them.

pub mod finding;
pub mod rule;

mod syntax_error;
mod unknown_rule;
mod unused_suppression;

use rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[&Rule] = &[
    // Meta
    &unused_suppression::RULE,
    &unknown_rule::RULE,
    &syntax_error::RULE,
];
