//! The exercises' programs: what the lessons run.

pub mod velib;
