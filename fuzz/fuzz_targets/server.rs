//! An editor that says anything, in any order.
#![no_main]

use ctxlint_fuzz::server::{self, Talk};

libfuzzer_sys::fuzz_target!(|talk: Talk| server::holds(&talk));
