//! One way in which replicated state changes.
//!
//! A [`Machine`] is what the log of a partition adds up to. A request plans on it and says which records it takes
//! ([`Step`]); its [`Shard`] appends them, and only then are they replayed, live by the same code as at loading. What the log
//! refuses has changed nothing, so there is nothing to make good again. What need not outlive this broker's lead (parked
//! requests, deadlines of sessions) lies beside the machine and goes with the lead.

mod journal;
mod loader;
mod router;
mod shard;
mod step;
mod tasks;
mod timer;

pub use journal::{Journal, LedPartition};
pub use router::{Router, RouterSettings};
pub use shard::{Shard, ShardSettings};
pub use step::{Refused, Step, Wait};

use crate::broker::metadata::MetadataImage;
use crate::broker::records::RecordError;
use bytes::Bytes;

#[cfg(test)]
mod tests;

/// Key and value of a record, as they stand in its log.
pub type Encoded = (Option<Bytes>, Option<Bytes>);

/// A record of a machine's log.
pub trait LogRecord: Sized + Send + 'static {
    /// Reads it.
    ///
    /// # Errors
    /// A type or version that is not known, or bytes that are none of it.
    fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError>;

    /// Key and value, in the version that is written.
    ///
    /// # Errors
    /// What the version cannot hold.
    fn encode(&self) -> Result<Encoded, RecordError>;
}

/// A producer of transactions (KIP-98).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    /// `producer.id`
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
}

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Its offset in the log.
    pub offset: i64,
    /// Whose transaction it is part of: it counts once that has been committed.
    pub producer: Option<Producer>,
}

/// What a partition's log adds up to. Only [`Machine::replay`] and [`Machine::replay_marker`] change it: live, at loading and
/// in tests alike.
pub trait Machine: Sized + Send + 'static {
    /// What stands in the log.
    type Record: LogRecord;
    /// What all machines of a kind depend on beside their logs.
    type Settings: Clone + Send + Sync + 'static;
    /// What lies beside the machine, and dies with this broker's lead.
    type Soft: Send + 'static;
    /// Something that is due.
    type Due: Send;

    /// An empty log.
    fn new(settings: &Self::Settings) -> Self;

    /// Takes a record that has been written.
    fn replay(&mut self, at: Position, record: Self::Record);

    /// A producer's transaction has ended.
    fn replay_marker(&mut self, _at: i64, _producer: Producer, _commits: bool) {}

    /// Whether a record that cannot be read is left alone where it stands; otherwise it ends the loading, and nobody is
    /// served from this log.
    fn leaves_alone(_error: &RecordError) -> bool {
        false
    }

    /// What lies beside the machine at `now_ms`, when it has been loaded.
    fn take_up(&self, now_ms: i64) -> Self::Soft;

    /// The date was set so much later, or earlier, in ms: moments that are still to come move with it, for nobody has less
    /// time by that, or more.
    fn date_set(_soft: &mut Self::Soft, _by_ms: i64) {}

    /// This broker leads the log no longer: whoever waits is told.
    fn give_up(_soft: Self::Soft) {}

    /// What is to be written because the metadata changed.
    fn on_image(&self, _before: &MetadataImage, _now: &MetadataImage) -> Vec<Self::Record> {
        Vec::new()
    }

    /// The earliest moment, in ms, at which something happens by itself. Asked after every change.
    fn due(&self, soft: &Self::Soft) -> Option<i64>;

    /// All that is due at `now_ms`.
    fn all_due(&self, soft: &Self::Soft, now_ms: i64) -> Vec<Self::Due>;

    /// What comes of it. Each is planned on the state that the ones before it have left.
    fn on_due(&self, soft: &Self::Soft, due: Self::Due, now_ms: i64) -> Step<Self, ()>;
}
