//! The clusters of this user that run on this machine, and what to type where none answers.
//!
//! The user's own folder is known; every other one that a cluster was started in is noted in the state folder while it
//! runs.

use super::folder::{ClusterFolder, State};
use super::port;
use crate::failure::{Failure, Outcome};
use crate::places::Places;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A cluster that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Its folder.
    pub folder: ClusterFolder,
    /// What it wrote down.
    pub state: State,
}

/// The cluster that is meant where none is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meant {
    /// This one: the user's own, else the only one that runs.
    This(Box<Running>),
    /// Several run, none of them in the user's own folder.
    Several(Vec<Running>),
    /// None runs.
    None,
}

/// Which cluster of this machine is meant where none is named.
///
/// # Errors
/// When the user's own folder, or the notes of the others, cannot be read.
pub fn meant(places: &Places) -> Outcome<Meant> {
    let own = ClusterFolder::own(places);
    if let Some(state) = own.running()? {
        return Ok(Meant::This(Box::new(Running { folder: own, state })));
    }
    let mut others = noted(places)?;
    Ok(match others.len() {
        0 => Meant::None,
        1 => Meant::This(Box::new(others.remove(0))),
        _ => Meant::Several(others),
    })
}

/// All clusters of this user that run, the own one first.
///
/// # Errors
/// As [`meant`].
pub fn all(places: &Places) -> Outcome<Vec<Running>> {
    let own = ClusterFolder::own(places);
    let first = own.running()?.map(|state| Running { folder: own, state });
    Ok(first.into_iter().chain(noted(places)?).collect())
}

/// Notes that this process runs the cluster of `folder`, for [`all`] to find.
///
/// # Errors
/// When the state folder cannot be written.
pub fn note(places: &Places, folder: &ClusterFolder) -> Outcome {
    note_as(places, folder, &std::process::id().to_string())
}

fn note_as(places: &Places, folder: &ClusterFolder, name: &str) -> Outcome {
    let root = std::path::absolute(folder.root()).unwrap_or_else(|_| folder.root().to_owned());
    if root == ClusterFolder::own(places).root() {
        return Ok(());
    }
    let notes = notes(places);
    let note = notes.join(name);
    let text = serde_json::to_vec(&root).map_err(|error| failed(&note, &error))?;
    fs::create_dir_all(&notes)
        .and_then(|()| fs::write(&note, text))
        .map_err(|error| failed(&note, &error))
}

/// The clusters outside of the user's own folder that run, by their folders; notes of those that have ended go.
fn noted(places: &Places) -> Outcome<Vec<Running>> {
    let notes = notes(places);
    let entries = match fs::read_dir(&notes) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&notes, &error)),
    };
    let mut running = BTreeMap::new();
    for entry in entries {
        let note = entry.map_err(|error| failed(&notes, &error))?.path();
        match look(&note)? {
            Some(found) => {
                running.insert(found.folder.root().to_owned(), found);
            }
            // Somebody else may have been faster.
            None => match fs::remove_file(&note) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&note, &error)),
                _ => {}
            },
        }
    }
    Ok(running.into_values().collect())
}

/// The cluster of a note, if its process still runs it.
fn look(note: &Path) -> Outcome<Option<Running>> {
    let bytes = match fs::read(note) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(note, &error)),
    };
    let Ok(root) = serde_json::from_slice::<PathBuf>(&bytes) else {
        return Ok(None);
    };
    let folder = ClusterFolder::at(&root);
    // A folder that can no longer be looked into has no cluster that anybody could mean.
    let state = folder.running().ok().flatten();
    Ok(state.map(|state| Running { folder, state }))
}

fn notes(places: &Places) -> PathBuf {
    places.state.join("clusters")
}

fn failed(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::request(format!("cannot use {}", path.display()))
        .because(error)
        .hint(format!(
            "make it readable and writable, or remove it: {}",
            path.display()
        ))
}

/// What can be done about an address where no broker answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayOut {
    /// A cluster of this user serves elsewhere.
    Elsewhere(String),
    /// A cluster of this user has that very address, but does not answer.
    Stuck(ClusterFolder),
    /// None runs, and one can be started there: on that port, unless it gets it anyway.
    Start(Option<u16>),
    /// None runs, and something else has that port: one can be started on this one, which is free.
    Taken(u16),
    /// It is another machine's.
    Remote,
}

/// What can be done where none of `servers` (host and port) answers.
///
/// # Errors
/// As [`meant`].
pub fn way_out(places: &Places, servers: &[(String, u16)]) -> Outcome<WayOut> {
    let ports: Vec<u16> = servers
        .iter()
        .filter(|(host, _)| is_here(host))
        .map(|(_, port)| *port)
        .collect();
    let running = all(places)?;
    let there = |one: &&Running| one.state.port().is_some_and(|port| ports.contains(&port));
    if let Some(stuck) = running.iter().find(there) {
        return Ok(WayOut::Stuck(stuck.folder.clone()));
    }
    if let Some(other) = running.first() {
        return Ok(WayOut::Elsewhere(other.state.bootstrap.clone()));
    }
    let Some(port) = ports.first().copied() else {
        return Ok(WayOut::Remote);
    };
    if let Some(free) = port::instead_of(port) {
        return Ok(WayOut::Taken(free));
    }
    let by_itself = ClusterFolder::own(places)
        .last_port()?
        .unwrap_or(ClusterFolder::FIRST_PORT);
    Ok(WayOut::Start((port != by_itself).then_some(port)))
}

