//! Ours and `tokio_util::sync::CancellationToken` in one run, interleaved, with Go's figures beside.
//!
//! `cargo bench --bench targets` prints a table, `cargo bench --bench targets -- child` only the
//! rows with that in their name; every figure is the best of several rounds, in
//! nanoseconds for one operation. Go's figures were measured once, on a 2-core Xeon VM with
//! Go 1.27.3; they are there for orientation.

mod rows;
mod stall;
mod table;

use table::Table;

fn main() {
    // `cargo test --benches` passes no `--bench`: then one short round shows that it all runs.
    let full = std::env::args().any(|arg| arg == "--bench");
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    let mut table = Table::new(full, filter);
    rows::creation(&mut table);
    rows::reading(&mut table);
    rows::waiting(&mut table);
    rows::timers(&mut table);
    rows::fan_out(&mut table);
    rows::chains(&mut table);
    rows::threads(&mut table);
    if table.wants(stall::NAME) {
        stall::rows(&mut table);
    }
    if table.wants(stall::BYTES) {
        stall::memory(&mut table);
    }
    table.print();
}
