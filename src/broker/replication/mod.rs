//! The partitions that this broker keeps: leaders, followers, high watermarks, epochs.

pub(super) mod fetch_session;
pub(super) mod fetcher;
mod folders;
mod index;
pub(super) mod isr;
pub(super) mod maintenance;
mod manager;
mod offline;
mod partition;
mod partitions;
mod waiters;

pub use fetch_session::{PartitionFetch, TopicKey};
pub use manager::{ReplicaManager, ReplicaSettings};
pub use partition::{Leadership, Partition};
pub use partitions::{Partitions, is_internal};
pub use waiters::{FetchWaiter, Waiting};

#[cfg(test)]
mod tests;
