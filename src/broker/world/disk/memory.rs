//! A disk in memory, which knows what of it would outlive the loss of power: what was synced, the bytes of files and the
//! entries of folders each by themselves. It can fill up, fail a sync, and stop in the middle of the work.

use crate::broker::world::Dice;
use crate::clock::Clock;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// The disk of one machine. Cloning shares it.
#[derive(Debug, Clone)]
pub struct MemoryDisk(Arc<Machine>);

#[derive(Debug)]
struct Machine {
    root: Folder,
    clock: Clock,
    dice: Dice,
    troubles: Mutex<Troubles>,
    locked: Mutex<BTreeSet<PathBuf>>,
}

/// What the disk does not do, or not for long.
#[derive(Debug, Default)]
struct Troubles {
    full: bool,
    /// Syncs that are to fail.
    syncs: u32,
    /// Changes that are still made; `None` for any number of them.
    left: Option<u32>,
}

#[derive(Debug, Clone)]
enum Entry {
    Folder(Folder),
    File(Arc<Inode>),
}

type Folder = Arc<Mutex<Entries>>;

/// The entries of a folder: as they are, and as they would be after the loss of power.
#[derive(Debug, Default)]
struct Entries {
    now: BTreeMap<OsString, Entry>,
    kept: BTreeMap<OsString, Entry>,
}

#[derive(Debug, Default)]
struct Inode(Mutex<Content>);

/// The bytes of a file: as they are, and as they would be after the loss of power.
#[derive(Debug, Default)]
struct Content {
    now: Vec<u8>,
    kept: Vec<u8>,
    /// All before is the same in both, or has been dropped by a sync that failed.
    written_from: usize,
    modified_ms: i64,
}

/// A file that is open.
#[derive(Debug)]
pub(super) struct Open {
    inode: Arc<Inode>,
    disk: MemoryDisk,
}

/// Keeps a file for its holder.
#[derive(Debug)]
pub(super) struct Lock {
    disk: MemoryDisk,
    path: PathBuf,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new(clock: Clock, dice: Dice) -> Self {
        MemoryDisk(Arc::new(Machine {
            root: Folder::default(),
            clock,
            dice,
            troubles: Mutex::default(),
            locked: Mutex::default(),
        }))
    }

    /// Whether there is room for what is written.
    pub fn set_full(&self, full: bool) {
        self.0.troubles.lock().full = full;
    }

    /// The next sync fails, and what it was to bring to the disk never comes there, whatever later ones say.
    pub fn fail_a_sync(&self) {
        self.0.troubles.lock().syncs += 1;
    }

    /// Makes so many changes more, then none: what is being written then is written by half.
    pub fn stop_after(&self, changes: u32) {
        self.0.troubles.lock().left = Some(changes);
    }

    /// No trouble is left. What a failed sync dropped stays dropped.
    pub fn serve_again(&self) {
        *self.0.troubles.lock() = Troubles::default();
    }

    /// Forgets what was not synced, as a loss of power does; with `torn`, some of what was written last may be there all the
    /// same, and may be nothing but zeros.
    pub fn lose_power(&self, torn: bool) {
        self.forget(&self.0.root, torn);
    }

    fn forget(&self, folder: &Folder, torn: bool) {
        let entries = {
            let mut folder = folder.lock();
            folder.now = folder.kept.clone();
            folder.kept.clone()
        };
        for entry in entries.values() {
            match entry {
                Entry::Folder(folder) => self.forget(folder, torn),
                Entry::File(inode) => inode.0.lock().forget(torn.then_some(&self.0.dice)),
            }
        }
    }

    /// Makes a change, if the disk makes any; false for the last one, in which it stops.
    fn change(&self) -> io::Result<bool> {
        let mut troubles = self.0.troubles.lock();
        match &mut troubles.left {
            Some(0) => Err(stopped()),
            Some(left) => {
                *left -= 1;
                Ok(*left > 0)
            }
            None => Ok(true),
        }
    }

