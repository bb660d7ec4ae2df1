//! The partitions that this broker keeps: leaders, followers, high watermarks, epochs.

pub mod manager;
pub mod partition;

pub use manager::ReplicaManager;
pub use partition::Partition;
