//! Offsets by time, as ListOffsets asks for them. These lookups decode the one batch that decides.

use super::partition::{OffsetAndTimestamp, PartitionLog};
use super::segment::Segment;
use crate::broker::batch::{Batch, Records, records_of};
use crate::broker::error::Result;

impl PartitionLog {
    /// The first record at or after `timestamp` (ms); `None` when there is none.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<OffsetAndTimestamp>> {
        let log_start = self.log_start_offset();
        for segment in self.segments.load().iter() {
            if segment.max_timestamp().timestamp >= timestamp
                && let Some(found) = first_since(segment, timestamp, log_start)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The record with the greatest timestamp; `None` in an empty log.
    pub fn max_timestamp(&self) -> Result<Option<OffsetAndTimestamp>> {
        let segments = self.segments.load();
        let mut newest: Option<&Segment> = None;
        for segment in segments.iter().filter(|segment| segment.size() > 0) {
            let so_far = newest.map_or(-1, |segment| segment.max_timestamp().timestamp);
            if segment.max_timestamp().timestamp > so_far {
                newest = Some(segment);
            }
        }
        let Some(segment) = newest else {
            return Ok(None);
        };
        let max = segment.max_timestamp();
        let found = segment.find_from(segment.position_before(max.offset)?, |header| {
            header.max_timestamp == max.timestamp && header.last_offset() >= max.offset
        })?;
        match found {
            Some(found) => Ok(match segment.batch(&found)? {
                Some(batch) => first_in_batch(&batch, max.timestamp, self.log_start_offset())?,
                None => None,
            }),
            None => Ok(None),
        }
    }
}

/// The first record of a segment at or after both `timestamp` and `log_start`.
fn first_since(segment: &Segment, timestamp: i64, log_start: i64) -> Result<Option<OffsetAndTimestamp>> {
    let entry = segment.growth().read().times.floor(timestamp)?;
    let near = entry.map_or(0, |entry| i64::from(entry.relative_offset));
    let mut first = None;
    let start = segment.position_before(segment.base_offset().saturating_add(near))?;
    segment.walk(start, |found| {
        let header = &found.header;
        if header.max_timestamp >= timestamp
            && header.last_offset() >= log_start
            && let Some(batch) = segment.batch(found)?
        {
            first = first_in_batch(&batch, timestamp, log_start)?;
        }
        Ok(first.is_none())
    })?;
    Ok(first)
}

/// The first record of a batch at or after both `timestamp` and `log_start`.
fn first_in_batch(batch: &Batch, timestamp: i64, log_start: i64) -> Result<Option<OffsetAndTimestamp>> {
    let header = &batch.header;
    let records = records_of(batch)?;
    for record in Records::new(&records) {
        let record = record?;
        let found = OffsetAndTimestamp {
            offset: header.offset_of(&record),
            timestamp: header.timestamp_of(&record),
            leader_epoch: header.leader_epoch,
        };
        if found.timestamp >= timestamp && found.offset >= log_start {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
