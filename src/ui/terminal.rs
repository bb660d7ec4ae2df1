//! The terminal's own settings, kept while an editor of lines has them changed.

#[cfg(unix)]
use rustix::termios::{self, OptionalActions, Termios};
#[cfg(unix)]
use std::io;

/// How the terminal was; put back when this is dropped.
pub struct Terminal {
    #[cfg(unix)]
    before: Termios,
}

impl Terminal {
    /// The terminal as it is now; none when stdin is no terminal.
    #[cfg(unix)]
    pub fn remember() -> Option<Self> {
        let before = termios::tcgetattr(io::stdin()).ok()?;
        Some(Terminal { before })
    }

    /// Elsewhere an editor's changes end with the process.
    #[cfg(not(unix))]
    pub fn remember() -> Option<Self> {
        None
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing any more.
        let _ = termios::tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
