//! The friendly face: one file per verb, a folder per noun. Thin: parse, call the client core, print.

pub mod address;
pub mod candidates;
pub mod cluster;
pub mod completions;
pub mod config;
pub mod consume;
pub mod context;
pub mod contexts;
pub mod doctor;
pub mod group;
pub mod join;
mod jsonl;
pub mod lesson;
pub mod mongo;
pub mod offsets;
pub mod people;
pub mod position;
pub mod produce;
pub mod quiz;
pub mod records;
mod script_completion;
pub mod scripts;
pub mod select;
pub mod settings;
pub mod settle;
pub mod storm;
pub mod synonyms;
pub mod topic;
pub mod transaction;
pub mod trips;
pub mod velib;
pub mod why;

pub use address::Address;
pub use context::Context;
