//! Fixtures with suppressions, right and wrong, anywhere.
#![no_main]

use ctxlint_fuzz::laws;
use ctxlint_fuzz::suppressions::Suppressed;

libfuzzer_sys::fuzz_target!(|edited: Suppressed| laws::of_edited(&edited.0.workspace));
