//! The talk with a learner: lines on stdout, lines from stdin, on a terminal or through pipes.

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
    lines: Receiver<String>,
    interrupt: Interrupt,
}

impl Terminal {
    /// Listens to stdin from now on.
    ///
    /// # Errors
    /// When Ctrl-C cannot be listened for.
    pub fn open(ui: Ui) -> Outcome<Self> {
        let (sender, lines) = mpsc::channel();
        // It ends with the input or with the process: reading a line cannot be called off.
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Terminal {
            ui,
            lines,
            interrupt: Interrupt::watch()?,
        })
    }
}

impl Talk for Terminal {
    fn say(&mut self, text: &str) -> Outcome {
        self.ui.line(text)
    }

    fn next(&mut self, patience: Duration) -> Outcome<Heard> {
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left.min(GLANCE)) {
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
