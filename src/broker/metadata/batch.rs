//! Batches of the metadata log: format v2, uncompressed, keys only on control records (KIP-595).

use super::wire::{WireError, WireResult};
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Bytes before the records.
const HEADER: usize = 61;
/// Bytes before what the length counts.
const BEFORE_LENGTH_ENDS: usize = 12;
/// Where the part covered by the checksum starts.
const CRC_COVERS_FROM: usize = 21;
const CONTROL: i16 = 1 << 5;

/// What stands in a batch's header beside its records.
#[derive(Debug, Clone, Copy)]
pub struct BatchStamp {
    /// Offset of the first record.
    pub base_offset: i64,
    /// Epoch of the controller that writes.
    pub leader_epoch: i32,
    /// Time of writing in ms.
    pub timestamp: i64,
    /// Records for the log itself, not of it.
    pub control: bool,
}

/// Makes one batch of key and value pairs.
pub fn encode(stamp: BatchStamp, records: &[(Option<Bytes>, Bytes)]) -> Bytes {
    let count = i32::try_from(records.len()).unwrap_or(i32::MAX);
    let mut covered = BytesMut::new();
    covered.put_i16(if stamp.control { CONTROL } else { 0 });
    covered.put_i32(count - 1);
    covered.put_i64(stamp.timestamp);
    covered.put_i64(stamp.timestamp);
    covered.put_i64(-1); // no producer id,
    covered.put_i16(-1); // epoch
    covered.put_i32(-1); // or sequence
    covered.put_i32(count);
    for (delta, (key, value)) in (0i64..).zip(records) {
        put_record(&mut covered, delta, key.as_ref(), value);
    }
    let mut batch = BytesMut::with_capacity(CRC_COVERS_FROM + covered.len());
    batch.put_i64(stamp.base_offset);
    let length = CRC_COVERS_FROM - BEFORE_LENGTH_ENDS + covered.len();
    batch.put_i32(i32::try_from(length).unwrap_or(i32::MAX));
    batch.put_i32(stamp.leader_epoch);
    batch.put_i8(2);
    batch.put_u32(crc32c::crc32c(&covered));
    batch.put_slice(&covered);
    batch.freeze()
}

fn put_record(out: &mut BytesMut, offset_delta: i64, key: Option<&Bytes>, value: &Bytes) {
    let mut body = BytesMut::with_capacity(value.len() + 16);
    body.put_i8(0);
    put_varlong(&mut body, 0); // all records have the batch's timestamp
    put_varlong(&mut body, offset_delta);
    match key {
        Some(key) => put_sized(&mut body, key),
        None => put_varlong(&mut body, -1),
    }
    put_sized(&mut body, value);
    put_varlong(&mut body, 0); // no headers
    put_sized(out, &body);
}

fn put_sized(out: &mut BytesMut, bytes: &[u8]) {
    put_varlong(out, i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.put_slice(bytes);
}

fn put_varlong(out: &mut BytesMut, value: i64) {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    while zigzag >= 0x80 {
        out.put_u8((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    out.put_u8(zigzag as u8);
}

fn short() -> WireError {
    WireError("a batch of the metadata log ends too early".to_owned())
}

fn get_varlong(input: &mut Bytes) -> WireResult<i64> {
    let mut zigzag = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = input.try_get_u8().map_err(|_| short())?;
        zigzag |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64));
        }
    }
    Err(WireError("a length in the metadata log has no end".to_owned()))
}

/// A record of a batch that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its offset.
    pub offset: i64,
    /// Whether it is for the log itself.
    pub control: bool,
    /// Its key, which control records have.
    pub key: Option<Bytes>,
    /// Its value.
    pub value: Bytes,
}

/// Reads all records of whole batches.
///
/// # Errors
/// When the bytes are no uncompressed batches of format v2.
pub fn decode(mut batches: Bytes) -> WireResult<Vec<ReadRecord>> {
    let mut records = Vec::new();
    while !batches.is_empty() {
        if batches.len() < HEADER {
            return Err(short());
        }
        let length = (&batches[8..BEFORE_LENGTH_ENDS]).get_i32();
        let size = usize::try_from(length).map_err(|_| short())? + BEFORE_LENGTH_ENDS;
        if size < HEADER || size > batches.len() {
            return Err(short());
        }
        decode_batch(batches.split_to(size), &mut records)?;
    }
    Ok(records)
}

fn decode_batch(mut batch: Bytes, records: &mut Vec<ReadRecord>) -> WireResult<()> {
    let base_offset = batch.get_i64();
    batch.advance(CRC_COVERS_FROM - 8);
    let attributes = batch.get_i16();
    if attributes & 7 != 0 {
        return Err(WireError("a batch of the metadata log is compressed".to_owned()));
    }
    batch.advance(HEADER - CRC_COVERS_FROM - 2 - 4);
    for _ in 0..batch.get_i32() {
        let size = get_varlong(&mut batch)?;
        let mut body = take(&mut batch, size)?.ok_or_else(short)?;
        body.try_get_i8().map_err(|_| short())?;
        get_varlong(&mut body)?;
        let delta = get_varlong(&mut body)?;
        let size = get_varlong(&mut body)?;
        let key = take(&mut body, size)?;
        let size = get_varlong(&mut body)?;
        records.push(ReadRecord {
            offset: base_offset.saturating_add(delta),
            control: attributes & CONTROL != 0,
            key,
            value: take(&mut body, size)?.unwrap_or_default(),
        });
    }
    Ok(())
}

/// The next `size` bytes; `None` for a size of -1.
fn take(input: &mut Bytes, size: i64) -> WireResult<Option<Bytes>> {
    match usize::try_from(size) {
        Ok(size) if size <= input.len() => Ok(Some(input.split_to(size))),
        Err(_) if size == -1 => Ok(None),
        _ => Err(short()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let stamp = BatchStamp {
            base_offset: 7,
            leader_epoch: 3,
            timestamp: 1_000,
            control: false,
        };
        let records = [
            (None, Bytes::from_static(b"one")),
            (Some(Bytes::from_static(b"k")), Bytes::from(vec![1; 300])),
        ];
        let batch = encode(stamp, &records);
        let read = decode([batch.clone(), batch].concat().into()).unwrap();
        assert_eq!(read.len(), 4);
        assert_eq!((read[1].offset, &read[1].value), (8, &records[1].1));
        assert_eq!(read[1].key, records[1].0);
    }

    #[test]
    fn cut_batches_are_an_error() {
        let stamp = BatchStamp {
            base_offset: 0,
            leader_epoch: 0,
            timestamp: 0,
            control: true,
        };
        let batch = encode(stamp, &[(None, Bytes::from_static(b"value"))]);
        for length in 1..batch.len() {
            assert!(decode(batch.slice(..length)).is_err(), "{length}");
        }
    }
}
