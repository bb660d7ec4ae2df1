//! Segments and snapshots, batch by batch.

use super::{Dump, Stop, absolute, base_offset, optional};
use crate::broker::batch::{Batch, BatchHeader};
use crate::broker::log::inspect::{self, InspectedRecord, SegmentReader};
use crate::scripts::kafka_records::ControlMessage;
use std::io::Write;
use std::path::Path;

impl Dump {
    /// Shows a segment of a log, or a snapshot of the metadata log.
    pub(super) fn log(&mut self, path: &Path) -> Result<(), Stop> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name.ends_with(".log") {
            let start = base_offset(path)?;
            self.line(format_args!("Log starting offset: {start}"))?;
        } else if name == "bootstrap.checkpoint" {
            self.line("KRaft bootstrap snapshot")?;
        } else {
            let (offset, epoch) =
                snapshot_id(name).ok_or_else(|| Stop::Broken(format!("{name} is no snapshot's name")))?;
            self.line(format_args!("Snapshot end offset: {offset}, epoch: {epoch}"))?;
        }
        let limit = u64::try_from(self.max_bytes)
            .map_err(|_| Stop::Broken(format!("Invalid size: {}", self.max_bytes)))?;
        let mut segment = SegmentReader::open(path, 0, limit)?;
        let mut last = -1;
        loop {
            let position = segment.position();
            let Some(batch) = segment.next_batch()? else {
                break;
            };
            self.batch(&batch, position)?;
            if self.deep {
                self.records(&batch, path, &mut last)?;
            }
        }
        if segment.rest() > 0 && self.max_bytes == i32::MAX {
            let rest = segment.rest();
            self.line(format_args!("Found {rest} invalid bytes at the end of {name}"))?;
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, position: u64) -> Result<(), Stop> {
        let header = &batch.header;
        let text = format!(
            "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
             partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {} position: {position} {}: {} \
             size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
            header.base_offset,
            header.last_offset(),
            header.record_count,
            header.base_sequence,
            inspect::sequence_after(header.base_sequence, header.last_offset_delta),
            header.producer_id,
            header.producer_epoch,
            header.leader_epoch,
            header.is_transactional(),
            header.is_control(),
            optional(header.delete_horizon()),
            timestamp_type(header),
            header.max_timestamp,
            header.size(),
            header.magic,
            codec(header)?,
            header.crc,
            batch.is_intact()
        );
        Ok(self.line(text)?)
    }

    fn records(&mut self, batch: &Batch, path: &Path, last: &mut i64) -> Result<(), Stop> {
        for record in inspect::records(batch)? {
            if record.offset != *last + 1 {
                let found = &mut self.complaints.non_consecutive;
                found
                    .entry(absolute(path))
                    .or_default()
                    .push((*last, record.offset));
            }
            *last = record.offset;
            let mut text = String::new();
            if !self.skip_metadata {
                text = metadata(&batch.header, &record)?;
            }
            if self.contents && !batch.header.is_control() {
                let mut prefix = if self.skip_metadata { "| " } else { " " };
                let (key, value) = match self.decoders.read(&record) {
                    Ok(shown) => shown,
                    Err(why) => {
                        self.out.write_all(text.as_bytes())?;
                        return Err(Stop::Broken(why));
                    }
                };
                if let Some(key) = key {
                    text.push_str(&format!("{prefix}key: {key}"));
                    prefix = " ";
                }
                if let Some(value) = value {
                    text.push_str(&format!("{prefix}payload: {value}"));
                }
            }
            self.out.write_all(text.as_bytes())?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn metadata(header: &BatchHeader, record: &InspectedRecord) -> Result<String, Stop> {
    let size = |bytes: &Option<Vec<u8>>| {
        bytes
            .as_ref()
            .map_or("-1".to_owned(), |bytes| bytes.len().to_string())
    };
    let mut text = format!(
        "| offset: {} {}: {} keySize: {} valueSize: {} sequence: {} headerKeys: [{}]",
        record.offset,
        timestamp_type(header),
        record.timestamp,
        size(&record.key),
        size(&record.value),
        record.sequence,
        record.header_names.join(",")
    );
    if header.is_control() {
        text.push_str(&control(record)?);
    }
    Ok(text)
}

/// What a control record says; its key is a version and a kind.
fn control(record: &InspectedRecord) -> Result<String, Stop> {
    let key = record.key.as_deref().unwrap_or_default();
    let kind = match key {
        [_, _, high, low, ..] => i16::from_be_bytes([*high, *low]),
        _ => {
            return Err(Stop::Broken(format!(
                "Invalid value size found for end control record key. Must have at least 4 bytes, but found only {}",
                key.len()
            )));
        }
    };
    let value = record.value.as_deref().unwrap_or_default();
    let message = |title: &str, message: ControlMessage| {
        let json = message
            .json(value)
            .map_err(|error| Stop::Broken(error.to_string()))?;
        Ok(format!(" {title} {json}"))
    };
    match kind {
        0 | 1 => {
            let epoch = match value {
                [_, _, epoch @ ..] => epoch.first_chunk().copied().map(i32::from_be_bytes),
                _ => None,
            };
            let epoch = epoch.ok_or_else(|| {
                Stop::Broken(format!(
                    "Invalid value size found for end transaction marker. Must have at least 6 bytes, but found only {}",
                    value.len()
                ))
            })?;
            let name = if kind == 0 { "ABORT" } else { "COMMIT" };
            Ok(format!(" endTxnMarker: {name} coordinatorEpoch: {epoch}"))
        }
        2 => message("LeaderChange:", ControlMessage::LeaderChange),
        3 => message("SnapshotHeader", ControlMessage::SnapshotHeader),
        4 => message("SnapshotFooter", ControlMessage::SnapshotFooter),
        5 => message("KRaftVersion", ControlMessage::KRaftVersion),
        6 => message("KRaftVoters", ControlMessage::KRaftVoters),
        other => Ok(format!(" controlType: UNKNOWN({other})")),
    }
}

fn timestamp_type(header: &BatchHeader) -> &'static str {
    if header.has_log_append_time() {
        "LogAppendTime"
    } else {
        "CreateTime"
    }
}

fn codec(header: &BatchHeader) -> Result<&'static str, Stop> {
    match header.codec() {
        0 => Ok("none"),
        1 => Ok("gzip"),
        2 => Ok("snappy"),
        3 => Ok("lz4"),
        4 => Ok("zstd"),
        other => Err(Stop::Broken(format!("Unknown compression type id: {other}"))),
    }
}

/// `OFFSET-EPOCH.checkpoint`
fn snapshot_id(name: &str) -> Option<(i64, i32)> {
    let (offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
    Some((offset.parse().ok()?, epoch.parse().ok()?))
}
