//! Tests of the `context` crate. Names G01.. and T01.. in comments are the tests of Go's `context`
//! and of tokio-util's `CancellationToken` that a test here stands for.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable)]

mod after_func;
mod api;
#[cfg(feature = "tokio-util")]
mod bridges;
mod cancel;
mod causes;
#[cfg(feature = "tokio-time")]
mod clocks;
mod deadlines;
mod deep;
mod display;
mod lifetimes;
mod memory;
#[cfg(feature = "serde")]
mod messages;
mod model;
mod races;
mod regressions;
mod regressions_rest;
#[cfg(feature = "tonic")]
mod rpc;
#[cfg(feature = "axum")]
mod server;
#[cfg(feature = "tracing")]
mod spans;
mod support;
#[cfg(target_os = "linux")]
mod threads;
mod values;
mod waiting;