    fn find(&self, path: &Path) -> io::Result<Entry> {
        let mut found = Entry::Folder(Arc::clone(&self.0.root));
        for name in names(path) {
            let Entry::Folder(folder) = found else {
                return Err(io::ErrorKind::NotADirectory.into());
            };
            let entry = folder.lock().now.get(name).cloned();
            found = entry.ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(found)
    }

    fn folder(&self, path: &Path) -> io::Result<Folder> {
        match self.find(path)? {
            Entry::Folder(folder) => Ok(folder),
            Entry::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn inode(&self, path: &Path) -> io::Result<Arc<Inode>> {
        match self.find(path)? {
            Entry::File(inode) => Ok(inode),
            Entry::Folder(_) => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// The folder that a path is in, and its name there.
    fn place<'a>(&self, path: &'a Path) -> io::Result<(Folder, &'a OsStr)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let folder = self.folder(path.parent().unwrap_or(Path::new("")))?;
        Ok((folder, name))
    }

    fn opened(&self, inode: Arc<Inode>) -> Open {
        Open {
            inode,
            disk: self.clone(),
        }
    }

    pub(super) fn open(&self, path: &Path) -> io::Result<Open> {
        Ok(self.opened(self.inode(path)?))
    }

    pub(super) fn open_append(&self, path: &Path) -> io::Result<Open> {
        match self.inode(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.change()?;
                let (folder, name) = self.place(path)?;
                let inode = Arc::new(Inode::default());
                inode.0.lock().modified_ms = self.0.clock.now_ms();
                let entry = Entry::File(Arc::clone(&inode));
                folder.lock().now.insert(name.to_owned(), entry);
                Ok(self.opened(inode))
            }
            inode => Ok(self.opened(inode?)),
        }
    }

    pub(super) fn create(&self, path: &Path) -> io::Result<Open> {
        let open = self.open_append(path)?;
        self.set_length(path, 0)?;
        Ok(open)
    }

    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        Ok(self.inode(path)?.0.lock().now.clone())
    }

    pub(super) fn length(&self, path: &Path) -> io::Result<u64> {
        Ok(self.open(path)?.length())
    }

    pub(super) fn exists(&self, path: &Path) -> bool {
        self.find(path).is_ok()
    }

    pub(super) fn is_dir(&self, path: &Path) -> bool {
        self.folder(path).is_ok()
    }

    pub(super) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let folder = self.folder(dir)?;
        let entries = folder.lock();
        Ok(entries.now.keys().map(|name| dir.join(name)).collect())
    }

    pub(super) fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut folder = Arc::clone(&self.0.root);
        for name in names(dir) {
            let known = folder.lock().now.get(name).cloned();
            let next = match known {
                Some(Entry::Folder(next)) => next,
                Some(Entry::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => {
                    self.change()?;
                    let next = Folder::default();
                    let entry = Entry::Folder(Arc::clone(&next));
                    folder.lock().now.insert(name.to_owned(), entry);
                    next
                }
            };
            folder = next;
        }
        Ok(())
    }

    pub(super) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.find(from)?;
        self.change()?;
        let (source, name) = self.place(from)?;
        let (target, new_name) = self.place(to)?;
        let entry = source.lock().now.remove(name).ok_or(io::ErrorKind::NotFound)?;
        target.lock().now.insert(new_name.to_owned(), entry);
        Ok(())
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.find(path)?;
        self.change()?;
        let (folder, name) = self.place(path)?;
        folder.lock().now.remove(name);
        Ok(())
    }

    pub(super) fn set_length(&self, path: &Path, size: u64) -> io::Result<()> {
        let inode = self.inode(path)?;
        self.change()?;
        let mut content = inode.0.lock();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        content.written_from = content.written_from.min(size);
        content.now.resize(size, 0);
        content.modified_ms = self.0.clock.now_ms();
        Ok(())
    }

    pub(super) fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let folder = self.folder(dir)?;
        self.change()?;
        self.fail_if_told()?;
        let mut entries = folder.lock();
        entries.kept = entries.now.clone();
        Ok(())
    }

    fn fail_if_told(&self) -> io::Result<()> {
        let mut troubles = self.0.troubles.lock();
        if troubles.syncs == 0 {
            return Ok(());
        }
        troubles.syncs -= 1;
        Err(io::Error::other("the disk does not answer"))
    }

    pub(super) fn lock(&self, path: &Path) -> Option<Lock> {
        self.0.locked.lock().insert(path.to_owned()).then(|| Lock {
            disk: self.clone(),
            path: path.to_owned(),
        })
    }
}

fn stopped() -> io::Error {
    io::Error::other("the machine has stopped")
}

/// The names on a path, from the root on.
fn names(path: &Path) -> impl Iterator<Item = &OsStr> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

impl Content {
    fn forget(&mut self, torn: Option<&Dice>) {
        let unsynced = self.now.len().saturating_sub(self.kept.len());
        if let (Some(dice), 1..) = (torn, unsynced) {
            let most = i32::try_from(unsynced).unwrap_or(i32::MAX);
            let left = usize::try_from(dice.number(0..=most)).unwrap_or(0);
            let from = self.kept.len();
            match dice.number(0..=3) {
                0 => self.kept.resize(from + left, 0),
                _ => self.kept.extend_from_slice(&self.now[from..from + left]),
            }
        }
        self.now = self.kept.clone();
        self.written_from = self.now.len();
    }

    fn sync(&mut self) {
        self.kept.resize(self.written_from, 0);
        self.kept.extend_from_slice(&self.now[self.written_from..]);
        self.written_from = self.now.len();
    }
}

impl Open {
    pub(super) fn length(&self) -> u64 {
        self.inode.0.lock().now.len() as u64
    }

    pub(super) fn modified_ms(&self) -> i64 {
        self.inode.0.lock().modified_ms
    }

