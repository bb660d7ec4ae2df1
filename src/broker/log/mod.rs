//! A partition's log on disk, in Kafka's own format (segments, offset and time indexes, checkpoints).

mod append;
pub mod checkpoint;
mod compaction;
mod config;
mod debts;
mod ends;
mod epochs;
pub(in crate::broker) mod file;
mod index;
pub mod inspect;
mod lookup;
pub(super) mod partition;
mod poison;
mod producers;
mod read;
mod recovery;
mod retention;
mod segment;
mod segments;
pub mod topic_id;
mod transactions;
mod truncate;
mod validate;
mod verification;

pub use append::By;
pub use config::{CleanupPolicy, LogConfig, TimestampType};
pub use partition::{Appended, FetchedRecords, OffsetAndTimestamp, PartitionLog, ReadLimit};
pub use producers::ActiveProducer;
pub use truncate::Truncating;
pub use verification::{Beginner, Guard, Leave};
