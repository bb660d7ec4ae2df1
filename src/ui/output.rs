//! Where words go: data to stdout, talk to stderr; a closed pipe is success.

use super::fold;
use super::foreign::{Guard, harmless, harmless_but_colours};
use super::wait;
use crate::failure::{Failure, Outcome};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, IsTerminal, Write};

/// `--output`, which means the same to every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people: aligned tables; records one after the other, laid out (also `pretty`)
    #[value(alias = "pretty")]
    Table,
    /// For programs: one JSON value, documented and stable; from a command that goes on, one object a line
    Json,
    /// For programs that read line by line: one JSON object a line
    Jsonl,
    /// For shell scripts: tab-separated, no header; of a record, its value
    Plain,
}

/// How this process talks.
#[derive(Debug, Clone, Copy)]
pub struct Ui {
    /// Format of data on stdout.
    pub format: OutputFormat,
    /// `-v` count.
    pub verbose: u8,
    /// `-q`
    pub quiet: bool,
}

impl Ui {
    /// The ways of one command line.
    pub fn new(format: OutputFormat, verbose: u8, quiet: bool) -> Self {
        Ui {
            format,
            verbose,
            quiet,
        }
    }

    /// Whether data go out as JSON, in either form.
    pub fn is_json(self) -> bool {
        matches!(self.format, OutputFormat::Json | OutputFormat::Jsonl)
    }

    /// Writes a line of data to stdout, on a terminal with its control characters written out.
    ///
    /// # Errors
    /// When stdout cannot be written. A reader that has gone away ends the process with success, as `head` expects.
    pub fn line(self, text: impl AsRef<str>) -> Outcome {
        write_line(&Guard::of_stdout().text(text.as_ref())).or_else(write_failed)
    }

    /// Writes a line of our own to stdout, perhaps with colours.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn styled(self, text: impl AsRef<str>) -> Outcome {
        write_styled(text.as_ref()).or_else(write_failed)
    }

    /// Writes bytes to stdout at once.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn bytes(self, bytes: &[u8]) -> Outcome {
        let _speaking = wait::speaking();
        let mut shown = Vec::with_capacity(bytes.len());
        Guard::of_stdout().put(bytes, &mut shown);
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(&shown)
            .and_then(|()| stdout.flush())
            .or_else(write_failed)
    }

    /// Writes a result as JSON: one value, laid out; under `jsonl` one line for each thing in it.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn json(self, value: &impl Serialize) -> Outcome {
        if self.format != OutputFormat::Jsonl {
            return self.line(serde_json::to_string_pretty(value).map_err(no_json)?);
        }
        match serde_json::to_value(value).map_err(no_json)? {
            Value::Array(things) => things.iter().try_for_each(|thing| self.line(thing.to_string())),
            thing => self.line(thing.to_string()),
        }
    }

    /// Writes one of many values, of a command that goes on, as a line of JSON.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn json_line(self, value: &Value) -> Outcome {
        self.line(value.to_string())
    }

    /// Says something to the user on stderr, unless `--quiet`; folded at words on a terminal.
    pub fn say(self, text: impl AsRef<str>) {
        if !self.quiet {
            say_folded(text.as_ref(), fold::notice);
        }
    }

    /// Whether a person is at both ends: questions may be asked.
    pub fn interactive(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// Tells a failure on stderr; folded at words on a terminal.
pub fn tell(failure: &Failure) {
    say_folded(&failure.to_string(), fold::failure);
}

fn say_folded(text: &str, folded: fn(&str, usize) -> String) {
    let _speaking = wait::speaking();
    let text = harmless(text);
    match fold::width_of_stderr() {
        Some(width) => eprintln!("{}", folded(&text, width)),
        None => eprintln!("{text}"),
    }
}

/// Writes a line of our own to stdout, perhaps with colours; whatever else a terminal obeys is spelt out.
///
/// # Errors
/// When stdout cannot be written; a closed pipe is such a case.
pub fn write_styled(text: &str) -> io::Result<()> {
    match Guard::of_stdout() {
        Guard::On => write_line(&harmless_but_colours(text)),
        Guard::Off => write_line(text),
    }
}

fn write_line(text: &str) -> io::Result<()> {
    let _speaking = wait::speaking();
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
}

fn no_json(error: serde_json::Error) -> Failure {
    Failure::request("cannot write the result as JSON").because(error)
}

/// What a failed write to stdout means: a closed pipe ends the process with success, the rest is a failure.
pub fn write_failed<T>(error: io::Error) -> Outcome<T> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        super::keys::restore();
        std::process::exit(0);
    }
    Err(Failure::request("cannot write the output").because(error))
}
