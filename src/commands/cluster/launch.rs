//! Starts the cluster as a process of its own: this binary again, in its foreground mode.

use super::folder::{ClusterFolder, Settings};
use crate::failure::{Failure, Outcome};
use crate::process;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a stopping cluster may take before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A cluster process that serves.
#[derive(Debug)]
pub struct Launched {
    child: Child,
    bootstrap: String,
}

impl Launched {
    /// `HOST:PORT` of its broker.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// Stops it cleanly and waits for its end.
    ///
    /// # Errors
    /// When it did not stop in time and had to be killed.
    pub fn stop(mut self) -> Outcome {
        process::terminate(self.child.id(), false)?;
        let deadline = std::time::Instant::now() + STOP_PATIENCE;
        while std::time::Instant::now() < deadline {
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

/// A cluster on a free port whose data lives in `data`, for as long as the caller wants; used by `velo lesson play`.
///
/// # Errors
/// When the node cannot start.
pub fn temporary(data: &Path) -> Outcome<Launched> {
    // With the folders of its own it is nobody's cluster: no command means it that does not name it.
    launch(&ClusterFolder::at(data), &Settings::default(), Some(data))
}

/// Starts the cluster of `folder` in a process group of its own and waits until it serves.
///
/// # Errors
/// When the process ends before it serves; the cause is the end of its log.
pub(super) fn detached(folder: &ClusterFolder, settings: &Settings) -> Outcome<Launched> {
    launch(folder, settings, None)
}

fn launch(folder: &ClusterFolder, settings: &Settings, home: Option<&Path>) -> Outcome<Launched> {
    fs::create_dir_all(folder.root()).map_err(|error| cannot_start(folder).because(error))?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.log_file())
        .map_err(|error| cannot_start(folder).because(error))?;
    let log_start = log.metadata().map_or(0, |metadata| metadata.len());
    let mut child = command(folder, settings)
        .and_then(|mut command| {
            if let Some(home) = home {
                command.env("VELO_HOME", home);
            }
            command.stdout(Stdio::piped()).stderr(log).spawn()
        })
        .map_err(|error| cannot_start(folder).because(error))?;
    let mut first_line = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_line(&mut first_line)
            .map_err(|error| cannot_start(folder).because(error))?;
    }
    match first_line.trim_end().strip_prefix("ready ") {
        Some(bootstrap) => Ok(Launched {
            child,
            bootstrap: bootstrap.to_owned(),
        }),
        None => {
            let ended = child
                .wait()
                .map_or_else(|error| error.to_string(), |status| status.to_string());
            Err(cannot_start(folder).because(said_since(&folder.log_file(), log_start).unwrap_or(ended)))
        }
    }
}

fn command(folder: &ClusterFolder, settings: &Settings) -> std::io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["cluster", "start", "--foreground", "--port"])
        .arg(settings.port.to_string());
    command.arg("--data").arg(folder.root());
    if settings.listen_anyone {
        command.arg("--listen-anyone");
    }
    for set in &settings.set {
        command.arg("--set").arg(set);
    }
    command.stdin(Stdio::null());
    process::detach(&mut command);
    Ok(command)
}

fn cannot_start(folder: &ClusterFolder) -> Failure {
    Failure::request("the cluster could not start")
        .hint(format!("velo cluster logs{}", folder.data_option()))
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
