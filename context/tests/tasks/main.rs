//! Tests of the task layer.
#![cfg(not(loom))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::unreachable, clippy::panic)]

mod examples;
mod flight;
mod group;
#[cfg(feature = "metrics")]
mod metrics;
mod pool;
mod saga;
mod shutdown;
#[cfg(feature = "tracing")]
mod spans;
mod spill;
#[cfg(feature = "status")]
mod status;
mod support;
