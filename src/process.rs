//! Processes of this machine: how a service learns that it shall end, how another is asked to, how one is started in the
//! background.

use crate::failure::{Failure, Outcome};
use std::io;
use std::process::Command;
#[cfg(unix)]
use std::task::Poll;
use sysinfo::{Pid, ProcessesToUpdate, Signal, System};

/// Asks a process to end, or ends it. Where the system cannot ask (Windows), it is ended: the log recovers from that.
///
/// # Errors
/// When this system does not tell of its processes.
pub fn terminate(pid: u32, kill: bool) -> Outcome {
    let pid = Pid::from_u32(pid);
    let mut system = System::new()
        .map_err(|error| Failure::request(format!("cannot look for process {pid}")).because(error))?;
    system.refresh_processes(ProcessesToUpdate::Some(&[pid]), true);
    if let Some(process) = system.process(pid)
        && (kill || process.kill_with(Signal::Term).is_none())
    {
        process.kill();
    }
    Ok(())
}

/// The exit code of a process that Ctrl-C ended.
pub const INTERRUPTED: u8 = 130;
/// The exit code of a process that was asked to end (SIGTERM, or a console of Windows that closes).
const TERMINATED: u8 = 143;
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
