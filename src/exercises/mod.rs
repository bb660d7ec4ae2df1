//! The exercises' programs: what the lessons run.

pub mod people;
pub mod velib;
