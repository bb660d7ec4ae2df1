//! Velodrome: a Kafka course, the Kafka command line, and a Kafka cluster to take the course on, in one binary.
//!
//! The layers, and who may call whom, are in `docs/decisions.md`; `tests/layering.rs` checks them.

#[cfg(not(panic = "unwind"))]
compile_error!("a request that panics must end its connection, not the node: build with panic = \"unwind\"");

mod bom;
pub mod broker;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod course;
mod decode;
pub mod exercises;
pub mod failure;
mod frame;
pub mod i18n;
pub mod kafka;
pub mod nearest;
pub mod panics;
pub mod places;
pub mod process;
pub mod scripts;
pub mod ui;
