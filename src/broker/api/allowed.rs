//! The operations that whoever asks is allowed (KIP-430): everything that can be done with the thing, for there are no ACLs
//! here. A bit for each operation, by Kafka's numbers.

/// Says that nobody asked for the operations.
pub const NOT_TOLD: i32 = i32::MIN;

/// With a topic: read, write, create, delete, alter, describe, and describe and alter its settings.
pub const ON_TOPICS: i32 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;

/// With a group: read, delete, describe, and describe and alter its settings.
pub const ON_GROUPS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// With the cluster: create, alter, describe, act as one of its brokers, describe and alter its settings, and write
/// idempotently.
pub const ON_CLUSTER: i32 = 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

/// The operations, if they were asked for.
pub fn told(asked: bool, operations: i32) -> i32 {
    if asked { operations } else { NOT_TOLD }
}
