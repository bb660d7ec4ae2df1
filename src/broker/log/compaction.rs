//! Compaction: of each key only the last record stays, tombstones for `delete.retention.ms` longer, and so long the marker of
//! a transaction of which nothing is left (KIP-534).
//!
//! A group of neighbouring segments is written anew as `.cleaned`, synced, and renamed to `.swap`: from then on the
//! new file counts, and recovery finishes what a crash interrupts. The active segment is never touched.

use super::partition::{PartitionLog, Tidying};
use super::poison::Poison;
use super::producers::{Aborted, LastWritten};
use super::segment::Segment;
use super::{LogConfig, checkpoint, file, recovery, retention};
use crate::broker::batch::{self, Batch, BatchHeader, Record, Records, compress, records_of};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// Keys that one round remembers, about 50 MiB of them at most; a dirtier log takes several rounds.
const MAX_KEYS: usize = 1 << 20;

/// The last offset of each key, by two hashes that nobody outside can know.
struct LastOffsets {
    offsets: HashMap<(u64, u64), i64>,
    hashers: (RandomState, RandomState),
}

impl LastOffsets {
    fn new() -> Self {
        LastOffsets {
            offsets: HashMap::new(),
            hashers: (RandomState::new(), RandomState::new()),
        }
    }

    fn hash(&self, key: &[u8]) -> (u64, u64) {
        (self.hashers.0.hash_one(key), self.hashers.1.hash_one(key))
    }

    fn put(&mut self, key: &[u8], offset: i64) {
        let hash = self.hash(key);
        self.offsets.insert(hash, offset);
    }

    fn is_last(&self, key: &[u8], offset: i64) -> bool {
        self.offsets
            .get(&self.hash(key))
            .is_none_or(|last| *last <= offset)
    }
}

/// One round of compaction: what decides about each record.
struct Round {
    last_offsets: LastOffsets,
    /// What each live producer has written last: that stays, if only as a header, so that its sequence and epoch are known.
    producers: HashMap<i64, LastWritten>,
    aborted: Vec<Aborted>,
    /// Producers with a transaction of which something has been found in the log, but not its marker.
    with_records: HashSet<i64>,
    /// Offsets of markers that went.
    markers_gone: HashSet<i64>,
    now_ms: i64,
    delete_retention_ms: i64,
}

impl PartitionLog {
    /// Compacts if `cleanup.policy` has `compact` and enough is dirty; returns whether it did. Reads and writes much:
    /// to be called where that is allowed.
    pub fn compact(&self) -> Result<bool> {
        let config = self.config();
        if !config.cleanup_policy.compact {
            return Ok(false);
        }
        let mut tidying = self.tidying.lock();
        let now_ms = self.clock.now_ms();
        let segments = self.segments.load_full();
        if segments.len() < 2 {
            return Ok(false);
        }
        let from = self.first_dirty(&segments, &mut tidying)?;
        let to = self.first_uncleanable(&segments, from, &config, now_ms)?;
        if !is_dirty_enough(&segments, from, to, &config, now_ms)? {
            return Ok(false);
        }
        let producers = {
            let writer = self.writer.lock();
            if !writer.is_open() {
                return Ok(false);
            }
            writer.producers.last_written()
        };
        let mut round = Round {
            last_offsets: LastOffsets::new(),
            producers,
            aborted: self.aborted.read().clone(),
            with_records: HashSet::new(),
            markers_gone: HashSet::new(),
            now_ms,
            delete_retention_ms: config.delete_retention_ms,
        };
        let end = round.learn_keys(&segments, from, to)?;
        let cleanable = segments.partition_point(|segment| segment.base_offset() < end);
        let cleanable = cleanable.min(segments.len().saturating_sub(1));
        for group in groups(segments.get(..cleanable).unwrap_or_default(), &config) {
            self.clean_group(group, &mut round, &config)?;
        }
        tidying.clean_to = Some(end);
        Self::checkpoint_line(&self.disk, &self.dir(), checkpoint::CLEANER, Some(end))?;
        Ok(true)
    }

