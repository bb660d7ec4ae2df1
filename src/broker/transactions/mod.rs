//! Transactions (KIP-98, KIP-890): the coordinator and its records in `__transaction_state`.
//!
//! [`state`] is one transactional id's transaction and its transitions, pure. [`machine`] is what a partition of
//! `__transaction_state` adds up to; only replayed records change it. What requests make of it stands in [`initialise`],
//! [`partitions`] and [`end`]. The [`TransactionCoordinator`] finds shards and answers requests. It writes no marker itself:
//! it says which transactions are to be ended ([`Ending`]), and takes the word that their markers are in.

mod admin;
mod config;
mod coordinator;
mod end;
mod initialise;
mod machine;
mod partitions;
mod records;
mod state;
#[cfg(test)]
mod tests;

pub use admin::Filter;
pub use config::TransactionConfig;
pub use coordinator::{Ending, TRANSACTIONS_TOPIC, TransactionCoordinator};
pub use end::{End, Ended};
pub use initialise::{Initialise, Initialised};
pub use state::{BUMPS_EPOCH, State, TopicPartition, Transaction};

/// What the coordinator needs a producer id for, or what it has done without one.
///
/// Ids come from the controller, which cannot be asked while a plan is made: a plan that needs one says so, and is made
/// again with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fresh<A> {
    /// It was not needed, or has been taken.
    Done(A),
    /// Without a fresh producer id nothing can be done.
    NeedsProducerId,
}
