//! Batches that the broker itself makes, uncompressed.

use super::header::{BatchHeader, HEADER_SIZE, LENGTH_OVERHEAD};
use super::reader::Batch;
use super::record;
use crate::broker::error::Result;
use kafka_protocol::ResponseError;

/// Records on their way into a batch.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    records: Vec<u8>,
    count: i32,
}

impl BatchBuilder {
    /// Adds a record without headers, at the batch's own timestamp.
    pub fn push(&mut self, key: Option<&[u8]>, value: Option<&[u8]>) {
        let mut body = vec![0]; // no attributes
        record::put_varlong(0, &mut body);
        record::put_varlong(self.count.into(), &mut body);
        record::put(key, &mut body);
        record::put(value, &mut body);
        record::put_varlong(0, &mut body);
        record::put(Some(&body), &mut self.records);
        self.count = self.count.saturating_add(1);
    }

    /// The batch, with counts, length and checksum set in `header`.
    ///
    /// # Errors
    /// `INVALID_RECORD` without a record, `MESSAGE_TOO_LARGE` over 2 GiB.
    pub fn build(self, mut header: BatchHeader) -> Result<Batch> {
        if self.count == 0 {
            return Err(ResponseError::InvalidRecord.into());
        }
        header.record_count = self.count;
        header.last_offset_delta = self.count - 1;
        assemble(header, &self.records)
    }
}

/// The batch that ends the transaction of the header's producer (KIP-98).
///
/// # Errors
/// As [`BatchBuilder::build`].
pub fn marker(header: BatchHeader, commits: bool, coordinator_epoch: i32) -> Result<Batch> {
    let mut header = header.in_transaction();
    header.set_control();
    let version = 0_i16.to_be_bytes();
    let key = [version, i16::from(commits).to_be_bytes()].concat();
    let value = [&version[..], &coordinator_epoch.to_be_bytes()].concat();
    let mut builder = BatchBuilder::default();
    builder.push(Some(&key), Some(&value));
    builder.build(header)
}

/// A batch of this header and these records, compressed already; length and checksum are set.
///
/// # Errors
/// `MESSAGE_TOO_LARGE` over 2 GiB.
pub fn assemble(mut header: BatchHeader, records: &[u8]) -> Result<Batch> {
    let length = i32::try_from(HEADER_SIZE - LENGTH_OVERHEAD + records.len());
    header.batch_length = length.map_err(|_| ResponseError::MessageTooLarge)?;
    header.seal(records);
    let mut bytes = Vec::with_capacity(HEADER_SIZE + records.len());
    bytes.extend_from_slice(&header.encode());
    bytes.extend_from_slice(records);
    Ok(Batch {
        header,
        bytes: bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Marker, Records, intact, records_of};
    use super::*;
    use bytes::BytesMut;

    fn batch() -> Batch {
        let mut builder = BatchBuilder::default();
        builder.push(None, Some(b"one"));
        builder.push(Some(b"k"), Some(&[1; 300]));
        builder.push(Some(b"gone"), None);
        let header = BatchHeader {
            base_offset: 7,
            leader_epoch: 3,
            ..BatchHeader::of_broker(1_000)
        };
        builder.build(header).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = batch().bytes;
        let twice = intact([bytes.clone(), bytes].concat().into()).unwrap();
        assert_eq!(twice.len(), 2);
        for batch in twice {
            let records = records_of(&batch).unwrap();
            let read: Vec<_> = Records::new(&records).map(|record| record.unwrap()).collect();
            let offsets: Vec<i64> = read.iter().map(|record| batch.header.offset_of(record)).collect();
            assert_eq!(offsets, [7, 8, 9]);
            assert_eq!((read[0].key, read[0].value), (None, Some(&b"one"[..])));
            assert_eq!(
                (read[1].key, read[1].value),
                (Some(&b"k"[..]), Some(&[1; 300][..]))
            );
            assert_eq!((read[2].key, read[2].value), (Some(&b"gone"[..]), None));
            assert_eq!(batch.header.next_offset(), 10);
        }
    }

    #[test]
    fn a_marker_says_whose_transaction_ends_and_how() {
        for commits in [true, false] {
            let header = BatchHeader {
                producer_id: 9,
                producer_epoch: 2,
                ..BatchHeader::of_broker(1_000)
            };
            let bytes = marker(header, commits, 5).unwrap().bytes;
            let read = intact(bytes).unwrap().remove(0);
            assert!(read.header.is_control() && read.header.is_transactional());
            assert_eq!((read.header.producer_id, read.header.producer_epoch), (9, 2));
            let coordinator_epoch = 5;
            assert_eq!(
                read.marker(),
                Some(Marker {
                    commits,
                    coordinator_epoch
                })
            );
            let records = records_of(&read).unwrap();
            let record = Records::new(&records).next().unwrap().unwrap();
            assert_eq!(record.value, Some(&[0, 0, 0, 0, 0, 5][..]));
        }
    }

    #[test]
    fn cut_or_bent_batches_are_an_error() {
        let bytes = batch().bytes;
        for length in 0..bytes.len() {
            assert!(intact(bytes.slice(..length)).is_err(), "{length}");
        }
        let mut bent = BytesMut::from(&bytes[..]);
        bent[70] ^= 1;
        assert!(intact(bent.freeze()).is_err());
    }
}
