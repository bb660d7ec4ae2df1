//! Appending: one writer at a time, one write per append.

use super::debts::Unsettled;
use super::partition::{Appended, PartitionLog, Writer};
use super::segment::Segment;
use super::validate::{self, Origin};
use super::verification::Leave;
use super::{LogConfig, TimestampType, transactions};
use crate::broker::batch::{self, Batch, HEADER_SIZE};
use crate::broker::error::Result;
use crate::broker::world::fault::{self, Fault};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use std::io::IoSlice;
use std::sync::Arc;

/// Who appends, and by what rules.
#[derive(Debug, Clone, Copy)]
pub enum By {
    /// A client of the leader in that epoch, whose batches get offsets and the epoch here; a transaction begins with what
    /// `leave` lets in.
    Client {
        /// The leader epoch.
        epoch: i32,
        /// By what records of a transaction are let in.
        leave: Leave,
    },
    /// A coordinator of this broker, the leader in that epoch: all or none. Batches that are part of a producer's transaction
    /// have no sequences, so none of them repeats another.
    Coordinator {
        /// The leader epoch.
        epoch: i32,
    },
    /// The leader in that epoch, with a transaction's marker or any other control batch that the broker itself has made.
    Marker {
        /// The leader epoch.
        epoch: i32,
    },
    /// A follower, with batches copied from the leader, offsets and epochs as they come.
    Follower,
}

impl PartitionLog {
    /// Writes batches, and waits for no more than the page cache; what it makes [`Appended::unsettled`] nobody sees before
    /// [`PartitionLog::settle`].
    ///
    /// # Errors
    /// What a producer did wrong, by Kafka's own code, `INVALID_TXN_STATE` for records of a transaction that is not let in;
    /// of a marker `INVALID_PRODUCER_EPOCH` where the producer has a later epoch by now, `TRANSACTION_COORDINATOR_FENCED`
    /// where a later coordinator has ended a transaction of it; of copied batches `CORRUPT_MESSAGE`, and
    /// `OFFSET_OUT_OF_RANGE` for offsets below the log's end. [`crate::broker::error::BrokerError::Io`] when the disk refuses:
    /// nobody has seen the records, and the log takes nothing more until [`PartitionLog::recover`].
    pub fn write(&self, records: Bytes, by: By) -> Result<Appended> {
        match by {
            By::Client { epoch, leave } => self.write_new(Origin::Client, records, epoch, leave),
            By::Coordinator { epoch } => self.write_new(Origin::Coordinator, records, epoch, Leave::Free),
            By::Marker { epoch } => self.write_marker(records, epoch),
            By::Follower => self.write_copied(records),
        }
    }

    /// The same, and waits until it is seen.
    ///
    /// # Errors
    /// As [`PartitionLog::write`] and [`PartitionLog::settle`].
    pub fn append(&self, records: Bytes, by: By) -> Result<Appended> {
        let mut appended = self.write(records, by)?;
        self.settle(&appended)?;
        appended.unsettled = None;
        Ok(appended)
    }

    /// The same for a client.
    ///
    /// # Errors
    /// As [`PartitionLog::append`].
    pub fn append_as_leader(&self, records: Bytes, epoch: i32) -> Result<Appended> {
        let leave = Leave::Free;
        self.append(records, By::Client { epoch, leave })
    }

    fn write_new(&self, origin: Origin, records: Bytes, leader_epoch: i32, leave: Leave) -> Result<Appended> {
        let config = self.config.load_full();
        let now_ms = self.clock.now_ms();
        let mut batches = validate::checked(records, &config, now_ms, origin)?;
        let mut writer = self.writer.lock();
        writer.check_open()?;
        if let Some(earlier) = self.repeated(&writer, &batches, &config)? {
            return Ok(earlier);
        }
        for batch in &batches {
            writer
                .verifications
                .check(&batch.header, leave, &writer.producers)?;
        }
        self.number(&mut batches, leader_epoch);
        let mut appended = self.change(&mut writer, |writer| {
            self.write_checked(writer, &batches, &config, now_ms)
        })?;
        if config.timestamp_type == TimestampType::LogAppendTime {
            appended.log_append_time = now_ms;
        }
        Ok(appended)
    }

