//! Programs that a demonstration runs: child processes of the same executable, each in a terminal of its own.

use crate::failure::{Failure, Outcome};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessesToUpdate, Signal, System};

/// How long a program has to leave after it was asked to: to commit, and to say goodbye to its group, on a machine that
/// has a lot else to do. One that is ended before that stays in its group for a whole session.
const LEAVING: Duration = Duration::from_secs(20);

/// How long a command that ends by itself may take.
const LONGEST: Duration = Duration::from_secs(180);

/// A line that a program wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The terminal it runs in; empty for the first.
    pub terminal: String,
    /// The line.
    pub text: String,
}

/// How a command came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With this exit code.
    Code(i32),
    /// It did not end in time and was ended.
    Late,
    /// The user interrupted.
    Interrupted,
    /// It was to be refused, and was not.
    Taken,
}

impl Ended {
    /// What it means for a command that is to be refused.
    #[must_use]
    pub fn as_refusal(self) -> Self {
        match self {
            Ended::Code(0) => Ended::Taken,
            Ended::Code(_) => Ended::Code(0),
            other => other,
        }
    }
}

/// The programs that run.
pub struct Programs {
    executable: PathBuf,
    python: Option<PathBuf>,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    running: BTreeMap<String, Child>,
    lines: Receiver<Line>,
    writer: Sender<Line>,
}

impl Programs {
    /// None yet. Each will run in `folder`, with `environment` set.
    pub fn new(executable: PathBuf, folder: PathBuf, environment: Vec<(String, String)>) -> Self {
        let (writer, lines) = mpsc::channel();
        Programs {
            executable,
            python: None,
            folder,
            environment,
            running: BTreeMap::new(),
            lines,
            writer,
        }
    }

    /// The same with an interpreter for the commands that begin with `python`.
    #[must_use]
    pub fn with_python(mut self, interpreter: Option<PathBuf>) -> Self {
        self.python = interpreter;
        self
    }

    /// The terminals whose programs run.
    pub fn terminals(&self) -> impl Iterator<Item = &str> {
        self.running.keys().map(String::as_str)
    }

    /// Starts a program that goes on in a terminal of its own.
    ///
    /// # Errors
    /// When the terminal is taken or the program does not start.
    pub fn start(&mut self, terminal: &str, command: &str) -> Outcome {
        if self.running.contains_key(terminal) {
            return Err(Failure::request(format!(
                "terminal `{terminal}` already runs a program"
            )));
        }
        let child = self.spawn(terminal, command, None)?;
        self.running.insert(terminal.to_owned(), child);
        Ok(())
    }

