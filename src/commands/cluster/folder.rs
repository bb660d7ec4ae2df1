//! The folder of a classroom cluster: its lock, state file, log and data.
//!
//! The lock, not the state file, says whether a cluster runs: the system drops it with the process, however that ended.

use super::DataArgs;
use super::nearby::{self, Meant};
use crate::commands::Context;
use crate::commands::select::typed;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long whoever only looks whether a cluster runs may be in the way of one that starts.
const GLANCE: Duration = Duration::from_millis(500);

/// What a running cluster writes down for other processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Process id.
    pub pid: u32,
    /// `HOST:PORT` that clients are told to use.
    pub bootstrap: String,
    /// `HOST:PORT` that other machines use; none when they cannot connect.
    #[serde(default)]
    pub class: Vec<String>,
    /// When it began to serve, in ms since 1970-01-01 UTC.
    pub started_ms: i64,
    /// Version of the binary that runs it.
    pub version: String,
    /// How it was started, for `velo cluster restart`.
    pub settings: Settings,
}

impl State {
    /// The port of [`State::bootstrap`].
    pub fn port(&self) -> Option<u16> {
        self.bootstrap.rsplit_once(':')?.1.parse().ok()
    }
}

/// How a cluster is started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Port on this machine; 0 lets the system choose.
    pub port: u16,
    /// Whether other machines may connect.
    pub listen_anyone: bool,
    /// Broker settings as `name=value`.
    pub set: Vec<String>,
}

impl Settings {
    /// Whether they say what clients are told.
    pub fn advertises(&self) -> bool {
        self.set.iter().any(|setting| {
            let name = setting.split('=').next().unwrap_or_default();
            name.trim() == "advertised.listeners"
        })
    }
}

/// The folder of one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFolder {
    root: PathBuf,
    /// Whether commands mean it without being told so.
    own: bool,
}

/// Held by the one process that runs the cluster of a folder.
#[derive(Debug)]
pub struct ClusterLock {
    _file: File,
}

impl ClusterFolder {
    /// The port of a folder's first cluster, unless another is named: Kafka's own.
    pub const FIRST_PORT: u16 = 9092;

    /// The folder that `--data` names, else the user's own.
    pub fn of(args: &DataArgs, context: &Context) -> Self {
        match &args.data {
            Some(root) => Self::at(root),
            None => Self::own(&context.places),
        }
    }

    /// The folder that `--data` names, else that of the cluster that is meant where none is named, else the user's own.
    ///
    /// # Errors
    /// When it cannot be told what runs.
    pub fn meant(args: &DataArgs, context: &Context) -> Outcome<Self> {
        if args.data.is_some() {
            return Ok(Self::of(args, context));
        }
        match nearby::meant(&context.places)? {
            Meant::This(running) => Ok(running.folder),
            Meant::None => Ok(Self::own(&context.places)),
            Meant::Several(all) => Err(all.iter().fold(
                Failure::usage("several clusters run on this machine; which one is meant?"),
                |failure, one| {
                    failure.hint(format!(
                        "{}    ({})",
                        one.folder.data_option().trim(),
                        one.state.bootstrap
                    ))
                },
            )),
        }
    }

    /// The user's own folder, which is meant where none is named.
    pub fn own(places: &Places) -> Self {
        ClusterFolder {
            root: places.data.join("cluster"),
            own: true,
        }
    }

