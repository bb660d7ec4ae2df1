//! Starts nodes as processes of their own: this binary again, in its foreground mode.

use super::folder::ClusterFolder;
use super::node::Condition;
use super::shape::Shape;
use super::stop;
use crate::failure::{Failure, Outcome};
use crate::process::{self, Process};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a node may take until it serves. One with many logs to check after a crash takes its time.
const START_PATIENCE: Duration = Duration::from_secs(300);

/// A node that serves in a process of its own.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    id: i32,
}

impl Launched {
    /// The node.
    pub fn id(&self) -> i32 {
        self.id
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn ended(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Stops it cleanly and waits for its end.
    ///
    /// # Errors
    /// When it did not stop in time and had to be killed.
    fn stop(mut self) -> Outcome {
        Process::of_id(self.child.id()).terminate(false)?;
        let deadline = Instant::now() + stop::PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(_)) = self.child.try_wait() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let killed = self.child.kill().and_then(|()| self.child.wait());
        Err(Failure::request("the cluster did not stop and was killed")
            .because(killed.map_or_else(|error| error.to_string(), |status| status.to_string())))
    }
}

/// A cluster for as long as the caller wants.
#[derive(Debug)]
pub struct Temporary {
    node: Launched,
    bootstrap: String,
}

impl Temporary {
    /// A cluster on a free port whose data lives in `data`; used by `velo lesson play`.
    ///
    /// # Errors
    /// When the node cannot start.
    pub fn start(data: &Path) -> Outcome<Self> {
        let folder = ClusterFolder::at(data);
        let mut shape = Shape::lone(0);
        folder.save(&shape)?;
        // With the folders of its own it is nobody's cluster: no command means it that does not name it.
        let mut launched = nodes(&folder, &mut shape, &[1], Some(data))?;
        let node = launched.pop().ok_or_else(|| cannot_start(&folder, &shape, 1))?;
        Ok(Temporary {
            node,
            bootstrap: shape.bootstrap(),
        })
    }