    /// Runs a command to its end, giving it `stdin`, and hands each line that any program writes to `show`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn run(
        &mut self,
        command: &str,
        stdin: Option<&str>,
        interrupted: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Line),
    ) -> Outcome<Ended> {
        let mut child = self.spawn("", command, stdin)?;
        let deadline = Instant::now() + LONGEST;
        let ended = loop {
            if let Ok(line) = self.lines.recv_timeout(Duration::from_millis(20)) {
                show(line);
            } else if let Some(status) = waited(&mut child)? {
                break Ended::Code(status.code().unwrap_or(-1));
            } else if interrupted() || Instant::now() > deadline {
                leave(&mut child);
                break if interrupted() {
                    Ended::Interrupted
                } else {
                    Ended::Late
                };
            }
        };
        // The pipes may hold lines that were written just before the end.
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(40)) {
            show(line);
        }
        Ok(ended)
    }

    /// Hands on what the programs have written, waiting up to `patience` for a first line.
    pub fn read(&self, patience: Duration, show: &mut dyn FnMut(Line)) {
        let deadline = Instant::now() + patience;
        while let Ok(line) = self
            .lines
            .recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            show(line);
        }
    }

    /// The terminals whose program ended by itself, with its exit code; they are free again.
    pub fn ended(&mut self) -> Vec<(String, i32)> {
        let mut ended = Vec::new();
        self.running.retain(|terminal, child| match child.try_wait() {
            Ok(Some(status)) => {
                ended.push((terminal.clone(), status.code().unwrap_or(-1)));
                false
            }
            Ok(None) | Err(_) => true,
        });
        ended
    }

    /// Ends the program of a terminal as Ctrl-C does, and waits until it has left.
    pub fn stop(&mut self, terminal: &str) {
        if let Some(mut child) = self.running.remove(terminal) {
            leave(&mut child);
        }
    }

    /// Ends the program of a terminal without a word to it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self, terminal: &str) -> Outcome {
        let Some(mut child) = self.running.remove(terminal) else {
            return Ok(());
        };
        child
            .kill()
            .and_then(|()| child.wait())
            .map(drop)
            .map_err(|error| {
                Failure::request(format!("cannot end the program in terminal {terminal}")).because(error)
            })
    }

    /// Ends all.
    pub fn stop_all(&mut self) {
        for child in self.running.values() {
            interrupt(child);
        }
        for (_, mut child) in std::mem::take(&mut self.running) {
            leave(&mut child);
        }
    }

    fn spawn(&self, terminal: &str, command: &str, stdin: Option<&str>) -> Outcome<Child> {
        let words =
            split(command).map_err(|why| Failure::request(format!("cannot run `{command}`")).because(why))?;
        let program = match (words.first().map(String::as_str), &self.python) {
            (Some("python"), Some(python)) => python,
            _ => &self.executable,
        };
        let mut process = Command::new(program);
        process
            .current_dir(&self.folder)
            .args(words.iter().skip(1))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(if stdin.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        own_group(&mut process);
        let mut child = process
            .spawn()
            .map_err(|error| Failure::request(format!("cannot run `{command}`")).because(error))?;
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
            let text = text.to_owned();
            // A program that ends without reading closes the pipe; its exit code tells that story.
            std::thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
        }
        self.listen(terminal, child.stdout.take());
        self.listen(terminal, child.stderr.take());
        Ok(child)
    }

    fn listen(&self, terminal: &str, pipe: Option<impl Read + Send + 'static>) {
        let (Some(pipe), terminal, writer) = (pipe, terminal.to_owned(), self.writer.clone()) else {
            return;
        };
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                let terminal = terminal.clone();
                if writer.send(Line { terminal, text }).is_err() {
                    break;
                }
            }
        });
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        self.stop_all();
    }
}

fn waited(child: &mut Child) -> Outcome<Option<ExitStatus>> {
    child
        .try_wait()
        .map_err(|error| Failure::request("cannot tell whether a command has ended").because(error))
}

/// Asks a child to leave, waits, and ends it if it does not.
pub fn leave(child: &mut Child) {
    let asked = interrupt(child);
    let deadline = Instant::now() + LEAVING;
    while asked && Instant::now() < deadline {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // Both can only fail when it has ended in the meantime.
    let _ = child.kill();
    let _ = child.wait();
}

/// Sends a program what Ctrl-C sends, and says whether this system can (Windows has no such signal for one process of
/// another console group: it is ended at once instead).
fn interrupt(child: &Child) -> bool {
    let id = Pid::from_u32(child.id());
    let Ok(mut system) = System::new() else {
        return false;
    };
    system.refresh_processes(ProcessesToUpdate::Some(&[id]), true);
    system
        .process(id)
        .is_none_or(|process| process.kill_with(Signal::Interrupt).is_some())
}

/// Ctrl-C in the learner's terminal reaches this process only, which then ends its children in order.
#[cfg(unix)]
pub fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Ctrl-C in the learner's terminal reaches this process only, which then ends its children in order.
#[cfg(windows)]
pub fn own_group(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// The words of a command line, as a shell sees them: single and double quotes keep spaces.
///
/// # Errors
/// When a quote is not closed.
pub fn split(command: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in command.chars() {
        match (quote, letter) {
            (Some(open), letter) if open == letter => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_spaces() {
        assert_eq!(
            split("velo produce t  --key 'a b' \"\"").unwrap(),
            ["velo", "produce", "t", "--key", "a b", ""]
        );
        assert!(split("velo 'x").is_err());
    }
}