    /// The cluster whose data is in `root`.
    pub fn at(root: &Path) -> Self {
        ClusterFolder {
            root: root.to_owned(),
            own: false,
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The node's log directory, as Kafka's `log.dirs`.
    pub fn node_dir(&self) -> PathBuf {
        self.root.join("node-1")
    }

    /// What the cluster says while it runs detached.
    pub fn log_file(&self) -> PathBuf {
        self.root.join("cluster.log")
    }

    fn state_file(&self) -> PathBuf {
        self.root.join("cluster.json")
    }

    fn port_file(&self) -> PathBuf {
        self.root.join("cluster.port")
    }

    /// The port that the last cluster of this folder had, however it ended: clients know it.
    ///
    /// # Errors
    /// When the file cannot be read; one that is not ours counts as none.
    pub fn last_port(&self) -> Outcome<Option<u16>> {
        match fs::read_to_string(self.port_file()) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// Takes the folder for this process.
    ///
    /// # Errors
    /// When another process has it, or it cannot be written.
    pub fn lock(&self) -> Outcome<ClusterLock> {
        fs::create_dir_all(&self.root).map_err(|error| self.unusable(&error))?;
        let deadline = Instant::now() + GLANCE;
        loop {
            if let Some(lock) = self.try_lock().map_err(|error| self.unusable(&error))? {
                return Ok(lock);
            }
            if Instant::now() > deadline {
                return Err(
                    Failure::request(format!("a cluster already runs on {}", self.root.display()))
                        .because("another process holds its lock")
                        .hint(format!("velo cluster status{}", self.data_option())),
                );
            }
            std::thread::sleep(GLANCE / 20);
        }
    }

    fn try_lock(&self) -> io::Result<Option<ClusterLock>> {
        let path = self.root.join("cluster.lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ClusterLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether a process runs the cluster of this folder now.
    ///
    /// # Errors
    /// When the folder cannot be looked into.
    pub fn is_running(&self) -> Outcome<bool> {
        if !self.root.join("cluster.lock").exists() {
            return Ok(false);
        }
        Ok(self.try_lock().map_err(|error| self.unusable(&error))?.is_none())
    }

    /// The state of the running cluster; `None` when none runs, or it does not serve yet.
    ///
    /// # Errors
    /// When the folder or its state file cannot be read.
    pub fn running(&self) -> Outcome<Option<State>> {
        // The lock is looked at only where a cluster may run: whoever looks holds it for an instant.
        match self.last_state()? {
            Some(_) if self.is_running()? => self.last_state(),
            _ => Ok(None),
        }
    }

    /// What the last cluster of this folder wrote down, whether or not it still runs.
    ///
    /// # Errors
    /// When the state file cannot be read; one that is not ours counts as none.
    pub fn last_state(&self) -> Outcome<Option<State>> {
        match fs::read(self.state_file()) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(&error)),
        }
    }

    /// Writes the state down, whole or not at all, and the port for the next start.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, state: &State) -> Outcome {
        let text = serde_json::to_vec_pretty(state).map_err(|error| Failure::request(error.to_string()))?;
        let draft = self.root.join("cluster.json.new");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, self.state_file()))
            .and_then(|()| match state.port() {
                Some(port) => fs::write(self.port_file(), port.to_string()),
                None => Ok(()),
            })
            .map_err(|error| self.unusable(&error))
    }

    /// Forgets the state: the cluster has stopped cleanly.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn clear_state(&self) -> Outcome {
        match fs::remove_file(self.state_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.unusable(&error)),
            _ => Ok(()),
        }
    }

    /// ` --data DIR`, to complete a hint, when the folder is not the user's own.
    pub fn data_option(&self) -> String {
        if self.own {
            String::new()
        } else {
            format!(" --data {}", typed(&[self.root.display().to_string()]))
        }
    }

    fn unusable(&self, error: &io::Error) -> Failure {
        Failure::request(format!("cannot use the cluster's folder {}", self.root.display()))
            .because(error)
            .hint("velo cluster start --data DIR, with a folder that you can write to")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_file_left_by_a_crash_does_not_count_as_running() {
        let root = tempfile::tempdir().unwrap();
        let folder = ClusterFolder::at(root.path());
        let state = State {
            pid: 1,
            bootstrap: "localhost:9092".to_owned(),
            class: Vec::new(),
            started_ms: 0,
            version: "0".to_owned(),
            settings: Settings::default(),
        };
        let lock = folder.lock().unwrap();
        folder.save(&state).unwrap();
        assert_eq!(folder.running().unwrap(), Some(state.clone()));
        assert!(folder.lock().is_err(), "two processes on one folder");
        drop(lock);
        assert_eq!(folder.running().unwrap(), None);
        assert_eq!(folder.last_state().unwrap(), Some(state));
    }
}
