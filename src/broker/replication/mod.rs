//! The partitions that this broker keeps: leaders, followers, high watermarks, epochs.

pub mod fetch_session;
pub mod fetcher;
pub mod folders;
mod index;
pub mod isr;
mod maintenance;
pub mod manager;
pub mod partition;
pub mod waiters;

pub use fetch_session::{PartitionFetch, TopicKey};
pub use manager::{ReplicaManager, ReplicaSettings};
pub use partition::{Leadership, Partition};
pub use waiters::{FetchWaiter, Waiting};

#[cfg(test)]
mod tests;
