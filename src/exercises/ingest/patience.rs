//! Waits between attempts.

use crate::failure::Outcome;
use crate::ui::{Interrupt, Ui};
use std::time::Duration;

/// The first wait when something is away; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// Waits between attempts, longer each time, and tells the user.
#[derive(Debug)]
pub struct Patience {
    ui: Ui,
    interrupt: Interrupt,
    wait: Duration,
    waited: bool,
}

impl Patience {
    /// Nothing has failed yet.
    pub fn new(ui: Ui, interrupt: Interrupt) -> Self {
        Patience {
            ui,
            interrupt,
            wait: FIRST_WAIT,
            waited: false,
        }
    }

    /// Says why, and waits before the next attempt.
    ///
    /// # Errors
    /// When Ctrl-C is pressed.
    pub fn wait(&mut self, why: &str) -> Outcome {
        self.interrupt.check()?;
        self.ui.say(format!(
            "{why}; nothing is committed, trying again in {} s",
            self.wait.as_secs_f64()
        ));
        self.waited = true;
        self.interrupt.sleep(self.wait)?;
        self.wait = (self.wait * 2).min(LAST_WAIT);
        Ok(())
    }

    /// It worked.
    pub fn over(&mut self) {
        if self.waited {
            self.ui.say("it answers again");
        }
        self.waited = false;
        self.wait = FIRST_WAIT;
    }
}
