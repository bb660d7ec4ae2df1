//! What Java's tools have said: `tests/parity/recorded/SCRIPT-VERSION.toml`, written by `scripts/dev/record-parity`.

use super::said::Said;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use velodrome::scripts::KAFKA_VERSION;

/// A case's answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answers {
    /// The command line that was run, to notice a recording that is older than its case.
    pub line: String,
    /// On Apache Kafka.
    pub apache: Option<Said>,
    /// On our own cluster; left out when it is the same.
    pub velo: Option<Said>,
    /// Our own cluster was asked too.
    #[serde(default)]
    pub both: bool,
}

impl Answers {
    /// The answer on a cluster.
    pub fn on(&self, place: &str) -> Option<&Said> {
        match place {
            "apache" => self.apache.as_ref(),
            _ if self.both => self.velo.as_ref().or(self.apache.as_ref()),
            _ => None,
        }
    }

    fn set(&mut self, place: &str, said: Said) {
        match place {
            "apache" => self.apache = Some(said),
            _ => {
                self.velo = Some(said);
                self.both = true;
            }
        }
        if self.both && self.velo == self.apache {
            self.velo = None;
        }
    }
}

/// The answers of a script's cases, by the cases' ids.
pub type Recording = BTreeMap<String, Answers>;

/// Two tests write to the same files, each for its cluster.
static WRITING: Mutex<()> = Mutex::new(());

fn path(script: &str) -> PathBuf {
    format!("tests/parity/recorded/{script}-{KAFKA_VERSION}.toml").into()
}

/// The recording of a script; empty when there is none.
pub fn load(script: &str) -> Recording {
    match fs::read_to_string(path(script)) {
        Ok(text) => toml::from_str(&text).unwrap(),
        Err(_) => Recording::new(),
    }
}

/// Puts the answers of one cluster in, each with its line; answers of cases that are no more (not in `known`) go.
pub fn save(script: &str, place: &str, said: Vec<(String, String, Said)>, known: &BTreeSet<String>) {
    let _alone = WRITING.lock().unwrap();
    let mut before = load(script);
    let mut after = Recording::new();
    for (id, line, said) in said {
        let mut answers = before.remove(&id).filter(|found| found.line == line);
        let answers = answers.get_or_insert(Answers {
            line,
            apache: None,
            velo: None,
            both: false,
        });
        // The same answer on both clusters is kept once.
        if place == "apache" && answers.both && answers.velo.is_none() {
            answers.velo = answers.apache.take();
        }
        answers.set(place, said);
        after.insert(id, answers.clone());
    }
    // Cases that run on the other cluster alone.
    after.extend(before.into_iter().filter(|(id, _)| known.contains(id)));
    fs::write(path(script), toml::to_string_pretty(&after).unwrap()).unwrap();
}