    fn write_copied(&self, records: Bytes) -> Result<Appended> {
        let config = self.config.load_full();
        let batches = batch::intact(records)?;
        let mut writer = self.writer.lock();
        writer.check_open()?;
        let mut next_offset = self.written_end_offset();
        for batch in &batches {
            if batch.header.base_offset < next_offset {
                return Err(ResponseError::OffsetOutOfRange.into());
            }
            next_offset = batch.header.next_offset();
        }
        let now_ms = self.clock.now_ms();
        self.change(&mut writer, |writer| {
            self.write_checked(writer, &batches, &config, now_ms)
        })
    }

    fn write_marker(&self, records: Bytes, leader_epoch: i32) -> Result<Appended> {
        let config = self.config.load_full();
        let mut batches = batch::intact(records)?;
        let mut writer = self.writer.lock();
        writer.check_open()?;
        for batch in &batches {
            writer.producers.check_marker(&batch.header, batch.marker())?;
        }
        self.number(&mut batches, leader_epoch);
        let now_ms = self.clock.now_ms();
        self.change(&mut writer, |writer| {
            self.write_checked(writer, &batches, &config, now_ms)
        })
    }

    /// Gives new batches their offsets, and the epoch that they are written in.
    fn number(&self, batches: &mut [Batch], leader_epoch: i32) {
        let mut next_offset = self.written_end_offset();
        for batch in batches {
            batch.header.base_offset = next_offset;
            batch.header.leader_epoch = leader_epoch;
            next_offset = batch.header.next_offset();
        }
    }

    /// Checks sequences; the earlier append's answer if the batch has been written before.
    fn repeated(&self, writer: &Writer, batches: &[Batch], config: &LogConfig) -> Result<Option<Appended>> {
        for batch in batches.iter().filter(|batch| batch.header.producer_id >= 0) {
            if let Some(written) = writer.producers.check(&batch.header)? {
                let stamped = config.timestamp_type == TimestampType::LogAppendTime;
                return Ok(Some(Appended {
                    base_offset: written.first_offset(),
                    last_offset: written.last_offset,
                    log_append_time: if stamped { written.timestamp } else { -1 },
                    log_start_offset: self.log_start_offset(),
                    duplicate: true,
                    unsettled: self.unsettled(writer, written.last_offset.saturating_add(1)),
                }));
            }
        }
        Ok(None)
    }

