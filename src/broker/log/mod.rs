//! A partition's log on disk, in Kafka's own format (segments, offset and time indexes, checkpoints).

pub mod config;
pub mod partition;

pub use config::{CleanupPolicy, LogConfig, TimestampType};
pub use partition::{Appended, FetchedRecords, OffsetAndTimestamp, PartitionLog, ReadLimit};
