//! The friendly face: one file per verb, a folder per noun. Thin: parse, call the client core, print.

pub mod context;
pub mod topic;

pub use context::Context;