    /// Where the last round ended, by its checkpoint; 0 before the first.
    pub(super) fn clean_to(&self, tidying: &mut Tidying) -> Result<i64> {
        if let Some(known) = tidying.clean_to {
            return Ok(known);
        }
        let dir = self.dir();
        let known = match (dir.parent(), checkpoint::parse_partition_dir(&dir)) {
            (Some(log_dir), Some(key)) => checkpoint::read(&self.disk, log_dir, checkpoint::CLEANER)?
                .get(&key)
                .copied(),
            _ => None,
        };
        Ok(*tidying.clean_to.insert(known.unwrap_or(0)))
    }

    /// Where the last round ended, or the log's start if that is not in the log.
    fn first_dirty(&self, segments: &[Arc<Segment>], tidying: &mut Tidying) -> Result<i64> {
        let known = self.clean_to(tidying)?;
        let start = self.log_start_offset();
        let active = segments.last().map_or(start, |segment| segment.base_offset());
        Ok(if (start..=active).contains(&known) {
            known
        } else {
            start
        })
    }

    /// The active segment, open transactions, and what `min.compaction.lag.ms` protects stay as they are.
    fn first_uncleanable(
        &self,
        segments: &[Arc<Segment>],
        from: i64,
        config: &LogConfig,
        now_ms: i64,
    ) -> Result<i64> {
        let active = segments.last().map_or(from, |segment| segment.base_offset());
        let mut end = active.min(self.last_stable_offset());
        if config.min_compaction_lag_ms > 0 {
            let newest = now_ms.saturating_sub(config.min_compaction_lag_ms);
            for segment in segments.iter().filter(|segment| segment.base_offset() >= from) {
                if segment.largest_timestamp()? > newest {
                    end = end.min(segment.base_offset());
                    break;
                }
            }
        }
        Ok(end)
    }

    /// Writes a group of segments anew and puts the result in their place.
    fn clean_group(&self, group: &[Arc<Segment>], round: &mut Round, config: &LogConfig) -> Result<()> {
        let Some(base) = group.first().map(|segment| segment.base_offset()) else {
            return Ok(());
        };
        let dir = self.dir();
        let target = file::path_of(&dir, base, file::LOG);
        let cleaned = file::with_suffix(&target, file::CLEANED);
        round.write_cleaned(&self.disk, group, &cleaned)?;
        let swap = file::with_suffix(&target, file::SWAP);
        self.writer.lock().check_open()?;
        self.disk
            .rename(&cleaned, &swap)
            .map_err(BrokerError::io(&cleaned))?;
        // From here on it counts, also after a crash; the appender goes on meanwhile.
        file::sync_dir(&self.disk, &dir).map_err(|error| self.broke_off(error))?;
        self.put_in_place(group, (&swap, &target), round.now_ms, config)?;
        let opened = self.open_compacted(&dir, base, round.now_ms, config);
        let segment = opened.map_err(|error| self.broke_off(error))?;
        self.take_in(group, segment, round)
    }

    /// What is on the disk and what is in memory disagree from now on.
    fn broke_off(&self, error: BrokerError) -> BrokerError {
        self.poison(&mut self.writer.lock(), Poison::Change, &error);
        error
    }

    /// Gives a compacted segment, which counts already, the name of those it was made from. They are read until it is open.
    fn put_in_place(
        &self,
        group: &[Arc<Segment>],
        (swap, target): (&Path, &Path),
        now_ms: i64,
        config: &LogConfig,
    ) -> Result<()> {
        let due_ms = now_ms.saturating_add(config.file_delete_delay_ms);
        let mut writer = self.writer.lock();
        self.change(&mut writer, |writer| {
            for segment in group {
                retention::doom(writer, segment, due_ms)?;
            }
            self.disk.rename(swap, target).map_err(BrokerError::io(swap))
        })
    }

    fn open_compacted(&self, dir: &Path, base: i64, now_ms: i64, config: &LogConfig) -> Result<Segment> {
        file::sync_dir(&self.disk, dir)?;
        let segment = Segment::open(&self.disk, dir, base, now_ms)?;
        segment.rebuild_indexes(config.index_interval_bytes)?;
        segment.finish_indexes()?;
        Ok(segment)
    }

    /// Reads from a compacted segment from now on instead of those it was made from.
    fn take_in(&self, group: &[Arc<Segment>], segment: Segment, round: &Round) -> Result<()> {
        let base = segment.base_offset();
        {
            // The appender may roll one beside this.
            let _writer = self.writer.lock();
            self.segments.replace(group, segment);
        }
        // Whoever is told of an aborted transaction waits for its marker, to let its producer's later records pass.
        self.aborted
            .write()
            .retain(|known| !round.markers_gone.contains(&known.last_offset));
        self.rewrite_aborted(base).map_err(|error| self.broke_off(error))
    }
}

