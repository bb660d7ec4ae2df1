//! Appending: one writer at a time, one write per append.

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
use std::sync::atomic::Ordering;

impl PartitionLog {
    /// Appends batches from a producer: checks CRC, magic, size, timestamps and sequences, assigns offsets, and
    /// stamps `leader_epoch`.
    ///
    /// # Errors
    /// What a producer did wrong, by Kafka's own code; [`crate::broker::error::BrokerError::Io`] when the disk
    /// refuses: nobody has seen the records, and the log takes nothing more until [`PartitionLog::recover`].
    pub fn append_as_leader(&self, records: Bytes, leader_epoch: i32) -> Result<Appended> {
        self.append_verified(records, leader_epoch, Leave::Free)
    }

    /// The same, where a transaction must not begin unless its coordinator knows of it.
    ///
    /// # Errors
    /// As [`PartitionLog::append_as_leader`]; `INVALID_TXN_STATE` for records of a transaction that `leave` does not let in.
    pub fn append_verified(&self, records: Bytes, leader_epoch: i32, leave: Leave) -> Result<Appended> {
        self.append_from(Origin::Client, records, leader_epoch, leave)
    }

    /// Appends batches of a coordinator of this broker, all or none. Those that are part of a producer's transaction have no
    /// sequences, so none of them repeats another.
    ///
    /// # Errors
    /// As [`PartitionLog::append_as_leader`].
    pub fn append_as_coordinator(&self, records: Bytes, leader_epoch: i32) -> Result<Appended> {
        self.append_from(Origin::Coordinator, records, leader_epoch, Leave::Free)
    }

    fn append_from(
        &self,
        origin: Origin,
        records: Bytes,
        leader_epoch: i32,
        leave: Leave,
    ) -> Result<Appended> {
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
        let mut next_offset = self.log_end_offset();
        for batch in &mut batches {
            batch.header.base_offset = next_offset;
            batch.header.leader_epoch = leader_epoch;
            next_offset = batch.header.next_offset();
        }
        let mut appended = self.change(&mut writer, |writer| {
            self.write(writer, &batches, &config, now_ms)
        })?;
        if config.timestamp_type == TimestampType::LogAppendTime {
            appended.log_append_time = now_ms;
        }
        Ok(appended)
    }

    /// Appends batches copied from the leader, offsets and epochs as they come.
    ///
    /// # Errors
    /// `CORRUPT_MESSAGE` for broken batches, `OFFSET_OUT_OF_RANGE` for offsets below the log's end.
    pub fn append_as_follower(&self, records: Bytes) -> Result<Appended> {
        let config = self.config.load_full();
        let batches = batch::intact(records)?;
        let mut writer = self.writer.lock();
        writer.check_open()?;
        let mut next_offset = self.log_end_offset();
        for batch in &batches {
            if batch.header.base_offset < next_offset {
                return Err(ResponseError::OffsetOutOfRange.into());
            }
            next_offset = batch.header.next_offset();
        }
        let now_ms = self.clock.now_ms();
        self.change(&mut writer, |writer| {
            self.write(writer, &batches, &config, now_ms)
        })
    }

    /// Appends a transaction's marker, or any other control batch that the broker itself has made.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` where the producer has a later epoch by now, `TRANSACTION_COORDINATOR_FENCED` where a later
    /// coordinator has ended a transaction of it; [`crate::broker::error::BrokerError::Io`] when the disk refuses.
    pub fn append_control(&self, records: Bytes, leader_epoch: i32) -> Result<Appended> {
        let config = self.config.load_full();
        let mut batches = batch::intact(records)?;
        let mut writer = self.writer.lock();
        writer.check_open()?;
        let mut next_offset = self.log_end_offset();
        for batch in &mut batches {
            writer.producers.check_marker(&batch.header, batch.marker())?;
            batch.header.base_offset = next_offset;
            batch.header.leader_epoch = leader_epoch;
            next_offset = batch.header.next_offset();
        }
        let now_ms = self.clock.now_ms();
        self.change(&mut writer, |writer| {
            self.write(writer, &batches, &config, now_ms)
        })
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
                }));
            }
        }
        Ok(None)
    }

    /// Writes checked batches, whose offsets rise from the log's end on.
    fn write(
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
                self.epochs
                    .write()
                    .assign(header.leader_epoch, header.base_offset)?;
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
        let end = last.header.next_offset();
        if let Err(error) = self.settle(writer, &active, batches, end, config, now_ms) {
            // Recovery would cut it off as well; but if the process ends before, it shall not come back.
            if let Err(error) = active.truncate(position, first.header.base_offset) {
                tracing::error!(%error, "what was refused stays behind");
            }
            return Err(error);
        }
        self.log_end.store(end, Ordering::Release);
        self.bump();
        Ok(Appended {
            base_offset: first.header.base_offset,
            last_offset: last.header.last_offset(),
            log_append_time: -1,
            log_start_offset: self.log_start_offset(),
            duplicate: false,
        })
    }

    /// Notes what was written and syncs it if that is due, before anybody sees it.
    fn settle(
        &self,
        writer: &mut Writer,
        active: &Segment,
        batches: &[Batch],
        end: i64,
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<()> {
        for batch in batches {
            self.note_producer(writer, active, batch)?;
            writer.unflushed += i64::from(batch.header.record_count);
        }
        self.flush_if_due(writer, end, config, now_ms)
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
            self.unstable_from
                .store(unstable.unwrap_or(i64::MAX), Ordering::Release);
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
        let active = self.active();
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
        let active = self.active();
        if active.base_offset() == base_offset {
            return Ok(active);
        }
        let dir = self.dir();
        active.finish_indexes()?;
        writer.expire_producers(now_ms, &self.config.load());
        writer.producers.write_snapshot(&self.disk, &dir, base_offset)?;
        let segment = Arc::new(Segment::open(&self.disk, &dir, base_offset, now_ms)?);
        let mut segments = self.segments.load().to_vec();
        segments.push(Arc::clone(&segment));
        self.segments.store(Arc::new(segments));
        tracing::debug!(dir = %dir.display(), base_offset, "rolled a new segment");
        Ok(segment)
    }

    /// Syncs when `flush.messages` or `flush.ms` ask for it; `end` is where the log ends with what has just been written.
    pub(super) fn flush_if_due(
        &self,
        writer: &mut Writer,
        end: i64,
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<()> {
        let waited = now_ms.saturating_sub(writer.flushed_ms);
        let due = writer.unflushed >= config.flush_messages || waited >= config.flush_ms;
        if writer.unflushed > 0 && due {
            self.sync_to(writer, end, now_ms)?;
        }
        Ok(())
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
