//! The four codecs of Kafka's batches, as Kafka frames them.

use crate::broker::error::Result;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use kafka_protocol::ResponseError;
use std::io::{self, Read, Write};

/// The most that one batch may expand to: a small batch must not be able to fill the memory.
const LIMIT: usize = 256 << 20;
/// Java's snappy library frames its blocks: this magic, two versions, then length and block, again and again.
const XERIAL_MAGIC: &[u8] = &[0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
const XERIAL_HEADER: usize = 16;
const XERIAL_BLOCK: usize = 32 << 10;

/// The codec's number for a value of `compression.type`; `None` for `producer`, which keeps what came.
pub fn codec_named(name: &str) -> Option<i16> {
    match name {
        "uncompressed" | "none" => Some(0),
        "gzip" => Some(1),
        "snappy" => Some(2),
        "lz4" => Some(3),
        "zstd" => Some(4),
        _ => None,
    }
}

/// Expands the records of a batch.
///
/// # Errors
/// `CORRUPT_MESSAGE` when the codec cannot read them or they grow over 256 MiB, `UNSUPPORTED_COMPRESSION_TYPE` for an
/// unknown codec.
pub fn decompress(codec: i16, bytes: &[u8]) -> Result<Vec<u8>> {
    let expanded = match codec {
        0 => Ok(bytes.to_vec()),
        1 => read_limited(MultiGzDecoder::new(bytes)),
        2 => unsnap(bytes).ok_or(io::ErrorKind::InvalidData.into()),
        3 => read_limited(lz4_flex::frame::FrameDecoder::new(bytes)),
        4 => zstd::stream::read::Decoder::with_buffer(bytes).and_then(read_limited),
        _ => return Err(ResponseError::UnsupportedCompressionType.into()),
    };
    expanded.map_err(|_| ResponseError::CorruptMessage.into())
}

/// Compresses the records of a batch.
pub fn compress(codec: i16, bytes: &[u8]) -> Result<Vec<u8>> {
    let compressed = match codec {
        0 => Ok(bytes.to_vec()),
        1 => gzip(bytes),
        2 => snap(bytes),
        3 => lz4(bytes),
        4 => zstd::stream::encode_all(bytes, zstd::DEFAULT_COMPRESSION_LEVEL),
        _ => return Err(ResponseError::UnsupportedCompressionType.into()),
    };
    compressed.map_err(|_| ResponseError::UnknownServerError.into())
}

fn read_limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut expanded = Vec::new();
    reader.take(LIMIT as u64 + 1).read_to_end(&mut expanded)?;
    if expanded.len() > LIMIT {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(expanded)
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn lz4(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn unsnap(bytes: &[u8]) -> Option<Vec<u8>> {
    if !bytes.starts_with(XERIAL_MAGIC) {
        return unsnap_block(bytes, 0);
    }
    let mut rest = bytes.get(XERIAL_HEADER..)?;
    let mut expanded = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
        let (block, left) = after.split_at_checked(length)?;
        expanded.extend_from_slice(&unsnap_block(block, expanded.len())?);
        rest = left;
    }
    rest.is_empty().then_some(expanded)
}

/// Expands one block, unless the whole would pass the limit.
fn unsnap_block(block: &[u8], before: usize) -> Option<Vec<u8>> {
    let length = snap::raw::decompress_len(block).ok()?;
    // A block cannot expand more than a few dozen times: a claim beyond that is a lie not worth the memory.
    if before + length > LIMIT || length > block.len().saturating_mul(64) {
        return None;
    }
    snap::raw::Decoder::new().decompress_vec(block).ok()
}

fn snap(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut framed = Vec::from(XERIAL_MAGIC);
    framed.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    for block in bytes.chunks(XERIAL_BLOCK) {
        let compressed = snap::raw::Encoder::new().compress_vec(block)?;
        let length = i32::try_from(compressed.len()).map_err(io::Error::other)?;
        framed.extend_from_slice(&length.to_be_bytes());
        framed.extend_from_slice(&compressed);
    }
    Ok(framed)
}
