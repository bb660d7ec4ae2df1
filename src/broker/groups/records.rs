//! The records of `__consumer_offsets`, byte for byte as Kafka writes them.
//!
//! Keys start with a version that tells what they are: 0 and 1 a committed offset, 2 a group's metadata. Values of
//! version 4 and above have compact lengths and tagged fields (KIP-915).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

const OFFSET_KEY: i16 = 1;
const GROUP_KEY: i16 = 2;
const OFFSET_VALUE: i16 = 3;
const OFFSET_VALUE_WITH_TOPIC_ID: i16 = 4;
/// Tag of the topic id in an offset's value.
const TOPIC_ID_TAG: u32 = 0;
const OFFSET_VALUE_WITH_EXPIRY: i16 = 1;
const GROUP_VALUE: i16 = 3;
const FIRST_FLEXIBLE: i16 = 4;

/// A record's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A committed offset.
    Offset {
        /// `group.id`
        group: String,
        /// Topic name.
        topic: String,
        /// Partition index.
        partition: i32,
    },
    /// A group.
    Group(String),
    /// Of a kind this coordinator does not keep (groups of other protocols).
    Other(i16),
}

/// Value of an offset's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetValue {
    /// The next record to read.
    pub offset: i64,
    /// -1 when unknown.
    pub leader_epoch: i32,
    /// The client's own note.
    pub metadata: String,
    /// In ms.
    pub commit_timestamp: i64,
    /// In ms, -1 for none.
    pub expire_timestamp: i64,
    /// Id of the topic at the time of the commit, nil when unknown.
    pub topic_id: Uuid,
}

/// Value of a group's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupValue {
    /// `consumer`, or empty in a group that never had members.
    pub protocol_type: String,
    /// Rises with every rebalance.
    pub generation: i32,
    /// The chosen assignor.
    pub protocol: Option<String>,
    /// Member id of the leader.
    pub leader: Option<String>,
    /// When the state was entered, in ms, -1 if unknown.
    pub state_timestamp: i64,
    /// The members.
    pub members: Vec<MemberValue>,
}

/// A member in a group's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberValue {
    /// The coordinator gave it.
    pub member_id: String,
    /// `group.instance.id`
    pub instance_id: Option<String>,
    /// `client.id`
    pub client_id: String,
    /// `/` and the address.
    pub client_host: String,
    /// In ms, -1 if unknown.
    pub rebalance_timeout: i32,
    /// In ms.
    pub session_timeout: i32,
    /// What it handed to the chosen assignor.
    pub subscription: Bytes,
    /// What the leader gave it.
    pub assignment: Bytes,
}

/// Bytes that are no record of `__consumer_offsets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record of __consumer_offsets")]
pub struct Malformed;

type Result<T> = std::result::Result<T, Malformed>;

impl Key {
    /// The key's bytes.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        match self {
            Key::Offset {
                group,
                topic,
                partition,
            } => {
                out.put_i16(OFFSET_KEY);
                put_string(&mut out, group);
                put_string(&mut out, topic);
                out.put_i32(*partition);
            }
            Key::Group(group) => {
                out.put_i16(GROUP_KEY);
                put_string(&mut out, group);
            }
            Key::Other(version) => out.put_i16(*version),
        }
        out.freeze()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end too early.
    pub fn decode(bytes: &mut Bytes) -> Result<Self> {
        match take_i16(bytes)? {
            0 | OFFSET_KEY => Ok(Key::Offset {
                group: take_string(bytes, false)?,
                topic: take_string(bytes, false)?,
                partition: take_i32(bytes)?,
            }),
            GROUP_KEY => Ok(Key::Group(take_string(bytes, false)?)),
            other => Ok(Key::Other(other)),
        }
    }
}

impl OffsetValue {
    /// The value's bytes: version 1 if it has a time of expiry of its own, 4 if the topic's id is known, else 3.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        if self.expire_timestamp >= 0 {
            out.put_i16(OFFSET_VALUE_WITH_EXPIRY);
            out.put_i64(self.offset);
            put_string(&mut out, &self.metadata);
            out.put_i64(self.commit_timestamp);
            out.put_i64(self.expire_timestamp);
        } else if self.topic_id.is_nil() {
            out.put_i16(OFFSET_VALUE);
            out.put_i64(self.offset);
            out.put_i32(self.leader_epoch);
            put_string(&mut out, &self.metadata);
            out.put_i64(self.commit_timestamp);
        } else {
            out.put_i16(OFFSET_VALUE_WITH_TOPIC_ID);
            out.put_i64(self.offset);
            out.put_i32(self.leader_epoch);
            put_varint(&mut out, u32::try_from(self.metadata.len()).unwrap_or(0) + 1);
            out.put_slice(self.metadata.as_bytes());
            out.put_i64(self.commit_timestamp);
            for number in [1, TOPIC_ID_TAG, 16] {
                put_varint(&mut out, number);
            }
            out.put_slice(self.topic_id.as_bytes());
        }
        out.freeze()
    }

    /// Reads a value of any version.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end too early.
    pub fn decode(bytes: &mut Bytes) -> Result<Self> {
        let version = take_i16(bytes)?;
        let flexible = version >= FIRST_FLEXIBLE;
        let mut value = OffsetValue {
            offset: take_i64(bytes)?,
            leader_epoch: if version >= 3 { take_i32(bytes)? } else { -1 },
            metadata: take_string(bytes, flexible)?,
            commit_timestamp: take_i64(bytes)?,
            expire_timestamp: if version == 1 { take_i64(bytes)? } else { -1 },
            topic_id: Uuid::nil(),
        };
        if flexible {
            for (tag, field) in take_tagged_fields(bytes)? {
                if tag == TOPIC_ID_TAG {
                    value.topic_id = Uuid::from_slice(&field).map_err(|_| Malformed)?;
                }
            }
        }
        Ok(value)
    }
}