    pub(super) fn read_at(&self, buf: &mut [u8], offset: u64) -> usize {
        let content = self.inode.0.lock();
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = content.now.get(from..).unwrap_or_default();
        let read = rest.len().min(buf.len());
        buf[..read].copy_from_slice(&rest[..read]);
        read
    }

    pub(super) fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
        let goes_on = self.disk.change()?;
        let full = self.disk.0.troubles.lock().full;
        if full || !goes_on {
            bytes.truncate(bytes.len() / 2);
        }
        let mut content = self.inode.0.lock();
        content.now.extend_from_slice(&bytes);
        content.modified_ms = self.disk.0.clock.now_ms();
        match (full, goes_on) {
            (_, false) => Err(stopped()),
            (true, _) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(bytes.len()),
        }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.disk.change()?;
        let failed = self.disk.fail_if_told();
        let mut content = self.inode.0.lock();
        match failed {
            Ok(()) => content.sync(),
            // The system has dropped what it could not write, and takes it for written.
            Err(_) => content.written_from = content.now.len(),
        }
        failed
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.disk.0.locked.lock().remove(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::world::Disk;
    use std::io::Write;

    fn disk() -> (MemoryDisk, Disk) {
        let memory = MemoryDisk::new(Clock::manual(7), Dice::seeded(1));
        let disk = Disk::memory(&memory);
        (memory, disk)
    }

    fn write(disk: &Disk, path: &str, bytes: &[u8]) -> io::Result<()> {
        disk.open_append(Path::new(path))?.write_all(bytes)
    }

    fn sync(disk: &Disk, path: &str) -> io::Result<()> {
        disk.open(Path::new(path))?.sync(Path::new(path))
    }

    fn read(disk: &Disk, path: &str) -> Option<Vec<u8>> {
        disk.read(Path::new(path)).ok()
    }

    #[test]
    fn what_was_not_synced_is_forgotten_bytes_and_entries_each_by_themselves() {
        let (memory, disk) = disk();
        disk.create_dir_all(Path::new("/d")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        write(&disk, "/d/a", b"synced").unwrap();
        write(&disk, "/d/b", b"no entry").unwrap();
        sync(&disk, "/d/a").unwrap();
        sync(&disk, "/d/b").unwrap();
        disk.remove_file(Path::new("/d/b")).unwrap();
        disk.sync_dir(Path::new("/d")).unwrap();
        write(&disk, "/d/b", b"again").unwrap();
        write(&disk, "/d/a", b" and not").unwrap();
        assert_eq!(read(&disk, "/d/a").unwrap(), b"synced and not");
        memory.lose_power(false);
        assert_eq!(read(&disk, "/d/a").unwrap(), b"synced");
        assert_eq!(read(&disk, "/d/b"), None);
    }

    #[test]
    fn a_rename_counts_once_its_folder_is_synced() {
        let (memory, disk) = disk();
        write(&disk, "/a", b"old").unwrap();
        sync(&disk, "/a").unwrap();
        write(&disk, "/b", b"new").unwrap();
        sync(&disk, "/b").unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        disk.rename(Path::new("/b"), Path::new("/a")).unwrap();
        assert_eq!(read(&disk, "/a").unwrap(), b"new");
        memory.lose_power(false);
        assert_eq!(read(&disk, "/a").unwrap(), b"old");
        disk.rename(Path::new("/b"), Path::new("/a")).unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        memory.lose_power(false);
        assert_eq!(
            (read(&disk, "/a").unwrap(), read(&disk, "/b")),
            (b"new".to_vec(), None)
        );
    }

    #[test]
    fn a_sync_that_failed_has_dropped_what_later_ones_do_not_bring_back() {
        let (memory, disk) = disk();
        write(&disk, "/a", b"one").unwrap();
        disk.sync_dir(Path::new("/")).unwrap();
        memory.fail_a_sync();
        sync(&disk, "/a").unwrap_err();
        write(&disk, "/a", b"two").unwrap();
        sync(&disk, "/a").unwrap();
        memory.lose_power(false);
        assert_eq!(read(&disk, "/a").unwrap(), b"\0\0\0two");
    }

    #[test]
    fn a_full_disk_takes_a_part_and_one_that_stopped_nothing() {
        let (memory, disk) = disk();
        memory.set_full(true);
        let full = write(&disk, "/a", b"12345678").unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!(read(&disk, "/a").unwrap(), b"1234");
        memory.set_full(false);
        memory.stop_after(2);
        write(&disk, "/a", b"56").unwrap();
        write(&disk, "/a", b"78").unwrap_err();
        disk.remove_file(Path::new("/a")).unwrap_err();
        memory.serve_again();
        assert_eq!(read(&disk, "/a").unwrap(), b"1234567");
        let lock = disk.lock(Path::new("/l")).unwrap();
        assert!(lock.is_some() && disk.lock(Path::new("/l")).unwrap().is_none());
        drop(lock);
        assert!(disk.lock(Path::new("/l")).unwrap().is_some());
    }
}
