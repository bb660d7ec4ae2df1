//! The one door for messages of Kafka's protocol that came over a socket or stand in a file, whose bytes may be hostile:
//! requests and members' metadata in the broker, answers of its peers, answers in the wire client. Nothing else calls the
//! codec's own `decode`; `tests/layering.rs` looks for it.
//!
//! The codec makes room for as many array items as a length field claims, before it looks for them. A length of two
//! billion would end the process. So the body is first read through a buffer that lies back:
//!
//! - A 32-bit number greater than the bytes left (and than [`HARMLESS`]) is shown as -2. As the length of an array or of
//!   bytes that is an error in the codec; as an ordinary field (a timeout, a size limit) it changes nothing but the
//!   value. So if this reading succeeds, no length lied, and the body is read again as it is.
//! - A variable-length number greater than the bytes left (and than [`HARMLESS`]) is an error at once: in messages they
//!   are lengths, counts and tags only.
//! - The number of fields of a request is limited, so that many tiny items don't become many large ones in memory.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;
use std::ops::Range;

/// Room for so many items may be made on a peer's word: some megabytes of address space, never touched.
const HARMLESS: usize = 1 << 16;
/// The most fields (numbers and lengths) a request may have.
pub(crate) const REQUEST_FIELDS: usize = 1 << 20;
/// No limit beside the length of the frame: for answers of nodes, some of which tell of everything there is.
pub(crate) const ANY_FIELDS: usize = usize::MAX;

/// Why a body was refused.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DecodeError(String);

/// Decodes a message of at most `fields` fields, and refuses lengths that lie.
///
/// # Errors
/// Truncated or malformed bodies, lengths greater than the bytes left, more fields.
pub(crate) fn decode<T: Decodable>(bytes: &mut Bytes, version: i16, fields: usize) -> Result<T, DecodeError> {
    let mut guard = Guard::new(bytes, fields);
    let mut message = T::decode(&mut guard, version);
    if message.is_ok() && guard.substituted {
        // By the same buffer, so that the program holds each message's decoder once.
        guard = Guard::new(bytes, fields);
        guard.no_length_lies = true;
        message = T::decode(&mut guard, version);
    }
    let message = message.map_err(|error| DecodeError(error.to_string()))?;
    *bytes = guard.bytes;
    Ok(message)
}

struct Guard {
    bytes: Bytes,
    /// Bytes of the current variable-length number still to come.
    inside_varint: usize,
    fields_left: usize,
    /// Whether a number was shown as -2.
    substituted: bool,
    /// Whether a reading has shown that, so that all is shown as it is.
    no_length_lies: bool,
}

impl Guard {
    fn new(bytes: &Bytes, fields: usize) -> Self {
        Guard {
            bytes: bytes.clone(),
            inside_varint: 0,
            fields_left: fields,
            substituted: false,
            no_length_lies: false,
        }
    }

    fn is_too_long(&self, claimed: u64) -> bool {
        claimed > self.bytes.len().max(HARMLESS) as u64
    }

    fn refused(&self, requested: usize) -> TryGetError {
        TryGetError {
            requested,
            available: self.bytes.len(),
        }
    }

    fn count_field(&mut self) -> Result<(), TryGetError> {
        let Some(left) = self.fields_left.checked_sub(1) else {
            return Err(self.refused(usize::MAX));
        };
        self.fields_left = left;
        Ok(())
    }

    /// The variable-length number that starts here, and how many bytes it has.
    fn peek_varint(&self) -> (u64, usize) {
        let mut value = 0;
        for (index, byte) in self.bytes.iter().take(5).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return (value, index + 1);
            }
        }
        (value, 5.min(self.bytes.len()))
    }
}

impl Buf for Guard {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }

    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        if self.inside_varint > 0 {
            self.inside_varint -= 1;
        } else {
            self.count_field()?;
            let (value, length) = self.peek_varint();
            if self.is_too_long(value) {
                return Err(self.refused(usize::try_from(value).unwrap_or(usize::MAX)));
            }
            self.inside_varint = length.saturating_sub(1);
        }
        self.bytes.try_get_u8()
    }

    fn try_get_i16(&mut self) -> Result<i16, TryGetError> {
        self.count_field()?;
        self.bytes.try_get_i16()
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        self.count_field()?;
        let value = self.bytes.try_get_i32()?;
        let too_long = |guard: &Self| u64::try_from(value).is_ok_and(|claimed| guard.is_too_long(claimed));
        if !self.no_length_lies && too_long(self) {
            self.substituted = true;
            return Ok(-2);
        }
        Ok(value)
    }
}

impl ByteBuf for Guard {
    fn peek_bytes(&mut self, range: Range<usize>) -> Bytes {
        self.bytes.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.bytes.split_to(size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::{BufMut, BytesMut};
    use kafka_protocol::messages::create_topics_request::CreatableTopic;
    use kafka_protocol::messages::{CreateTopicsRequest, FetchRequest, MetadataRequest, TopicName};
    use kafka_protocol::protocol::{Encodable, StrBytes};
    use proptest::prelude::*;

    fn encoded<T: Encodable>(message: &T, version: i16) -> Bytes {
        let mut bytes = BytesMut::new();
        message.encode(&mut bytes, version).unwrap();
        bytes.freeze()
    }

    #[test]
    fn large_ordinary_numbers_come_through_unchanged() {
        let request = FetchRequest::default()
            .with_max_bytes(i32::MAX)
            .with_max_wait_ms(1 << 24);
        for version in [4, 11, 12, 17] {
            let mut bytes = encoded(&request, version);
            let decoded: FetchRequest = decode(&mut bytes, version, REQUEST_FIELDS).unwrap();
            assert_eq!((decoded.max_bytes, decoded.max_wait_ms), (i32::MAX, 1 << 24));
        }
    }

    #[test]
    fn array_lengths_that_lie_are_refused_without_making_room() {
        for claimed in [1 << 17, 1 << 30, i32::MAX] {
            let mut fixed = BytesMut::new();
            fixed.put_i32(claimed);
            assert!(decode::<MetadataRequest>(&mut fixed.freeze(), 5, REQUEST_FIELDS).is_err());
        }
        // 4,294,967,294 items, by the compact encoding.
        let mut compact = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3]);
        assert!(decode::<MetadataRequest>(&mut compact, 12, REQUEST_FIELDS).is_err());
    }

    #[test]
    fn a_request_of_a_million_empty_items_is_refused() {
        let mut bytes = BytesMut::new();
        bytes.put_i32(2_000_000);
        bytes.put_bytes(0, 4_000_001);
        assert!(decode::<MetadataRequest>(&mut bytes.freeze(), 5, REQUEST_FIELDS).is_err());
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            names in proptest::collection::vec("[a-z]{1,40}", 0..50),
            partitions in any::<i32>(), timeout in any::<i32>(), version in 2i16..=7,
        ) {
            let topics = names.iter().map(|name| {
                CreatableTopic::default()
                    .with_name(TopicName(StrBytes::from_string(name.clone())))
                    .with_num_partitions(partitions)
            }).collect();
            let request = CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(timeout);
            let decoded: CreateTopicsRequest = decode(&mut encoded(&request, version), version, REQUEST_FIELDS).unwrap();
            prop_assert_eq!(decoded, request);
        }

        #[test]
        fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300), version in 0i16..=13) {
            let _ = decode::<MetadataRequest>(&mut Bytes::from(bytes), version, REQUEST_FIELDS);
        }
    }
}
