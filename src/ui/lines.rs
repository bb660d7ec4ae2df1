//! The lines of a file, of standard input or of a person who types, read by a thread of their own so that Ctrl-C and
//! deliveries are noticed while it waits.

use super::editor::{LineEditor, Printer, Typed, unreadable};
use super::terminal::Terminal;
use crate::bom::Beginning;
use crate::failure::{Failure, Outcome};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::Duration;

/// Read at once.
const CHUNK: usize = 256 * 1024;

/// Chunks read ahead of the producer.
const AHEAD: usize = 8;

/// A line longer than this is a mistake: no broker takes it.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

/// Whole lines, each with its line feed but perhaps the last.
pub type Chunk = Arc<Vec<u8>>;

/// What to read.
#[derive(Debug, Clone)]
pub struct Source {
    /// A file, else standard input.
    pub file: Option<PathBuf>,
    /// How often, at least once.
    pub repeat: u64,
}

/// What came.
pub enum Next {
    /// Lines; the first has this number, counted from 1 in each pass over the source.
    Lines(Chunk, usize),
    /// Nothing yet.
    Waiting,
    /// The end of the source.
    End,
}

/// The lines as they come.
pub struct Lines {
    chunks: Receiver<io::Result<(Chunk, usize)>>,
    what: String,
    /// Lets the person who types have the next line; none where lines come by themselves.
    asked: Option<Sender<()>>,
    /// Says something above the line that is being typed.
    printer: Option<Printer>,
    /// Puts the terminal back when a line is still being typed at the end.
    _terminal: Option<Terminal>,
}

impl Lines {
    /// Opens the source and starts to read it.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn read(source: &Source) -> Outcome<Self> {
        let what = source
            .file
            .as_ref()
            .map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let opened = open(source.file.as_deref())
            .map_err(|error| Failure::request(format!("cannot read {what}")).because(error))?;
        let (sender, chunks) = sync_channel(AHEAD);
        let repeat = source.repeat;
        std::thread::spawn(move || {
            if let Err(error) = read_all(opened, repeat, &sender) {
                // The receiver is gone only when the command has ended: nobody is left to tell.
                let _ = sender.send(Err(error));
            }
        });
        Ok(Lines {
            chunks,
            what,
            asked: None,
            printer: None,
            _terminal: None,
        })
    }

    /// Has a person type lines at `prompt`, one after each call of [`Lines::ask`], `repeat` times the lot.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn typed(prompt: &'static str, repeat: u64) -> Outcome<Self> {
        let terminal = Terminal::remember();
        let mut editor = LineEditor::open().map_err(unreadable)?;
        let printer = editor.printer();
        let (sender, chunks) = sync_channel(AHEAD);
        let (asked, asking) = channel();
        std::thread::spawn(move || {
            if let Err(error) = type_all(&mut editor, prompt, repeat, &asking, &sender) {
                // As above.
                let _ = sender.send(Err(error));
            }
        });
        Ok(Lines {
            chunks,
            what: "the terminal".to_owned(),
            asked: Some(asked),
            printer,
            _terminal: terminal,
        })
    }

    /// Asks a person who types for the next line.
    pub fn ask(&self) {
        if let Some(asked) = &self.asked {
            // Whoever typed has ended: there is nothing left to ask for.
            let _ = asked.send(());
        }
    }

    /// Says something above the line that a person is typing. Whether that could be done.
    pub fn say_above(&mut self, text: &str) -> bool {
        let printer = self.printer.as_mut();
        printer.is_some_and(|printer| printer.print(format!("{text}\n")).is_ok())
    }

    /// The next lines, after waiting up to `timeout`.
    ///
    /// # Errors
    /// When the source cannot be read on.
    pub fn next(&self, timeout: Duration) -> Outcome<Next> {
        match self.chunks.recv_timeout(timeout) {
            Ok(Ok((chunk, first))) => Ok(Next::Lines(chunk, first)),
            // Ctrl-C is a key to the one who types.
            Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => Err(Failure::interrupted()),
            Ok(Err(error)) => {
                Err(Failure::request(format!("cannot read on from {}", self.what)).because(error))
            }
            Err(RecvTimeoutError::Timeout) => Ok(Next::Waiting),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }
}

/// Splits a chunk into its lines, without line ends.
pub fn split(chunk: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = chunk;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end)?;
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

enum Input {
    File(File, PathBuf),
    Stdin,
}

fn open(file: Option<&Path>) -> io::Result<Input> {
    match file {
        Some(path) => File::open(path).map(|file| Input::File(file, path.to_owned())),
        None => Ok(Input::Stdin),
    }
}

type Chunks = SyncSender<io::Result<(Chunk, usize)>>;

