//! Opens a log's folder: finishes what a crash interrupted, checks what may not have reached the disk, cuts torn
//! tails, and brings back indexes, leader epochs and producers.

use super::checkpoint;
use super::epochs::LeaderEpochs;
use super::file;
use super::index::Entry;
use super::producers::{Aborted, ProducerStates};
use super::segment::{Located, Segment};
use super::{LogConfig, transactions};
use crate::broker::batch::{Batch, BatchHeader, Batches, HEADER_SIZE};
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What a scan reads at a time.
const SCAN_BLOCK: usize = 1 << 20;

/// What is known about a log before it is opened.
#[derive(Debug, Clone, Copy)]
pub struct Before {
    /// The last stop was clean.
    pub clean: bool,
    /// All below this offset is on the disk.
    pub recovery_point: i64,
    /// Where the log started.
    pub log_start: i64,
    /// Nothing from this offset on counts, whatever the files hold.
    pub end: i64,
}

/// A log brought back.
#[derive(Debug)]
pub struct Recovered {
    /// Never empty; the last is the active one.
    pub segments: Vec<Arc<Segment>>,
    /// First offset that can be read.
    pub log_start: i64,
    /// Offset the next record gets.
    pub log_end: i64,
    /// Leader epochs.
    pub epochs: LeaderEpochs,
    /// Producers.
    pub producers: ProducerStates,
    /// Aborted transactions.
    pub aborted: Vec<Aborted>,
}

/// Opens the log in `dir`, creating the folder if need be.
pub fn open(disk: &Disk, dir: &Path, config: &LogConfig, now_ms: i64, before: Before) -> Result<Recovered> {
    if !disk.is_dir(dir) {
        disk.create_dir_all(dir).map_err(BrokerError::io(dir))?;
    }
    tidy(disk, dir)?;
    let mut epochs = LeaderEpochs::open(disk, dir)?;
    let (_, known_epochs) = epochs.on_disk();
    let mut segments = open_segments(disk, dir, config, now_ms)?;
    let counting = segments.partition_point(|segment| segment.base_offset() <= before.end);
    let mut removed = counting < segments.len();
    segments
        .drain(counting..)
        .try_for_each(|beyond| remove_files(disk, &beyond))?;
    if segments.is_empty() {
        segments.push(Segment::open(disk, dir, before.log_start, now_ms)?);
    }
    let mut check = Check {
        disk,
        config,
        epochs: &mut epochs,
        end: before.end,
    };
    let left = segments.len();
    if !before.clean {
        check.from(&mut segments, before.recovery_point.min(before.end))?;
    }
    let mut log_end = check.end_of(&mut segments)?;
    removed |= segments.len() < left;
    let first = segments.first().map_or(0, Segment::base_offset);
    let log_start = before.log_start.max(first);
    if log_start > log_end {
        tracing::warn!(dir = %dir.display(), log_start, log_end, "the log ends before its start; starting it anew");
        segments
            .iter()
            .try_for_each(|segment| remove_files(disk, segment))?;
        segments = vec![Segment::open(disk, dir, log_start, now_ms)?];
        (log_end, removed) = (log_start, true);
    }
    if removed {
        // There again after a loss of power, what goes now would stand behind what is written next.
        file::sync_dir(disk, dir)?;
    }
    restore_epochs(&segments, &mut epochs, log_start, log_end)?;
    let (path, text) = epochs.on_disk();
    if text != known_epochs {
        file::replace(disk, &path, text.as_bytes())?;
    }
    let segments: Vec<Arc<Segment>> = segments.into_iter().map(Arc::new).collect();
    let known = Known {
        log_start,
        log_end,
        // What is above may be torn, or missing from the files beside the log.
        synced: match before.clean {
            true => log_end,
            false => before.recovery_point.min(log_end),
        },
    };
    let (producers, aborted) = replay_producers(disk, dir, &segments, known, (now_ms, config))?;
    remove_stray_snapshots(disk, dir, &segments)?;
    Ok(Recovered {
        segments,
        log_start,
        log_end,
        epochs,
        producers,
        aborted,
    })
}

