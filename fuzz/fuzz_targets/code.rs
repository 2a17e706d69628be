//! Any text at all.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| ctxlint_fuzz::laws::of_code(text));
