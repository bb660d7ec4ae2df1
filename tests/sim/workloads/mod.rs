//! What clients do all the time.

pub mod commits;
pub mod producer;
pub mod reader;
pub mod topics;

/// The topic that loses nothing: three replicas, two of them in sync, and no leader that was not.
pub const SAFE: &str = "safe";
/// The topic whose producers wait for one replica, and that may be led by one that was not in sync.
pub const LOOSE: &str = "loose";
/// Partitions of both.
pub const PARTITIONS: i32 = 2;