/// Removes what a crash left half done and finishes the swaps that were decided.
fn tidy(disk: &Disk, dir: &Path) -> Result<()> {
    let is_swap = |ending: &str| ending.ends_with(file::SWAP);
    let files = file::list(disk, dir)?;
    let swaps: BTreeSet<i64> = files
        .iter()
        .filter(|(_, _, ending)| *ending == format!("{}.{}", file::LOG, file::SWAP))
        .map(|(_, offset, _)| *offset)
        .collect();
    for (path, _, ending) in &files {
        let swap_of_index = is_swap(ending) && !ending.starts_with("log.");
        let half_written = ending.ends_with(file::TEMPORARY);
        if half_written || ending.ends_with(file::DELETED) || ending.ends_with(file::CLEANED) || swap_of_index
        {
            file::remove(disk, path)?;
        }
    }
    for base in swaps {
        complete_swap(disk, dir, base)?;
    }
    let logs: BTreeSet<i64> = file::list(disk, dir)?
        .into_iter()
        .filter(|(_, _, ending)| ending == file::LOG)
        .map(|(_, offset, _)| offset)
        .collect();
    for (path, offset, ending) in file::list(disk, dir)? {
        let belongs_to_a_segment =
            [file::INDEX, file::TIME_INDEX, file::TXN_INDEX].contains(&ending.as_str());
        if belongs_to_a_segment && !logs.contains(&offset) {
            file::remove(disk, &path)?;
        }
    }
    Ok(())
}

/// Puts a compacted segment, written whole before the crash, in the place of those it was made from.
fn complete_swap(disk: &Disk, dir: &Path, base: i64) -> Result<()> {
    let target = file::path_of(dir, base, file::LOG);
    let swap = file::with_suffix(&target, file::SWAP);
    let end = end_of_file(disk, &swap)?.unwrap_or(base.saturating_add(1));
    for (path, offset, ending) in file::list(disk, dir)? {
        let replaced = if ending == file::LOG {
            offset > base && offset < end
        } else {
            offset >= base && offset < end && [file::INDEX, file::TIME_INDEX].contains(&ending.as_str())
        };
        if replaced {
            file::remove(disk, &path)?;
        }
    }
    disk.rename(&swap, &target).map_err(BrokerError::io(&swap))?;
    file::sync_dir(disk, dir)
}

/// The offset after the last batch of a file, by headers alone.
fn end_of_file(disk: &Disk, path: &Path) -> Result<Option<i64>> {
    let file = disk.open(path).map_err(BrokerError::io(path))?;
    let (mut end, mut position) = (None, 0);
    let mut bytes = [0; HEADER_SIZE];
    loop {
        let read = file
            .read_full_at(&mut bytes, position)
            .map_err(BrokerError::io(path))?;
        let header = bytes
            .get(..read)
            .and_then(BatchHeader::parse)
            .filter(BatchHeader::is_sane);
        let Some(header) = header else {
            return Ok(end);
        };
        end = Some(header.next_offset());
        position += header.size() as u64;
    }
}

/// Removes the producer snapshots that belong to no segment, save the newest: each clean stop leaves one behind.
fn remove_stray_snapshots(disk: &Disk, dir: &Path, segments: &[Arc<Segment>]) -> Result<()> {
    let mut snapshots: Vec<_> = file::list(disk, dir)?;
    snapshots.retain(|(_, _, ending)| ending == file::SNAPSHOT);
    let newest = snapshots.iter().map(|(_, offset, _)| *offset).max();
    for (path, offset, _) in &snapshots {
        let of_a_segment = segments.iter().any(|segment| segment.base_offset() == *offset);
        if !of_a_segment && Some(*offset) != newest {
            file::remove(disk, path)?;
        }
    }
    Ok(())
}

fn open_segments(disk: &Disk, dir: &Path, config: &LogConfig, now_ms: i64) -> Result<Vec<Segment>> {
    let mut bases: Vec<i64> = file::list(disk, dir)?
        .into_iter()
        .filter(|(_, _, ending)| ending == file::LOG)
        .map(|(_, offset, _)| offset)
        .collect();
    bases.sort_unstable();
    let mut segments = Vec::with_capacity(bases.len());
    for base in bases {
        let indexed = [file::INDEX, file::TIME_INDEX]
            .iter()
            .all(|ending| disk.exists(&file::path_of(dir, base, ending)));
        let segment = Segment::open(disk, dir, base, now_ms)?;
        if !indexed || !indexes_fit(&segment, config)? {
            tracing::warn!(segment = %segment.path().display(), "building the indexes again");
            segment.rebuild_indexes(config.index_interval_bytes)?;
        }
        segments.push(segment);
    }
    Ok(segments)
}