impl GroupValue {
    /// The value's bytes, version 3.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_i16(GROUP_VALUE);
        put_string(&mut out, &self.protocol_type);
        out.put_i32(self.generation);
        put_nullable(&mut out, self.protocol.as_deref());
        put_nullable(&mut out, self.leader.as_deref());
        out.put_i64(self.state_timestamp);
        out.put_i32(i32::try_from(self.members.len()).unwrap_or(i32::MAX));
        for member in &self.members {
            put_string(&mut out, &member.member_id);
            put_nullable(&mut out, member.instance_id.as_deref());
            put_string(&mut out, &member.client_id);
            put_string(&mut out, &member.client_host);
            out.put_i32(member.rebalance_timeout);
            out.put_i32(member.session_timeout);
            put_bytes(&mut out, &member.subscription);
            put_bytes(&mut out, &member.assignment);
        }
        out.freeze()
    }

    /// Reads a value of any version.
    ///
    /// # Errors
    /// [`Malformed`] when the bytes end too early.
    pub fn decode(bytes: &mut Bytes) -> Result<Self> {
        let version = take_i16(bytes)?;
        let flexible = version >= FIRST_FLEXIBLE;
        let protocol_type = take_string(bytes, flexible)?;
        let generation = take_i32(bytes)?;
        let protocol = take_nullable(bytes, flexible)?;
        let leader = take_nullable(bytes, flexible)?;
        let state_timestamp = if version >= 2 { take_i64(bytes)? } else { -1 };
        let count = if flexible {
            take_compact_length(bytes)?.ok_or(Malformed)?
        } else {
            usize::try_from(take_i32(bytes)?).map_err(|_| Malformed)?
        };
        // No capacity by the count: it is the record's word alone.
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(MemberValue::decode(bytes, version)?);
        }
        Ok(GroupValue {
            protocol_type,
            generation,
            protocol,
            leader,
            state_timestamp,
            members,
        })
    }
}

impl MemberValue {
    fn decode(bytes: &mut Bytes, version: i16) -> Result<Self> {
        let flexible = version >= FIRST_FLEXIBLE;
        let member_id = take_string(bytes, flexible)?;
        let instance_id = if version >= 3 {
            take_nullable(bytes, flexible)?
        } else {
            None
        };
        let client_id = take_string(bytes, flexible)?;
        let client_host = take_string(bytes, flexible)?;
        let rebalance_timeout = if version >= 1 { take_i32(bytes)? } else { -1 };
        let member = MemberValue {
            member_id,
            instance_id,
            client_id,
            client_host,
            rebalance_timeout,
            session_timeout: take_i32(bytes)?,
            subscription: take_bytes(bytes, flexible)?,
            assignment: take_bytes(bytes, flexible)?,
        };
        if flexible {
            take_tagged_fields(bytes)?;
        }
        Ok(member)
    }
}

fn put_string(out: &mut BytesMut, text: &str) {
    // The coordinator refuses longer names, see `MAX_NAME_BYTES`.
    let text = text.split_at(text.floor_char_boundary(i16::MAX as usize)).0;
    out.put_i16(i16::try_from(text.len()).unwrap_or(i16::MAX));
    out.put_slice(text.as_bytes());
}

fn put_nullable(out: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => out.put_i16(-1),
    }
}

fn put_bytes(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    out.put_slice(bytes);
}

