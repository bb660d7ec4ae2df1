//! The course: its lessons, the runner, the demonstration.

mod beliefs;
mod book;
mod class;
mod facts;
mod fake;
mod lessons;
mod lint_busy;
mod numbers;
mod play;
mod questions;
mod runner;
#[cfg(unix)]
mod terminal;
