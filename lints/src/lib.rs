//! The rules: one file and one page each, and the one list of them.

pub mod finding;
pub mod rule;

mod endless;
mod keys;
mod support;

mod adhoc_detach;
mod after_func_on_detached;
mod background_in_handler;
mod broken_chain;
mod detach_in_middleware;
mod done_arm_spins;
mod guard_dropped_at_once;
mod ignored_parent;
mod lost_cancel;
mod primitive_value_key;
mod request_context_in_task;
mod state_of_detached;
mod string_value_key;
mod syntax_error;
mod task_outlives_guard;
mod unbounded_detach;
mod unknown_rule;
mod unused_suppression;
mod use_after_done;
mod wait_on_detached;

use rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[&Rule] = &[
    // Cancel handles
    &lost_cancel::RULE,
    &guard_dropped_at_once::RULE,
    &task_outlives_guard::RULE,
    &use_after_done::RULE,
    // Detaching
    &request_context_in_task::RULE,
    &after_func_on_detached::RULE,
    &wait_on_detached::RULE,
    &state_of_detached::RULE,
    &unbounded_detach::RULE,
    &detach_in_middleware::RULE,
    &adhoc_detach::RULE,
    // Roots and propagation
    &background_in_handler::RULE,
    &ignored_parent::RULE,
    &broken_chain::RULE,
    // Cancellation at blocking points
    &done_arm_spins::RULE,
    // Values
    &string_value_key::RULE,
    &primitive_value_key::RULE,
    // Meta
    &unused_suppression::RULE,
    &unknown_rule::RULE,
    &syntax_error::RULE,
];
