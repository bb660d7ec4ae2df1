//! Where words go: data to stdout, talk to stderr; a closed pipe is success.

use super::foreign::{Guard, harmless, harmless_but_colours};
use crate::failure::{Failure, Outcome};
use clap::builder::{EnumValueParser, TypedValueParser};
use std::io::{self, IsTerminal, Write};

/// `--output`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    /// For people: aligned tables
    Table,
    /// For programs: one JSON value, documented and stable
    Json,
    /// For shell scripts: tab-separated, no header
    Plain,
}

/// `--output` as typed. `velo consume`, which prints records and no results, has formats of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputChoice {
    /// A format of results.
    Result(OutputFormat),
    /// Records for people: one after the other, laid out.
    Pretty,
    /// Records for programs: one JSON object a line.
    Jsonl,
}

impl OutputChoice {
    /// Reads the formats of results, for the global option.
    pub fn of_results() -> impl TypedValueParser<Value = OutputChoice> {
        EnumValueParser::<OutputFormat>::new().map(OutputChoice::Result)
    }

    /// How results are printed under this choice.
    pub fn for_results(self) -> OutputFormat {
        match self {
            OutputChoice::Result(format) => format,
            OutputChoice::Pretty => OutputFormat::Table,
            OutputChoice::Jsonl => OutputFormat::Json,
        }
    }
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

    /// Writes a line of data to stdout.
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
    pub fn styled_line(self, text: &str) -> Outcome {
        write_styled(text).or_else(write_failed)
    }

    /// Writes bytes to stdout at once.
    ///
    /// # Errors
    /// As [`Ui::line`].
    pub fn bytes(self, bytes: &[u8]) -> Outcome {
        let mut shown = Vec::with_capacity(bytes.len());
        Guard::of_stdout().put(bytes, &mut shown);
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(&shown)
            .and_then(|()| stdout.flush())
            .or_else(write_failed)
    }

    /// Says something to the user on stderr, unless `--quiet`.
    pub fn say(self, text: impl AsRef<str>) {
        if !self.quiet {
            eprintln!("{}", harmless(text.as_ref()));
        }
    }

    /// Asks for input on stderr, on the line where it will stand, unless `--quiet`.
    pub fn prompt(self, text: &str) {
        if !self.quiet {
            eprint!("{}", harmless(text));
            // A prompt that cannot be shown changes nothing about what is done with the input.
            let _ = io::stderr().flush();
        }
    }

    /// Whether a person is at both ends: questions may be asked.
    pub fn interactive(self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// Tells a failure on stderr.
pub fn complain(failure: &Failure) {
    eprintln!("{}", harmless(&failure.to_string()));
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
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.write_all(b"\n"))
}

/// What a failed write to stdout means: a closed pipe ends the process with success, the rest is a failure.
pub fn write_failed<T>(error: io::Error) -> Outcome<T> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        super::keys::restore();
        std::process::exit(0);
    }
    Err(Failure::request("cannot write the output").because(error))
}
