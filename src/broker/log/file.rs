//! The names of a log's files, and how they are replaced and removed.

use crate::broker::error::{BrokerError, Result};
use crate::broker::world::Disk;
use crate::broker::world::disk::refusing;
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

/// Ending of a segment's records.
pub const LOG: &str = "log";
/// Ending of an offset index.
pub const INDEX: &str = "index";
/// Ending of a time index.
pub const TIME_INDEX: &str = "timeindex";
/// Ending of an index of aborted transactions.
pub const TXN_INDEX: &str = "txnindex";
/// Ending of a producer state snapshot.
pub const SNAPSHOT: &str = "snapshot";
/// Added to a file that waits for its deletion.
pub const DELETED: &str = "deleted";
/// Added to a file that compaction is writing.
pub const CLEANED: &str = "cleaned";
/// Added to a compacted file that is about to replace its originals.
pub const SWAP: &str = "swap";

/// Added to a file while it is written.
pub const TEMPORARY: &str = "tmp";

/// `DIR/00000000000000000042.log` for offset 42 and ending `log`.
pub fn path_of(dir: &Path, offset: i64, ending: &str) -> PathBuf {
    dir.join(format!("{offset:020}.{ending}"))
}

/// The offset and the ending (all after the first dot) of a log's file, `None` for any other name.
pub fn parse_name(path: &Path) -> Option<(i64, &str)> {
    let (digits, ending) = path.file_name()?.to_str()?.split_once('.')?;
    let well_formed = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| well_formed)?, ending))
}

/// All files of a folder that carry an offset in their names: path, offset and ending.
pub fn list(disk: &Disk, dir: &Path) -> Result<Vec<(PathBuf, i64, String)>> {
    let mut found = Vec::new();
    for path in disk.list(dir).map_err(BrokerError::io(dir))? {
        if let Some((offset, ending)) = parse_name(&path) {
            let ending = ending.to_owned();
            found.push((path, offset, ending));
        }
    }
    Ok(found)
}

/// The path with `.SUFFIX` added.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Cuts a file to `size` bytes.
pub fn truncate(disk: &Disk, path: &Path, size: u64) -> Result<()> {
    disk.set_length(path, size).map_err(BrokerError::io(path))
}

/// Puts `content` in the place of the file in one step, on the disk when this returns: a crash at any moment, of the process
/// or of the machine, leaves the old file or the new one, never a half. Whatever says what a node has promised is written
/// by this.
///
/// # Errors
/// What the system said; the old file stands then, or the new one where only its folder could not be synced.
pub fn replace(disk: &Disk, path: &Path, content: &[u8]) -> Result<()> {
    let temporary = write_temporary(disk, path, content, true)?;
    refusing::before_rename(path).map_err(BrokerError::io(path))?;
    disk.rename(&temporary, path).map_err(BrokerError::io(path))?;
    path.parent().map_or(Ok(()), |dir| sync_dir(disk, dir))
}

/// The same for a file that is made anew from the log if it is missing or damaged: nothing waits for the disk.
pub fn replace_derived(disk: &Disk, path: &Path, content: &[u8]) -> Result<()> {
    let temporary = write_temporary(disk, path, content, false)?;
    disk.rename(&temporary, path).map_err(BrokerError::io(path))
}

fn write_temporary(disk: &Disk, path: &Path, content: &[u8], sync: bool) -> Result<PathBuf> {
    let temporary = with_suffix(path, TEMPORARY);
    let written = disk.create(&temporary).and_then(|file| {
        file.write_all_vectored(&temporary, &mut [IoSlice::new(content)])?;
        if sync { file.sync(&temporary) } else { Ok(()) }
    });
    written.map_err(BrokerError::io(&temporary))?;
    Ok(temporary)
}

/// Makes creations, renames and deletions in a folder durable.
pub fn sync_dir(disk: &Disk, dir: &Path) -> Result<()> {
    disk.sync_dir(dir).map_err(BrokerError::io(dir))
}

/// All that is in a file; `None` if it is not there.
pub fn read_if_there(disk: &Disk, path: &Path) -> Result<Option<Vec<u8>>> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BrokerError::io(path)(error)),
    }
}

/// Removes a file; that it is gone already is success.
pub fn remove(disk: &Disk, path: &Path) -> Result<()> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BrokerError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Renames a file; that it does not exist is success.
pub fn rename_if_there(disk: &Disk, from: &Path, to: &Path) -> Result<()> {
    match disk.rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BrokerError::io(from)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
