//! Files and folders. A file that is open is one of two kinds, told apart at each call; nothing is boxed on the way.

mod file;
mod memory;
pub(in crate::broker) mod refusing;
mod volume;

pub use file::{File, Reading};
pub use memory::MemoryDisk;
pub use volume::Volume;

use std::fs::{self, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Where files are. Cloning shares it.
#[derive(Debug, Clone, Default)]
pub struct Disk(Kind);

#[derive(Debug, Clone, Default)]
enum Kind {
    #[default]
    Files,
    Memory(MemoryDisk),
}

/// Keeps a file for its holder alone, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "what it does is to be there")] LockKind);

#[derive(Debug)]
#[allow(dead_code, reason = "what they do is to be there")]
enum LockKind {
    File(fs::File),
    Memory(memory::Lock),
}

/// All but the errors is the system's own.
impl Disk {
    /// The machine's files.
    pub fn files() -> Self {
        Disk::default()
    }

    /// A disk in memory.
    pub fn memory(disk: &MemoryDisk) -> Self {
        Disk(Kind::Memory(disk.clone()))
    }

    /// Opens a file for reading and appending, creating it if need be.
    pub fn open_append(&self, path: &Path) -> io::Result<File> {
        match &self.0 {
            Kind::Files => {
                let options = OpenOptions::new().read(true).append(true).create(true).open(path);
                options.map(File::of_system)
            }
            Kind::Memory(disk) => disk.open_append(path).map(File::of_memory),
        }
    }

    /// Opens a file for reading.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        match &self.0 {
            Kind::Files => fs::File::open(path).map(File::of_system),
            Kind::Memory(disk) => disk.open(path).map(File::of_memory),
        }
    }

    /// Makes a file, or empties the one that is there, for writing.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        match &self.0 {
            Kind::Files => fs::File::create(path).map(File::of_system),
            Kind::Memory(disk) => disk.create(path).map(File::of_memory),
        }
    }

    /// All that is in a file.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        match &self.0 {
            Kind::Files => fs::read(path),
            Kind::Memory(disk) => disk.read(path),
        }
    }

    /// Bytes of a file.
    pub fn length(&self, path: &Path) -> io::Result<u64> {
        match &self.0 {
            Kind::Files => fs::metadata(path).map(|data| data.len()),
            Kind::Memory(disk) => disk.length(path),
        }
    }

    /// Whether a file or folder is there.
    pub fn exists(&self, path: &Path) -> bool {
        match &self.0 {
            Kind::Files => path.exists(),
            Kind::Memory(disk) => disk.exists(path),
        }
    }

    /// Whether a folder is there.
    pub fn is_dir(&self, path: &Path) -> bool {
        match &self.0 {
            Kind::Files => path.is_dir(),
            Kind::Memory(disk) => disk.is_dir(path),
        }
    }

    /// What is in a folder, by name.
    pub fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        match &self.0 {
            Kind::Files => {
                let entries = fs::read_dir(dir)?.map(|entry| entry.map(|entry| entry.path()));
                let mut paths: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
                paths.sort_unstable();
                Ok(paths)
            }
            Kind::Memory(disk) => disk.list(dir),
        }
    }

    /// Makes a folder, and those above it.
    pub fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        match &self.0 {
            Kind::Files => fs::create_dir_all(dir),
            Kind::Memory(disk) => disk.create_dir_all(dir),
        }
    }

    /// Gives a file or folder another name, in the place of the file that has it.
    pub fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match &self.0 {
            Kind::Files => fs::rename(from, to),
            Kind::Memory(disk) => disk.rename(from, to),
        }
    }

    /// Removes a file.
    pub fn remove_file(&self, path: &Path) -> io::Result<()> {
        match &self.0 {
            Kind::Files => fs::remove_file(path),
            Kind::Memory(disk) => disk.remove(path),
        }
    }

    /// Removes a folder and all that is in it.
    pub fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        match &self.0 {
            Kind::Files => fs::remove_dir_all(dir),
            Kind::Memory(disk) => disk.remove(dir),
        }
    }

    /// Cuts a file, by a handle of its own: an appending handle may not shrink a file everywhere.
    pub fn set_length(&self, path: &Path, size: u64) -> io::Result<()> {
        match &self.0 {
            Kind::Files => {
                let file = OpenOptions::new().write(true).open(path);
                file.and_then(|file| file.set_len(size))
            }
            Kind::Memory(disk) => disk.set_length(path, size),
        }
    }

    /// Waits until what was made, renamed and removed in a folder is on the disk.
    pub fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        match &self.0 {
            Kind::Files => sync_dir(dir),
            Kind::Memory(disk) => disk.sync_dir(dir),
        }
    }

    /// Takes a file for oneself, making it if need be; `None` when another has it.
    pub fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        match &self.0 {
            Kind::Files => {
                let options = OpenOptions::new()
                    .create(true)
                    .truncate(false)
                    .write(true)
                    .open(path);
                let file = options?;
                match file.try_lock() {
                    Ok(()) => Ok(Some(Lock(LockKind::File(file)))),
                    Err(TryLockError::WouldBlock) => Ok(None),
                    Err(TryLockError::Error(error)) => Err(error),
                }
            }
            Kind::Memory(disk) => Ok(disk.lock(path).map(|lock| Lock(LockKind::Memory(lock)))),
        }
    }

    /// The volume of an absolute path; `None` when the system does not tell.
    pub fn volume(&self, path: &Path) -> Option<Volume> {
        match &self.0 {
            Kind::Files => Volume::of(path),
            Kind::Memory(_) => None,
        }
    }
}

#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir).and_then(|folder| File::of_system(folder).sync(dir))
}

/// NTFS journals its folders; there is no handle to sync.
#[cfg(windows)]
#[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
fn sync_dir(_dir: &Path) -> io::Result<()> {
    Ok(())
}
