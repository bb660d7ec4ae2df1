//! Waiting is never silent: what takes longer than a moment says what it waits for, once, on stderr.

use super::Ui;
use super::foreign::harmless;
use parking_lot::Mutex;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// How long nothing may be said before it is said why.
const MOMENT: Duration = Duration::from_secs(1);
/// How often the clock is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Who speaks just now (a question that is being asked, a line that a pager does not take yet), and who spoke last.
static SPEECH: Mutex<Speech> = Mutex::new(Speech {
    speakers: 0,
    last: None,
});

struct Speech {
    speakers: usize,
    last: Option<Instant>,
}

/// While this lives, the user is being talked to or asked, and no wait is told.
#[derive(Debug)]
pub(super) struct Speaking(());

/// From now on somebody speaks.
pub(super) fn speaking() -> Speaking {
    SPEECH.lock().speakers += 1;
    Speaking(())
}

impl Drop for Speaking {
    fn drop(&mut self) {
        let mut speech = SPEECH.lock();
        speech.speakers = speech.speakers.saturating_sub(1);
        speech.last = Some(Instant::now());
    }
}

/// A wait; dropped once it is over.
#[derive(Debug)]
pub struct Wait {
    over: Option<Sender<()>>,
    teller: Option<JoinHandle<()>>,
}

impl Ui {
    /// From now until the answer is dropped the user waits for `what` ("an answer from localhost:9092"), and is told so when
    /// nothing else was said for a moment; not with `--quiet`.
    #[must_use]
    pub fn waiting_for(self, what: impl Into<String>) -> Wait {
        let mut wait = Wait {
            over: None,
            teller: None,
        };
        if !self.quiet {
            let (over, ended) = channel::<()>();
            let text = format!("waiting for {} …", harmless(&what.into()));
            let begun = Instant::now();
            let tell = move || {
                while ended.recv_timeout(GLANCE) == Err(RecvTimeoutError::Timeout) {
                    if is_silent_since(begun) {
                        self.say(&text);
                        return;
                    }
                }
            };
            // Without a thread to spare the wait is silent, and nothing worse.
            wait.teller = Builder::new().name("waiting".to_owned()).spawn(tell).ok();
            wait.over = Some(over);
        }
        wait
    }
}

/// Whether nobody speaks, and nobody has for a moment, which `begun` at the earliest.
fn is_silent_since(begun: Instant) -> bool {
    let speech = SPEECH.lock();
    let since = speech.last.map_or(begun, |last| last.max(begun));
    speech.speakers == 0 && since.elapsed() > MOMENT
}

impl Drop for Wait {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(teller) = self.teller.take() {
            // It only tells; that it is gone is all that matters.
            let _ = teller.join();
        }
    }
}
