//! The rules: one file and one page each, and the one list of them.

pub mod finding;
pub mod rule;

mod endless;
mod keys;
mod support;

mod after_func_on_detached;
mod background_in_handler;
mod guard_dropped_at_once;
mod lost_cancel;
mod primitive_value_key;
mod request_context_in_task;
mod string_value_key;
mod syntax_error;
mod unknown_rule;
mod unused_suppression;
mod wait_on_detached;

use rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[&Rule] = &[
    // Cancel handles
    &lost_cancel::RULE,
    &guard_dropped_at_once::RULE,
    // Detaching
    &request_context_in_task::RULE,
    &after_func_on_detached::RULE,
    &wait_on_detached::RULE,
    // Roots and propagation
    &background_in_handler::RULE,
    // Values
    &string_value_key::RULE,
    &primitive_value_key::RULE,
    // Meta
    &unused_suppression::RULE,
    &unknown_rule::RULE,
    &syntax_error::RULE,
];
