//! What stands around a record in its log.

use super::wire::{Message, Reader, RecordError, Result, Writer, put_uvarint};
use bytes::{Bytes, BytesMut};

/// Version of the frame around a record of the metadata log.
const FRAME_VERSION: u32 = 1;

/// A record of the metadata log: the version of its frame, its type, its version, its body.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub kind: u32,
    pub version: i16,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    pub fn read(value: &'a [u8]) -> Result<Self> {
        let mut input = Reader::around("the frame of a record", value);
        if input.uvarint()? != FRAME_VERSION {
            return Err(input.malformed("its version is not known"));
        }
        let kind = input.uvarint()?;
        // No record has so many versions: the largest is none either.
        let version = i16::try_from(input.uvarint()?).unwrap_or(i16::MAX);
        Ok(Frame {
            kind,
            version,
            body: input.rest(),
        })
    }

    /// The body, all of which must be known: what is dropped here would be missing in the next snapshot.
    pub fn body<T: Message>(&self) -> Result<T> {
        let mut input = Reader::new::<T>(self.version, self.body)?;
        let message = T::read(&mut input)?;
        if let Some(tag) = input.unknown_tag() {
            return Err(RecordError::UnknownField {
                name: T::NAME,
                version: self.version,
                tag,
            });
        }
        if !input.rest().is_empty() {
            return Err(input.malformed("something follows it"));
        }
        Ok(message)
    }

    pub fn unknown(&self) -> RecordError {
        RecordError::UnknownType(self.kind)
    }
}

/// A record of the metadata log.
pub(super) fn write_framed<T: Message>(kind: i16, version: i16, record: &T) -> Result<Bytes> {
    let mut out = BytesMut::new();
    put_uvarint(&mut out, FRAME_VERSION);
    put_uvarint(&mut out, kind.cast_unsigned().into());
    put_uvarint(&mut out, version.cast_unsigned().into());
    Writer::message(out, version, record)
}

/// A record of a coordinator's topic; a value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyAndValue {
    /// Its key.
    pub key: Bytes,
    /// Its value.
    pub value: Option<Bytes>,
}

/// Key and value of a coordinator's topic. The key begins with its type, the value with its version.
#[derive(Debug)]
pub(super) struct Pair<'a> {
    pub kind: i16,
    key: &'a [u8],
    value: Option<&'a [u8]>,
}

impl<'a> Pair<'a> {
    pub fn read(key: &'a [u8], value: Option<&'a [u8]>) -> Result<Self> {
        let (kind, key) = leading_number(key, "a key")?;
        Ok(Pair { kind, key, value })
    }

    pub fn key<T: Message>(&self) -> Result<T> {
        T::read(&mut Reader::new::<T>(0, self.key)?)
    }

    /// Fields that are not known are left out, as in Apache Kafka (KIP-915).
    pub fn value<T: Message>(&self) -> Result<Option<T>> {
        let Some(value) = self.value else {
            return Ok(None);
        };
        let (version, body) = leading_number(value, T::NAME)?;
        T::read(&mut Reader::new::<T>(version, body)?).map(Some)
    }

    pub fn unknown(&self) -> RecordError {
        RecordError::UnknownType(self.kind.cast_unsigned().into())
    }
}

pub(super) fn leading_number<'a>(bytes: &'a [u8], name: &'static str) -> Result<(i16, &'a [u8])> {
    let problem = "it is too short for a version";
    let (number, rest) = bytes
        .split_first_chunk()
        .ok_or(RecordError::Malformed { name, problem })?;
    Ok((i16::from_be_bytes(*number), rest))
}

/// A record of a coordinator's topic.
pub(super) fn write_keyed<K: Message, V: Message>(
    kind: i16,
    key: &K,
    version: i16,
    value: Option<&V>,
) -> Result<KeyAndValue> {
    let numbered = |number: i16| BytesMut::from(&number.to_be_bytes()[..]);
    Ok(KeyAndValue {
        key: Writer::message(numbered(kind), 0, key)?,
        value: value
            .map(|value| Writer::message(numbered(version), version, value))
            .transpose()?,
    })
}
