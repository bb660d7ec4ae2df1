//! The friendly face: one file per verb, a folder per noun. Thin: parse, call the client core, print.

pub mod cluster;
pub mod completions;
pub mod consume;
pub mod context;
pub mod contexts;
pub mod doctor;
mod jsonl;
pub mod lesson;
pub mod produce;
pub mod quiz;
pub mod topic;
pub mod velib;

pub use context::Context;
