//! Processes of this machine: how a service learns that it shall end, how another is asked to, how one is started in the
//! background.

use crate::failure::{Failure, Outcome};
use std::io;
use std::process::Command;
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

/// Done when the process is asked to stop. A terminal that closes does not stop a cluster.
///
/// # Errors
/// When the system refuses to tell.
#[cfg(unix)]
pub fn stop_requested() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => return,
                _ = terminate.recv() => return,
                _ = hangup.recv() => tracing::info!("the terminal closed; the cluster goes on"),
            }
        }
    })
}

/// Done when the process is asked to stop.
///
/// # Errors
/// When the system refuses to tell.
#[cfg(windows)]
pub fn stop_requested() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    let mut close = tokio::signal::windows::ctrl_close()?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {},
            _ = close.recv() => {},
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
