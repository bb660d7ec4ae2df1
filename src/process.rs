//! Processes of this machine: how a service learns that it shall end, how another is asked to, how one is started in the
//! background.

use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use std::io;
use std::process::Command;
#[cfg(unix)]
use std::task::Poll;
use sysinfo::{Pid, ProcessStatus, ProcessesToUpdate, Signal, System};

/// A process of this machine. The system gives its id to another one once it has ended, so its birth belongs to it: who no
/// longer is the same is never signalled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    id: u32,
    /// When it began, in what the system counts in; none where it does not tell, or the process has ended.
    born: Option<u64>,
}

/// Ends this process on the spot, as one that is killed: nothing is dropped, so no group is told and no transaction ended. The exit
/// code is what shells say of it.
pub fn die() -> ! {
    std::process::exit(137);
}

impl Process {
    /// This process.
    pub fn own() -> Self {
        Self::of_id(std::process::id())
    }

    /// The process that has that id now.
    pub fn of_id(id: u32) -> Self {
        Process { id, born: born(id) }
    }

    /// Its id.
    pub fn id(self) -> u32 {
        self.id
    }

    /// Asks it to end, or ends it. Where the system cannot ask (Windows), it is ended: the log recovers from that.
    ///
    /// # Errors
    /// When this system does not tell of its processes, or another process has its id by now. One that has ended is none.
    pub fn terminate(self, kill: bool) -> Outcome {
        self.if_it_lives(|process| {
            if kill || process.kill_with(Signal::Term).is_none() {
                process.kill();
            }
        })
        .map(|_| ())
    }

    /// Lets it stand still, or go on; it learns of neither.
    ///
    /// # Errors
    /// When this system cannot do that to a process (Windows), or as [`Process::terminate`].
    pub fn pause(self, pause: bool) -> Outcome {
        let signal = if pause { Signal::Stop } else { Signal::Continue };
        match self.if_it_lives(|process| process.kill_with(signal))? {
            Some(None) => Err(Failure::request("this system cannot let a process stand still")
                .because("there is no such signal here: it takes Linux or macOS")),
            _ => Ok(()),
        }
    }

    /// Whether it stands still.
    ///
    /// # Errors
    /// As [`Process::terminate`].
    pub fn is_paused(self) -> Outcome<bool> {
        let paused = self.if_it_lives(|process| process.status() == ProcessStatus::Stop)?;
        Ok(paused.unwrap_or(false))
    }

    fn if_it_lives<T>(self, act: impl FnOnce(&sysinfo::Process) -> T) -> Outcome<Option<T>> {
        let pid = Pid::from_u32(self.id);
        let mut system = System::new().map_err(|error| {
            Failure::request(format!("cannot look for process {}", self.id)).because(error)
        })?;
        system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
        match system.process(pid) {
            None => Ok(None),
            Some(process) if born(self.id) == self.born => Ok(Some(act(process))),
            Some(_) => Err(Failure::request("nothing was done")
                .because(format!("process {} is another one by now", self.id))),
        }
    }
}

/// When a process began, in ticks since the machine started: no clock that is set moves it.
#[cfg(target_os = "linux")]
fn born(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; the start is the twentieth field behind it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

/// When a process began, as the system noted it then.
#[cfg(not(target_os = "linux"))]
fn born(id: u32) -> Option<u64> {
    let pid = Pid::from_u32(id);
    let mut system = System::new().ok()?;
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).map(sysinfo::Process::start_time)
}

/// The exit code of a process that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;
/// The exit code of a process that was asked to end (SIGTERM, or a console of Windows that closes).
pub const TERMINATED: u8 = 143;
/// The exit code of a process whose terminal closed.
#[cfg(unix)]
const HUNG_UP: u8 = 129;

/// What asks this process to end, each with the exit code that shells and Java know it by: 128 and the signal's number.
#[cfg(unix)]
pub struct Signals(Vec<(u8, tokio::signal::unix::Signal)>);

#[cfg(unix)]
impl Signals {
    /// From now on they end nobody by themselves. Under `nohup` a terminal that closes is none of them.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut all = vec![
            (INTERRUPTED, signal(SignalKind::interrupt())?),
            (TERMINATED, signal(SignalKind::terminate())?),
        ];
        if !ignores_hangup() {
            all.push((HUNG_UP, signal(SignalKind::hangup())?));
        }
        Ok(Signals(all))
    }

    /// Waits for the next one; its exit code.
    pub async fn next(&mut self) -> u8 {
        std::future::poll_fn(|context| {
            let mut all = self.0.iter_mut();
            match all.find_map(|(code, signal)| signal.poll_recv(context).is_ready().then_some(*code)) {
                Some(code) => Poll::Ready(code),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// Whether this process was started so that it outlives its terminal; known on Linux alone.
#[cfg(unix)]
pub fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

/// What asks this process to end, each with its exit code.
#[cfg(windows)]
pub struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    /// From now on they end nobody by themselves.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn listen() -> io::Result<Self> {
        Ok(Signals {
            interrupt: tokio::signal::windows::ctrl_c()?,
            close: tokio::signal::windows::ctrl_close()?,
        })
    }

    /// Waits for the next one; its exit code.
    pub async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPTED,
            _ = self.close.recv() => TERMINATED,
        }
    }
}

/// Done when the process is asked to stop; the exit code for that. A terminal that closes does not stop a cluster.
///
/// # Errors
/// When the system refuses to tell.
pub fn stop_requested() -> io::Result<impl Future<Output = u8>> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        loop {
            match signals.next().await {
                #[cfg(unix)]
                HUNG_UP => tracing::info!("the terminal closed; the cluster goes on"),
                code => return code,
            }
        }
    })
}

/// Lets a command start a process that goes on by itself: Ctrl-C in this terminal does not reach it.
#[cfg(unix)]
pub fn detach(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

/// Lets a command start a process that goes on by itself: Ctrl-C in this terminal does not reach it.
#[cfg(windows)]
pub fn detach(command: &mut Command) {
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    std::os::windows::process::CommandExt::creation_flags(
        command,
        DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP,
    );
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Stdio};

    fn sleeper() -> Child {
        let mut cat = Command::new("cat");
        cat.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn a_process_that_took_the_id_of_another_is_left_alone() {
        let mut child = sleeper();
        let now = Process::of_id(child.id());
        let before = Process {
            born: now.born.map(|born| born - 1),
            ..now
        };
        assert!(before.terminate(true).is_err() && before.pause(true).is_err());
        assert!(!now.is_paused().unwrap());
        assert_eq!(child.try_wait().unwrap(), None);
        now.terminate(true).unwrap();
        child.wait().unwrap();
        assert_eq!(Process::of_id(child.id()).born, None);
    }

    #[test]
    fn a_process_stands_still_until_it_goes_on() {
        let mut child = sleeper();
        let process = Process::of_id(child.id());
        let is_paused = |paused: bool| {
            let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while process.is_paused().unwrap() != paused {
                assert!(std::time::Instant::now() < deadline, "paused: {paused}");
            }
        };
        process.pause(true).unwrap();
        is_paused(true);
        process.pause(false).unwrap();
        is_paused(false);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
