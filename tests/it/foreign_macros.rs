//! Macros of libraries that no model describes, in an arm that the end of a token wins.

use crate::project::{Project, manifest};

/// What is found where the arm does this, in a crate that has these imports.
fn found(imports: &str, arm: &str) -> Vec<String> {
    let dependencies = "[dependencies]\ntokio-util = \"0.7\"\ntokio = \"1\"\nslog = \"2\"\nmiette = \"7\"\n";
    let text = format!(
        "{imports}
use tokio_util::sync::CancellationToken;

pub async fn turns(mut jobs: tokio::sync::mpsc::Receiver<u32>, token: CancellationToken, log: &slog::Logger) -> Result<(), miette::Report> {{
    loop {{
        tokio::select! {{
            job = jobs.recv() => if job.is_none() {{ return Ok(()); }},
            () = token.cancelled() => {{ {arm} }}
        }}
    }}
}}
"
    );
    let manifest = format!("{}{dependencies}", manifest("turns"));
    Project::new(&[("Cargo.toml", &manifest), ("src/lib.rs", &text)]).places(&[])
}

const SPINS: [&str; 1] = ["src/lib.rs:8:18: error[ctxlint::done_arm_spins]"];
const NONE: [&str; 0] = [];

#[test]
fn a_macro_that_logs_comes_back() {
    assert_eq!(found("use slog::info;", "info!(log, \"over\"; \"after\" => 1);"), SPINS);
    assert_eq!(found("", "slog::crit!(log, \"over\");"), SPINS);
}

#[test]
fn a_macro_that_gives_something_to_call_a_method_on_comes_back() {
    assert_eq!(found("use counters::counter;", "counter!(\"over\").increment(1);"), SPINS);
}

#[test]
fn any_other_may_leave() {
    assert_eq!(found("use miette::bail;", "bail!(\"over\");"), NONE);
    assert_eq!(found("use elsewhere::finish;", "finish!(log);"), NONE);
}
