//! Fits a lesson's names and addresses to this learner: the class prefix, and where the cluster is.

use super::check::Check;
use super::facts::Renames;
use super::model::{Act, BrokerAct, Lesson, Step};
use super::picture;
use crate::failure::{Failure, Outcome};
use crate::i18n::Words;
use crate::kafka::Connection;
use std::collections::BTreeSet;

/// What is written differently for this learner than in the lesson's files.
#[derive(Debug, Clone)]
pub struct Dress {
    prefix: String,
    bootstrap: String,
    mail_port: u16,
    names: Vec<String>,
    /// The lesson's brokers, each with the id of the cluster's own that takes its place.
    brokers: Vec<(i32, i32)>,
    /// How lines that are put in order are shuffled.
    seed: u64,
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
            brokers: lesson.brokers.iter().map(|id| (*id, *id)).collect(),
            seed: 0,
        }
    }

    /// The same with lines shuffled as this seed says.
    #[must_use]
    pub fn shuffled_by(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How lines are shuffled.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The same on a cluster with these brokers. Where they are not the lesson's own, they take its places in order.
    #[must_use]
    pub fn on_brokers(mut self, there: &BTreeSet<i32>) -> Self {
        if !self.brokers.iter().all(|(id, _)| there.contains(id)) {
            for ((_, place), id) in self.brokers.iter_mut().zip(there) {
                *place = *id;
            }
        }
        self
    }

    /// Whether the lesson needs brokers of its own, to stop and start them.
    pub fn needs_brokers(&self) -> bool {
        !self.brokers.is_empty()
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
        if self.prefix.is_empty() && self.brokers.iter().all(|(id, place)| id == place) {
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
        if let Some((_, place)) = self.brokers.iter().find(|(id, _)| id.to_string() == word) {
            dressed.push_str(&place.to_string());
            return;
        }
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
        check.clone().renamed(self)
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
        act.broker = act.broker.map(|broker| self.act_on(broker));
        act
    }

    fn act_on(&self, act: BrokerAct) -> BrokerAct {
        let id = self.broker(act.id());
        match act {
            BrokerAct::Stop(_) => BrokerAct::Stop(id),
            BrokerAct::Kill(_) => BrokerAct::Kill(id),
            BrokerAct::Pause(_) => BrokerAct::Pause(id),
            BrokerAct::Resume(_) => BrokerAct::Resume(id),
            BrokerAct::Start(_) => BrokerAct::Start(id),
        }
    }
}

impl Renames for Dress {
    fn name(&self, name: &str) -> String {
        Dress::name(self, name)
    }

    fn broker(&self, id: i32) -> i32 {
        let found = self.brokers.iter().find(|(known, _)| *known == id);
        found.map_or(id, |(_, place)| *place)
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
            brokers: vec![(101, 101), (102, 102)],
            seed: 0,
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

    #[test]
    fn the_brokers_of_another_cluster_take_the_places_of_the_lesson_s() {
        let dress = Dress {
            prefix: String::new(),
            bootstrap: Connection::DEFAULT_BOOTSTRAP.to_owned(),
            mail_port: MAIL_PORT,
            names: Vec::new(),
            brokers: vec![(101, 101), (102, 102), (103, 103)],
            seed: 0,
        };
        let text = "Stop broker 102, not 1020 (`--ids 101,102,103`).";
        assert_eq!(dress.clone().on_brokers(&[101, 102, 103].into()).text(text), text);
        let other = dress.on_brokers(&[1, 2, 3].into());
        assert_eq!(other.text(text), "Stop broker 2, not 1020 (`--ids 1,2,3`).");
        assert_eq!(other.act_on(BrokerAct::Kill(103)), BrokerAct::Kill(3));
    }
}
