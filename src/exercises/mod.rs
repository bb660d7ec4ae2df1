//! The exercises' programs: what the lessons run.

pub mod ingest;
mod json;
pub mod people;
pub mod storm;
pub mod stream;
pub mod trips;
pub mod velib;
