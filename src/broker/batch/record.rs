//! The records inside a batch, walked in place. Only lookups by time, compaction, recompression, the check for keys and
//! those who keep their state in a log come here; append and read never do.

use crate::broker::error::Result;
use bytes::{Buf, BufMut};
use kafka_protocol::ResponseError;

/// One record, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Timestamp less the batch's base timestamp, ms.
    pub timestamp_delta: i64,
    /// Offset less the batch's base offset.
    pub offset_delta: i32,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; without one it is a tombstone, if there is a key.
    pub value: Option<&'a [u8]>,
    attributes: i8,
    /// Key, value and headers as they are encoded.
    payload: &'a [u8],
}

impl<'a> Record<'a> {
    /// The names of the headers; `None` when they are malformed.
    pub fn header_names(&self) -> Option<Vec<&'a [u8]>> {
        let mut rest = self.payload;
        take(&mut rest)?;
        take(&mut rest)?;
        let count = get_varlong(&mut rest)?;
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(take(&mut rest)??);
            take(&mut rest)?;
        }
        Some(names)
    }

    /// Writes the record with another timestamp delta.
    pub fn encode(&self, timestamp_delta: i64, out: &mut Vec<u8>) {
        let mut head = Vec::with_capacity(24);
        head.put_i8(self.attributes);
        put_varlong(timestamp_delta, &mut head);
        put_varlong(i64::from(self.offset_delta), &mut head);
        let length = i64::try_from(head.len() + self.payload.len()).unwrap_or(i64::MAX);
        put_varlong(length, out);
        out.extend_from_slice(&head);
        out.extend_from_slice(self.payload);
    }
}

/// Walks over uncompressed records; ends after the first that is malformed.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: &'a [u8],
}

impl<'a> Records<'a> {
    /// Starts at the first record.
    pub fn new(records: &'a [u8]) -> Self {
        Records { rest: records }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = parse(&mut self.rest);
        if record.is_none() {
            self.rest = &[];
        }
        Some(record.ok_or(ResponseError::InvalidRecord.into()))
    }
}

fn parse<'a>(rest: &mut &'a [u8]) -> Option<Record<'a>> {
    let mut body = take(rest)??;
    let attributes = body.try_get_i8().ok()?;
    let timestamp_delta = get_varlong(&mut body)?;
    let offset_delta = i32::try_from(get_varlong(&mut body)?).ok()?;
    let payload = body;
    let key = take(&mut body)?;
    let value = take(&mut body)?;
    let headers = usize::try_from(get_varlong(&mut body)?).ok()?;
    for _ in 0..headers {
        take(&mut body)??;
        take(&mut body)?;
    }
    body.is_empty().then_some(Record {
        timestamp_delta,
        offset_delta,
        key,
        value,
        attributes,
        payload,
    })
}

/// Takes a length and that many bytes; the inner `None` is a length of -1.
fn take<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = get_varlong(rest)?;
    if length == -1 {
        return Some(None);
    }
    let (taken, left) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = left;
    Some(Some(taken))
}

fn get_varlong(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0u64;
    for shift in (0..70).step_by(7) {
        let byte = bytes.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

/// Adds a length and that many bytes; `None` is a length of -1.
pub(super) fn put(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    let length = bytes.map_or(-1, |bytes| i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    put_varlong(length, out);
    out.extend_from_slice(bytes.unwrap_or_default());
}

pub(super) fn put_varlong(value: i64, out: &mut Vec<u8>) {
    let mut zigzag = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while zigzag >= 0x80 {
        out.push(u8::try_from(zigzag & 0x7f).unwrap_or(0) | 0x80);
        zigzag >>= 7;
    }
    out.push(u8::try_from(zigzag).unwrap_or(0));
}
