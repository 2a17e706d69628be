//! Fixtures and sample codebases, edited.
#![no_main]

use ctxlint_fuzz::edits::Edited;
use ctxlint_fuzz::laws;

libfuzzer_sys::fuzz_target!(|edited: Edited| laws::of_edited(&edited.workspace));
