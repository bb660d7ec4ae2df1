//! Reading whole batches from an offset on, by headers alone.

use super::partition::{FetchedRecords, PartitionLog, ReadLimit};
use super::segment::Segment;
use super::segments::Segments;
use crate::broker::batch::BatchHeader;
use crate::broker::error::Result;
use bytes::Bytes;
use kafka_protocol::ResponseError;

/// Read beyond what was asked: the index leads to a place up to one interval before the wanted batch.
const SLACK: usize = 8 << 10;

/// What one read may return.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    offset: i64,
    max_bytes: usize,
    min_one: bool,
    /// First offset that must not be returned.
    limit: i64,
}

impl PartitionLog {
    /// Reads whole batches from `offset` on, at most `max_bytes`, but at least one batch if `min_one`. Like Kafka,
    /// one read stays within one segment.
    ///
    /// # Errors
    /// `OFFSET_OUT_OF_RANGE` below the log's start or above its end.
    pub fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        min_one: bool,
        limit: ReadLimit,
    ) -> Result<FetchedRecords> {
        let log_end = self.log_end_offset();
        if offset < self.log_start_offset() || offset > log_end {
            return Err(ResponseError::OffsetOutOfRange.into());
        }
        let wanted = Wanted {
            offset,
            max_bytes,
            min_one,
            limit: match limit {
                ReadLimit::HighWatermark => self.high_watermark(),
                ReadLimit::LastStable => self.last_stable_offset(),
                ReadLimit::LogEnd => log_end,
            },
        };
        if offset >= wanted.limit {
            return Ok(FetchedRecords::default());
        }
        let segments = self.segments.load();
        let first = Segments::index_of(&segments, offset);
        for segment in segments.get(first..).unwrap_or_default() {
            if let Some((records, next_offset)) = read_segment(segment, wanted)? {
                let aborted = match limit {
                    ReadLimit::LastStable => self.aborted_between(offset, next_offset),
                    _ => Vec::new(),
                };
                return Ok(FetchedRecords { records, aborted });
            }
        }
        Ok(FetchedRecords::default())
    }

    /// Aborted transactions that touch the offsets from `from` up to `to`.
    fn aborted_between(&self, from: i64, to: i64) -> Vec<(i64, i64)> {
        let all = self.aborted.read();
        let touching = all
            .iter()
            .filter(|known| known.last_offset >= from && known.first_offset < to);
        touching
            .map(|known| (known.producer_id, known.first_offset))
            .collect()
    }
}

/// The batches and the offset after them; `None` if the segment ends before the wanted offset.
fn read_segment(segment: &Segment, wanted: Wanted) -> Result<Option<(Bytes, i64)>> {
    let mut position = start_near(segment, wanted.offset)?;
    let mut block = segment.read(position, wanted.max_bytes.saturating_add(SLACK))?;
    let mut at = skip_before(&block, wanted.offset);
    if whole_header(&block, at).is_none() {
        // The wanted batch lies beyond what was read, or there is none.
        let found = segment.find_from(position + at as u64, |header| {
            header.last_offset() >= wanted.offset
        })?;
        let Some(found) = found else {
            return Ok(None);
        };
        position = found.position;
        block = segment.read(position, wanted.max_bytes.max(found.header.size()))?;
        at = 0;
    }
    let (end, next_offset) = whole_batches(&block, at, wanted);
    if end > at {
        return Ok(Some((block.slice(at..end), next_offset)));
    }
    // Not even the first batch fits into what was read.
    match whole_header(&block, at) {
        Some(header) if header.last_offset() < wanted.limit && fits(&header, wanted, 0) => {
            let batch = segment.read(position + at as u64, header.size())?;
            let whole = batch.len() == header.size();
            Ok(Some(if whole {
                (batch, header.next_offset())
            } else {
                (Bytes::new(), wanted.offset)
            }))
        }
        _ => Ok(Some((Bytes::new(), wanted.offset))),
    }
}

/// A position at or shortly before the batch that holds `offset`; the segment's start if the index is damaged.
fn start_near(segment: &Segment, offset: i64) -> Result<u64> {
    let hint = segment.position_before(offset)?;
    if hint == 0 {
        return Ok(0);
    }
    Ok(match segment.header_at(hint)? {
        Some(found) if found.header.last_offset() < offset => hint + found.header.size() as u64,
        Some(found) if found.header.base_offset <= offset => hint,
        _ => 0,
    })
}

fn whole_header(block: &[u8], at: usize) -> Option<BatchHeader> {
    block
        .get(at..)
        .and_then(BatchHeader::parse)
        .filter(BatchHeader::is_sane)
}

/// Where the first batch starts that ends at or after `offset`, or that is not in the block.
fn skip_before(block: &[u8], offset: i64) -> usize {
    let mut at = 0;
    while let Some(header) = whole_header(block, at).filter(|header| header.last_offset() < offset) {
        at += header.size();
    }
    at
}

fn fits(header: &BatchHeader, wanted: Wanted, taken: usize) -> bool {
    taken + header.size() <= wanted.max_bytes || (wanted.min_one && taken == 0)
}

/// Where the whole batches end that start at `at` and may be returned, and the offset after them.
fn whole_batches(block: &[u8], at: usize, wanted: Wanted) -> (usize, i64) {
    let (mut end, mut next_offset) = (at, wanted.offset);
    while let Some(header) = whole_header(block, end) {
        let whole = end + header.size() <= block.len();
        if !whole || header.last_offset() >= wanted.limit || !fits(&header, wanted, end - at) {
            break;
        }
        end += header.size();
        next_offset = header.next_offset();
    }
    (end, next_offset)
}
