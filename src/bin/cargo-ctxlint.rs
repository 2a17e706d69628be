//! `cargo ctxlint`: the same program.
fn main() {}
