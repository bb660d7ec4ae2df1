//! The clusters of this user that run on this machine, and what to type where none answers.
//!
//! The user's own folder is known; every other one that a cluster was started in is noted in the state folder while it
//! runs.

use super::folder::ClusterFolder;
use super::node::Condition;
use super::port;
use super::shape::{FIRST_PORT, Member, Shape};
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
    /// Its nodes.
    pub shape: Shape,
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
    if let Some(shape) = own.running()? {
        return Ok(Meant::This(Box::new(Running { folder: own, shape })));
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
    let first = own.running()?.map(|shape| Running { folder: own, shape });
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
    let shape = folder.running().ok().flatten();
    Ok(shape.map(|shape| Running { folder, shape }))
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
    /// A broker of a cluster of this user has that very address, but does not answer: this line helps.
    Stuck(String),
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
    for one in &running {
        if let Some(broker) = ports.iter().find_map(|port| one.shape.at_port(*port)) {
            return one.help(broker).map(WayOut::Stuck);
        }
    }
    if let Some(other) = running.first() {
        return Ok(WayOut::Elsewhere(other.shape.bootstrap()));
    }
    let Some(port) = ports.first().copied() else {
        return Ok(WayOut::Remote);
    };
    if let Some(free) = port::instead_of(port) {
        return Ok(WayOut::Taken(free));
    }
    let by_itself = own_port(places)?;
    Ok(WayOut::Start((port != by_itself).then_some(port)))
}

/// The port that a cluster in the user's own folder gets by itself: that of its first broker.
///
/// # Errors
/// When the folder cannot be read.
pub fn own_port(places: &Places) -> Outcome<u16> {
    let shape = ClusterFolder::own(places).shape()?;
    Ok(shape.map_or(FIRST_PORT, |shape| shape.first_port()))
}

impl Running {
    /// What to type so that a broker of it answers again.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn help(&self, broker: Member) -> Outcome<String> {
        let (option, data) = (self.shape.broker_option(broker.id), self.folder.data_option());
        Ok(match self.folder.node(broker.id).condition()? {
            Condition::Stopped | Condition::Crashed(_) => format!("velo cluster start{option}{data}"),
            Condition::Starting(state) | Condition::Serving(state) if state.process.is_paused()? => {
                format!("velo cluster resume{option}{data}")
            }
            Condition::Starting(_) | Condition::Serving(_) => format!("velo cluster restart{option}{data}"),
        })
    }

    /// The processes of its nodes, as one says them: `process 17`, `processes 17, 18`.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn processes(&self) -> Outcome<String> {
        let conditions = self.folder.conditions(&self.shape)?;
        let processes = conditions.iter().filter_map(|(_, is)| is.process());
        let ids: Vec<String> = processes.map(|process| process.id().to_string()).collect();
        let noun = if ids.len() == 1 { "process" } else { "processes" };
        Ok(format!("{noun} {}", ids.join(", ")))
    }
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
            WayOut::Stuck(line) => line.clone(),
            WayOut::Start(None) => "velo cluster start".to_owned(),
            WayOut::Start(Some(port)) | WayOut::Taken(port) => format!("velo cluster start --port {port}"),
            WayOut::Remote => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::node::{NodeLock, Serving, State};
    use super::*;
    use crate::process::Process;

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
        fn runs(&self, folder: &ClusterFolder, port: u16) -> NodeLock {
            folder.save(&Shape::lone(port)).unwrap();
            let state = State {
                process: Process::own(),
                serving: Some(Serving::default()),
                started_ms: 0,
                version: "0".to_owned(),
            };
            let lock = folder.node(1).lock(&state).unwrap().unwrap();
            let name = folder.root().file_name().unwrap().to_str().unwrap();
            note_as(&self.places, folder, name).unwrap();
            lock
        }

        fn meant(&self) -> Option<String> {
            match meant(&self.places).unwrap() {
                Meant::This(running) => Some(running.shape.bootstrap()),
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

    #[test]
    fn a_broker_that_does_not_answer_is_helped_alone() {
        let machine = Machine::new();
        let _first = machine.runs(&machine.own(), 1111);
        let shape = Shape::new(&[1, 2], false, 5001).unwrap();
        machine.own().save(&shape).unwrap();
        assert_eq!(machine.meant().as_deref(), Some("localhost:5001,localhost:5002"));
        assert_eq!(
            machine.way_out("localhost", 5001).as_deref(),
            Some("velo cluster restart --broker 1")
        );
        assert_eq!(
            machine.way_out("localhost", 5002).as_deref(),
            Some("velo cluster start --broker 2")
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
