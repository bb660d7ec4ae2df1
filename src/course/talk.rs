//! The talk with a learner, whatever it goes through: a terminal, pipes, a test.

use crate::failure::Outcome;
use std::time::Duration;

/// The two ends of a talk with the learner.
pub trait Talk {
    /// Says a text, ended by a new line.
    ///
    /// # Errors
    /// When nobody can be told any more.
    fn say(&mut self, text: &str) -> Outcome;
    /// The next line that the learner types, if one comes in time. On a terminal a key of the menu is a line by itself.
    ///
    /// # Errors
    /// When the learner interrupts.
    fn next(&mut self, patience: Duration) -> Outcome<Heard>;
    /// Whether from now on a digit is a line by itself, where keys act at once. A number of several digits waits for Enter.
    fn digits_at_once(&mut self, _are: bool) {}
    /// Runs a command line of this program to its end, where the learner sees what it says. The first word is `velo`.
    ///
    /// # Errors
    /// When it cannot be started.
    fn run(&mut self, words: &[String]) -> Outcome;
    /// Whether a command that is run here may ask the learner for lines.
    fn can_ask(&self) -> bool {
        false
    }
    /// Starts a command line of this program that goes on, in the background; its name there. `None` where that cannot be.
    ///
    /// # Errors
    /// When it cannot be started.
    fn start(&mut self, _command: &str) -> Outcome<Option<String>> {
        Ok(None)
    }
    /// Ends what runs in the background under this name, or all of it; which those were.
    fn end(&mut self, _name: Option<&str>) -> Vec<String> {
        Vec::new()
    }
    /// What has happened in the background since this was last asked.
    fn news(&mut self) -> Vec<News> {
        Vec::new()
    }
}

/// Something that happened in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The program of this name wrote a line.
    Line(String, String),
    /// The program of this name ended by itself, with this exit code.
    Ended(String, i32),
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(String),
    /// Nothing in the time given.
    Nothing,
    /// There will be no more.
    End,
}
