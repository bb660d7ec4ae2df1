//! Whether a producer may begin a transaction in a log (KIP-890): its coordinator must know of it, or nobody would end it.
//!
//! Who asks the coordinator takes a guard first, and hands it in with the records. A marker that comes in between takes the
//! guard away: what was true when it was asked for is over.

use super::partition::Writer;
use super::producers::ProducerStates;
use crate::broker::batch::BatchHeader;
use crate::broker::error::Result;
use kafka_protocol::ResponseError;
use std::collections::HashMap;

/// By what records of a transaction are let into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// Whatever anybody knows of it.
    Free,
    /// Only while the transaction is open in this log.
    Open,
    /// Also to begin it: its coordinator has been asked since this guard was taken.
    Verified(Guard),
}

/// Taken before a coordinator is asked about a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard(u64);

/// Who asks for a guard.
#[derive(Debug, Clone, Copy)]
pub struct Beginner {
    /// The producer's id.
    pub producer_id: i64,
    /// Its epoch.
    pub epoch: i16,
    /// First sequence of its records, -1 without one.
    pub sequence: i32,
    /// Whether each end of a transaction bumps its epoch, so that its sequences begin at 0 each time.
    pub bumps_epoch: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    guard: Guard,
    beginner: Beginner,
    since_ms: i64,
}

/// The guards that have been taken, by producer id.
#[derive(Debug, Default)]
pub struct Verifications {
    entries: HashMap<i64, Entry>,
    taken: u64,
}

impl Verifications {
    /// A guard for that producer; the same while its coordinator is being asked.
    fn take(&mut self, beginner: Beginner, now_ms: i64) -> Guard {
        self.taken += 1;
        let guard = Guard(self.taken);
        let entry = self.entries.entry(beginner.producer_id).or_insert(Entry {
            guard,
            beginner,
            since_ms: now_ms,
        });
        let known = &mut entry.beginner;
        if beginner.epoch > known.epoch {
            *known = beginner;
        } else if beginner.epoch == known.epoch {
            known.sequence = known.sequence.min(beginner.sequence);
        }
        entry.guard
    }

    /// The producer's transaction has ended.
    pub fn forget(&mut self, producer_id: i64) {
        self.entries.remove(&producer_id);
    }

    /// Forgets guards that nobody has come back with for `producer.id.expiration.ms`.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.entries
            .retain(|_, entry| now_ms.saturating_sub(entry.since_ms) < expiration_ms);
    }

    /// Checks a producer's batch.
    ///
    /// # Errors
    /// `INVALID_TXN_STATE` for one that would begin a transaction that nobody knows of; `OUT_OF_ORDER_SEQUENCE_NUMBER`
    /// for one that overtook the first of its transaction.
    pub fn check(&self, header: &BatchHeader, leave: Leave, producers: &ProducerStates) -> Result<()> {
        let id = header.producer_id;
        if !header.is_transactional() || leave == Leave::Free {
            return Ok(());
        }
        if producers.is_open(id, header.producer_epoch) {
            return Ok(());
        }
        let entry = self.entries.get(&id);
        let Some(Entry { beginner, .. }) = entry.filter(|entry| leave == Leave::Verified(entry.guard)) else {
            return Err(ResponseError::InvalidTxnState.into());
        };
        let overtakes = header.base_sequence > beginner.sequence;
        let begins_late = beginner.bumps_epoch && header.base_sequence != 0 && !producers.knows(id);
        if overtakes || begins_late {
            return Err(ResponseError::OutOfOrderSequenceNumber.into());
        }
        Ok(())
    }
}

impl Writer {
    /// A guard for a producer whose coordinator is to be asked; `None` while its transaction is open here.
    pub(super) fn begin_verification(&mut self, beginner: Beginner, now_ms: i64) -> Option<Guard> {
        match self.producers.is_open(beginner.producer_id, beginner.epoch) {
            true => None,
            false => Some(self.verifications.take(beginner, now_ms)),
        }
    }

    /// Whether records of that producer's transaction would be let in now.
    pub(super) fn lets_in(&self, producer_id: i64, epoch: i16, leave: Leave) -> bool {
        let entry = self.verifications.entries.get(&producer_id);
        leave == Leave::Free
            || self.producers.is_open(producer_id, epoch)
            || entry.is_some_and(|entry| leave == Leave::Verified(entry.guard))
    }
}
