//! Records to stdout: rendered into one large buffer, written when it is full or when nothing more has arrived.

use std::io::{self, Write};

/// Written at once.
const FULL: usize = 256 * 1024;

/// Stdout, buffered.
pub struct Output {
    buffer: Vec<u8>,
    stdout: io::Stdout,
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

impl Output {
    /// Nothing written yet.
    pub fn new() -> Self {
        Output {
            buffer: Vec::with_capacity(FULL + FULL / 4),
            stdout: io::stdout(),
        }
    }

    /// The buffer, to append to.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes when there is enough.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe is such a case.
    pub fn write_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() < FULL {
            return Ok(());
        }
        self.write_all()
    }

    /// Writes all there is.
    ///
    /// # Errors
    /// As [`Output::write_if_full`].
    pub fn write_all(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let mut stdout = self.stdout.lock();
        let written = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        written
    }
}