/// Whether there is enough to clean: by `min.cleanable.dirty.ratio`, or because `max.compaction.lag.ms` is over.
fn is_dirty_enough(
    segments: &[Arc<Segment>],
    from: i64,
    to: i64,
    config: &LogConfig,
    now_ms: i64,
) -> Result<bool> {
    let bytes = |low: i64, high: i64| -> u64 {
        let inside = segments
            .iter()
            .filter(|segment| (low..high).contains(&segment.base_offset()));
        inside.map(|segment| segment.size()).sum()
    };
    let (clean, dirty) = (bytes(0, from), bytes(from, to));
    if dirty == 0 {
        return Ok(false);
    }
    if dirty as f64 / (clean + dirty) as f64 > config.min_cleanable_dirty_ratio {
        return Ok(true);
    }
    let oldest = segments.iter().find(|segment| segment.base_offset() >= from);
    oldest.map_or(Ok(false), |segment| {
        Ok(segment.waited_ms(now_ms, now_ms)? > config.max_compaction_lag_ms)
    })
}

/// Neighbouring segments that fit into one.
fn groups<'a>(segments: &'a [Arc<Segment>], config: &LogConfig) -> Vec<&'a [Arc<Segment>]> {
    let mut groups = Vec::new();
    let mut start = 0;
    let mut bytes = 0;
    for (at, segment) in segments.iter().enumerate() {
        let base = segments.get(start).map_or(0, |first| first.base_offset());
        let next = segments
            .get(at + 1)
            .map_or(segment.base_offset(), |next| next.base_offset());
        let near = i32::try_from(next - base).is_ok();
        if at > start && (bytes + segment.size() > u64::from(config.segment_bytes) || !near) {
            groups.extend(segments.get(start..at));
            (start, bytes) = (at, 0);
        }
        bytes += segment.size();
    }
    groups.extend(segments.get(start..).filter(|rest| !rest.is_empty()));
    groups
}

impl Round {
    /// Learns the last offset of each key between two offsets; returns how far it came.
    fn learn_keys(&mut self, segments: &[Arc<Segment>], from: i64, to: i64) -> Result<i64> {
        let mut end = from;
        for segment in segments.iter().filter(|segment| segment.base_offset() < to) {
            let mut full = false;
            let start = segment
                .locate(from)?
                .map_or(segment.size(), |found| found.position);
            recovery::scan(segment, start, |found, batch| {
                full = self.last_offsets.offsets.len() >= MAX_KEYS;
                if full || found.header.base_offset >= to {
                    return Ok(false);
                }
                if !found.header.is_control() && !self.is_aborted(&found.header) {
                    self.learn_batch(batch)?;
                }
                end = end.max(found.header.next_offset());
                Ok(true)
            })?;
            if full {
                return Ok(end);
            }
        }
        Ok(end.max(to))
    }

    fn learn_batch(&mut self, batch: &Batch) -> Result<()> {
        let records = records_of(batch)?;
        for record in Records::new(&records) {
            let record = record?;
            if let Some(key) = record.key {
                let offset = batch.header.offset_of(&record);
                self.last_offsets.put(key, offset);
            }
        }
        Ok(())
    }

    fn is_aborted(&self, header: &BatchHeader) -> bool {
        header.is_transactional()
            && self.aborted.iter().any(|known| {
                known.producer_id == header.producer_id
                    && known.first_offset <= header.base_offset
                    && header.base_offset < known.last_offset
            })
    }

    fn write_cleaned(&mut self, disk: &Disk, group: &[Arc<Segment>], path: &Path) -> Result<()> {
        let file = disk.create(path).map_err(BrokerError::io(path))?;
        let mut out = BufWriter::with_capacity(1 << 18, file);
        for segment in group {
            let end = recovery::scan(segment, 0, |_, batch| {
                if let Some(kept) = self.keep(batch)? {
                    out.write_all(&kept.bytes).map_err(BrokerError::io(path))?;
                }
                Ok(true)
            })?;
            if end < segment.size() {
                // A batch that cannot be read must not be lost silently: the segments stay as they are.
                return Err(kafka_protocol::ResponseError::CorruptMessage.into());
            }
        }
        let synced = out.into_inner().map_err(|error| error.into_error());
        synced
            .and_then(|file| file.sync(path))
            .map_err(BrokerError::io(path))
    }

