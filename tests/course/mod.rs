//! The course: its lessons, the runner, the demonstration.

mod fake;
mod lessons;
mod play;
mod runner;
#[cfg(unix)]
mod terminal;