fn put_varint(out: &mut BytesMut, mut number: u32) {
    while number >= 0x80 {
        out.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

fn take_i16(bytes: &mut Bytes) -> Result<i16> {
    bytes.try_get_i16().map_err(|_| Malformed)
}

fn take_i32(bytes: &mut Bytes) -> Result<i32> {
    bytes.try_get_i32().map_err(|_| Malformed)
}

fn take_i64(bytes: &mut Bytes) -> Result<i64> {
    bytes.try_get_i64().map_err(|_| Malformed)
}

fn take_varint(bytes: &mut Bytes) -> Result<u32> {
    let mut value = 0_u32;
    for shift in (0..35).step_by(7) {
        let byte = bytes.try_get_u8().map_err(|_| Malformed)?;
        value |= u32::from(byte & 0x7f).wrapping_shl(shift);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

/// A compact length is one more than what it counts; 0 is null.
fn take_compact_length(bytes: &mut Bytes) -> Result<Option<usize>> {
    Ok((take_varint(bytes)? as usize).checked_sub(1))
}

fn take_slice(bytes: &mut Bytes, length: usize) -> Result<Bytes> {
    if bytes.len() < length {
        return Err(Malformed);
    }
    Ok(bytes.split_to(length))
}

fn take_nullable(bytes: &mut Bytes, flexible: bool) -> Result<Option<String>> {
    let length = if flexible {
        take_compact_length(bytes)?
    } else {
        usize::try_from(take_i16(bytes)?).ok()
    };
    let Some(length) = length else { return Ok(None) };
    let text = take_slice(bytes, length)?;
    String::from_utf8(text.to_vec()).map(Some).map_err(|_| Malformed)
}

fn take_string(bytes: &mut Bytes, flexible: bool) -> Result<String> {
    take_nullable(bytes, flexible)?.ok_or(Malformed)
}

fn take_bytes(bytes: &mut Bytes, flexible: bool) -> Result<Bytes> {
    let length = if flexible {
        take_compact_length(bytes)?.ok_or(Malformed)?
    } else {
        usize::try_from(take_i32(bytes)?).map_err(|_| Malformed)?
    };
    // A copy, so that one member does not keep the whole block it was read in.
    Ok(Bytes::copy_from_slice(&take_slice(bytes, length)?))
}

fn take_tagged_fields(bytes: &mut Bytes) -> Result<Vec<(u32, Bytes)>> {
    let mut fields = Vec::new();
    for _ in 0..take_varint(bytes)? {
        let tag = take_varint(bytes)?;
        let length = take_varint(bytes)? as usize;
        fields.push((tag, take_slice(bytes, length)?));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group_value() -> GroupValue {
        GroupValue {
            protocol_type: "consumer".into(),
            generation: 3,
            protocol: Some("range".into()),
            leader: Some("a-1".into()),
            state_timestamp: 42,
            members: vec![MemberValue {
                member_id: "a-1".into(),
                instance_id: None,
                client_id: "a".into(),
                client_host: "/127.0.0.1".into(),
                rebalance_timeout: 300_000,
                session_timeout: 45_000,
                subscription: Bytes::from_static(b"sub"),
                assignment: Bytes::from_static(b"asg"),
            }],
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let key = Key::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 7,
        };
        assert_eq!(Key::decode(&mut key.encode()), Ok(key));
        let value = group_value();
        assert_eq!(GroupValue::decode(&mut value.encode()), Ok(value));
        let id = Uuid::from_u128(7);
        for (expire_timestamp, topic_id) in [(-1, Uuid::nil()), (99, Uuid::nil()), (-1, id)] {
            let value = OffsetValue {
                offset: 5,
                leader_epoch: -1,
                metadata: "note".into(),
                commit_timestamp: 10,
                expire_timestamp,
                topic_id,
            };
            assert_eq!(OffsetValue::decode(&mut value.encode()), Ok(value));
        }
    }

    #[test]
    fn an_offset_is_laid_out_as_kafka_lays_it_out() {
        let key = Key::Offset {
            group: "g".into(),
            topic: "t".into(),
            partition: 1,
        };
        assert_eq!(&key.encode()[..], b"\0\x01\0\x01g\0\x01t\0\0\0\x01");
        let value = OffsetValue {
            offset: 2,
            leader_epoch: 0,
            metadata: String::new(),
            commit_timestamp: 0x01a2_0016_ee0f,
            expire_timestamp: -1,
            topic_id: Uuid::from_u128(0x7d2a_3fa7_b15a_40fd_8b9e_2659_c446_1703),
        };
        // A commit of Apache Kafka 4.3.1, byte for byte.
        let expected = b"\0\x04\0\0\0\0\0\0\0\x02\0\0\0\0\x01\0\0\x01\xa2\0\x16\xee\x0f\x01\0\x10\
            \x7d\x2a\x3f\xa7\xb1\x5a\x40\xfd\x8b\x9e\x26\x59\xc4\x46\x17\x03";
        assert_eq!(value.encode(), &expected[..]);
        assert_eq!(OffsetValue::decode(&mut value.encode()), Ok(value));
    }

    #[test]
    fn bytes_cut_short_are_an_error_never_a_panic() {
        let value = group_value().encode();
        for length in 0..value.len() {
            assert_eq!(GroupValue::decode(&mut value.slice(..length)), Err(Malformed));
        }
    }
}