/// Sends what a person types until Ctrl-D, one line whenever one is asked for.
fn type_all(
    editor: &mut LineEditor,
    prompt: &str,
    repeat: u64,
    asking: &Receiver<()>,
    sender: &Chunks,
) -> io::Result<()> {
    let mut kept = Vec::new();
    let mut first = 1;
    while asking.recv().is_ok() {
        let line = match editor.ask(prompt)? {
            Typed::Line(line) => line,
            Typed::Interrupted => return Err(io::ErrorKind::Interrupted.into()),
            Typed::End => return send_again(&kept, repeat, sender),
        };
        let chunk = Arc::new(format!("{line}\n").into_bytes());
        if repeat > 1 {
            kept.push((Arc::clone(&chunk), first));
        }
        let lines = memchr::memchr_iter(b'\n', &chunk).count();
        if sender.send(Ok((chunk, first))).is_err() {
            break;
        }
        first += lines;
    }
    Ok(())
}

/// Sends what came, all passes but the first.
fn send_again(kept: &[(Chunk, usize)], repeat: u64, sender: &Chunks) -> io::Result<()> {
    for _ in 1..repeat {
        for (chunk, first) in kept {
            if sender.send(Ok((Arc::clone(chunk), *first))).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read_all(input: Input, repeat: u64, sender: &Chunks) -> io::Result<()> {
    match input {
        Input::File(file, path) => {
            read_pass(file, |chunk, first| sender.send(Ok((chunk, first))).is_ok())?;
            for _ in 1..repeat {
                read_pass(File::open(&path)?, |chunk, first| {
                    sender.send(Ok((chunk, first))).is_ok()
                })?;
            }
        }
        Input::Stdin => {
            // Standard input passes by once: what shall come again is kept.
            let mut kept = Vec::new();
            read_pass(io::stdin().lock(), |chunk, first| {
                if repeat > 1 {
                    kept.push((Arc::clone(&chunk), first));
                }
                sender.send(Ok((chunk, first))).is_ok()
            })?;
            send_again(&kept, repeat, sender)?;
        }
    }
    Ok(())
}

/// Reads to the end, giving whole lines to `take` as soon as there are some, until it answers `false`.
fn read_pass(mut source: impl Read, mut take: impl FnMut(Chunk, usize) -> bool) -> io::Result<()> {
    let mut first = 1;
    let mut pending: Vec<u8> = Vec::with_capacity(CHUNK);
    let mut beginning = Beginning::default();
    loop {
        let mut filled = pending.len();
        pending.resize(filled + CHUNK.saturating_sub(filled).max(CHUNK / 4), 0);
        let count = read_some(&mut source, pending.get_mut(filled..).unwrap_or_default())?;
        pending.truncate(filled + count);
        if beginning.look(&mut pending, count == 0) {
            filled = 0;
        }
        if count == 0 {
            if !pending.is_empty() {
                take(Arc::new(pending), first);
            }
            return Ok(());
        }
        let Some(end) = last_line_feed(&pending, filled) else {
            if pending.len() > LONGEST_LINE {
                let limit = LONGEST_LINE >> 20;
                return Err(io::Error::other(format!(
                    "line {first} is longer than {limit} MiB"
                )));
            }
            continue;
        };
        let mut rest = Vec::with_capacity(CHUNK);
        rest.extend_from_slice(pending.get(end..).unwrap_or_default());
        pending.truncate(end);
        let lines = memchr::memchr_iter(b'\n', &pending).count();
        if !take(Arc::new(std::mem::replace(&mut pending, rest)), first) {
            return Ok(());
        }
        first += lines;
    }
}

fn read_some(source: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

/// The place after the last line feed at or after `from`.
fn last_line_feed(bytes: &[u8], from: usize) -> Option<usize> {
    let fresh = bytes.get(from..)?;
    memchr::memrchr(b'\n', fresh).map(|at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_line() {
        for (text, expected) in [
            ("\u{feff}a\nb\n", "a\nb\n"),
            ("\u{feff}", ""),
            ("a\n\u{feff}b", "a\n\u{feff}b"),
        ] {
            let mut seen = Vec::new();
            let take = |chunk: Chunk, _| {
                seen.extend_from_slice(&chunk);
                true
            };
            read_pass(text.as_bytes(), take).unwrap();
            assert_eq!(String::from_utf8(seen).unwrap(), expected);
        }
    }

    #[test]
    fn lines_keep_their_numbers_across_chunks_and_the_last_needs_no_line_feed() {
        let text: String = (1..=50_000)
            .map(|number| format!("line {number}\r\n"))
            .collect::<String>()
            + "end";
        let mut seen = Vec::new();
        read_pass(text.as_bytes(), |chunk, first| {
            for (at, line) in split(&chunk).enumerate() {
                seen.push((first + at, String::from_utf8(line.to_vec()).unwrap()));
            }
            true
        })
        .unwrap();
        assert_eq!(seen.len(), 50_001);
        assert_eq!(seen[42_000], (42_001, "line 42001".to_owned()));
        assert_eq!(seen[50_000], (50_001, "end".to_owned()));
    }
}