    /// Writes checked batches, whose offsets rise from the log's end on.
    fn write_checked(
        &self,
        writer: &mut Writer,
        batches: &[Batch],
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<Appended> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return Err(ResponseError::InvalidRecord.into());
        };
        let active = self.segment_for(writer, batches, config, now_ms)?;
        for batch in batches {
            let header = &batch.header;
            if self.latest_epoch() < header.leader_epoch && !fault::is(Fault::EpochNotWritten) {
                let is_new = self
                    .epochs
                    .write()
                    .assign(header.leader_epoch, header.base_offset);
                writer.debts.note_epochs(is_new);
            }
        }
        let heads: Vec<[u8; HEADER_SIZE]> = batches.iter().map(|batch| batch.header.encode()).collect();
        let mut slices: Vec<IoSlice<'_>> = batches
            .iter()
            .zip(&heads)
            .flat_map(|(batch, head)| [IoSlice::new(head), IoSlice::new(batch.records())])
            .collect();
        let headers: Vec<_> = batches.iter().map(|batch| batch.header).collect();
        let position = active.size();
        active.append(&headers, &mut slices, config.index_interval_bytes)?;
        if let Err(error) = self.note_producers(writer, &active, batches) {
            // Recovery would cut it off as well; but if the process ends before, it shall not come back.
            if let Err(error) = active.truncate(position, first.header.base_offset) {
                tracing::error!(%error, "what was refused stays behind");
            }
            return Err(error);
        }
        writer.note_flush_if_due(config, now_ms);
        Ok(Appended {
            base_offset: first.header.base_offset,
            last_offset: last.header.last_offset(),
            log_append_time: -1,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
            unsettled: self.show_unless_it_waits(writer, last.header.next_offset()),
        })
    }

    /// What has just been written up to `end` is seen from now on, unless something is owed to the disk first.
    fn show_unless_it_waits(&self, writer: &Writer, end: i64) -> Option<Unsettled> {
        self.ends.set_written(end);
        if !writer.debts.are_paid() {
            return self.unsettled(writer, end);
        }
        self.ends.show(end);
        self.bump();
        None
    }

    fn note_producers(&self, writer: &mut Writer, active: &Segment, batches: &[Batch]) -> Result<()> {
        for batch in batches {
            self.note_producer(writer, active, batch)?;
            writer.unflushed += i64::from(batch.header.record_count);
        }
        Ok(())
    }

    fn note_producer(&self, writer: &mut Writer, active: &Segment, batch: &Batch) -> Result<()> {
        let header = &batch.header;
        if header.producer_id < 0 {
            return Ok(());
        }
        let marker = if header.is_control() { batch.marker() } else { None };
        if marker.is_some() {
            writer.verifications.forget(header.producer_id);
        }
        if let Some(aborted) = writer.producers.note(header, marker) {
            transactions::append(&self.disk, &self.dir(), active.base_offset(), &aborted)?;
            self.aborted.write().push(aborted);
        }
        if header.is_transactional() {
            let unstable = writer.producers.first_unstable(self.high_watermark());
            self.ends.set_unstable(unstable);
        }
        Ok(())
    }

    /// The segment to append to: the active one, or a new one if that is full or old.
    fn segment_for(
        &self,
        writer: &mut Writer,
        batches: &[Batch],
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<Arc<Segment>> {
        let active = self.segments.active();
        let bytes: u64 = batches.iter().map(|batch| batch.bytes.len() as u64).sum();
        let newest = batches
            .iter()
            .map(|batch| batch.header.max_timestamp)
            .max()
            .unwrap_or(-1);
        let base_offset = batches.first().map_or(0, |batch| batch.header.base_offset);
        let last_offset = batches.last().map_or(0, |batch| batch.header.last_offset());
        let too_far = i32::try_from(last_offset - active.base_offset()).is_err();
        let full = active.size() + bytes > u64::from(config.segment_bytes)
            || active.indexes_full(config.segment_index_bytes);
        let old = active.size() > 0 && active.waited_ms(now_ms, newest)? > roll_after_ms(config);
        if too_far || (active.size() > 0 && (full || old)) {
            return self.roll(writer, base_offset, now_ms);
        }
        Ok(active)
    }

    /// Closes the active segment and starts a new one at `base_offset`.
    pub(super) fn roll(&self, writer: &mut Writer, base_offset: i64, now_ms: i64) -> Result<Arc<Segment>> {
        let active = self.segments.active();
        if active.base_offset() == base_offset {
            return Ok(active);
        }
        let dir = self.dir();
        active.finish_indexes()?;
        writer.expire_producers(now_ms, &self.config.load());
        writer.producers.write_snapshot(&self.disk, &dir, base_offset)?;
        let segment = Arc::new(Segment::open(&self.disk, &dir, base_offset, now_ms)?);
        self.segments.push(Arc::clone(&segment));
        tracing::debug!(dir = %dir.display(), base_offset, "rolled a new segment");
        Ok(segment)
    }
}

impl Writer {
    /// Notes a sync as owed when `flush.messages` or `flush.ms` ask for it.
    pub(super) fn note_flush_if_due(&mut self, config: &LogConfig, now_ms: i64) {
        let waited = now_ms.saturating_sub(self.flushed_ms);
        let due = self.unflushed >= config.flush_messages || waited >= config.flush_ms;
        if self.unflushed > 0 && due {
            self.debts.note_records();
        }
    }
}

/// After how long a segment is closed: compaction must not wait for `segment.ms` beyond its own limit.
fn roll_after_ms(config: &LogConfig) -> i64 {
    if config.cleanup_policy.compact {
        config.segment_ms.min(config.max_compaction_lag_ms)
    } else {
        config.segment_ms
    }
}
