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
    /// Runs a command line of this program to its end, where the learner sees what it says. The first word is `velo`.
    ///
    /// # Errors
    /// When it cannot be started.
    fn run(&mut self, words: &[String]) -> Outcome;
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