/// Whether the indexes can belong to the segment: sorted, and the last entry points at the batch it names.
fn indexes_fit(segment: &Segment, config: &LogConfig) -> Result<bool> {
    let growth = segment.growth().read();
    let whole = growth.offsets.is_whole()? && growth.times.is_whole()?;
    if !whole || !growth.offsets.is_sorted()? || !growth.times.is_sorted()? {
        return Ok(false);
    }
    let (last, last_time) = (growth.offsets.last(), growth.times.last());
    drop(growth);
    let Some(last) = last else {
        // Too short to need any entry, or the entries were never written.
        let short = segment.size() <= u64::from(config.index_interval_bytes);
        return Ok(short && (last_time.is_none() || segment.size() > 0));
    };
    let there = segment.header_at(u64::from(last.position))?;
    Ok(there.is_some_and(|found| found.header.last_offset() == segment.base_offset() + last.key()))
}

/// A check of batches, one by one.
struct Check<'a> {
    disk: &'a Disk,
    config: &'a LogConfig,
    epochs: &'a mut LeaderEpochs,
    /// Nothing from this offset on counts.
    end: i64,
}

impl Check<'_> {
    /// Checks every batch from the recovery point on; the first that is broken or missing ends the log.
    fn from(&mut self, segments: &mut Vec<Segment>, recovery_point: i64) -> Result<()> {
        let after = segments.partition_point(|segment| segment.base_offset() <= recovery_point);
        let mut at = after.saturating_sub(1);
        while let Some(segment) = segments.get(at) {
            at += 1;
            let intact = self.segment(segment, recovery_point)?;
            if at < segments.len() {
                segment.finish_indexes()?;
            }
            let ends = self.ends_after(segment, segments.get(at), recovery_point)?;
            if !intact || ends {
                let disk = self.disk;
                segments
                    .drain(at..)
                    .try_for_each(|later| remove_files(disk, &later))?;
            }
        }
        Ok(())
    }

    /// Whether the log ends with a segment, for the next does not follow it. Where the power went, the next may be there by its name
    /// alone, and what was written before it not: nothing says so but the gap. In a compacted log gaps are as they should be. A
    /// segment that begins before the last one ended was removed once, and has come back.
    fn ends_after(&self, segment: &Segment, next: Option<&Segment>, recovery_point: i64) -> Result<bool> {
        let next = next.map(Segment::base_offset);
        let Some(next) = next.filter(|next| *next > recovery_point) else {
            return Ok(false);
        };
        let (end, _) = last_batch(segment)?;
        let follows = end == next || (end < next && self.config.cleanup_policy.compact);
        if !follows {
            tracing::warn!(segment = %segment.path().display(), end, next, "the next segment does not follow this one, and goes");
        }
        Ok(!follows)
    }

    /// Checks one segment and builds its indexes from the recovery point on; false if a broken batch was cut off.
    fn segment(&mut self, segment: &Segment, recovery_point: i64) -> Result<bool> {
        let start = start_of_check(segment, recovery_point)?;
        let mut next_offset = segment.base_offset();
        let end = scan(segment, start, |found, batch| {
            // The checksum does not cover the offset: it must follow the last one and be within reach of the indexes.
            let reach = found.header.last_offset().saturating_sub(segment.base_offset());
            let placed = found.header.base_offset >= next_offset && i32::try_from(reach).is_ok();
            let counts = found.header.last_offset() < self.end;
            if !placed || !counts || !batch.is_intact() {
                return Ok(false);
            }
            next_offset = found.header.next_offset();
            self.epochs
                .assign(found.header.leader_epoch, found.header.base_offset);
            segment.note(found, self.config.index_interval_bytes);
            Ok(true)
        })?;
        let torn = segment.size() - end;
        if torn > 0 {
            tracing::warn!(segment = %segment.path().display(), bytes = torn, "cutting a torn tail");
            segment.truncate(end, next_offset)?;
        }
        Ok(torn == 0)
    }

    /// Where the log ends. A tail that is no whole batch is cut even after a clean stop.
    fn end_of(&mut self, segments: &mut Vec<Segment>) -> Result<i64> {
        let Some(active) = segments.last() else {
            return Ok(0);
        };
        let (mut end, position) = last_batch(active)?;
        if position < active.size() {
            let base = active.base_offset();
            self.from(segments, base)?;
            end = segments.last().map_or(Ok((0, 0)), last_batch)?.0;
        }
        if let Some(active) = segments.last() {
            active.recompute_max()?;
        }
        Ok(end)
    }
}

/// Where a check starts: at the last indexed batch below the recovery point, or else at the segment's start.
fn start_of_check(segment: &Segment, recovery_point: i64) -> Result<u64> {
    if recovery_point > segment.base_offset() {
        let position = segment.position_before(recovery_point - 1)?;
        if position > 0 && segment.header_at(position)?.is_some() {
            segment.keep_indexes_to(position)?;
            return Ok(position);
        }
    }
    segment.clear_indexes()?;
    Ok(0)
}

