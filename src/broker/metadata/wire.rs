//! The primitive types of Kafka's flexible message encoding, as metadata records use them.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use uuid::Uuid;

/// Why a metadata record cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct WireError(pub String);

/// Result of reading.
pub type WireResult<T> = Result<T, WireError>;

fn short() -> WireError {
    WireError("a metadata record ends too early".to_owned())
}

/// Writes an unsigned variable-length number.
pub fn put_uvarint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        // The low seven bits, with the mark that more follow.
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

fn length_plus_one(length: usize) -> u32 {
    u32::try_from(length).map_or(u32::MAX, |length| length.saturating_add(1))
}

/// Writes a compact string.
pub fn put_string(out: &mut BytesMut, text: &str) {
    put_uvarint(out, length_plus_one(text.len()));
    out.put_slice(text.as_bytes());
}

/// Writes a nullable compact string.
pub fn put_nullable_string(out: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => put_string(out, text),
        None => out.put_u8(0),
    }
}

/// Writes a uuid.
pub fn put_uuid(out: &mut BytesMut, id: Uuid) {
    out.put_slice(id.as_bytes());
}

/// Writes a compact array.
pub fn put_array<T>(out: &mut BytesMut, items: &[T], mut put: impl FnMut(&mut BytesMut, &T)) {
    put_uvarint(out, length_plus_one(items.len()));
    for item in items {
        put(out, item);
    }
}

/// Writes a compact array of 32-bit numbers.
pub fn put_ints(out: &mut BytesMut, numbers: &[i32]) {
    put_array(out, numbers, |out, number| out.put_i32(*number));
}

/// Writes the tagged fields: number and content of each, in ascending order.
pub fn put_tagged(out: &mut BytesMut, fields: &[(u32, BytesMut)]) {
    put_uvarint(out, u32::try_from(fields.len()).unwrap_or(u32::MAX));
    for (tag, content) in fields {
        put_uvarint(out, *tag);
        put_uvarint(out, u32::try_from(content.len()).unwrap_or(u32::MAX));
        out.put_slice(content);
    }
}

/// Reads an unsigned variable-length number.
pub fn get_uvarint(input: &mut Bytes) -> WireResult<u32> {
    let mut value = 0u32;
    for shift in [0, 7, 14, 21, 28] {
        let byte = get_u8(input)?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(WireError(
        "a variable-length number in a metadata record has no end".to_owned(),
    ))
}

/// Reads a byte.
pub fn get_u8(input: &mut Bytes) -> WireResult<u8> {
    input.try_get_u8().map_err(|_| short())
}

/// Reads a flag.
pub fn get_bool(input: &mut Bytes) -> WireResult<bool> {
    Ok(get_u8(input)? != 0)
}

/// Reads a signed byte.
pub fn get_i8(input: &mut Bytes) -> WireResult<i8> {
    input.try_get_i8().map_err(|_| short())
}

/// Reads a 16-bit number.
pub fn get_i16(input: &mut Bytes) -> WireResult<i16> {
    input.try_get_i16().map_err(|_| short())
}

/// Reads an unsigned 16-bit number.
pub fn get_u16(input: &mut Bytes) -> WireResult<u16> {
    input.try_get_u16().map_err(|_| short())
}

/// Reads a 32-bit number.
pub fn get_i32(input: &mut Bytes) -> WireResult<i32> {
    input.try_get_i32().map_err(|_| short())
}

/// Reads a 64-bit number.
pub fn get_i64(input: &mut Bytes) -> WireResult<i64> {
    input.try_get_i64().map_err(|_| short())
}

/// Reads a uuid.
pub fn get_uuid(input: &mut Bytes) -> WireResult<Uuid> {
    input.try_get_u128().map(Uuid::from_u128).map_err(|_| short())
}

fn get_slice(input: &mut Bytes, length: u32) -> WireResult<Bytes> {
    let length = length as usize;
    if length > input.len() {
        return Err(short());
    }
    Ok(input.split_to(length))
}

/// Reads a nullable compact string.
pub fn get_nullable_string(input: &mut Bytes) -> WireResult<Option<String>> {
    let Some(length) = get_uvarint(input)?.checked_sub(1) else {
        return Ok(None);
    };
    let bytes = get_slice(input, length)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| WireError("a text in a metadata record is not UTF-8".to_owned()))?;
    Ok(Some(text.to_owned()))
}

/// Reads a compact string.
pub fn get_string(input: &mut Bytes) -> WireResult<String> {
    get_nullable_string(input)?.ok_or_else(|| WireError("a metadata record lacks a text".to_owned()))
}

/// Reads a compact array; a null one is empty.
pub fn get_array<T>(
    input: &mut Bytes,
    mut get: impl FnMut(&mut Bytes) -> WireResult<T>,
) -> WireResult<Vec<T>> {
    let count = get_uvarint(input)?.saturating_sub(1);
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(get(input)?);
    }
    Ok(items)
}

/// Reads a compact array of 32-bit numbers.
pub fn get_ints(input: &mut Bytes) -> WireResult<Vec<i32>> {
    get_array(input, get_i32)
}

/// Reads the tagged fields, handing each to `take`; unknown ones are to be left alone.
pub fn get_tagged(
    input: &mut Bytes,
    mut take: impl FnMut(u32, &mut Bytes) -> WireResult<()>,
) -> WireResult<()> {
    for _ in 0..get_uvarint(input)? {
        let tag = get_uvarint(input)?;
        let length = get_uvarint(input)?;
        take(tag, &mut get_slice(input, length)?)?;
    }
    Ok(())
}
