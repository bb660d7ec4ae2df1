//! The talk with a learner: lines on stdout, lines from stdin, on a terminal or through pipes.

use crate::bom;
use crate::course::runner::{Heard, Talk};
use crate::failure::{Failure, Outcome};
use crate::ui::{Interrupt, Ui};
use std::io::BufRead;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How long a Ctrl-C may go unnoticed.
const GLANCE: Duration = Duration::from_millis(50);

/// This process's own input and output.
pub struct Terminal {
    ui: Ui,
    /// Only once something is asked: a command that only talks leaves the input to the next one.
    lines: Option<Receiver<String>>,
    interrupt: Interrupt,
}

impl Terminal {
    /// Listens for Ctrl-C from now on.
    ///
    /// # Errors
    /// When it cannot be listened for.
    pub fn open(ui: Ui) -> Outcome<Self> {
        Ok(Terminal {
            ui,
            lines: None,
            interrupt: Interrupt::watch()?,
        })
    }
}

/// The lines of stdin. The thread ends with the input or with the process: reading a line cannot be called off.
fn listen() -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = std::io::stdin().lock().lines().map_while(Result::ok);
        let first = lines.next().map(|line| bom::skip_in_text(&line).to_owned());
        for line in first.into_iter().chain(lines) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

impl Talk for Terminal {
    fn say(&mut self, text: &str) -> Outcome {
        self.ui.styled_line(text)
    }

    fn next(&mut self, patience: Duration) -> Outcome<Heard> {
        let deadline = Instant::now() + patience;
        let lines = self.lines.get_or_insert_with(listen);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match lines.recv_timeout(left.min(GLANCE)) {
                Ok(line) => return Ok(Heard::Line(line)),
                Err(RecvTimeoutError::Disconnected) => return Ok(Heard::End),
                Err(RecvTimeoutError::Timeout) if self.interrupt.pressed() => {
                    return Err(Failure::interrupted());
                }
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Ok(Heard::Nothing),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