/// Reads batch after batch, whole, until `visit` answers false or no whole batch follows; returns where it ended.
pub fn scan(
    segment: &Segment,
    start: u64,
    mut visit: impl FnMut(&Located, &Batch) -> Result<bool>,
) -> Result<u64> {
    let mut position = start;
    let mut block = SCAN_BLOCK;
    loop {
        let mut batches = Batches::new(segment.read(position, block)?);
        let before = position;
        for batch in batches.by_ref() {
            let header = batch.header;
            if !visit(&Located { header, position }, &batch)? {
                return Ok(position);
            }
            position += header.size() as u64;
        }
        if position > before {
            block = SCAN_BLOCK;
            continue;
        }
        match segment.header_at(position)? {
            Some(found) if found.header.size() > block => block = found.header.size(),
            _ => return Ok(position),
        }
    }
}

/// The offset after the last whole batch of a segment, and the position after it.
fn last_batch(segment: &Segment) -> Result<(i64, u64)> {
    let mut next_offset = segment.base_offset();
    let position = segment.walk(segment.position_before(i64::MAX)?, |found| {
        next_offset = found.header.next_offset();
        Ok(true)
    })?;
    Ok((next_offset, position))
}

fn restore_epochs(
    segments: &[Segment],
    epochs: &mut LeaderEpochs,
    log_start: i64,
    log_end: i64,
) -> Result<()> {
    epochs.truncate_from_end(log_end);
    if epochs.latest().is_none() {
        for segment in segments {
            segment.walk(0, |found| {
                epochs.assign(found.header.leader_epoch, found.header.base_offset);
                Ok(true)
            })?;
        }
    }
    epochs.truncate_from_start(log_start);
    Ok(())
}

/// How far a log goes, and what of it is on the disk for sure.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its start.
    pub log_start: i64,
    /// Its end.
    pub log_end: i64,
    /// All below this offset is on the disk, in the files beside the segments too.
    pub synced: i64,
}

/// Producers and aborted transactions at the log's end: from the newest snapshot that can be relied on, and the batches after
/// it, by which the files of aborted transactions are made right.
pub fn replay_producers(
    disk: &Disk,
    dir: &Path,
    segments: &[Arc<Segment>],
    known: Known,
    (now_ms, config): (i64, &LogConfig),
) -> Result<(ProducerStates, Vec<Aborted>)> {
    let Known {
        log_start, log_end, ..
    } = known;
    let (mut producers, from) = ProducerStates::load(disk, dir, log_start, known.synced)?;
    producers.expire(now_ms, config.producer_id_expiration_ms);
    let mut aborted = transactions::load(disk, dir)?;
    aborted.retain(|ended| ended.last_offset < from);
    let first = segments
        .partition_point(|segment| segment.base_offset() <= from)
        .saturating_sub(1);
    for segment in segments.get(first..).unwrap_or_default() {
        if let Some(start) = segment.locate(from)?.filter(|_| from < log_end) {
            segment.walk(start.position, |found| {
                let marker = if found.header.is_control() {
                    segment.batch(found)?.and_then(|batch| batch.marker())
                } else {
                    None
                };
                aborted.extend(producers.note(&found.header, marker));
                Ok(true)
            })?;
        }
        let base = segment.base_offset();
        let of_segment: Vec<Aborted> = aborted
            .iter()
            .filter(|ended| ended.last_offset >= base)
            .copied()
            .collect();
        transactions::restore(disk, dir, base, &of_segment)?;
    }
    producers.expire(now_ms, config.producer_id_expiration_ms);
    Ok((producers, aborted))
}

fn remove_files(disk: &Disk, segment: &Segment) -> Result<()> {
    let path = segment.path();
    for ending in [file::LOG, file::INDEX, file::TIME_INDEX, file::TXN_INDEX] {
        file::remove(disk, &path.with_extension(ending))?;
    }
    Ok(())
}

/// What is known of the log in `dir` from the files beside it, and its high watermark.
pub fn before(dir: &Path, state: &checkpoint::LogDirState) -> (Before, i64) {
    let key = checkpoint::parse_partition_dir(dir);
    let of = |offsets: &checkpoint::Offsets| {
        let known = key.as_ref().and_then(|key| offsets.get(key));
        known.copied().unwrap_or(0).max(0)
    };
    let before = Before {
        clean: state.clean,
        recovery_point: of(&state.recovery_points),
        log_start: of(&state.log_starts),
        end: i64::MAX,
    };
    (before, of(&state.high_watermarks))
}
