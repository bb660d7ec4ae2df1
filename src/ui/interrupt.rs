//! Ctrl-C: one flag for the whole process, so that a loop ends by itself, having committed and flushed.

use crate::failure::{Failure, Outcome};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

static PRESSED: AtomicBool = AtomicBool::new(false);
static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();

/// The longest time between a Ctrl-C and the end of [`Interrupt::sleep`].
const GLANCE: Duration = Duration::from_millis(20);

/// Tells whether the user asked this process to end (Ctrl-C, or SIGTERM).
#[derive(Debug, Clone, Copy)]
pub struct Interrupt(());

impl Interrupt {
    /// From now on the first Ctrl-C raises the flag, and a second one ends the process at once with 130.
    /// Calling it again is harmless.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn watch() -> Outcome<Self> {
        let installed = INSTALLED.get_or_init(|| {
            ctrlc::set_handler(|| {
                if PRESSED.swap(true, Ordering::SeqCst) {
                    std::process::exit(i32::from(Failure::interrupted().kind().exit_code()));
                }
            })
            .map_err(|error| error.to_string())
        });
        match installed {
            Ok(()) => Ok(Interrupt(())),
            Err(why) => Err(Failure::request("cannot listen for Ctrl-C").because(why)),
        }
    }

    /// Whether Ctrl-C was pressed.
    pub fn pressed(self) -> bool {
        PRESSED.load(Ordering::SeqCst)
    }

    /// An error once Ctrl-C was pressed, for `?` in loops.
    ///
    /// # Errors
    /// [`Failure::interrupted`], which prints nothing and exits with 130.
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
