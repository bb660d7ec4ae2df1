//! Lines that a person types on the terminal: edited with the arrow keys, the ones before at hand with Up.
//!
//! It talks to the terminal itself and not to stdin and stdout: with `velo produce T > file` the prompt is not in the file.

use crate::failure::Failure;
use rustyline::completion::Completer;
use rustyline::config::Configurer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{Behavior, Config, Context, Editor, Helper};
use std::io;

/// How many lines Up goes back at most.
const REMEMBERED: usize = 1_000;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A line; pasted text may have several, with line feeds between them.
    Line(String),
    /// Ctrl-D on an empty line.
    End,
    /// Ctrl-C.
    Interrupted,
}

/// An editor of lines on this process's terminal.
pub struct LineEditor {
    editor: Editor<Tab, MemHistory>,
}

/// Says something above the line that is being typed.
pub type Printer = Box<dyn rustyline::ExternalPrinter + Send>;

impl LineEditor {
    /// An editor without any lines yet.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn open() -> io::Result<Self> {
        let config = Config::builder().behavior(Behavior::PreferTerm).build();
        let history = MemHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history).map_err(as_io)?;
        editor.set_max_history_size(REMEMBERED).map_err(as_io)?;
        editor.set_auto_add_history(true);
        editor.set_helper(Some(Tab));
        Ok(LineEditor { editor })
    }

    /// Shows the prompt and waits for a line.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn ask(&mut self, prompt: &str) -> io::Result<Typed> {
        loop {
            return match self.editor.readline(prompt) {
                Ok(line) => Ok(Typed::Line(line)),
                Err(ReadlineError::Eof) => Ok(Typed::End),
                Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted),
                // The window got another size.
                Err(ReadlineError::Signal(_)) => continue,
                Err(error) => Err(as_io(error)),
            };
        }
    }

    /// What other threads talk through while a line is being typed; none on a terminal that cannot.
    pub fn printer(&mut self) -> Option<Printer> {
        let printer = self.editor.create_external_printer().ok()?;
        Some(Box::new(printer))
    }
}

fn as_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        error => io::Error::other(error.to_string()),
    }
}

/// What a terminal that cannot be read means for a command.
pub fn unreadable(error: io::Error) -> Failure {
    Failure::request("cannot ask on this terminal").because(error)
}

/// Tab puts a tab into the line: there is nothing to complete, and records may well have some.
struct Tab;

impl Completer for Tab {
    type Candidate = String;

    fn complete(&self, _: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok((at, vec!["\t".to_owned()]))
    }
}

impl Hinter for Tab {
    type Hint = String;
}

impl Highlighter for Tab {}
impl Validator for Tab {}
impl Helper for Tab {}
