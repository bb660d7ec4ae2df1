//! Consumer groups: the coordinator, its members, and their offsets in `__consumer_offsets`.
//!
//! [`machine`] is what a partition of `__consumer_offsets` adds up to: the groups as recorded, and their [`offsets`]. Only
//! replayed records change it. [`beside`] it lie the groups in which something goes on; [`group`] is one of them, the classic
//! protocol's rules, pure and driven by hand in its tests. The [`GroupCoordinator`] finds shards and answers requests.

mod admin;
pub mod beside;
pub mod budget;
mod commits;
pub mod config;
pub mod coordinator;
mod expiry;
pub mod group;
mod join;
pub mod machine;
pub mod member;
mod membership;
pub mod offsets;
pub mod outbox;
mod rebalance;
pub mod records;
pub mod subscription;
mod sync;
#[cfg(test)]
mod tests;

pub use commits::{Commit, Committer, Fetched, FetchedTopics};
pub use config::GroupConfig;
pub use coordinator::{GroupCoordinator, OFFSETS_TOPIC};
pub use membership::Caller;
