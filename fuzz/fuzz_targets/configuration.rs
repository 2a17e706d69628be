//! Any text as the configuration of a fixture's check.
#![no_main]

use ctxlint_fuzz::{laws, seeds};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let workspaces = &seeds::seeds().workspaces;
    if let Some(workspace) = workspaces.get(text.len() % workspaces.len()) {
        laws::of_configuration(text, workspace);
    }
});
