//! Asking before something is lost.

use super::foreign::harmless;
use super::{Interrupt, Ui, fold, wait};
use crate::failure::{Failure, Outcome};
use crate::i18n::Lang;
use dialoguer::theme::Theme;
use std::fmt;
use std::io::ErrorKind;

/// What counts as a yes or a no, in any language of the course: nobody is asked twice for having the other one in mind.
const YES: [&str; 7] = ["y", "yes", "o", "oui", "s", "si", "sí"];
const NO: [&str; 3] = ["n", "no", "non"];

/// A question with a yes or a no for an answer.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is asked, with its question mark.
    pub text: &'a str,
    /// The language it is asked in.
    pub lang: Lang,
    /// What only Enter means.
    pub by_default: bool,
}

impl Ui {
    /// Asks `question` on a terminal, with "no" when only Enter is pressed. Without a terminal nothing can be asked,
    /// which fails with `command`, the one to type instead, as hint.
    ///
    /// # Errors
    /// Without a terminal, when it cannot be read, or interrupted by Ctrl-C.
    pub fn confirm(self, question: &str, command: &str) -> Outcome<bool> {
        self.confirm_in(Lang::En, question, command)
    }

    /// The same in the learner's language.
    ///
    /// # Errors
    /// As [`Ui::confirm`].
    pub fn confirm_in(self, lang: Lang, question: &str, command: &str) -> Outcome<bool> {
        if !self.interactive() {
            return Err(Failure::usage("this needs a yes")
                .because("it cannot be undone, and there is no terminal to ask on")
                .hint(command));
        }
        self.agrees(Question {
            text: question,
            lang,
            by_default: false,
        })
    }

    /// Asks on a terminal, again and again until the answer is one.
    ///
    /// # Errors
    /// When the terminal cannot be read, or interrupted by Ctrl-C.
    pub fn agrees(self, question: Question<'_>) -> Outcome<bool> {
        let _speaking = wait::speaking();
        let prompt = question.last_line();
        // With the default handler Ctrl-C would end the process in the middle of the line.
        let answer = Interrupt::watch()?.during(|| {
            dialoguer::Input::<String>::with_theme(&Answering)
                .with_prompt(prompt)
                .allow_empty(true)
                .validate_with(|typed: &String| question.check(typed))
                .interact_text()
        });
        let dialoguer::Error::IO(error) = match answer {
            // Only an answer passes the check.
            Ok(typed) => return Ok(meaning(&typed, question.by_default).unwrap_or(false)),
            Err(error) => error,
        };
        if error.kind() == ErrorKind::Interrupted {
            Interrupt::end_this_line();
            return Err(Failure::interrupted());
        }
        Err(Failure::request("cannot ask on this terminal").because(error))
    }
}

/// A question as it stands on the terminal: what is typed follows it, and so does the answer once it is one.
struct Answering;

impl Theme for Answering {
    fn format_input_prompt(&self, out: &mut dyn fmt::Write, prompt: &str, _: Option<&str>) -> fmt::Result {
        write!(out, "{prompt} ")
    }

    fn format_input_prompt_selection(
        &self,
        out: &mut dyn fmt::Write,
        prompt: &str,
        answer: &str,
    ) -> fmt::Result {
        write!(out, "{prompt} {answer}")
    }

    fn format_error(&self, out: &mut dyn fmt::Write, explanation: &str) -> fmt::Result {
        write!(out, "{explanation}")
    }
}

impl Question<'_> {
    /// The question with its choices. All but the last line is written at once: what is redrawn after each answer is one line.
    fn last_line(self) -> String {
        let asked = format!("{} {}", harmless(self.text), self.choices());
        let mut lines = fold::width_of_stderr().map_or_else(
            || vec![asked.clone()],
            |width| fold::fold(&asked, width.saturating_sub(2), 0),
        );
        let last = lines.pop().unwrap_or_default();
        for line in lines {
            eprintln!("{line}");
        }
        last
    }

    /// `[y/N]`, the capital being what Enter means.
    fn choices(self) -> String {
        let (yes, no) = (first(self.words().0), first(self.words().1));
        if self.by_default {
            format!("[{}/{no}]", yes.to_uppercase())
        } else {
            format!("[{yes}/{}]", no.to_uppercase())
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self.lang {
            Lang::Fr => ("oui", "non"),
            Lang::Es => ("sí", "no"),
            Lang::En => ("yes", "no"),
        }
    }

    /// Whether what was typed is an answer; else what would be one.
    fn check(self, typed: &str) -> Result<(), String> {
        match meaning(typed, self.by_default) {
            Some(_) => Ok(()),
            None => Err(self.explanation()),
        }
    }

    fn explanation(self) -> String {
        let (yes, no) = self.words();
        match self.lang {
            Lang::Fr => format!("Répondez {yes} ou {no}."),
            Lang::Es => format!("Responde {yes} o {no}."),
            Lang::En => format!("Answer {yes} or {no}."),
        }
    }
}

fn first(word: &str) -> String {
    word.chars().take(1).collect()
}

/// What a typed line answers; nothing when it is neither a yes nor a no.
fn meaning(line: &str, by_default: bool) -> Option<bool> {
    let word = line.trim().to_lowercase();
    match word.as_str() {
        "" => Some(by_default),
        word if YES.contains(&word) => Some(true),
        word if NO.contains(&word) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes_in_any_of_the_languages() {
        for yes in ["y", "Yes", " OUI ", "o", "sí", "SI", "s"] {
            assert_eq!(meaning(yes, false), Some(true), "{yes}");
        }
        for no in ["n", "No", "non"] {
            assert_eq!(meaning(no, true), Some(false), "{no}");
        }
        for neither in ["maybe", "nope", "yesterday", "velo topic list", "q", "osé"] {
            assert_eq!(meaning(neither, true), None, "{neither}");
        }
        assert_eq!(meaning("", true), Some(true));
        assert_eq!(meaning(" ", false), Some(false));
    }

    #[test]
    fn the_choices_are_those_of_the_language_and_enter_s_is_a_capital() {
        let asked = |lang, by_default| {
            Question {
                text: "?",
                lang,
                by_default,
            }
            .choices()
        };
        assert_eq!(asked(Lang::En, false), "[y/N]");
        assert_eq!(asked(Lang::En, true), "[Y/n]");
        assert_eq!(asked(Lang::Fr, true), "[O/n]");
        assert_eq!(asked(Lang::Es, true), "[S/n]");
    }
}
