//! From the records of `__consumer_offsets` to record batches and back.

use super::records::{GroupValue, Key, Malformed, OffsetValue};
use crate::broker::batch::{Batch, Batches};
use crate::broker::batch::{Records, records_of, timestamp_of};
use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::records::{
    Compression, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, Record as WrittenRecord,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};

/// Size of a v2 batch's header, and where in it the delta of the last offset stands.
const HEADER_BYTES: usize = 61;
const LAST_DELTA_AT: usize = 23;

/// One record to write: its value's absence is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is about.
    pub key: Key,
    /// Encoded value.
    pub value: Option<Bytes>,
}

impl Entry {
    /// A committed offset.
    pub fn offset(group: &str, topic: &str, partition: i32, value: &OffsetValue) -> Self {
        Entry {
            key: offset_key(group, topic, partition),
            value: Some(value.encode()),
        }
    }

    /// The end of a committed offset.
    pub fn offset_tombstone(group: &str, topic: &str, partition: i32) -> Self {
        Entry {
            key: offset_key(group, topic, partition),
            value: None,
        }
    }

    /// A group's metadata.
    pub fn group(group: &str, value: &GroupValue) -> Self {
        Entry {
            key: Key::Group(group.to_owned()),
            value: Some(value.encode()),
        }
    }

    /// Bytes of key and value, near enough.
    pub fn size(&self) -> usize {
        let key = match &self.key {
            Key::Offset { group, topic, .. } => group.len() + topic.len(),
            Key::Group(group) => group.len(),
            Key::Other(_) => 0,
        };
        key + self.value.as_ref().map_or(0, Bytes::len)
    }

    /// The end of a group.
    pub fn group_tombstone(group: &str) -> Self {
        Entry {
            key: Key::Group(group.to_owned()),
            value: None,
        }
    }
}

fn offset_key(group: &str, topic: &str, partition: i32) -> Key {
    Key::Offset {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}

/// One record batch of all `entries`, stamped `now` (ms).
///
/// # Errors
/// [`Malformed`] when they exceed what a batch can hold.
pub fn encode(entries: &[Entry], now: i64) -> Result<Bytes, Malformed> {
    let records: Vec<WrittenRecord> = (0_i32..)
        .zip(entries)
        .map(|(index, entry)| WrittenRecord {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            timestamp_type: TimestampType::Creation,
            offset: i64::from(index),
            // The encoder wants sequences to run with the offsets; from -1 on they mean "no producer".
            sequence: index - 1,
            timestamp: now,
            key: Some(entry.key.encode()),
            value: entry.value.clone(),
            headers: Default::default(),
        })
        .collect();
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut out = BytesMut::new();
    RecordBatchEncoder::encode(&mut out, &records, &options).map_err(|_| Malformed)?;
    Ok(out.freeze())
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its offset.
    pub offset: i64,
    /// In ms.
    pub timestamp: i64,
    /// What it is about.
    pub key: Option<Bytes>,
    /// What it says; none is a tombstone.
    pub value: Option<Bytes>,
}

/// The records of whole batches with their offsets, control records left out.
///
/// # Errors
/// [`Malformed`] for anything that is no sequence of record batches.
pub fn decode(batches: Bytes) -> Result<Vec<Record>, Malformed> {
    let mut batches = Batches::new(batches);
    let mut records = Vec::new();
    for batch in batches.by_ref() {
        if !batch.is_intact() {
            return Err(Malformed);
        }
        if !batch.header.is_control() {
            decode_batch(&batch, &mut records)?;
        }
    }
    if batches.rest().is_empty() {
        Ok(records)
    } else {
        Err(Malformed)
    }
}

fn decode_batch(batch: &Batch, records: &mut Vec<Record>) -> Result<(), Malformed> {
    let uncompressed = records_of(batch).map_err(|_| Malformed)?;
    for record in Records::new(&uncompressed) {
        let record = record.map_err(|_| Malformed)?;
        let header = &batch.header;
        records.push(Record {
            offset: header.base_offset.saturating_add(i64::from(record.offset_delta)),
            timestamp: timestamp_of(batch, &record),
            key: record.key.map(Bytes::copy_from_slice),
            value: record.value().map(Bytes::copy_from_slice),
        });
    }
    Ok(())
}

/// The offset after the last of these batches, by their headers; `None` when there is none.
pub fn next_offset(batches: &Bytes) -> Option<i64> {
    const LENGTH_END: usize = 12;
    let mut rest = batches.clone();
    let mut next = None;
    while rest.len() >= HEADER_BYTES {
        let mut header = rest.slice(..HEADER_BYTES);
        let (base, length) = (header.get_i64(), header.get_i32());
        header.advance(LAST_DELTA_AT - LENGTH_END);
        next = Some(base + i64::from(header.get_i32()) + 1);
        let whole = LENGTH_END + usize::try_from(length).ok()?;
        rest.advance(whole.min(rest.len()));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_with_keys_values_and_tombstones() {
        let entries = [
            Entry::group_tombstone("g"),
            Entry {
                key: Key::Group("h".into()),
                value: Some(Bytes::from_static(b"v")),
            },
        ];
        let records = decode(encode(&entries, 17).unwrap()).unwrap();
        let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
        assert_eq!(offsets, [0, 1]);
        assert_eq!(next_offset(&encode(&entries, 17).unwrap()), Some(2));
        assert_eq!(records[0].value, None);
        assert_eq!(records[1].value.as_deref(), Some(&b"v"[..]));
        assert_eq!(records[1].timestamp, 17);
        let key = Key::decode(&mut records[1].key.clone().unwrap()).unwrap();
        assert_eq!(key, Key::Group("h".into()));
    }

    #[test]
    fn a_batch_names_no_producer() {
        let batch = encode(&[Entry::group_tombstone("g")], 1).unwrap();
        // Producer id, epoch and base sequence of a v2 batch header stand at bytes 43 to 57.
        assert_eq!(&batch[43..57], &[0xff; 14]);
    }
}
