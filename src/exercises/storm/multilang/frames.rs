//! Storm's framing: one JSON value, a line feed, a line with `end` alone. No JSON text holds such a line.

use crate::failure::{Failure, Outcome};
use memchr::memmem;
use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// What ends a message.
pub(super) const END: &[u8] = b"\nend\n";
/// Read at once: what a pipe holds.
const CHUNK: usize = 64 * 1024;
/// Chunks of messages that wait. Storm sends no more than it may, so they are few.
const AHEAD: usize = 64;
/// A message longer than this is a mistake: a topology's settings are some ten kilobytes.
const LONGEST: usize = 256 * 1024 * 1024;

/// Whole messages that came together.
#[derive(Debug)]
pub struct Chunk(Vec<u8>);

impl Chunk {
    /// The messages, without their ends.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (message, after) = match memmem::find(rest, END) {
                Some(at) => (rest.get(..at)?, rest.get(at + END.len()..)?),
                None => (rest, &[][..]),
            };
            rest = after;
            Some(message)
        })
    }

    /// Whether any of them may hold these letters.
    pub(super) fn holds(&self, letters: &memmem::Finder<'_>) -> bool {
        letters.find(&self.0).is_some()
    }
}

/// What came.
#[derive(Debug)]
pub enum Next {
    /// Messages.
    Chunk(Chunk),
    /// Nothing yet.
    Waiting,
    /// Storm closed the pipe.
    End,
}

/// Messages as they come, read by a thread of their own.
pub struct Frames(Receiver<io::Result<Chunk>>);

impl Frames {
    /// Reads `source` from now on; `glance` sees each chunk at once, however busy the one who takes them is. After each there is
    /// a `pause` in which more may come together: Storm writes one message at a time, and each that is read and answered by
    /// itself wakes four threads of two processes.
    ///
    /// # Errors
    /// When the system has no thread to spare.
    pub fn of(
        source: impl Read + Send + 'static,
        pause: Duration,
        glance: impl FnMut(&Chunk) + Send + 'static,
    ) -> Outcome<Self> {
        let (sender, receiver) = sync_channel(AHEAD);
        std::thread::Builder::new()
            .name("multilang".to_owned())
            .spawn(move || read(source, pause, glance, &sender))
            .map_err(|error| Failure::request("cannot read what Storm says").because(error))?;
        Ok(Frames(receiver))
    }

    /// The next messages, after waiting up to `timeout`.
    ///
    /// # Errors
    /// When standard input cannot be read on.
    pub fn next(&self, timeout: Duration) -> Outcome<Next> {
        match self.0.recv_timeout(timeout) {
            Ok(Ok(chunk)) => Ok(Next::Chunk(chunk)),
            Ok(Err(error)) => Err(Failure::request("cannot read what Storm says").because(error)),
            Err(RecvTimeoutError::Timeout) => Ok(Next::Waiting),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }
}

fn read(
    source: impl Read,
    pause: Duration,
    mut glance: impl FnMut(&Chunk),
    sender: &SyncSender<io::Result<Chunk>>,
) {
    let hand_on = |chunk: Chunk| {
        glance(&chunk);
        let goes_on = sender.send(Ok(chunk)).is_ok();
        if !pause.is_zero() {
            std::thread::sleep(pause);
        }
        goes_on
    };
    if let Err(error) = read_all(source, hand_on) {
        // The receiver is gone only when the command has ended: nobody is left to tell.
        let _ = sender.send(Err(error));
    }
}

/// Hands on whole messages as soon as there are some, until `take` answers `false`.
fn read_all(mut source: impl Read, mut take: impl FnMut(Chunk) -> bool) -> io::Result<()> {
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let filled = pending.len();
        let count = read_some(&mut source, &mut buffer)?;
        pending.extend_from_slice(buffer.get(..count).unwrap_or_default());
        if count == 0 {
            let whole = pending.strip_suffix(b"\nend").map(<[u8]>::len);
            if let Some(whole) = whole {
                pending.truncate(whole);
                take(Chunk(pending));
            }
            return Ok(());
        }
        let fresh = pending
            .get(filled.saturating_sub(END.len())..)
            .unwrap_or_default();
        let Some(found) = memmem::rfind(fresh, END) else {
            if pending.len() > LONGEST {
                let limit = LONGEST >> 20;
                return Err(io::Error::other(format!("a message is longer than {limit} MiB")));
            }
            continue;
        };
        let end = filled.saturating_sub(END.len()) + found + END.len();
        let rest = pending.split_off(end);
        if !take(Chunk(std::mem::replace(&mut pending, rest))) {
            return Ok(());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that hands out so many bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(into.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn messages(text: &[u8], at_once: usize) -> Vec<String> {
        let mut seen = Vec::new();
        read_all(Drops(text, at_once), |chunk| {
            seen.extend(
                chunk
                    .messages()
                    .map(|message| String::from_utf8(message.to_vec()).unwrap()),
            );
            true
        })
        .unwrap();
        seen
    }

    #[test]
    fn messages_are_whole_however_they_are_cut_on_the_way() {
        let text = "{\"a\":1}\nend\n[2]\nend\n{\n \"b\":\n \"the \\nend\\n é\"}\nend\n{\"end\":0}\nend";
        let expected = [
            "{\"a\":1}",
            "[2]",
            "{\n \"b\":\n \"the \\nend\\n é\"}",
            "{\"end\":0}",
        ];
        for at_once in [1, 2, 3, 5, 7, 1000] {
            assert_eq!(
                messages(text.as_bytes(), at_once),
                expected,
                "{at_once} bytes at a time"
            );
        }
        assert!(messages(b"{\"a\":1}\nen", 4).is_empty(), "half a message is none");
        assert!(messages(b"", 4).is_empty());
    }

    #[test]
    fn settings_of_a_megabyte_are_one_message() {
        let long = format!("{{\"conf\":\"{}\"}}", "x".repeat(1 << 20));
        assert_eq!(
            messages(format!("{long}\nend\n[]\nend\n").as_bytes(), 4096),
            [long.as_str(), "[]"]
        );
    }
}
