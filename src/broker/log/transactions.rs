//! Aborted transactions of a log, kept in Kafka's `.txnindex` files, one beside each segment that has any.

use super::file;
use super::producers::Aborted;
use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use bytes::{Buf, BufMut};
use std::io::IoSlice;
use std::path::Path;

const ENTRY: usize = 34;
const VERSION: i16 = 0;

/// All aborted transactions that the files of a folder know, by marker.
pub fn load(disk: &Disk, dir: &Path) -> Result<Vec<Aborted>> {
    let mut all = Vec::new();
    for (path, _, ending) in file::list(disk, dir)? {
        if ending == file::TXN_INDEX {
            let bytes = disk.read(&path).map_err(BrokerError::io(&path))?;
            all.extend(parse_all(&bytes));
        }
    }
    all.sort_by_key(|aborted: &Aborted| aborted.last_offset);
    Ok(all)
}

/// The aborted transactions of one file.
pub fn parse_all(bytes: &[u8]) -> Vec<Aborted> {
    bytes.chunks_exact(ENTRY).filter_map(parse).collect()
}

/// Adds an aborted transaction to the file of the segment that holds its marker.
pub fn append(disk: &Disk, dir: &Path, segment: i64, aborted: &Aborted) -> Result<()> {
    let path = file::path_of(dir, segment, file::TXN_INDEX);
    disk.open_append(&path)
        .and_then(|file| file.write_all_vectored(&path, &mut [IoSlice::new(&encode(aborted))]))
        .map_err(BrokerError::io(&path))
}

/// Has the file of one segment hold these transactions and nothing else. What is written anew is synced: the segment's own
/// bytes may be on the disk already, and are not asked for these again.
pub fn restore(disk: &Disk, dir: &Path, segment: i64, all: &[Aborted]) -> Result<()> {
    let path = file::path_of(dir, segment, file::TXN_INDEX);
    let content: Vec<u8> = all.iter().flat_map(encode).collect();
    let there = file::read_if_there(disk, &path)?;
    match there {
        None if all.is_empty() => Ok(()),
        Some(bytes) if bytes == content => Ok(()),
        _ if all.is_empty() => file::remove(disk, &path),
        _ => file::replace(disk, &path, &content),
    }
}

/// Brings the file of one segment to the disk, if it has one.
pub fn sync(disk: &Disk, path: &Path) -> Result<()> {
    if !disk.exists(path) {
        return Ok(());
    }
    disk.open_append(path)
        .and_then(|file| file.sync(path))
        .map_err(BrokerError::io(path))
}

fn encode(aborted: &Aborted) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ENTRY);
    bytes.put_i16(VERSION);
    bytes.put_i64(aborted.producer_id);
    bytes.put_i64(aborted.first_offset);
    bytes.put_i64(aborted.last_offset);
    bytes.put_i64(aborted.last_stable_offset);
    bytes
}

fn parse(mut bytes: &[u8]) -> Option<Aborted> {
    (bytes.get_i16() == VERSION).then(|| Aborted {
        producer_id: bytes.get_i64(),
        first_offset: bytes.get_i64(),
        last_offset: bytes.get_i64(),
        last_stable_offset: bytes.get_i64(),
    })
}
