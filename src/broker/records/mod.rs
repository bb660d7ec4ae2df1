//! The records that Kafka keeps for itself, in its own layouts: those of the metadata log, `__consumer_offsets`,
//! `__transaction_state` and `__share_group_state`. The layouts stand in `schemas`; `build/records` makes the code.
//!
//! What is not known is an error that names itself: a type, a version, in the metadata log also a field. Nothing makes
//! room by a length that a record claims.

mod frame;
pub mod metadata;
pub mod offsets;
pub(super) mod principal;
pub mod share;
pub mod transaction;
mod wire;

pub use frame::KeyAndValue;
pub use wire::{Message, RecordError};

#[cfg(test)]
#[path = "../../../build/records/mod.rs"]
#[allow(dead_code, reason = "build.rs calls what makes the files")]
mod generator;

#[cfg(test)]
mod tests;
