//! Which nodes run: each has a file in the user's state folder that says what it is, and holds a lock beside it. The
//! lock, not the file, says that it runs: the system drops it with the process, however that ended.

use crate::failure::{Failure, Outcome};
use crate::places::Places;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// What kind of script started a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `kafka-server-start`
    Kafka,
    /// `zookeeper-server-start`
    Zookeeper,
}

/// A node that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its process.
    pub pid: u32,
    /// What started it.
    pub kind: Kind,
    /// Its `node.id`.
    pub node_id: i32,
    /// Its `process.roles`.
    pub roles: Vec<String>,
}

/// Held by a node while it runs; its files go with it.
#[derive(Debug)]
pub struct Registration {
    note: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Err(error) = forget(&self.note).and_then(|()| forget(&self.lock)) {
            tracing::warn!(%error, "the note of this node stays behind");
        }
    }
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn folder() -> Outcome<PathBuf> {
    Ok(Places::from_environment()?.state.join("servers"))
}

fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::request(format!("cannot use {}", path.display())).because(error)
}

/// Notes a node of this process.
///
/// # Errors
/// When the state folder cannot be written.
pub fn register(entry: &Entry) -> Outcome<Registration> {
    let folder = folder()?;
    fs::create_dir_all(&folder).map_err(|error| failed(&folder, &error))?;
    let note = folder.join(format!("{}.json", entry.pid));
    let lock = note.with_extension("lock");
    let text = serde_json::to_vec(entry).map_err(|error| Failure::request(error.to_string()))?;
    let held = File::create(&lock).map_err(|error| failed(&lock, &error))?;
    held.lock().map_err(|error| failed(&lock, &error))?;
    fs::write(&note, text).map_err(|error| failed(&note, &error))?;
    Ok(Registration {
        note,
        lock,
        _held: held,
    })
}

/// The nodes of this user that run and were started by `kind`; what crashed nodes have left is removed.
///
/// # Errors
/// When the state folder cannot be read.
pub fn all(kind: Kind) -> Outcome<Vec<Entry>> {
    let folder = folder()?;
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&folder, &error)),
    };
    let mut running = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&folder, &error))?.path();
        if let Some(entry) = look(&path).map_err(|error| failed(&path, &error))? {
            running.push(entry);
        }
    }
    running.retain(|entry: &Entry| entry.kind == kind);
    running.sort_by_key(|entry| entry.pid);
    Ok(running)
}

/// The node of a note, if it runs; else the note goes.
fn look(note: &Path) -> io::Result<Option<Entry>> {
    if note.extension().is_none_or(|ending| ending != "json") {
        return Ok(None);
    }
    let lock = note.with_extension("lock");
    match File::open(&lock).map(|file| file.try_lock_shared()) {
        Ok(Err(TryLockError::WouldBlock)) => return Ok(serde_json::from_slice(&fs::read(note)?).ok()),
        Ok(Err(TryLockError::Error(error))) => return Err(error),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(Ok(())) | Err(_) => {}
    }
    forget(note).and_then(|()| forget(&lock))?;
    Ok(None)
}
