//! Positional file access and the names of a log's files.

use crate::broker::error::{BrokerError, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Write};
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
pub fn list(dir: &Path) -> Result<Vec<(PathBuf, i64, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(BrokerError::io(dir))? {
        let path = entry.map_err(BrokerError::io(dir))?.path();
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

/// Reads at a position without moving any cursor that a writer relies on; returns how much was read.
#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

/// Reads at a position; moves the cursor, which appending handles do not use.
#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}

/// Fills `buf` from `offset` on as far as the file goes; returns how much was read.
pub fn read_full_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match read_at(file, rest, offset + done as u64) {
            Ok(0) => break,
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Opens a file for reading and appending, creating it if need be.
pub fn open_append(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(BrokerError::io(path))
}

/// Writes all slices one after the other to the file that is open from `path`, in as few calls as the system allows.
pub fn write_all_vectored(mut file: &File, path: &Path, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    disk::before_write(file, path, slices)?;
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits until what was written to the file that is open from `path` is on the disk. An error is told once: the system
/// may have dropped what it could not write, and the next call may succeed without it.
pub fn sync(file: &File, path: &Path) -> io::Result<()> {
    disk::before_sync(path)?;
    file.sync_data()
}

/// Cuts a file to `size` bytes, by a handle of its own: an appending handle may not shrink a file everywhere.
pub fn truncate(path: &Path, size: u64) -> Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|file| file.set_len(size))
        .map_err(BrokerError::io(path))
}

/// Puts `content` in the place of the file in one step, on the disk when this returns: a crash at any moment, of the process
/// or of the machine, leaves the old file or the new one, never a half. Whatever says what a node has promised is written
/// by this.
///
/// # Errors
/// What the system said; the old file stands then, or the new one where only its folder could not be synced.
pub fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, content, true)?;
    disk::before_rename(path).map_err(BrokerError::io(path))?;
    fs::rename(&temporary, path).map_err(BrokerError::io(path))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// The same for a file that is made anew from the log if it is missing or damaged: nothing waits for the disk.
pub fn replace_derived(path: &Path, content: &[u8]) -> Result<()> {
    let temporary = write_temporary(path, content, false)?;
    fs::rename(&temporary, path).map_err(BrokerError::io(path))
}

fn write_temporary(path: &Path, content: &[u8], sync: bool) -> Result<PathBuf> {
    let temporary = with_suffix(path, TEMPORARY);
    let written = File::create(&temporary).and_then(|file| {
        write_all_vectored(&file, &temporary, &mut [IoSlice::new(content)])?;
        if sync {
            self::sync(&file, &temporary)
        } else {
            Ok(())
        }
    });
    written.map_err(BrokerError::io(&temporary))?;
    Ok(temporary)
}

/// Makes creations, renames and deletions in a folder durable.
#[cfg(unix)]
pub fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir)
        .and_then(|folder| sync(&folder, dir))
        .map_err(BrokerError::io(dir))
}

/// NTFS journals its folders; there is no handle to sync.
#[cfg(windows)]
pub fn sync_dir(_dir: &Path) -> Result<()> {
    Ok(())
}

/// Removes a file; that it is gone already is success.
pub fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BrokerError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Renames a file; that it does not exist is success.
pub fn rename_if_there(from: &Path, to: &Path) -> Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BrokerError::io(from)(error)),
        _ => Ok(()),
    }
}

/// The disk as it is.
#[cfg(not(test))]
mod disk {
    use std::fs::File;
    use std::io::{self, IoSlice};
    use std::path::Path;

    #[allow(
        clippy::unnecessary_wraps,
        reason = "that of the tests fails when it is told to"
    )]
    pub(super) fn before_write(_file: &File, _path: &Path, _slices: &[IoSlice<'_>]) -> io::Result<()> {
        Ok(())
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "that of the tests fails when it is told to"
    )]
    pub(super) fn before_sync(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "that of the tests fails when it is told to"
    )]
    pub(super) fn before_rename(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}

/// A disk that refuses, by folder, what a test tells it to.
#[cfg(test)]
pub mod disk {
    use parking_lot::Mutex;
    use std::fs::File;
    use std::io::{self, IoSlice, Write};
    use std::path::{Path, PathBuf};

    static REFUSED: Mutex<Vec<(PathBuf, Refused)>> = Mutex::new(Vec::new());

    /// What is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Refused {
        /// All but the first half of what is written to the end of a segment.
        Write,
        /// To wait until something is on the disk.
        Sync,
        /// The same of a folder.
        SyncFolder,
        /// To put a new file in the place of another.
        Rename,
        /// The same as [`Refused::Write`], by a mistake of ours instead of an error.
        Panic,
    }

    /// Refuses that for all files under a folder, until it is dropped.
    pub struct Refusing(PathBuf, Refused);

    impl Refusing {
        pub fn new(folder: &Path, what: Refused) -> Self {
            REFUSED.lock().push((folder.to_owned(), what));
            Refusing(folder.to_owned(), what)
        }
    }

    impl Drop for Refusing {
        fn drop(&mut self) {
            let mut refused = REFUSED.lock();
            if let Some(at) = refused
                .iter()
                .position(|known| *known == (self.0.clone(), self.1))
            {
                refused.remove(at);
            }
        }
    }

    fn is_refused(path: &Path, what: Refused) -> bool {
        let refused = REFUSED.lock();
        refused
            .iter()
            .any(|(folder, refused)| *refused == what && path.starts_with(folder))
    }

    pub(super) fn before_write(mut file: &File, path: &Path, slices: &[IoSlice<'_>]) -> io::Result<()> {
        let panics = is_refused(path, Refused::Panic);
        if panics || is_refused(path, Refused::Write) {
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            file.write_all(&bytes[..bytes.len() / 2])?;
            assert!(!panics, "a test wants a panic here");
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(super) fn before_sync(path: &Path) -> io::Result<()> {
        let folder = || path.is_dir() && is_refused(path, Refused::SyncFolder);
        if is_refused(path, Refused::Sync) || folder() {
            return Err(io::Error::other("the disk does not answer"));
        }
        Ok(())
    }

    pub(super) fn before_rename(path: &Path) -> io::Result<()> {
        if is_refused(path, Refused::Rename) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
