//! The files of one node below the cluster's folder: its lock, state, log and data.
//!
//! The lock, not the state file, says whether the node runs: the system drops it with the process, however that ended.

use super::folder::unusable;
use crate::failure::{Failure, Outcome};
use crate::process::Process;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long whoever only looks whether a node runs may be in the way of one that starts.
const GLANCE: Duration = Duration::from_millis(500);

/// What a node's process writes down for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The process.
    pub process: Process,
    /// Where it serves; none while it starts.
    pub serving: Option<Serving>,
    /// When it began, in ms since 1970-01-01 UTC.
    pub started_ms: i64,
    /// Version of the binary that runs it.
    pub version: String,
}

/// Where a node serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// The port for clients; none on a controller that is no broker.
    pub port: Option<u16>,
    /// The port for the other nodes, on the controller.
    pub controller_port: Option<u16>,
    /// `HOST:PORT` that other machines use; none when they cannot connect.
    pub class: Vec<String>,
}

/// How it is with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It does not run, and ended as it should, or never began.
    Stopped,
    /// It does not run, and ended without a clean stop.
    Crashed(State),
    /// It runs, but does not serve yet.
    Starting(State),
    /// It serves.
    Serving(State),
}

impl Condition {
    /// The process, if it runs.
    pub fn process(&self) -> Option<Process> {
        match self {
            Condition::Starting(state) | Condition::Serving(state) => Some(state.process),
            Condition::Stopped | Condition::Crashed(_) => None,
        }
    }
}

/// The files of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeFolder {
    root: PathBuf,
    id: i32,
}

/// Held by the one process that runs a node.
#[derive(Debug)]
pub struct NodeLock {
    _file: File,
}

impl NodeFolder {
    /// The node `id` of the cluster in `root`.
    pub fn new(root: &Path, id: i32) -> Self {
        NodeFolder {
            root: root.to_owned(),
            id,
        }
    }

    /// The node's log directory, as Kafka's `log.dirs`.
    pub fn log_dir(&self) -> PathBuf {
        self.root.join(format!("node-{}", self.id))
    }

    /// What the node says while it runs in the background.
    pub fn log_file(&self) -> PathBuf {
        self.file("log")
    }

    fn state_file(&self) -> PathBuf {
        self.file("json")
    }

    fn lock_file(&self) -> PathBuf {
        self.file("lock")
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.root.join(format!("node-{}.{ending}", self.id))
    }

    /// Takes the node for this process, and says so to others.
    ///
    /// `None` when another process has it.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn lock(&self, state: &State) -> Outcome<Option<NodeLock>> {
        fs::create_dir_all(&self.root).map_err(|error| self.unusable(&error))?;
        let deadline = Instant::now() + GLANCE;
        loop {
            if let Some(lock) = self.try_lock().map_err(|error| self.unusable(&error))? {
                // Whoever finds the lock taken must never read of a process that ended long ago.
                self.save(state)?;
                return Ok(Some(lock));
            }
            if Instant::now() > deadline {
                return Ok(None);
            }
            std::thread::sleep(GLANCE / 20);
        }
    }

    fn try_lock(&self) -> io::Result<Option<NodeLock>> {
        let mut options = OpenOptions::new();
        let file = options
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.lock_file())?;
        match file.try_lock() {
            Ok(()) => Ok(Some(NodeLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether a process runs the node now. Those who only look do not see each other.
    ///
    /// # Errors
    /// When the folder cannot be looked into.
    pub fn is_running(&self) -> Outcome<bool> {
        let looked = match File::open(self.lock_file()) {
            Ok(file) => file.try_lock_shared(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(self.unusable(&error)),
        };
        match looked {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(self.unusable(&error)),
        }
    }

    /// How it is with the node now.
    ///
    /// # Errors
    /// When the folder or its state file cannot be read.
    pub fn condition(&self) -> Outcome<Condition> {
        // The lock is looked at only where a node may run: whoever looks holds it for an instant.
        if self.state()?.is_none() {
            return Ok(Condition::Stopped);
        }
        let runs = self.is_running()?;
        Ok(match self.state()? {
            None => Condition::Stopped,
            Some(state) if !runs => Condition::Crashed(state),
            Some(state) if state.serving.is_some() => Condition::Serving(state),
            Some(state) => Condition::Starting(state),
        })
    }

    /// What the last process of this node wrote down; a file that is not ours counts as none.
    fn state(&self) -> Outcome<Option<State>> {
        match fs::read(self.state_file()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// Writes the state down, whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, state: &State) -> Outcome {
        write_whole(&self.state_file(), state).map_err(|error| self.unusable(&error))
    }

    /// Forgets the state: the node has stopped cleanly.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn clear_state(&self) -> Outcome {
        forget(&self.state_file()).map_err(|error| self.unusable(&error))
    }

    /// Deletes all of the node's files but its lock, which must be held.
    ///
    /// # Errors
    /// When a file cannot be deleted.
    pub fn delete(&self) -> Outcome {
        let failed = |path: &Path, error: io::Error| {
            Failure::request(format!("cannot delete {}", path.display())).because(error)
        };
        let data = self.log_dir();
        match fs::remove_dir_all(&data) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&data, error)),
            _ => {}
        }
        for file in [self.state_file(), self.log_file()] {
            forget(&file).map_err(|error| failed(&file, error))?;
        }
        Ok(())
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        unusable(&self.root, error)
    }
}

/// Writes a value as JSON, whole or not at all.
pub(super) fn write_whole(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let draft = path.with_extension("json.new");
    let text = serde_json::to_vec_pretty(value)?;
    fs::write(&draft, text).and_then(|()| fs::rename(&draft, path))
}

fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(process: Process, serving: Option<Serving>) -> State {
        State {
            process,
            serving,
            started_ms: 0,
            version: "0".to_owned(),
        }
    }

    #[test]
    fn a_state_file_left_by_a_crash_does_not_count_as_running() {
        let root = tempfile::tempdir().unwrap();
        let node = NodeFolder::new(root.path(), 1);
        let starts = state(Process::own(), None);
        let lock = node.lock(&starts).unwrap().unwrap();
        assert_eq!(node.condition().unwrap(), Condition::Starting(starts.clone()));
        let serves = state(Process::own(), Some(Serving::default()));
        node.save(&serves).unwrap();
        assert_eq!(node.condition().unwrap(), Condition::Serving(serves.clone()));
        assert!(
            node.lock(&starts).unwrap().is_none(),
            "two processes on one folder"
        );
        drop(lock);
        assert_eq!(node.condition().unwrap(), Condition::Crashed(serves));
    }

    #[test]
    fn those_who_look_at_a_crashed_node_do_not_take_each_other_for_it() {
        let root = tempfile::tempdir().unwrap();
        let node = NodeFolder::new(root.path(), 1);
        drop(node.lock(&state(Process::own(), None)).unwrap());
        let other = File::open(node.lock_file()).unwrap();
        other.try_lock_shared().unwrap();
        assert!(!node.is_running().unwrap());
    }

    #[test]
    fn who_takes_the_lock_is_the_process_that_is_told_at_once() {
        let root = tempfile::tempdir().unwrap();
        let node = NodeFolder::new(root.path(), 1);
        let long_gone = state(Process::of_id(1), Some(Serving::default()));
        node.save(&long_gone).unwrap();
        let _lock = node.lock(&state(Process::own(), None)).unwrap();
        assert_eq!(node.condition().unwrap().process(), Some(Process::own()));
    }
}
