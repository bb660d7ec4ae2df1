//! Offset and time indexes, checked against their segment.

use super::{Dump, Stop, absolute, base_offset};
use crate::broker::log::inspect::{self, InspectedIndex, OffsetEntry, SegmentReader, TimeEntry};
use std::path::{Path, PathBuf};

const NO_TIMESTAMP: i64 = -1;

impl Dump {
    /// Shows an offset index.
    pub(super) fn offset_index(&mut self, path: &Path) -> Result<(), Stop> {
        let base = base_offset(path)?;
        let log = sibling(path, "log");
        // A missing segment ends the dump, whatever the index holds.
        SegmentReader::open(&log, 0, 0)?;
        let index = InspectedIndex::<OffsetEntry>::read(path)?;
        if index.entries.is_empty() {
            return Ok(self.line(format_args!("{} is empty.", path.display()))?);
        }
        if self.sanity_only {
            check_length("Index", path, index.length, 8)?;
            return Ok(self.line(format_args!("{} passed sanity check.", path.display()))?);
        }
        let limit = u64::try_from(self.max_message_size)
            .map_err(|_| Stop::Broken(format!("Invalid size: {}", self.max_message_size)))?;
        for (at, entry) in index.entries.iter().enumerate() {
            // The file of an active segment ends in zeros.
            if entry.relative_offset == 0 && at > 0 {
                return Ok(());
            }
            let offset = base + i64::from(entry.relative_offset);
            let position = u64::from(entry.position);
            let batch = SegmentReader::open(&log, position, limit)?
                .next_batch()?
                .ok_or_else(|| {
                    Stop::Broken(format!(
                        "{} has no batch of at most {limit} bytes at position {position}",
                        log.display()
                    ))
                })?;
            let found = batch.header.last_offset();
            if found != offset {
                let mismatches = &mut self.complaints.index_mismatches;
                mismatches
                    .entry(absolute(path))
                    .or_default()
                    .push((offset, found));
            }
            if !self.verify_only {
                self.line(format_args!("offset: {offset} position: {position}"))?;
            }
        }
        Ok(())
    }

    /// Shows a time index.
    pub(super) fn time_index(&mut self, path: &Path) -> Result<(), Stop> {
        let base = base_offset(path)?;
        let log = sibling(path, "log");
        SegmentReader::open(&log, 0, 0)?;
        let offsets = InspectedIndex::<OffsetEntry>::read(&sibling(path, "index"))?;
        let index = InspectedIndex::<TimeEntry>::read(path)?;
        if self.sanity_only {
            check_times(path, &index)?;
            return Ok(self.line(format_args!("{} passed sanity check.", path.display()))?);
        }
        let mut before = NO_TIMESTAMP;
        for (at, entry) in index.entries.iter().enumerate() {
            if entry.relative_offset == 0 && at > 0 {
                return Ok(());
            }
            let offset = base + i64::from(entry.relative_offset);
            self.check_time(path, &log, &offsets.entries, entry, offset, before)?;
            if !self.verify_only {
                self.line(format_args!("timestamp: {} offset: {offset}", entry.timestamp))?;
            }
            before = entry.timestamp;
        }
        Ok(())
    }

    /// Looks for the batch that an entry means: its greatest timestamp must be the entry's, above the one before.
    fn check_time(
        &mut self,
        path: &Path,
        log: &Path,
        offsets: &[OffsetEntry],
        entry: &TimeEntry,
        offset: i64,
        before: i64,
    ) -> Result<(), Stop> {
        let below = offsets.iter().enumerate().take_while(|(at, found)| {
            (*at == 0 || found.relative_offset > 0) && found.relative_offset <= entry.relative_offset
        });
        let position = below.last().map_or(0, |(_, found)| u64::from(found.position));
        let mut segment = SegmentReader::open(log, position, u64::MAX)?;
        let found = loop {
            match segment.next_batch()? {
                Some(batch) if batch.header.last_offset() < offset => {}
                found => break found,
            }
        };
        let complaints = &mut self.complaints;
        match found {
            Some(batch) if batch.header.last_offset() == offset => {
                let times = inspect::records(&batch)?
                    .into_iter()
                    .map(|record| record.timestamp);
                let greatest = times.max().unwrap_or(NO_TIMESTAMP);
                if greatest != entry.timestamp {
                    let found = complaints.time_mismatches.entry(absolute(path)).or_default();
                    found.push((entry.timestamp, greatest));
                }
                if before >= entry.timestamp {
                    let found = complaints.out_of_order.entry(absolute(path)).or_default();
                    found.push((entry.timestamp, before));
                }
            }
            other => {
                let last = other.map_or(-1, |batch| batch.header.last_offset());
                let found = complaints.not_found.entry(absolute(path)).or_default();
                found.push((offset, last));
            }
        }
        Ok(())
    }
}

fn sibling(path: &Path, ending: &str) -> PathBuf {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    path.with_file_name(format!("{stem}.{ending}"))
}

fn check_times(path: &Path, index: &InspectedIndex<TimeEntry>) -> Result<(), Stop> {
    if let (Some(first), Some(last)) = (index.entries.first(), index.entries.last())
        && last.timestamp < first.timestamp
    {
        return Err(Stop::Broken(format!(
            "Corrupt time index found, time index file ({}) has non-zero size but the last timestamp is {} which is less \
             than the first timestamp {}",
            absolute(path),
            last.timestamp,
            first.timestamp
        )));
    }
    check_length("Time index", path, index.length, 12)
}

fn check_length(title: &str, path: &Path, length: u64, entry: u64) -> Result<(), Stop> {
    if length.is_multiple_of(entry) {
        return Ok(());
    }
    Err(Stop::Broken(format!(
        "{title} file {} is corrupt, found {length} bytes which is neither positive nor a multiple of {entry}",
        absolute(path)
    )))
}
