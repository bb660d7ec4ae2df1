//! Reads the metadata log and its snapshots into an image. What this broker does not act on ends the reading: whoever
//! went on would not know of it, and the next snapshot would leave it out for good.

use super::MetadataRecord;
use super::image::MetadataImage;
use crate::broker::batch::{self, Record, Records};
use crate::broker::error::{BrokerError, Result, Unsupported};
use crate::broker::records::RecordError;
use crate::broker::world::fault::{self, Fault};
use bytes::{Buf, Bytes};
use std::fmt::Display;

/// Types of the control records of a quorum: a new leader, begin and end of a snapshot, `kraft.version`, the voters.
const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
/// Type of the control record that says the level of `kraft.version` (KIP-853).
pub const KRAFT_VERSION: i16 = 5;
/// Type of the control record that says who votes (KIP-853).
pub const KRAFT_VOTERS: i16 = 6;

/// Applies whole batches of the log to an image; returns the offset after them.
///
/// # Errors
/// [`BrokerError::Config`] when they are not what a metadata log holds, [`BrokerError::Unsupported`] for a record that
/// this broker does not act on.
pub fn replay_batches(batches: Bytes, image: &mut MetadataImage) -> Result<i64> {
    for batch in batch::intact(batches).map_err(|error| unreadable(&error))? {
        let records = batch::records_of(&batch).map_err(|error| unreadable(&error))?;
        for record in Records::new(&records) {
            let record = record.map_err(|error| unreadable(&error))?;
            let offset = batch.header.offset_of(&record);
            if offset > image.offset {
                replay(&record, batch.header.is_control(), offset, image)?;
                image.offset = offset;
            }
        }
    }
    Ok(image.offset + 1)
}

/// Applies a snapshot, which ends before `end_offset`, to an empty image.
///
/// # Errors
/// As [`replay_batches`].
pub fn replay_snapshot(snapshot: Bytes, end_offset: i64, image: &mut MetadataImage) -> Result<()> {
    for batch in batch::intact(snapshot).map_err(|error| unreadable(&error))? {
        let records = batch::records_of(&batch).map_err(|error| unreadable(&error))?;
        for record in Records::new(&records) {
            let record = record.map_err(|error| unreadable(&error))?;
            replay(&record, batch.header.is_control(), end_offset - 1, image)?;
        }
    }
    image.offset = end_offset - 1;
    Ok(())
}

fn unreadable(error: &dyn Display) -> BrokerError {
    BrokerError::Config(format!("the metadata cannot be read: {error}"))
}

fn replay(record: &Record<'_>, control: bool, offset: i64, image: &mut MetadataImage) -> Result<()> {
    let value = record.value.unwrap_or_default();
    if control {
        return replay_control(record.key.unwrap_or_default(), value, offset, image);
    }
    match MetadataRecord::decode(value) {
        Ok((record, _)) => {
            if fault::is(Fault::AppliedTwice) {
                image.apply(offset, &record)?;
            }
            Ok(image.apply(offset, &record)?)
        }
        Err(error @ RecordError::Malformed { .. }) => Err(unreadable(&error)),
        Err(unknown) => Err(unsupported(unknown.to_string(), offset, image)),
    }
}

/// A control record's key is its version and its type.
fn replay_control(mut key: &[u8], value: &[u8], offset: i64, image: &mut MetadataImage) -> Result<()> {
    let kind = match (key.try_get_i16(), key.try_get_i16()) {
        (Ok(_), Ok(kind)) => kind,
        _ => return Err(unreadable(&"a control record has no type")),
    };
    match kind {
        LEADER_CHANGE | SNAPSHOT_HEADER | SNAPSHOT_FOOTER => {}
        KRAFT_VERSION => image.quorum.version = Some(Bytes::copy_from_slice(value)),
        KRAFT_VOTERS => image.quorum.voters = Some(Bytes::copy_from_slice(value)),
        kind => {
            return Err(unsupported(
                format!("a control record of type {kind}"),
                offset,
                image,
            ));
        }
    }
    Ok(())
}

fn unsupported(what: String, offset: i64, image: &MetadataImage) -> BrokerError {
    Unsupported {
        what,
        offset,
        metadata_version: image.metadata_version(),
    }
    .into()
}

#[cfg(test)]
mod tests;
