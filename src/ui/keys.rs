//! Keys that act at once, and lines, typed by a person: a terminal that hands over each key, and is put back as it was in
//! every way out of this process.

use std::io::{self, Write};
use std::time::{Duration, Instant};

/// How long a key is held back, since it may be the first letter of a command.
const GRACE: Duration = Duration::from_millis(300);

/// How often to look whether the person wants something else.
const GLANCE: Duration = Duration::from_millis(50);

/// A line that is being typed.
#[derive(Debug, Default)]
struct Editor {
    line: String,
    /// Bytes of a letter that is not whole yet.
    part: Vec<u8>,
    /// Inside what an arrow or another such key sends.
    escape: bool,
}

/// What came of a byte.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Came {
    /// The line goes on; this is what the terminal shows of it.
    More(String),
    /// A whole line.
    Line(String),
    /// Ctrl-D on an empty line.
    End,
}

impl Editor {
    fn take(&mut self, byte: u8) -> Came {
        if self.escape {
            // `ESC [ 1 ; 5 A` and the like end with a letter; `ESC O` and `ESC [` begin them.
            self.escape = !byte.is_ascii_alphabetic() && byte != b'~' || byte == b'O';
            return Came::More(String::new());
        }
        match byte {
            b'\r' | b'\n' => return Came::Line(std::mem::take(&mut self.line)),
            4 if self.line.is_empty() => return Came::End,
            8 | 127 => {
                return Came::More(
                    if self.line.pop().is_some() {
                        "\u{8} \u{8}"
                    } else {
                        ""
                    }
                    .to_owned(),
                );
            }
            21 => {
                let width = console::measure_text_width(&self.line);
                self.line.clear();
                return Came::More("\u{8} \u{8}".repeat(width));
            }
            27 => {
                self.escape = true;
                return Came::More(String::new());
            }
            0..32 => return Came::More(String::new()),
            _ => self.part.push(byte),
        }
        match std::str::from_utf8(&self.part) {
            Ok(letter) => {
                let letter = letter.to_owned();
                self.line.push_str(&letter);
                self.part.clear();
                Came::More(letter)
            }
            Err(error) => {
                // What can never become a letter is none.
                if error.error_len().is_some() {
                    self.part.clear();
                }
                Came::More(String::new())
            }
        }
    }
}

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A key that acts at once, or a line ended by Enter.
    Line(String),
    /// Nothing in the time given.
    Nothing,
    /// There will be no more.
    End,
}

/// The keys of this process's terminal, for as long as it lives.
#[derive(Debug)]
pub struct Keys {
    at_once: &'static str,
    /// Whether what is typed is shown, as it is on a line; beside a table nothing is.
    shown: bool,
    editor: Editor,
    typed: Vec<u8>,
    /// When the last byte came.
    since: Instant,
    terminal: terminal::Terminal,
}

impl Keys {
    /// Takes the keys one by one; those of `at_once` are lines by themselves.
    ///
    /// # Errors
    /// When the terminal cannot be set so.
    pub fn open(at_once: &'static str) -> io::Result<Self> {
        Ok(Keys {
            at_once,
            shown: true,
            editor: Editor::default(),
            typed: Vec::new(),
            since: Instant::now(),
            terminal: terminal::Terminal::open()?,
        })
    }

    /// Lets these keys be lines by themselves from now on.
    pub fn act_at_once(&mut self, at_once: &'static str) {
        self.at_once = at_once;
    }

    /// The same without showing what is typed. No command can be, so keys act at once.
    #[must_use]
    pub fn unseen(mut self) -> Self {
        self.shown = false;
        self
    }

    fn show(&self, text: &str) -> io::Result<()> {
        if self.shown { show(text) } else { Ok(()) }
    }

    /// Waits for a line, or for a key that is one, as long as nobody has `interrupted`.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn next(&mut self, patience: Duration, interrupted: &dyn Fn() -> bool) -> io::Result<Typed> {
        let deadline = Instant::now() + patience;
        self.terminal.take()?;
        loop {
            while !self.typed.is_empty() {
                let came = self.editor.take(self.typed.remove(0));
                self.since = Instant::now();
                match came {
                    Came::More(shown) => self.show(&shown)?,
                    Came::Line(line) => return self.show("\n").map(|()| Typed::Line(line)),
                    Came::End => return Ok(Typed::End),
                }
            }
            if let Some(key) = self.key() {
                return Ok(Typed::Line(key));
            }
            if interrupted() || (Instant::now() >= deadline && !self.holds_a_key()) {
                return Ok(Typed::Nothing);
            }
            match self.terminal.read(GLANCE)? {
                Some(bytes) if bytes.is_empty() => return Ok(Typed::End),
                Some(bytes) => self.typed.extend(bytes),
                None => {}
            }
        }
    }

    /// A key that acts at once, when no other has followed it for a moment.
    fn key(&mut self) -> Option<String> {
        let over = !self.shown || self.since.elapsed() >= GRACE || self.editor.line.parse::<u8>().is_ok();
        if !self.holds_a_key() || !over {
            return None;
        }
        // The answer begins on the next line, as after Enter.
        let _ = self.show("\n");
        Some(std::mem::take(&mut self.editor.line))
    }

    fn holds_a_key(&self) -> bool {
        let mut letters = self.editor.line.chars();
        letters.next().is_some_and(|letter| self.at_once.contains(letter)) && letters.next().is_none()
    }

    /// Writes something between what is being typed: what was typed so far comes after it again.
    ///
    /// # Errors
    /// What `write` says.
    pub fn around<T, E>(&self, write: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.editor.line.is_empty() {
            return write();
        }
        let erased = "\u{8} \u{8}".repeat(console::measure_text_width(&self.editor.line));
        // The terminal that cannot take this will not take the rest either, which is then told.
        let _ = show(&erased);
        let written = write();
        let _ = show(&self.editor.line);
        written
    }

    /// Lends the terminal, as it was before, to another program.
    pub fn lend<T>(&mut self, act: impl FnOnce() -> T) -> T {
        restore();
        let done = act();
        // Taken again before the next key is read; here already, so that none is shown twice.
        let _ = self.terminal.take();
        done
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        restore();
    }
}

