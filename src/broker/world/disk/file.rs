//! A file that is open.

use super::{memory, refusing};
use std::fs;
use std::io::{self, IoSlice, Read, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// A file that is open. What is written goes to its end.
#[derive(Debug)]
pub struct File(Kind);

#[derive(Debug)]
enum Kind {
    System(fs::File),
    Memory(memory::Open),
}

/// A file that is read from front to back.
#[derive(Debug)]
pub struct Reading {
    file: File,
    at: u64,
}

impl File {
    pub(super) fn of_system(file: fs::File) -> Self {
        File(Kind::System(file))
    }

    pub(super) fn of_memory(file: memory::Open) -> Self {
        File(Kind::Memory(file))
    }

    /// Bytes of the file.
    pub fn length(&self) -> io::Result<u64> {
        match &self.0 {
            Kind::System(file) => file.metadata().map(|data| data.len()),
            Kind::Memory(file) => Ok(file.length()),
        }
    }

    /// When it was last written, in ms since 1970.
    pub fn modified_ms(&self) -> io::Result<i64> {
        match &self.0 {
            Kind::System(file) => {
                let modified = file.metadata().and_then(|data| data.modified())?;
                let elapsed = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                Ok(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
            }
            Kind::Memory(file) => Ok(file.modified_ms()),
        }
    }

    /// Reads at a position without moving any cursor that a writer relies on; returns how much was read.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.0 {
            Kind::System(file) => read_at(file, buf, offset),
            Kind::Memory(file) => Ok(file.read_at(buf, offset)),
        }
    }

    /// Fills `buf` from `offset` on as far as the file goes; returns how much was read.
    pub fn read_full_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.read_at(rest, offset + done as u64) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// Reads it from there to its end.
    pub fn read_from(self, at: u64) -> Reading {
        Reading { file: self, at }
    }

    /// Writes all slices one after the other to the file that is open from `path`, in as few calls as the system allows.
    pub fn write_all_vectored(&self, path: &Path, slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        refusing::before_write(self, path, slices)?;
        self.append(slices)
    }

    pub(super) fn append(&self, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
        IoSlice::advance_slices(&mut slices, 0);
        while !slices.is_empty() {
            match self.write_some(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn write_some(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match &self.0 {
            Kind::System(file) => {
                let mut file = file;
                file.write_vectored(slices)
            }
            Kind::Memory(file) => file.write_vectored(slices),
        }
    }

    /// Waits until what was written to the file that is open from `path` is on the disk. An error is told once: the system
    /// may have dropped what it could not write, and the next call may succeed without it.
    pub fn sync(&self, path: &Path) -> io::Result<()> {
        refusing::before_sync(path)?;
        match &self.0 {
            Kind::System(file) => file.sync_data(),
            Kind::Memory(file) => file.sync(),
        }
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_some(&[IoSlice::new(bytes)])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Reading {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buf, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &fs::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

/// Moves the cursor, which appending handles do not use.
#[cfg(windows)]
fn read_at(file: &fs::File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}
