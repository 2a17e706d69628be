//! Crates while somebody types: each check with what the last one left.
#![no_main]

use ctxlint_fuzz::edits::Typed;
use ctxlint_fuzz::laws;

libfuzzer_sys::fuzz_target!(|typed: Typed| laws::of_typing(typed.workspaces()));
