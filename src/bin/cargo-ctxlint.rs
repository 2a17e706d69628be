//! `cargo ctxlint`: the same program. cargo passes the subcommand's own name as the first argument.

use std::ffi::OsString;
use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A check is many small allocations on all cores.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|first| first == "ctxlint") {
        args.remove(1);
    }
    if let Some(program) = args.first_mut() {
        *program = "cargo ctxlint".into();
    }
    ctxlint::run::main(args)
}
