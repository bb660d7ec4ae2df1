//! Asking before something is lost.

use super::foreign::harmless;
use super::{Interrupt, Ui};
use crate::failure::{Failure, Outcome};
use dialoguer::console::Term;
use std::io::ErrorKind;

impl Ui {
    /// Asks `question` on a terminal, with "no" when only Enter is pressed. Without a terminal nothing can be asked,
    /// which fails with `command`, the one to type instead, as hint.
    ///
    /// # Errors
    /// Without a terminal, when it cannot be read, or interrupted by Ctrl-C or Escape.
    pub fn confirm(self, question: &str, command: &str) -> Outcome<bool> {
        if !self.interactive() {
            return Err(Failure::usage("this needs a yes")
                .because("it cannot be undone, and there is no terminal to ask on")
                .hint(command));
        }
        self.agrees(question, false)
    }

    /// Asks `question` on a terminal; only Enter gives `by_default`.
    ///
    /// # Errors
    /// When the terminal cannot be read, or interrupted by Ctrl-C or Escape.
    pub fn agrees(self, question: &str, by_default: bool) -> Outcome<bool> {
        // With the default handler Ctrl-C would end the process while the prompt hides the cursor.
        let answer = Interrupt::watch()?.during(|| {
            let answer = dialoguer::Confirm::new()
                .with_prompt(harmless(question))
                .default(by_default)
                .interact_opt();
            if answer.is_err() {
                // What became of the question says more than a terminal that is gone.
                let _ = Term::stderr().show_cursor();
            }
            answer
        });
        match answer {
            Ok(Some(yes)) => Ok(yes),
            Ok(None) => Err(Failure::interrupted()),
            Err(dialoguer::Error::IO(error)) if error.kind() == ErrorKind::Interrupted => {
                Err(Failure::interrupted())
            }
            Err(dialoguer::Error::IO(error)) => Err(Failure::request("cannot ask").because(error)),
        }
    }
}