    /// `HOST:PORT` of its broker.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Stops it cleanly and waits for its end.
    ///
    /// # Errors
    /// When it did not stop in time and had to be killed.
    pub fn stop(self) -> Outcome {
        self.node.stop()
    }
}

/// Starts nodes, each in a process group of its own, and waits until all serve; notes their ports in `shape` and in the
/// folder. The controller comes first: the others ask it who belongs to the cluster. Where one cannot start, none stays.
///
/// # Errors
/// When a process ends before it serves; the cause is the end of its log.
pub(super) fn nodes(
    folder: &ClusterFolder,
    shape: &mut Shape,
    ids: &[i32],
    home: Option<&Path>,
) -> Outcome<Vec<Launched>> {
    let controller = shape.controller().id;
    let (first, others): (Vec<i32>, Vec<i32>) = ids.iter().partition(|id| **id == controller);
    let mut launched = Vec::new();
    for group in [first, others] {
        let started = together(folder, shape, &group, home, &mut launched);
        let settled = started.and_then(|()| settle(folder, shape, &group));
        if let Err(failure) = settled {
            // Why it failed matters more than how the others end.
            launched.into_iter().rev().for_each(|node| drop(node.stop()));
            return Err(failure);
        }
    }
    Ok(launched)
}

/// Starts nodes that do not wait for one another.
fn together(
    folder: &ClusterFolder,
    shape: &Shape,
    ids: &[i32],
    home: Option<&Path>,
    launched: &mut Vec<Launched>,
) -> Outcome {
    let starting: Vec<Outcome<Starting>> = ids
        .iter()
        .map(|id| Starting::new(folder, shape, *id, home))
        .collect();
    let mut outcome = Ok(());
    for one in starting {
        match one.and_then(|one| one.serves(folder, shape)) {
            Ok(node) => launched.push(node),
            // The others are waited for too: they run.
            Err(failure) => outcome = outcome.and(Err(failure)),
        }
    }
    outcome
}

/// Notes the ports that nodes have bound.
fn settle(folder: &ClusterFolder, shape: &mut Shape, ids: &[i32]) -> Outcome {
    for id in ids {
        if let Condition::Serving(state) = folder.node(*id).condition()?
            && let Some(serving) = state.serving
        {
            shape.settle(*id, serving.port, serving.controller_port);
        }
    }
    folder.save(shape)
}

/// A node whose process has begun.
struct Starting {
    child: Child,
    id: i32,
    /// Where its own words begin in its log.
    log_start: u64,
    first_line: Receiver<io::Result<String>>,
}

impl Starting {
    fn new(folder: &ClusterFolder, shape: &Shape, id: i32, home: Option<&Path>) -> Outcome<Self> {
        let failed = |error: io::Error| cannot_start(folder, shape, id).because(error);
        fs::create_dir_all(folder.root()).map_err(failed)?;
        let mut options = File::options();
        let log = options
            .create(true)
            .append(true)
            .open(folder.node(id).log_file())
            .map_err(failed)?;
        let log_start = log.metadata().map_or(0, |metadata| metadata.len());
        let mut child = command(folder, id)
            .and_then(|mut command| {
                if let Some(home) = home {
                    command.env("VELO_HOME", home);
                }
                command.stdout(Stdio::piped()).stderr(log).spawn()
            })
            .map_err(failed)?;
        let stdout = child.stdout.take();
        let (said, first_line) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = stdout.map_or(Ok(0), |stdout| BufReader::new(stdout).read_line(&mut line));
            // Who waited may have given up.
            drop(said.send(read.map(|_| line)));
        });
        Ok(Starting {
            child,
            id,
            log_start,
            first_line,
        })
    }

    /// Waits until it serves.
    fn serves(mut self, folder: &ClusterFolder, shape: &Shape) -> Outcome<Launched> {
        let failed = |why: String| Err(cannot_start(folder, shape, self.id).because(why));
        match self.first_line.recv_timeout(START_PATIENCE) {
            Ok(Ok(line)) if line.starts_with("ready ") => Ok(Launched {
                child: self.child,
                id: self.id,
            }),
            Ok(Err(error)) => failed(error.to_string()),
            Err(RecvTimeoutError::Timeout) => {
                let killed = self.child.kill().and_then(|()| self.child.wait());
                let how = killed.map_or_else(|error| error.to_string(), |status| status.to_string());
                failed(format!(
                    "it did not serve within {} s ({how})",
                    START_PATIENCE.as_secs()
                ))
            }
            Ok(Ok(_)) | Err(RecvTimeoutError::Disconnected) => {
                let ended = self
                    .child
                    .wait()
                    .map_or_else(|error| error.to_string(), |status| status.to_string());
                failed(said_since(&folder.node(self.id).log_file(), self.log_start).unwrap_or(ended))
            }
        }
    }
}

fn command(folder: &ClusterFolder, id: i32) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["cluster", "start", "--foreground", "--broker"])
        .arg(id.to_string())
        .arg("--data")
        .arg(folder.root())
        .stdin(Stdio::null());
    process::detach(&mut command);
    Ok(command)
}

fn cannot_start(folder: &ClusterFolder, shape: &Shape, id: i32) -> Failure {
    let what = match shape.is_lone() {
        true => "the cluster could not start".to_owned(),
        false => format!("{} could not start", shape.name(id)),
    };
    let (broker, data) = (shape.broker_option(id), folder.data_option());
    Failure::request(what)
        .hint(format!("velo cluster logs{broker}{data}"))
        .hint("velo doctor")
}

/// The last line that tells a reason among what the process wrote to its log since `start`.
fn said_since(log: &Path, start: u64) -> Option<String> {
    let mut file = File::open(log).ok()?;
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let reason = |prefix: &str| {
        text.lines()
            .rev()
            .find_map(|line| line.trim_start().strip_prefix(prefix))
    };
    reason("why: ")
        .or_else(|| reason("error: "))
        .or_else(|| text.lines().next_back())
        .map(str::to_owned)
}
