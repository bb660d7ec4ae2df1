//! Ctrl-C and its like: one flag for the whole process, so that a loop ends by itself, having committed and flushed.

use crate::failure::{Failure, Outcome};
use crate::process::{INTERRUPTED, Signals};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio::runtime::Builder;

/// The exit code for what asked the process to end; 0 while nothing did.
static PRESSED: AtomicU8 = AtomicU8::new(0);
static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();

/// The longest time between a Ctrl-C and the end of [`Interrupt::sleep`].
const GLANCE: Duration = Duration::from_millis(20);

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

    /// The exit code of what was interrupted: 130 after Ctrl-C, 143 after SIGTERM, 129 when the terminal closed.
    pub fn exit_code() -> u8 {
        match PRESSED.load(Ordering::SeqCst) {
            0 => INTERRUPTED,
            code => code,
        }
    }

    /// Whether Ctrl-C was pressed.
    pub fn pressed(self) -> bool {
        PRESSED.load(Ordering::SeqCst) != 0
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
                    std::process::exit(i32::from(code));
                }
            }
        })
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait)?;
    Ok(())
}
