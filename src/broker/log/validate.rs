//! What a leader checks before it writes a producer's batches, from headers and checksums alone where that is enough.

use super::{LogConfig, TimestampType};
use crate::broker::batch::{self, Batch, BatchHeader, HEADER_SIZE, Records, compress, records_of};
use crate::broker::error::{BrokerError, RecordFault, Result, Why};
use bytes::Bytes;
use kafka_protocol::ResponseError;

/// How many records of a batch are named, if more are at fault: an answer must not outgrow its request.
const TOLD: usize = 1000;

/// Who hands in batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer, whose sequences tell repeated batches from new ones.
    Client,
    /// A coordinator of this broker: what it writes for a producer's transaction has no sequence.
    Coordinator,
}

/// Checks batches, and stamps or recompresses them where the topic asks for it. Offsets stay to be
/// assigned.
///
/// # Errors
/// `CORRUPT_MESSAGE` (checksum, size), `INVALID_RECORD` (old format, counts, control batch, key missing),
/// `MESSAGE_TOO_LARGE`, `RECORD_LIST_TOO_LARGE`, `INVALID_TIMESTAMP`.
pub fn checked(records: Bytes, config: &LogConfig, now_ms: i64, origin: Origin) -> Result<Vec<Batch>> {
    let total = records.len();
    let mut batches = batch::split(records)?;
    for batch in &mut batches {
        check_header(&batch.header, origin)?;
        if batch.bytes.len() > config.max_message_bytes as usize {
            return Err(ResponseError::MessageTooLarge.into());
        }
        if !batch.is_intact() {
            return Err(ResponseError::CorruptMessage.into());
        }
        check_records(batch, config, now_ms)?;
        recompress(batch, config)?;
        if config.timestamp_type == TimestampType::LogAppendTime {
            batch.header.set_log_append_time(now_ms);
            batch
                .header
                .seal(batch.bytes.get(HEADER_SIZE..).unwrap_or_default());
        }
    }
    if total > config.segment_bytes as usize {
        return Err(ResponseError::RecordListTooLarge.into());
    }
    Ok(batches)
}

fn check_header(header: &BatchHeader, origin: Origin) -> Result<()> {
    let counted = i64::from(header.record_count) == i64::from(header.last_offset_delta) + 1;
    let has_sequence = header.base_sequence >= 0 || origin == Origin::Coordinator;
    let sequenced = header.producer_id < 0 || (has_sequence && header.producer_epoch >= 0);
    if header.record_count <= 0 || !counted || header.is_control() || !sequenced {
        return Err(ResponseError::InvalidRecord.into());
    }
    if header.codec() > 4 {
        return Err(ResponseError::UnsupportedCompressionType.into());
    }
    Ok(())
}

/// Checks keys and timestamps: by the header alone, unless that says that a record is at fault, or the topic is compacted or
/// takes no old records.
fn check_records(batch: &Batch, config: &LogConfig, now_ms: i64) -> Result<()> {
    let header = &batch.header;
    let stamped = config.timestamp_type == TimestampType::LogAppendTime;
    if !stamped && header.has_log_append_time() {
        return Err(ResponseError::InvalidTimestamp.into());
    }
    let fits = stamped || in_time(header.max_timestamp, config, now_ms);
    let compacted = config.cleanup_policy.compact;
    // The header tells of the newest record alone.
    let any_age = stamped || config.timestamp_before_max_ms == i64::MAX;
    if fits && any_age && !compacted {
        return Ok(());
    }
    let records = records_of(batch)?;
    let (mut count, mut faults) = (0, Vec::new());
    for record in Records::new(&records) {
        let record = record?;
        let timestamp = header.base_timestamp.saturating_add(record.timestamp_delta);
        let why = if compacted && record.key.is_none() {
            Some(Why::NoKey)
        } else if stamped || in_time(timestamp, config, now_ms) {
            None
        } else {
            Some(Why::Timestamp {
                timestamp,
                offset: header.base_offset.saturating_add(record.offset_delta.into()),
                earliest: now_ms.saturating_sub(config.timestamp_before_max_ms),
                latest: now_ms.saturating_add(config.timestamp_after_max_ms),
            })
        };
        if let Some(why) = why.filter(|_| faults.len() < TOLD) {
            faults.push(RecordFault { index: count, why });
        }
        count += 1;
    }
    if !faults.is_empty() {
        return Err(BrokerError::Records(faults));
    }
    if count != header.record_count {
        return Err(ResponseError::InvalidRecord.into());
    }
    // A header that belies its records.
    match fits {
        true => Ok(()),
        false => Err(ResponseError::InvalidTimestamp.into()),
    }
}

/// Whether a record may have that timestamp; one without any may.
fn in_time(timestamp: i64, config: &LogConfig, now_ms: i64) -> bool {
    timestamp < 0
        || (timestamp.saturating_sub(now_ms) <= config.timestamp_after_max_ms
            && now_ms.saturating_sub(timestamp) <= config.timestamp_before_max_ms)
}

/// Applies `compression.type`, unless it is `producer` or what the batch has already.
fn recompress(batch: &mut Batch, config: &LogConfig) -> Result<()> {
    let wanted = match compress::codec_named(&config.compression_type) {
        Some(codec) if codec != batch.header.codec() => codec,
        _ => return Ok(()),
    };
    let records = compress::compress(wanted, &records_of(batch)?)?;
    batch.header.set_codec(wanted);
    *batch = batch::assemble(batch.header, &records)?;
    if batch.bytes.len() > config.max_message_bytes as usize {
        return Err(ResponseError::MessageTooLarge.into());
    }
    Ok(())
}
