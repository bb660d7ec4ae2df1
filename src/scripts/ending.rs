//! How a script ends before its work is done: what it prints, where, and the exit code.

use super::way_out::nobody;
use crate::failure::{Failure, Kind};
use crate::ui::Interrupt;

/// An early end, by a mistake, a request for help, or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ending {
    /// Exit code, Kafka's own.
    pub code: u8,
    /// For stdout, without the last newline.
    pub stdout: String,
    /// For stderr, without the last newline.
    pub stderr: String,
    /// What to type instead; printed on stderr after the rest.
    pub hints: Vec<String>,
}

impl Ending {
    /// Words on stderr, exit code 1.
    pub fn failure(stderr: impl Into<String>) -> Self {
        Ending {
            code: 1,
            stderr: stderr.into(),
            ..Ending::default()
        }
    }

    /// Words on stdout, exit code 0.
    pub fn success(stdout: impl Into<String>) -> Self {
        Ending {
            stdout: stdout.into(),
            ..Ending::default()
        }
    }

    /// Words on stdout, and another exit code: some of Kafka's tools report their errors there.
    pub fn on_stdout(code: u8, stdout: impl Into<String>) -> Self {
        Ending {
            code,
            stdout: stdout.into(),
            ..Ending::default()
        }
    }

    /// Adds a hint: the command to type today.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Prints it; the exit code is returned.
    pub fn print(&self) -> u8 {
        if !self.stdout.is_empty() {
            super::out(&self.stdout);
        }
        if !self.stderr.is_empty() {
            eprintln!("{}", self.stderr);
        }
        for hint in &self.hints {
            eprintln!("hint: {hint}");
        }
        self.code
    }
}

impl From<Failure> for Ending {
    /// A failure of the client core: its words on stderr. Kafka's tools know no exit code but 1 for it.
    fn from(failure: Failure) -> Self {
        match failure.kind() {
            Kind::Interrupted => Ending {
                code: Interrupt::exit_code(),
                ..Ending::default()
            },
            Kind::Unreachable if failure.hints().is_empty() => {
                Ending::failure(failure.in_a_line()).hint(nobody(failure.what()))
            }
            _ => Ending {
                hints: failure.hints().to_vec(),
                ..Ending::failure(failure.in_a_line())
            },
        }
    }
}
