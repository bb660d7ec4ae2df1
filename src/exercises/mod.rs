//! The exercises' programs: what the lessons run.

pub mod ingest;
pub mod people;
pub mod velib;
