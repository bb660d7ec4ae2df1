//! Ctrl-C and its like: one flag for the whole process, so that a loop ends by itself, having committed and flushed.

#[cfg(unix)]
use super::terminal::Terminal;
use crate::failure::{Failure, Outcome};
use crate::process::{INTERRUPTED, Signals, TERMINATED};
#[cfg(unix)]
use parking_lot::Mutex;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// The exit code for what asked the process to end; 0 while nothing did.
static PRESSED: AtomicU8 = AtomicU8::new(0);
/// How the terminal was before the question that is being asked on it.
#[cfg(unix)]
static ASKED: Mutex<Option<Terminal>> = Mutex::new(None);
/// Whether the line on which Ctrl-C is pressed has yet to be ended.
static END_LINE: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();

/// The longest time between a Ctrl-C and the end of [`Interrupt::sleep`].
const GLANCE: Duration = Duration::from_millis(20);
/// How long after a Ctrl-C a question that heard it may still be there.
#[cfg(unix)]
const DEAF: Duration = Duration::from_millis(100);

/// Tells whether the user asked this process to end (Ctrl-C, or SIGTERM).
#[derive(Debug, Clone, Copy)]
pub struct Interrupt(());

impl Interrupt {
    /// From now on the first Ctrl-C raises the flag, and a second one ends the process at once.
    /// Calling it again is harmless.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn watch() -> Outcome<Self> {
        match INSTALLED.get_or_init(|| listen().map_err(|error| error.to_string())) {
            Ok(()) => Ok(Interrupt(())),
            Err(why) => Err(Failure::request("cannot listen for Ctrl-C").because(why)),
        }
    }

    /// From now on the line on which Ctrl-C is pressed is ended. Kafka's own tools leave it as it is.
    pub fn end_the_line() {
        END_LINE.store(true, Ordering::SeqCst);
    }

    /// Ends the line on which Ctrl-C was pressed now, once, be it a signal or a key that a question reads.
    pub(super) fn end_this_line() {
        if END_LINE.swap(false, Ordering::SeqCst) && io::stderr().is_terminal() {
            // The terminal has written `^C` where the cursor was; our last words begin on a line of their own. One that has
            // just closed needs no line.
            let _ = writeln!(io::stderr());
        }
    }

    /// The exit code of what was interrupted: 130 after Ctrl-C, 143 after SIGTERM, 129 when the terminal closed.
    pub fn exit_code() -> u8 {
        match PRESSED.load(Ordering::SeqCst) {
            0 => INTERRUPTED,
            code => code,
        }
    }

    /// Asks a question on the terminal, which reads Ctrl-C as a key and then ends by itself. One that comes in the instant
    /// before keys are read is a signal, of which the question knows nothing: that ends the process, with the terminal as
    /// it was.
    pub fn during<T>(self, question: impl FnOnce() -> T) -> T {
        #[cfg(unix)]
        {
            *ASKED.lock() = Terminal::remember();
        }
        let answer = question();
        #[cfg(unix)]
        {
            *ASKED.lock() = None;
        }
        answer
    }

    /// Whether Ctrl-C was pressed.
    pub fn pressed(self) -> bool {
        PRESSED.load(Ordering::SeqCst) != 0
    }

    /// Whether it was asked to end as service managers ask, which may start it again at once.
    pub fn is_told_to_stop(self) -> bool {
        PRESSED.load(Ordering::SeqCst) == TERMINATED
    }

    /// An error once Ctrl-C was pressed, for `?` in loops.
    ///
    /// # Errors
    /// [`Failure::interrupted`], which prints nothing and exits with [`Interrupt::exit_code`].
    pub fn check(self) -> Outcome {
        if self.pressed() {
            return Err(Failure::interrupted());
        }
        Ok(())
    }

    /// Waits until `deadline`, or until Ctrl-C.
    ///
    /// # Errors
    /// As [`Interrupt::check`].
    pub fn sleep_until(self, deadline: Instant) -> Outcome {
        loop {
            self.check()?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(GLANCE));
        }
    }

    /// Waits for `duration`, or until Ctrl-C.
    ///
    /// # Errors
    /// As [`Interrupt::check`].
    pub fn sleep(self, duration: Duration) -> Outcome {
        self.sleep_until(Instant::now() + duration)
    }
}

/// Listens in a thread of its own, since not all commands are asynchronous.
fn listen() -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::listen()?
    };
    let wait = move || {
        runtime.block_on(async move {
            loop {
                let code = signals.next().await;
                if PRESSED.swap(code, Ordering::SeqCst) != 0 {
                    super::keys::restore();
                    std::process::exit(i32::from(code));
                }
                Interrupt::end_this_line();
                #[cfg(unix)]
                end_a_deaf_question(code);
            }
        })
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}

/// Ends the process if a question goes on that should have ended by now.
#[cfg(unix)]
fn end_a_deaf_question(code: u8) {
    if ASKED.lock().is_none() {
        return;
    }
    thread::sleep(DEAF);
    if let Some(before) = ASKED.lock().take() {
        drop(before);
        std::process::exit(i32::from(code));
    }
}
