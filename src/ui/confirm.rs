//! Asking before something is lost.

use super::Ui;
use crate::failure::{Failure, Outcome};

impl Ui {
    /// Asks `question` on a terminal, with "no" when only Enter is pressed. Without a terminal nothing can be asked,
    /// which fails with `command`, the one to type instead, as hint.
    ///
    /// # Errors
    /// Without a terminal, or when it cannot be read.
    pub fn confirm(self, question: &str, command: &str) -> Outcome<bool> {
        if !self.interactive() {
            return Err(Failure::usage("this needs a yes")
                .because("it cannot be undone, and there is no terminal to ask on")
                .hint(command));
        }
        let answer = dialoguer::Confirm::new()
            .with_prompt(question)
            .default(false)
            .interact_opt()
            .map_err(|error| Failure::request("cannot ask").because(error))?;
        answer.ok_or_else(Failure::interrupted)
    }
}
