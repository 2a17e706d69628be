//! The `ctxlint` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A check is many small allocations on all cores.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    ctxlint::run::main(std::env::args_os().collect())
}
