//! The rules: one file and one page each, and the one list of them.

pub mod finding;
pub mod rule;

mod behind_an_end;
mod certain;
mod code;
mod endless;
mod ends_with_context;
mod groups;
mod key_types;
mod keys;
mod next_turn;
mod support;
mod values;
mod waits;

mod adhoc_detach;
mod after_func_on_detached;
mod background_in_handler;
mod broken_chain;
mod busy_wait;
mod cancel_after_await;
mod cancellation_as_error;
mod context_grows_in_loop;
mod context_in_struct;
mod context_not_first;
mod dependency_in_value;
mod detach_in_middleware;
mod detached_in_group;
mod done_arm_spins;
mod endless_task;
mod expired_at_birth;
mod flight_uses_caller_context;
mod guard_dropped_at_once;
mod ignored_parent;
mod lost_cancel;
mod lost_stop;
mod no_deadline;
mod optional_context;
mod polled_not_raced;
mod primitive_value_key;
mod public_value_key;
mod request_context_in_task;
mod required_value;
mod retry_after_cancel;
mod state_of_detached;
mod string_value_key;
mod syntax_error;
mod task_outlives_guard;
mod timeout_beyond_parent;
mod todo_context;
mod unbounded_detach;
mod uncancellable_wait;
mod unknown_rule;
mod unused_context;
mod unused_suppression;
mod use_after_done;
mod value_chain;
mod value_in_loop;
mod value_mismatch;
mod wait_on_detached;
mod wrong_group_context;

use rule::Rule;

/// Every rule, in the order of the catalogue.
pub const RULES: &[&Rule] = &[
    // Cancel handles
    &lost_cancel::RULE,
    &guard_dropped_at_once::RULE,
    &task_outlives_guard::RULE,
    &cancel_after_await::RULE,
    &use_after_done::RULE,
    &lost_stop::RULE,
    // Detaching
    &request_context_in_task::RULE,
    &after_func_on_detached::RULE,
    &wait_on_detached::RULE,
    &state_of_detached::RULE,
    &unbounded_detach::RULE,
    &detach_in_middleware::RULE,
    &detached_in_group::RULE,
    &wrong_group_context::RULE,
    &flight_uses_caller_context::RULE,
    &adhoc_detach::RULE,
    // Roots and propagation
    &background_in_handler::RULE,
    &ignored_parent::RULE,
    &broken_chain::RULE,
    &todo_context::RULE,
    &context_not_first::RULE,
    &unused_context::RULE,
    &context_in_struct::RULE,
    &optional_context::RULE,
    // Cancellation at blocking points
    &uncancellable_wait::RULE,
    &endless_task::RULE,
    &busy_wait::RULE,
    &done_arm_spins::RULE,
    &polled_not_raced::RULE,
    &retry_after_cancel::RULE,
    &cancellation_as_error::RULE,
    // Values
    &string_value_key::RULE,
    &primitive_value_key::RULE,
    &public_value_key::RULE,
    &dependency_in_value::RULE,
    &required_value::RULE,
    &value_mismatch::RULE,
    &value_in_loop::RULE,
    &value_chain::RULE,
    &context_grows_in_loop::RULE,
    // Deadlines
    &timeout_beyond_parent::RULE,
    &expired_at_birth::RULE,
    &no_deadline::RULE,
    // Meta
    &unused_suppression::RULE,
    &unknown_rule::RULE,
    &syntax_error::RULE,
];
