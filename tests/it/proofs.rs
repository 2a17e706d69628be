//! Proofs: each runs a rule's bad example against the real crates and sees the harm, and the good
//! one and sees none.

mod after_func_on_detached;
mod background_in_handler;
mod broken_chain;
mod busy_wait;
mod detach_in_middleware;
mod detached_in_group;
mod done_arm_spins;
mod expired_at_birth;
mod flight_uses_caller_context;
mod guard_dropped_at_once;
mod ignored_parent;
mod lost_cancel;
mod polled_not_raced;
mod primitive_value_key;
mod request_context_in_task;
mod retry_after_cancel;
mod state_of_detached;
mod string_value_key;
mod task_outlives_guard;
mod timeout_beyond_parent;
mod unbounded_detach;
mod use_after_done;
mod value_mismatch;
mod wait_on_detached;
mod wrong_group_context;
