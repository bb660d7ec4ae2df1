//! A program on a terminal, as somebody sits at it.

use expectrl::session::{OsProcess, OsStream, log};
use expectrl::stream::log::LogStream;
use expectrl::{Captures, Eof, Error, Expect, Needle, Session};
use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long anything may take on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long something that may have come too early is waited for before it is done once more.
const AGAIN: Duration = Duration::from_secs(5);

/// A program and its terminal. What is waited for in vain ends the test with all that was typed and shown.
pub struct Terminal {
    session: Session<OsProcess, LogStream<OsStream, Protocol>>,
    protocol: Protocol,
}

impl Terminal {
    /// Starts a program on a terminal of its own.
    pub fn on(command: Command) -> Terminal {
        let protocol = Protocol::default();
        let mut session = log(Session::spawn(command).unwrap(), protocol.clone()).unwrap();
        session.set_expect_timeout(Some(PATIENCE));
        Terminal { session, protocol }
    }

    /// Waits until it is shown.
    #[track_caller]
    pub fn expect(&mut self, needle: impl Needle + Shown) -> Captures {
        let wanted = needle.shown();
        self.session
            .expect(needle)
            .unwrap_or_else(|error| panic!("waiting for {wanted}: {error}\n{}", self.protocol.told()))
    }

    /// Does something until it shows: what a reader who starts at the end is to show may be written before it is there.
    #[track_caller]
    pub fn expect_of(&mut self, needle: &str, mut does: impl FnMut()) -> Captures {
        self.session.set_expect_timeout(Some(AGAIN));
        let tries = PATIENCE.as_secs() / AGAIN.as_secs();
        let found = (0..tries).find_map(|_| {
            does();
            match self.session.expect(needle) {
                Err(Error::ExpectTimeout) => None,
                other => Some(other),
            }
        });
        self.session.set_expect_timeout(Some(PATIENCE));
        match found {
            Some(Ok(found)) => found,
            other => panic!("waiting for {needle}: {other:?}\n{}", self.protocol.told()),
        }
    }

    /// Waits for its end, and answers all that it has shown since what was waited for last.
    #[track_caller]
    pub fn rest(&mut self) -> String {
        String::from_utf8_lossy(self.expect(Eof).as_bytes()).into_owned()
    }

    /// Types.
    pub fn send(&mut self, keys: impl AsRef<[u8]>) {
        self.session.send(keys).unwrap();
    }

    /// Types a line.
    pub fn send_line(&mut self, line: impl AsRef<str>) {
        self.session.send_line(line.as_ref()).unwrap();
    }
}

/// What is waited for, as a failure tells it.
pub trait Shown {
    fn shown(&self) -> String;
}

impl Shown for &str {
    fn shown(&self) -> String {
        format!("`{self}`")
    }
}

impl Shown for &String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl Shown for expectrl::Regex<&str> {
    fn shown(&self) -> String {
        self.0.shown()
    }
}

impl Shown for Eof {
    fn shown(&self) -> String {
        "its end".to_owned()
    }
}

/// What was typed and shown, piece by piece.
#[derive(Clone, Default)]
struct Protocol(Arc<Mutex<Vec<u8>>>);

impl Protocol {
    fn told(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Protocol {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
