//! Asking before something is lost.

use super::{Interrupt, Ui};
use crate::failure::{Failure, Outcome};
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
        Interrupt::watch()?;
        let answer = dialoguer::Confirm::new()
            .with_prompt(question)
            .default(by_default)
            .interact_opt();
        match answer {
            Ok(Some(yes)) => Ok(yes),
            Ok(None) => Err(Failure::interrupted()),
            Err(dialoguer::Error::IO(error)) => {
                dialoguer::console::Term::stderr()
                    .show_cursor()
                    .map_err(|error| Failure::request("cannot write to the terminal").because(error))?;
                if error.kind() == ErrorKind::Interrupted {
                    return Err(Failure::interrupted());
                }
                Err(Failure::request("cannot ask").because(error))
            }
        }
    }
}
