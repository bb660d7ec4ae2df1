//! Encodes the answer to a fetch in pieces, so that records go from the log to the socket without another copy.
//!
//! The codec encodes everything but the records: each message is encoded with an empty list or empty records, and cut
//! where that emptiness stands.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::FetchResponse;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::protocol::Encodable;

/// From this version on lengths are variable and structures end in tagged fields.
const FLEXIBLE: i16 = 12;
/// Records shorter than this are cheaper to copy than to write apart.
pub(super) const WORTH_A_PIECE: usize = 4096;

/// The pieces of the encoded body, in order.
///
/// # Errors
/// The text of the codec, when the response holds what the version cannot say.
pub fn encode(mut response: FetchResponse, version: i16) -> Result<Vec<Bytes>, String> {
    let topics = std::mem::take(&mut response.responses);
    let mut out = Pieces {
        version,
        pieces: Vec::new(),
        current: BytesMut::with_capacity(256 + topics.len() * 64),
    };
    let whole = encoded(&response, version)?;
    // Throttle time, and from version 7 on error and session.
    let list_at = if version >= 7 { 10 } else { 4 };
    out.around_list(&whole, list_at, topics.len(), |out| {
        topics.into_iter().try_for_each(|topic| out.topic(topic))
    })?;
    Ok(out.finish())
}

struct Pieces {
    version: i16,
    pieces: Vec<Bytes>,
    current: BytesMut,
}

impl Pieces {
    fn topic(&mut self, mut topic: FetchableTopicResponse) -> Result<(), String> {
        let partitions = std::mem::take(&mut topic.partitions);
        let whole = encoded(&topic, self.version)?;
        // The list stands last but for the count of tagged fields.
        let tail = usize::from(self.version >= FLEXIBLE);
        let list_at = whole.len().saturating_sub(tail + self.length_size());
        self.around_list(&whole, list_at, partitions.len(), |out| {
            partitions
                .into_iter()
                .try_for_each(|partition| out.partition(partition))
        })
    }

    fn partition(&mut self, mut partition: PartitionData) -> Result<(), String> {
        let records = partition.records.replace(Bytes::new()).unwrap_or_default();
        let whole = encoded(&partition, self.version)?;
        let records_at = self.records_at(&partition);
        self.put(&whole, 0, records_at)?;
        self.put_length(records.len())?;
        if records.len() >= WORTH_A_PIECE {
            self.pieces.push(self.current.split().freeze());
            self.pieces.push(records);
        } else {
            self.current.put_slice(&records);
        }
        self.put(&whole, records_at + self.length_size(), whole.len())
    }

    /// Index, error, offsets, aborted transactions and preferred replica stand before the records.
    fn records_at(&self, partition: &PartitionData) -> usize {
        let aborted = partition.aborted_transactions.as_ref().map_or(0, Vec::len);
        let log_start = if self.version >= 5 { 8 } else { 0 };
        let preferred = if self.version >= 11 { 4 } else { 0 };
        let list = if self.version >= FLEXIBLE {
            varint_size(aborted + 1) + aborted * 17
        } else {
            4 + aborted * 16
        };
        4 + 2 + 8 + 8 + log_start + list + preferred
    }

    /// Puts a message that was encoded with an empty list at `list_at`, and what `items` puts as the list.
    fn around_list(
        &mut self,
        whole: &Bytes,
        list_at: usize,
        count: usize,
        items: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        self.put(whole, 0, list_at)?;
        self.put_length(count)?;
        items(self)?;
        self.put(whole, list_at + self.length_size(), whole.len())
    }

    fn put(&mut self, whole: &Bytes, from: usize, to: usize) -> Result<(), String> {
        let part = whole
            .get(from..to)
            .ok_or("a fetch answer is shorter than its fields")?;
        self.current.put_slice(part);
        Ok(())
    }

    fn put_length(&mut self, length: usize) -> Result<(), String> {
        let length = i32::try_from(length).map_err(|_| "a fetch answer is over 2 GiB")?;
        if self.version < FLEXIBLE {
            self.current.put_i32(length);
            return Ok(());
        }
        let mut rest = length.unsigned_abs() + 1;
        while rest >= 0x80 {
            self.current.put_u8((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        self.current.put_u8(rest as u8);
        Ok(())
    }

    /// Bytes that the length of something empty takes.
    fn length_size(&self) -> usize {
        if self.version >= FLEXIBLE { 1 } else { 4 }
    }

    fn finish(mut self) -> Vec<Bytes> {
        if !self.current.is_empty() {
            self.pieces.push(self.current.freeze());
        }
        self.pieces
    }
}

fn varint_size(value: usize) -> usize {
    let bits = usize::BITS - value.leading_zeros();
    bits.max(1).div_ceil(7) as usize
}

fn encoded<T: Encodable>(message: &T, version: i16) -> Result<Bytes, String> {
    let mut bytes = BytesMut::with_capacity(128);
    message
        .encode(&mut bytes, version)
        .map_err(|error| error.to_string())?;
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::fetch_response::{
        AbortedTransaction, EpochEndOffset, LeaderIdAndEpoch, NodeEndpoint,
    };
    use kafka_protocol::protocol::StrBytes;
    use uuid::Uuid;

    fn partition(index: i32, records: usize, aborted: usize) -> PartitionData {
        let transaction = AbortedTransaction::default()
            .with_first_offset(7)
            .with_producer_id(9.into());
        PartitionData::default()
            .with_partition_index(index)
            .with_high_watermark(1 << 40)
            .with_aborted_transactions(Some(vec![transaction; aborted]))
            .with_records(Some(Bytes::from(vec![b'x'; records])))
    }

    fn response(version: i16) -> FetchResponse {
        let mut strange = partition(3, 0, 0);
        strange.aborted_transactions = None;
        if version >= FLEXIBLE {
            strange.diverging_epoch = EpochEndOffset::default().with_epoch(4).with_end_offset(70);
            strange.current_leader = LeaderIdAndEpoch::default().with_leader_id(2.into());
        }
        let topic = |name: &'static str, partitions| {
            let topic = FetchableTopicResponse::default().with_partitions(partitions);
            if version >= 13 {
                topic.with_topic_id(Uuid::from_u128(77))
            } else {
                topic.with_topic(StrBytes::from_static_str(name).into())
            }
        };
        let large = vec![partition(0, 200_000, 2), partition(1, 10, 200), strange];
        let mut response = FetchResponse::default()
            .with_responses(vec![topic("velib", large), topic("", vec![partition(0, 0, 1)])]);
        if version >= 7 {
            response.session_id = 4711;
        }
        if version >= 16 {
            response.node_endpoints =
                vec![NodeEndpoint::default().with_host(StrBytes::from_static_str("here"))];
        }
        response
    }

    #[test]
    fn the_pieces_are_what_the_codec_writes_in_every_version() {
        for version in 4..=18 {
            let pieces = encode(response(version), version).unwrap();
            assert!(pieces.len() >= 3, "large records stand apart");
            assert_eq!(
                pieces.concat(),
                encoded(&response(version), version).unwrap(),
                "version {version}"
            );
            let empty = FetchResponse::default();
            assert_eq!(
                encode(empty.clone(), version).unwrap().concat(),
                encoded(&empty, version).unwrap()
            );
        }
    }
}
