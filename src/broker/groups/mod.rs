//! Consumer groups: the coordinator, its members, and their offsets in `__consumer_offsets`.
//!
//! [`machine`] is what a partition of `__consumer_offsets` adds up to: the groups as recorded, and their [`offsets`]. Only
//! replayed records change it. [`beside`] it lie the groups in which something goes on; [`group`] is one of them, the classic
//! protocol's rules, pure and driven by hand in its tests. The [`GroupCoordinator`] finds shards and answers requests.

mod admin;
mod beside;
mod budget;
mod commits;
mod config;
mod coordinator;
mod expiry;
mod group;
mod machine;
mod member;
mod membership;
mod offsets;
mod outbox;
mod records;
pub mod subscription;
#[cfg(test)]
mod tests;

pub use commits::{Commit, Committer, Fetched, FetchedTopics};
pub use config::GroupConfig;
pub use coordinator::{GroupCoordinator, OFFSETS_TOPIC};
pub use membership::Caller;
