//! How the tests wait for programs: never for ever. One that takes longer is killed, and its test fails by that.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// More than any program takes to its end, beside others and on a slow machine.
pub const LIMIT: Duration = Duration::from_secs(600);
/// How long a program may take that has nothing more to do, or was told to end.
const LEAVE: Duration = Duration::from_secs(60);

/// While it lives, a program that runs for longer than [`LIMIT`] is killed, so that reading what it says has an end.
pub struct Limit(#[expect(dead_code, reason = "its end is what is told")] Sender<()>);

impl Limit {
    /// For that program, from now on.
    pub fn on(child: &Child) -> Self {
        let id = child.id();
        let (living, ended) = channel();
        std::thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                eprintln!("program {id} has not ended within {} s: killed", LIMIT.as_secs());
                signal(id, "-KILL");
            }
        });
        Limit(living)
    }
}

/// Waits for the end of a program that is about to end.
pub fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LEAVE;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            eprintln!(
                "program {} does not end in {} s: killed",
                child.id(),
                LEAVE.as_secs()
            );
            child.kill().unwrap();
            return child.wait().unwrap();
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

/// The first line that a program with piped output says.
pub fn first_line(child: &mut Child) -> String {
    let _limit = Limit::on(child);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.truncate(line.trim_end().len());
    line
}

/// What a program says until its end.
pub fn all_of(child: Child) -> Output {
    let _limit = Limit::on(&child);
    child.wait_with_output().unwrap()
}

/// Runs a program to its end, without input.
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    all_of(command.spawn().unwrap())
}

/// Presses Ctrl-C.
pub fn interrupt(child: &Child) {
    signal(child.id(), "-INT");
}

/// Asks a program to end, as a service manager does.
pub fn terminate(child: &Child) {
    signal(child.id(), "-TERM");
}

/// Tells a program that takes it so to end at once, as after a fault.
pub fn crash(child: &Child) {
    signal(child.id(), "-QUIT");
}

/// A program that stands still until the value is dropped: it answers nobody, and loses nothing.
pub struct Paused(u32);

impl Paused {
    /// Stops the program with that id.
    pub fn stop(id: u32) -> Self {
        signal(id, "-STOP");
        Paused(id)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        signal(self.0, "-CONT");
    }
}

fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([name, &id.to_string()]).status();
    assert!(sent.unwrap().success(), "kill {name} {id}");
}