fn show(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

pub use terminal::restore;

#[cfg(unix)]
mod terminal {
    use parking_lot::Mutex;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::termios::{self, LocalModes, OptionalActions, Termios};
    use std::io::{self, Read};
    use std::sync::Once;
    use std::time::Duration;

    /// How the terminal was before this process took its keys.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
    static HOOKED: Once = Once::new();

    /// Puts the terminal back as it was, if this process has changed it. For every way out, a panic too.
    pub fn restore() {
        if let Some(before) = BEFORE.lock().take() {
            // A terminal that is gone needs no care.
            let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &before);
        }
    }

    #[derive(Debug)]
    pub(super) struct Terminal(());

    impl Terminal {
        pub(super) fn open() -> io::Result<Self> {
            HOOKED.call_once(|| {
                let told = std::panic::take_hook();
                std::panic::set_hook(Box::new(move |panic| {
                    restore();
                    told(panic);
                }));
            });
            let terminal = Terminal(());
            terminal.take()?;
            Ok(terminal)
        }

        /// Has each key handed over as it is pressed, and shown by us alone. Ctrl-C stays a signal, and what is written looks
        /// as ever. Again after the process was stopped and went on, when the shell has put its own ways back.
        pub(super) fn take(&self) -> io::Result<()> {
            if !in_front() {
                return Ok(());
            }
            let now = termios::tcgetattr(io::stdin())?;
            let ours = LocalModes::ICANON | LocalModes::ECHO;
            if !now.local_modes.intersects(ours) {
                return Ok(());
            }
            let mut keys = now.clone();
            keys.local_modes.remove(ours);
            BEFORE.lock().get_or_insert(now);
            termios::tcsetattr(io::stdin(), OptionalActions::Now, &keys)?;
            Ok(())
        }

        /// What was typed within `wait`; empty when the terminal is gone.
        pub(super) fn read(&self, wait: Duration) -> io::Result<Option<Vec<u8>>> {
            if !in_front() {
                // The system would stop the whole process for it.
                std::thread::sleep(wait);
                return Ok(None);
            }
            let wait = Timespec {
                tv_sec: 0,
                tv_nsec: wait.subsec_nanos().into(),
            };
            let stdin = io::stdin();
            let mut typed = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut typed, Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(None),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut bytes = [0; 1024];
            let length = stdin.lock().read(&mut bytes)?;
            Ok(Some(bytes.iter().take(length).copied().collect()))
        }
    }

    /// Whether this process is the one that the terminal is for now.
    fn in_front() -> bool {
        termios::tcgetpgrp(io::stdin()).is_ok_and(|front| front == rustix::process::getpgrp())
    }
}

#[cfg(not(unix))]
mod terminal {
    use console::{Key, Term};
    use std::io;
    use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
    use std::time::Duration;

    /// The console hands its keys over without being changed.
    pub fn restore() {}

    #[derive(Debug)]
    pub(super) struct Terminal {
        keys: Receiver<Vec<u8>>,
    }

    impl Terminal {
        pub(super) fn open() -> io::Result<Self> {
            let (sender, keys) = channel();
            std::thread::spawn(move || listen(&sender));
            Ok(Terminal { keys })
        }

        pub(super) fn take(&self) -> io::Result<()> {
            Ok(())
        }

        /// What was typed within `wait`; empty when the terminal is gone.
        pub(super) fn read(&self, wait: Duration) -> io::Result<Option<Vec<u8>>> {
            match self.keys.recv_timeout(wait) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(Vec::new())),
            }
        }
    }

    /// The thread ends with the console or with the process.
    fn listen(sender: &Sender<Vec<u8>>) {
        let console = Term::stdout();
        while let Ok(key) = console.read_key() {
            let bytes = match key {
                Key::Char(letter) => letter.to_string().into_bytes(),
                Key::Enter => b"\n".to_vec(),
                Key::Backspace => vec![8],
                _ => continue,
            };
            if sender.send(bytes).is_err() {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> (String, Vec<Came>) {
        let mut editor = Editor::default();
        let came: Vec<Came> = keys.iter().map(|byte| editor.take(*byte)).collect();
        (editor.line, came)
    }

    #[test]
    fn a_line_is_edited_as_it_is_typed() {
        assert_eq!(typed(b"velo\x08\x7fto").0, "veto");
        assert_eq!(typed(b"velo\x15b").0, "b");
        assert_eq!(typed("vélo".as_bytes()).0, "vélo");
        assert_eq!(typed(b"a\xffb").0, "ab", "what is no letter");
        assert_eq!(typed(b"a\x1b[Ab\x1bOBc\x1b[1;5Cd\x1b[3~e").0, "abcde", "arrows");
        assert_eq!(typed(b"hi\n").1.last(), Some(&Came::Line("hi".to_owned())));
        assert_eq!(typed(b"\x04").1, [Came::End]);
        assert_eq!(typed(b"a\x04").0, "a", "Ctrl-D ends an empty line only");
    }
}
