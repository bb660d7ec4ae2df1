//! Consumer groups: the coordinator, its members, and their offsets in `__consumer_offsets`.
//!
//! [`group`] is the classic protocol's state machine, pure and driven by hand in its tests. A [`slot`] gives it a lock,
//! a timer and its record; a [`shard`] holds the groups of one partition of `__consumer_offsets`; the
//! [`GroupCoordinator`] finds shards and answers requests. [`records`] and [`batch`] are what stands in the log.

mod admin;
pub mod budget;
mod commits;
pub mod config;
pub mod coordinator;
mod expiry;
pub mod group;
mod join;
mod load;
pub mod member;
mod membership;
pub mod offsets;
pub mod outbox;
mod rebalance;
pub mod records;
pub mod shard;
pub mod slot;
pub mod subscription;
mod sync;
#[cfg(test)]
mod tests;

pub use commits::{Commit, Committer, Fetched, FetchedTopics};
pub use config::GroupConfig;
pub use coordinator::{GroupCoordinator, OFFSETS_TOPIC};