    /// Whether a batch is the last of its producer.
    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        let last = self.producers.get(&header.producer_id);
        last.is_some_and(|last| last.is(header))
    }

    /// What stays of a marker. As long as its transaction had records when this round began, it stays as it is; then it is
    /// given a delete horizon, and goes once that has passed.
    fn keep_marker(&mut self, batch: &Batch) -> Result<Option<Batch>> {
        let header = batch.header;
        let had_records = self.with_records.remove(&header.producer_id);
        if had_records || batch.marker().is_none() {
            return Ok(Some(batch.clone()));
        }
        match header.delete_horizon() {
            None => self.with_horizon(batch).map(Some),
            Some(horizon) if self.now_ms < horizon || self.is_last_of_producer(&header) => {
                Ok(Some(batch.clone()))
            }
            Some(_) => {
                self.markers_gone.insert(header.last_offset());
                Ok(None)
            }
        }
    }

    /// What stays of a batch; `None` if nothing does. Offsets never change.
    fn keep(&mut self, batch: &Batch) -> Result<Option<Batch>> {
        if batch.header.is_control() {
            return self.keep_marker(batch);
        }
        if batch.header.is_transactional() {
            self.with_records.insert(batch.header.producer_id);
        }
        let records = records_of(batch)?;
        let (mut kept, mut all, mut tombstones) = (Vec::new(), true, false);
        for record in Records::new(&records) {
            let record = record?;
            let offset = batch.header.offset_of(&record);
            let last = record
                .key
                .is_some_and(|key| self.last_offsets.is_last(key, offset));
            let expired = batch
                .header
                .delete_horizon()
                .is_some_and(|horizon| self.now_ms >= horizon);
            if last && (record.value.is_some() || !expired) && !self.is_aborted(&batch.header) {
                tombstones |= record.value.is_none();
                kept.push(record);
            } else {
                all = false;
            }
        }
        if kept.is_empty() {
            return match self.is_last_of_producer(&batch.header) {
                true => emptied(batch.header).map(Some),
                false => Ok(None),
            };
        }
        let sets_horizon = tombstones && batch.header.delete_horizon().is_none();
        if all && !sets_horizon {
            return Ok(Some(batch.clone()));
        }
        let mut header = batch.header;
        if sets_horizon {
            header.set_delete_horizon(self.horizon());
        }
        rebuilt(batch, header, &kept).map(Some)
    }

    /// Until when that is kept which is found now to be kept for a while only.
    fn horizon(&self) -> i64 {
        self.now_ms.saturating_add(self.delete_retention_ms)
    }

    fn with_horizon(&self, batch: &Batch) -> Result<Batch> {
        let records = records_of(batch)?;
        let kept: Vec<_> = Records::new(&records).collect::<Result<_>>()?;
        let mut header = batch.header;
        header.set_delete_horizon(self.horizon());
        rebuilt(batch, header, &kept)
    }
}

/// The batch anew, with these of its records.
fn rebuilt(batch: &Batch, mut header: BatchHeader, kept: &[Record<'_>]) -> Result<Batch> {
    let mut encoded = Vec::new();
    for record in kept {
        // Deltas count from the base timestamp, which may have become the horizon.
        let moved = batch.header.base_timestamp.saturating_sub(header.base_timestamp);
        record.encode(record.timestamp_delta.saturating_add(moved), &mut encoded);
    }
    if !header.has_log_append_time() {
        let times = kept.iter().map(|record| batch.header.timestamp_of(record));
        header.max_timestamp = times.max().unwrap_or(header.max_timestamp);
    }
    header.record_count = i32::try_from(kept.len()).unwrap_or(i32::MAX);
    batch::assemble(header, &compress::compress(header.codec(), &encoded)?)
}

/// Only the header of a batch: its producer's last sequence must stay known.
fn emptied(mut header: BatchHeader) -> Result<Batch> {
    header.record_count = 0;
    header.set_codec(0);
    batch::assemble(header, &[])
}
