//! In unit tests a disk that refuses, by folder, what a test tells it to; else nothing.

#[cfg(not(test))]
pub(super) use never::{before_sync, before_write};

#[cfg(not(test))]
pub(in crate::broker) use never::before_rename;

#[cfg(test)]
pub use told::{Refused, Refusing};

#[cfg(test)]
pub(in crate::broker) use told::{before_rename, before_sync, before_write};

/// The disk as it is.
#[cfg(not(test))]
#[allow(
    clippy::unnecessary_wraps,
    clippy::inline_always,
    reason = "those of the tests fail when they are told to"
)]
mod never {
    use crate::broker::world::disk::File;
    use std::io::{self, IoSlice};
    use std::path::Path;

    #[inline(always)]
    pub(in crate::broker) fn before_write(
        _file: &File,
        _path: &Path,
        _slices: &[IoSlice<'_>],
    ) -> io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(in crate::broker) fn before_sync(_path: &Path) -> io::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub(in crate::broker) fn before_rename(_path: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod told {
    use crate::broker::world::disk::File;
    use parking_lot::{Condvar, Mutex};
    use std::io::{self, IoSlice};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    static REFUSED: Mutex<Vec<(PathBuf, Refused)>> = Mutex::new(Vec::new());
    /// Rung when something is refused no more, or somebody begins to wait.
    static FEWER: Condvar = Condvar::new();
    /// What is waited for.
    static STALLED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    /// A test that is wrong shall not hang.
    const LONGEST: Duration = Duration::from_secs(60);

    /// What is refused.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Refused {
        /// All but the first half of what is written to the end of a segment.
        Write,
        /// To wait until something is on the disk.
        Sync,
        /// Nothing; but who waits until something is on the disk waits until this is dropped.
        Stall,
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
        /// Refuses from now on.
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
            FEWER.notify_all();
        }
    }

    impl Refusing {
        /// Waits, where it stalls, until somebody waits for the disk.
        pub fn is_met(&self) {
            let mut refused = REFUSED.lock();
            while !STALLED.lock().iter().any(|path| path.starts_with(&self.0)) {
                let late = FEWER.wait_for(&mut refused, LONGEST).timed_out();
                assert!(!late, "nobody waits for the disk");
            }
        }
    }

    /// Stands still while it is told to.
    fn stall(path: &Path) -> io::Result<()> {
        let stalls = |refused: &[(PathBuf, Refused)]| {
            let mut stalling = refused.iter().filter(|(_, what)| *what == Refused::Stall);
            stalling.any(|(folder, _)| path.starts_with(folder))
        };
        let mut refused = REFUSED.lock();
        if !stalls(&refused) {
            return Ok(());
        }
        STALLED.lock().push(path.to_owned());
        FEWER.notify_all();
        while stalls(&refused) {
            if FEWER.wait_for(&mut refused, LONGEST).timed_out() {
                return Err(io::Error::other("the disk stood still for too long"));
            }
        }
        STALLED.lock().retain(|stalled| stalled != path);
        Ok(())
    }

    fn is_refused(path: &Path, what: Refused) -> bool {
        let refused = REFUSED.lock();
        refused
            .iter()
            .any(|(folder, refused)| *refused == what && path.starts_with(folder))
    }

    pub(in crate::broker) fn before_write(
        file: &File,
        path: &Path,
        slices: &[IoSlice<'_>],
    ) -> io::Result<()> {
        let panics = is_refused(path, Refused::Panic);
        if panics || is_refused(path, Refused::Write) {
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            file.append(&mut [IoSlice::new(&bytes[..bytes.len() / 2])])?;
            assert!(!panics, "a test wants a panic here");
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    pub(in crate::broker) fn before_sync(path: &Path) -> io::Result<()> {
        stall(path)?;
        let folder = || path.is_dir() && is_refused(path, Refused::SyncFolder);
        if is_refused(path, Refused::Sync) || folder() {
            return Err(io::Error::other("the disk does not answer"));
        }
        Ok(())
    }

    pub(in crate::broker) fn before_rename(path: &Path) -> io::Result<()> {
        if is_refused(path, Refused::Rename) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(())
    }
}