/// Whether a name is this machine's.
pub fn is_here(host: &str) -> bool {
    matches!(host, "localhost" | "::1") || host.starts_with("127.")
}

impl WayOut {
    /// What to type where the address was given by an option of this very command, `None` where nobody here knows.
    pub fn to_type(&self) -> Option<String> {
        Some(match self {
            WayOut::Elsewhere(bootstrap) => {
                format!("--bootstrap-server {bootstrap}    (the cluster of this machine that runs)")
            }
            WayOut::Stuck(folder) => format!("velo cluster restart{}", folder.data_option()),
            WayOut::Start(None) => "velo cluster start".to_owned(),
            WayOut::Start(Some(port)) | WayOut::Taken(port) => format!("velo cluster start --port {port}"),
            WayOut::Remote => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::folder::{ClusterLock, Settings};
    use super::*;

    struct Machine {
        _folder: tempfile::TempDir,
        places: Places,
    }

    impl Machine {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let place = |name| folder.path().join(name);
            let places = Places {
                data: place("data"),
                state: place("state"),
                settings: place("settings"),
            };
            Machine {
                _folder: folder,
                places,
            }
        }

        fn own(&self) -> ClusterFolder {
            ClusterFolder::own(&self.places)
        }

        fn other(&self, name: &str) -> ClusterFolder {
            ClusterFolder::at(&self.places.data.join(name))
        }

        /// As the process of a cluster does, without serving.
        fn runs(&self, folder: &ClusterFolder, port: u16) -> ClusterLock {
            let lock = folder.lock().unwrap();
            let state = State {
                pid: std::process::id(),
                bootstrap: format!("localhost:{port}"),
                class: Vec::new(),
                started_ms: 0,
                version: "0".to_owned(),
                settings: Settings::default(),
            };
            folder.save(&state).unwrap();
            let name = folder.root().file_name().unwrap().to_str().unwrap();
            note_as(&self.places, folder, name).unwrap();
            lock
        }

        fn meant(&self) -> Option<String> {
            match meant(&self.places).unwrap() {
                Meant::This(running) => Some(running.state.bootstrap),
                Meant::Several(all) => Some(format!("one of {}", all.len())),
                Meant::None => None,
            }
        }

        fn way_out(&self, server: &str, port: u16) -> Option<String> {
            way_out(&self.places, &[(server.to_owned(), port)])
                .unwrap()
                .to_type()
        }
    }

    #[test]
    fn the_own_cluster_is_meant_else_the_only_one_else_nobody_guesses() {
        let machine = Machine::new();
        assert_eq!(machine.meant(), None);
        let one = machine.runs(&machine.other("a"), 1111);
        assert_eq!(machine.meant().as_deref(), Some("localhost:1111"));
        let two = machine.runs(&machine.other("bb"), 2222);
        assert_eq!(machine.meant().as_deref(), Some("one of 2"));
        let own = machine.runs(&machine.own(), 3333);
        assert_eq!(machine.meant().as_deref(), Some("localhost:3333"));
        drop((own, one));
        assert_eq!(machine.meant().as_deref(), Some("localhost:2222"));
        drop(two);
        assert_eq!(machine.meant(), None);
        assert_eq!(
            fs::read_dir(notes(&machine.places)).unwrap().count(),
            0,
            "notes stay behind"
        );
    }

    /// A port that nothing listens on.
    fn free_port() -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    #[test]
    fn what_to_type_leads_on() {
        let machine = Machine::new();
        let way_out = |server: &str, port: u16| machine.way_out(server, port);
        let (port, other) = (free_port(), free_port());
        let start = |port: u16| Some(format!("velo cluster start --port {port}"));
        assert_eq!(way_out("127.0.0.1", port), start(port));
        assert_eq!(way_out("broker.example", port), None);
        let own = machine.runs(&machine.own(), port);
        let elsewhere =
            format!("--bootstrap-server localhost:{port}    (the cluster of this machine that runs)");
        for server in ["localhost", "broker.example"] {
            assert_eq!(way_out(server, other).as_ref(), Some(&elsewhere));
        }
        assert_eq!(
            way_out("localhost", port).as_deref(),
            Some("velo cluster restart")
        );
        drop(own);
        // Its port is remembered: it is what it gets by itself.
        assert_eq!(way_out("localhost", port).as_deref(), Some("velo cluster start"));
        assert_eq!(way_out("localhost", other), start(other));
        let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = stranger.local_addr().unwrap().port();
        let instead = way_out("localhost", taken);
        assert!(instead.is_some() && instead != start(taken), "{instead:?}");
    }
}
