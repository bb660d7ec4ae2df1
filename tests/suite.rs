//! The one test binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[macro_use]
#[allow(dead_code, unused_macros)]
mod support;

mod broker;
#[cfg(target_os = "linux")]
mod chaos;
mod cli;
mod course;
mod exercises;
mod layering;
mod parity;
#[allow(dead_code, reason = "some helpers serve only when a peer is here")]
mod peers;
mod scripts;
mod sim;
