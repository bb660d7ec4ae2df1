//! Idempotent producers of a log (KIP-98): their epochs, their last five batches, and Kafka's `.snapshot` files.

use super::file;
use crate::broker::batch::{BatchHeader, Marker};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use bytes::{Buf, BufMut};
use kafka_protocol::ResponseError;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::Path;

/// Batches remembered per producer, to answer a repeated one as Kafka does.
const REMEMBERED: usize = 5;
const SNAPSHOT_VERSION: i16 = 1;
const SNAPSHOT_HEADER: usize = 6;
const SNAPSHOT_ENTRY: usize = 46;

/// A batch that a producer has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Sequence of the last record.
    pub last_sequence: i32,
    /// Offset of the last record.
    pub last_offset: i64,
    /// Last offset minus first offset.
    pub offset_delta: i32,
    /// Greatest timestamp, ms.
    pub timestamp: i64,
}

impl Written {
    /// Offset of the first record.
    pub fn first_offset(&self) -> i64 {
        self.last_offset.saturating_sub(i64::from(self.offset_delta))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Producer {
    epoch: i16,
    batches: VecDeque<Written>,
    last_timestamp: i64,
    coordinator_epoch: i32,
    transaction_start: Option<i64>,
}

impl Producer {
    /// Checks the sequence of a batch whose epoch is not below the known one; returns the earlier write that it repeats.
    ///
    /// # Errors
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER` on a gap.
    fn check_sequence(&self, header: &BatchHeader) -> Result<Option<Written>> {
        if header.producer_epoch > self.epoch {
            return match header.base_sequence {
                0 => Ok(None),
                _ => Err(ResponseError::OutOfOrderSequenceNumber.into()),
            };
        }
        let repeated = self.batches.iter().find(|written| {
            written.last_sequence == header.last_sequence()
                && written.offset_delta == header.last_offset_delta
        });
        if repeated.is_some() {
            return Ok(repeated.copied());
        }
        let last = self.batches.back().map_or(-1, |written| written.last_sequence);
        let next = if last == i32::MAX { 0 } else { last + 1 };
        if header.base_sequence == next {
            Ok(None)
        } else {
            Err(ResponseError::OutOfOrderSequenceNumber.into())
        }
    }
}

/// A producer that has written to a log lately, as DescribeProducers tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveProducer {
    /// Producer id.
    pub id: i64,
    /// Producer epoch.
    pub epoch: i16,
    /// Sequence of its last record, -1 when unknown.
    pub last_sequence: i32,
    /// Timestamp of its last batch, ms.
    pub last_timestamp: i64,
    /// Epoch of its transaction coordinator, -1 without one.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction.
    pub transaction_start: Option<i64>,
}

/// What a producer has written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastWritten {
    /// Records, the last of which has this offset.
    Records(i64),
    /// Nothing but markers since it has this epoch.
    Marker(i16),
}

impl LastWritten {
    /// Whether that batch is it.
    pub fn is(self, header: &BatchHeader) -> bool {
        match self {
            LastWritten::Records(offset) => !header.is_control() && header.last_offset() == offset,
            LastWritten::Marker(epoch) => header.is_control() && header.producer_epoch == epoch,
        }
    }
}

/// A transaction that was aborted: what read_committed consumers must skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aborted {
    /// Who aborted it.
    pub producer_id: i64,
    /// First offset of the transaction.
    pub first_offset: i64,
    /// Offset of the marker.
    pub last_offset: i64,
    /// First offset of the oldest transaction still open after it.
    pub last_stable_offset: i64,
}

/// All producers that have written to a log lately.
#[derive(Debug, Default)]
pub struct ProducerStates {
    producers: HashMap<i64, Producer>,
    /// First offset of each open transaction, with its producer.
    open_transactions: BTreeMap<i64, i64>,
    /// First offset and marker of transactions whose end may not be on all in-sync replicas yet.
    unreplicated: BTreeMap<i64, i64>,
}

impl ProducerStates {
    /// Checks a batch against its producer's epoch and sequence before it is written.
    ///
    /// Returns the earlier write if this one repeats it.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` from a fenced producer, `OUT_OF_ORDER_SEQUENCE_NUMBER` on a gap, `INVALID_TXN_STATE` for
    /// records outside of the transaction that is open.
    pub fn check(&self, header: &BatchHeader) -> Result<Option<Written>> {
        let Some(known) = self.producers.get(&header.producer_id) else {
            return Ok(None);
        };
        if header.producer_epoch < known.epoch {
            return Err(ResponseError::InvalidProducerEpoch.into());
        }
        // What a coordinator wrote for a transaction has no sequence.
        if header.is_control() || header.base_sequence < 0 {
            return Ok(None);
        }
        let repeated = known.check_sequence(header)?;
        if repeated.is_none() && known.transaction_start.is_some() && !header.is_transactional() {
            return Err(ResponseError::InvalidTxnState.into());
        }
        Ok(repeated)
    }

    /// Checks a marker before it is written.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` where the producer has a later epoch, `TRANSACTION_COORDINATOR_FENCED` where a later
    /// coordinator has written a marker.
    pub fn check_marker(&self, header: &BatchHeader, marker: Option<Marker>) -> Result<()> {
        let Some(known) = self.producers.get(&header.producer_id) else {
            return Ok(());
        };
        if header.producer_epoch < known.epoch {
            return Err(ResponseError::InvalidProducerEpoch.into());
        }
        if marker.is_some_and(|marker| marker.coordinator_epoch < known.coordinator_epoch) {
            return Err(ResponseError::TransactionCoordinatorFenced.into());
        }
        Ok(())
    }

    /// Whether that producer has a transaction open, in that epoch.
    pub fn is_open(&self, id: i64, epoch: i16) -> bool {
        let known = self.producers.get(&id);
        known.is_some_and(|known| known.epoch == epoch && known.transaction_start.is_some())
    }

    /// Whether that producer has written lately.
    pub fn knows(&self, id: i64) -> bool {
        self.producers.contains_key(&id)
    }

    /// Notes a batch that has been written; an aborting marker returns the transaction it ended.
    /// `marker` is what a control batch's record says.
    pub fn note(&mut self, header: &BatchHeader, marker: Option<Marker>) -> Option<Aborted> {
        if header.producer_id < 0 {
            return None;
        }
        let producer = self
            .producers
            .entry(header.producer_id)
            .or_insert_with(|| Producer {
                epoch: header.producer_epoch,
                batches: VecDeque::with_capacity(1),
                last_timestamp: header.max_timestamp,
                coordinator_epoch: -1,
                transaction_start: None,
            });
        if header.producer_epoch > producer.epoch {
            producer.epoch = header.producer_epoch;
            producer.batches.clear();
        }
        producer.last_timestamp = header.max_timestamp;
        if header.is_control() {
            let marker = marker?;
            producer.coordinator_epoch = marker.coordinator_epoch;
            let first_offset = producer.transaction_start.take()?;
            self.open_transactions.remove(&first_offset);
            self.unreplicated.insert(first_offset, header.last_offset());
            return (!marker.commits).then(|| Aborted {
                producer_id: header.producer_id,
                first_offset,
                last_offset: header.last_offset(),
                last_stable_offset: self.first_open().unwrap_or(header.next_offset()),
            });
        }
        if header.is_transactional() && producer.transaction_start.is_none() {
            producer.transaction_start = Some(header.base_offset);
            self.open_transactions
                .insert(header.base_offset, header.producer_id);
        }
        if producer.batches.len() == REMEMBERED {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Written {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        None
    }

    fn first_open(&self) -> Option<i64> {
        self.open_transactions.keys().next().copied()
    }

    /// First offset of the oldest transaction that is open, or whose marker is not below the high watermark.
    pub fn first_unstable(&mut self, high_watermark: i64) -> Option<i64> {
        self.unreplicated.retain(|_, marker| *marker >= high_watermark);
        let unreplicated = self.unreplicated.keys().next().copied();
        self.first_open().into_iter().chain(unreplicated).min()
    }

    /// The producers by id.
    pub fn active(&self) -> Vec<ActiveProducer> {
        let mut active: Vec<ActiveProducer> = self
            .producers
            .iter()
            .map(|(id, producer)| ActiveProducer {
                id: *id,
                epoch: producer.epoch,
                last_sequence: producer.batches.back().map_or(-1, |batch| batch.last_sequence),
                last_timestamp: producer.last_timestamp,
                coordinator_epoch: producer.coordinator_epoch,
                transaction_start: producer.transaction_start,
            })
            .collect();
        active.sort_by_key(|producer| producer.id);
        active
    }

    /// Forgets the producers that have been silent for `producer.id.expiration.ms` and have no transaction open.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        self.producers.retain(|_, producer| {
            producer.transaction_start.is_some()
                || now_ms.saturating_sub(producer.last_timestamp) < expiration_ms
        });
    }

    /// The last batch of each live producer: what compaction must keep to remember it.
    pub fn last_written(&self) -> HashMap<i64, LastWritten> {
        let last = |producer: &Producer| match producer.batches.back() {
            Some(written) => LastWritten::Records(written.last_offset),
            None => LastWritten::Marker(producer.epoch),
        };
        self.producers
            .iter()
            .map(|(id, producer)| (*id, last(producer)))
            .collect()
    }

    /// Writes `OFFSET.snapshot`: the state after all batches below `offset`.
    pub fn write_snapshot(&self, disk: &Disk, dir: &Path, offset: i64) -> Result<()> {
        let mut body = Vec::with_capacity(4 + self.producers.len() * SNAPSHOT_ENTRY);
        body.put_i32(i32::try_from(self.producers.len()).unwrap_or(i32::MAX));
        let mut by_id: Vec<_> = self.producers.iter().collect();
        by_id.sort_unstable_by_key(|(id, _)| **id);
        for (id, producer) in by_id {
            let last = producer.batches.back();
            body.put_i64(*id);
            body.put_i16(producer.epoch);
            body.put_i32(last.map_or(-1, |written| written.last_sequence));
            body.put_i64(last.map_or(-1, |written| written.last_offset));
            body.put_i32(last.map_or(0, |written| written.offset_delta));
            body.put_i64(producer.last_timestamp);
            body.put_i32(producer.coordinator_epoch);
            body.put_i64(producer.transaction_start.unwrap_or(-1));
        }
        let mut content = Vec::with_capacity(SNAPSHOT_HEADER + body.len());
        content.put_i16(SNAPSHOT_VERSION);
        content.put_u32(crc32c::crc32c(&body));
        content.extend_from_slice(&body);
        file::replace_derived(disk, &file::path_of(dir, offset, file::SNAPSHOT), &content)
    }

    /// Loads the newest good snapshot at or below `log_end`; damaged and later ones are removed. Returns the state
    /// and the offset from which batches must be replayed.
    pub fn load(disk: &Disk, dir: &Path, log_start: i64, log_end: i64) -> Result<(Self, i64)> {
        let mut snapshots: Vec<(i64, std::path::PathBuf)> = file::list(disk, dir)?
            .into_iter()
            .filter(|(_, _, ending)| ending == file::SNAPSHOT)
            .map(|(path, offset, _)| (offset, path))
            .collect();
        snapshots.sort();
        while let Some((offset, path)) = snapshots.pop() {
            let content = disk.read(&path).map_err(BrokerError::io(&path))?;
            match parse_snapshot(&content).filter(|_| offset <= log_end && offset >= log_start) {
                Some(states) => return Ok((states, offset)),
                None => {
                    tracing::warn!(path = %path.display(), "producer snapshot is unusable; replaying batches");
                    file::remove(disk, &path)?;
                }
            }
        }
        Ok((Self::default(), log_start))
    }
}

fn parse_snapshot(mut content: &[u8]) -> Option<ProducerStates> {
    if content.try_get_i16().ok()? != SNAPSHOT_VERSION {
        return None;
    }
    if content.try_get_u32().ok()? != crc32c::crc32c(content) {
        return None;
    }
    let count = usize::try_from(content.try_get_i32().ok()?).ok()?;
    if content.len() != count.checked_mul(SNAPSHOT_ENTRY)? {
        return None;
    }
    let mut states = ProducerStates::default();
    for mut entry in content.chunks_exact(SNAPSHOT_ENTRY) {
        let id = entry.get_i64();
        let epoch = entry.get_i16();
        let mut written = Written {
            last_sequence: entry.get_i32(),
            last_offset: entry.get_i64(),
            offset_delta: entry.get_i32(),
            timestamp: -1,
        };
        written.timestamp = entry.get_i64();
        let coordinator_epoch = entry.get_i32();
        let transaction_start = Some(entry.get_i64()).filter(|start| *start >= 0);
        if let Some(start) = transaction_start {
            states.open_transactions.insert(start, id);
        }
        let batches = if written.last_offset >= 0 {
            vec![written]
        } else {
            Vec::new()
        };
        let producer = Producer {
            epoch,
            batches: batches.into(),
            last_timestamp: written.timestamp,
            coordinator_epoch,
            transaction_start,
        };
        states.producers.insert(id, producer);
    }
    Some(states)
}
