//! What clients do all the time.

pub mod commits;
pub mod deals;
pub mod members;
pub mod producer;
pub mod reader;
mod requests;
pub mod topics;

/// The topic that loses nothing: three replicas, two of them in sync, and no leader that was not.
pub const SAFE: &str = "safe";
/// The topic whose producers wait for one replica, and that may be led by one that was not in sync.
pub const LOOSE: &str = "loose";
/// The topic of transactions, which loses nothing either.
pub const DEALS: &str = "deals";
/// Partitions of each.
pub const PARTITIONS: i32 = 2;

/// Topics of which nothing may be lost.
pub fn is_safe(topic: &str) -> bool {
    [SAFE, DEALS, "__consumer_offsets", "__transaction_state"].contains(&topic)
}
