//! Fits a lesson's names and addresses to this learner: the class prefix, and where the cluster is.

use super::model::{Act, Check, Lesson, Step};
use super::picture;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use crate::kafka::Connection;

/// What is written differently for this learner than in the lesson's files.
#[derive(Debug, Clone)]
pub struct Dress {
    prefix: String,
    bootstrap: String,
    mail_port: u16,
    names: Vec<String>,
}

/// Where the lessons' mailbox listens unless it is told otherwise.
const MAIL_PORT: u16 = 1025;

impl Dress {
    /// For a lesson, a class prefix (may be empty) and the bootstrap servers in use.
    pub fn new(lesson: &Lesson, prefix: &str, bootstrap: &str) -> Self {
        Dress {
            prefix: prefix.to_owned(),
            bootstrap: bootstrap.to_owned(),
            mail_port: MAIL_PORT,
            names: lesson.topics.iter().chain(&lesson.groups).cloned().collect(),
        }
    }

    /// What this learner's names begin with; may be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where the cluster is.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// The same with a mailbox on another port, so that two demonstrations can run side by side.
    #[must_use]
    pub fn with_mailbox(mut self, port: u16) -> Self {
        self.mail_port = port;
        self
    }

    /// A text with the prefix before each name of the lesson, and the cluster's address instead of `localhost:9092`.
    /// Pictures keep the plain names: a longer one would push their lines apart. Their sentences do not.
    pub fn text(&self, text: &str) -> String {
        let text = if self.bootstrap == Connection::DEFAULT_BOOTSTRAP {
            text.to_owned()
        } else {
            text.replace(Connection::DEFAULT_BOOTSTRAP, &self.bootstrap)
        };
        let text = if self.mail_port == MAIL_PORT {
            text
        } else {
            text.replace(&MAIL_PORT.to_string(), &self.mail_port.to_string())
        };
        if self.prefix.is_empty() {
            return text;
        }
        let mut dressed = String::with_capacity(text.len());
        let mut drawn = false;
        for line in text.split_inclusive('\n') {
            let fence = line.starts_with("```");
            if fence {
                drawn = picture::sentence(line).is_some();
            }
            if drawn && !fence {
                dressed.push_str(line);
            } else {
                self.line(&mut dressed, line);
            }
        }
        dressed
    }

    fn line(&self, dressed: &mut String, line: &str) {
        let mut word = String::new();
        for letter in line.chars() {
            if is_name_letter(letter) {
                word.push(letter);
            } else {
                self.word(dressed, &word);
                word.clear();
                dressed.push(letter);
            }
        }
        self.word(dressed, &word);
    }

    fn word(&self, dressed: &mut String, word: &str) {
        // A sentence's full stop is no part of a name.
        if self.names.iter().any(|name| name == word.trim_end_matches('.')) {
            dressed.push_str(&self.prefix);
        }
        dressed.push_str(word);
    }

    /// One of the lesson's names with the prefix.
    pub fn name(&self, name: &str) -> String {
        if self.names.iter().any(|known| known == name) {
            format!("{}{name}", self.prefix)
        } else {
            name.to_owned()
        }
    }

    /// A check about this learner's names.
    pub fn check(&self, check: &Check) -> Check {
        let mut check = check.clone();
        for name in [&mut check.topic, &mut check.group] {
            *name = name.as_deref().map(|name| self.name(name));
        }
        check
    }

    /// The checks of a step about this learner's names.
    pub fn checks(&self, step: &Step) -> Vec<Check> {
        step.checks.iter().map(|check| self.check(check)).collect()
    }

    /// An act on this learner's names.
    pub fn act(&self, act: &Act) -> Act {
        let mut act = act.clone();
        for text in [&mut act.velo, &mut act.kafka, &mut act.python] {
            *text = text.as_deref().map(|text| self.text(text));
        }
        act
    }
}

fn is_name_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

/// Refuses a prefix that no topic name may begin with.
///
/// # Errors
/// When it has a letter that Kafka does not allow in names.
pub fn valid_prefix(prefix: &str, words: &Words) -> Outcome {
    if prefix.chars().all(is_name_letter) && prefix.len() <= 50 {
        return Ok(());
    }
    Err(Failure::usage(words.fill("error.prefix", &[("prefix", prefix)]))
        .because(words.say("error.prefix-why"))
        .hint("--prefix alice-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_goes_before_whole_names_only() {
        let dress = Dress {
            prefix: "alice-".to_owned(),
            bootstrap: "localhost:9999".to_owned(),
            mail_port: MAIL_PORT,
            names: vec!["velib".to_owned()],
        };
        let drawn = "velib ─┐\n```\n";
        assert_eq!(
            dress.text(&format!("```picture Into velib.\n{drawn}velib")),
            format!("```picture Into alice-velib.\n{drawn}alice-velib")
        );
        assert_eq!(
            dress.text("Read `velib`, not velib-x nor a-velib, on localhost:9092: velib."),
            "Read `alice-velib`, not velib-x nor a-velib, on localhost:9999: alice-velib."
        );
    }
}
