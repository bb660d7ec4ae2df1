//! What a lesson is made of: the structure in `lesson.toml`. It holds no prose; that stands in one file per language.

use super::prose::Prose;
use crate::i18n::Lang;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// One lesson.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// The name on the command line.
    pub id: String,
    /// Topics that the lesson's commands may make. Only these get the class prefix, and only these are ever removed.
    pub topics: Vec<String>,
    /// Consumer groups that the lesson's commands may make.
    pub groups: Vec<String>,
    /// The steps in order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// The text in each language.
    #[serde(skip)]
    pub prose: BTreeMap<Lang, Prose>,
    /// What stands in its `files/`, by name: programs that the learner runs.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
    /// The lessons that it builds on, as `course.toml` says.
    #[serde(skip)]
    pub after: Vec<String>,
}

/// One step of a lesson.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Joins structure, prose and progress; never changes once published.
    pub id: String,
    /// Raised when the step asks for something else than before.
    #[serde(default = "one")]
    pub revision: u32,
    /// What must be there when the step begins, for a learner who skipped the step that makes it.
    #[serde(default)]
    pub setup: Vec<Setup>,
    /// What it builds on: `step` for all checks of an earlier step, `step/check` for one. A learner who skipped or undid it
    /// is told.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The commands that solve it.
    #[serde(default, rename = "do")]
    pub acts: Vec<Act>,
    /// What is then true of the cluster. A step without checks is one to look and answer.
    #[serde(default, rename = "check")]
    pub checks: Vec<Check>,
    /// Mistakes that learners make, each of which must fail.
    #[serde(default)]
    pub wrong: Vec<Wrong>,
    /// Questions, asked before the learner acts.
    #[serde(default, rename = "question")]
    pub questions: Vec<Question>,
    /// The requests of the Kafka protocol that the solution sends.
    #[serde(default)]
    pub api: Vec<String>,
}

fn one() -> u32 {
    1
}

/// A topic that must exist when a step begins; made when it is missing, never changed when it is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The topic.
    pub topic: String,
    /// How many partitions it gets.
    pub partitions: i32,
}

/// Something typed in a terminal: a command that ends, one that goes on under a name, or the end of that one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// The friendly command line, beginning with `velo`.
    pub velo: Option<String>,
    /// The same act with Kafka's own script, when there is one.
    pub kafka: Option<String>,
    /// A command line that runs one of the lesson's files with Python, beginning with `python`; instead of `velo`.
    pub python: Option<String>,
    /// What is typed into the command.
    pub stdin: Option<String>,
    /// The command goes on, in a terminal of this name.
    #[serde(rename = "as")]
    pub terminal: Option<String>,
    /// Ends the program in the terminal of this name (Ctrl-C).
    pub stop: Option<String>,
    /// Ends the program in the terminal of this name without a word to it (`kill -9`).
    pub kill: Option<String>,
}

impl Act {
    /// What is typed, but for Kafka's own scripts.
    pub fn command(&self) -> Option<&String> {
        self.velo.as_ref().or(self.python.as_ref())
    }

    /// The terminal whose program this act ends, if it ends one.
    pub fn ends(&self) -> Option<&String> {
        self.stop.as_ref().or(self.kill.as_ref())
    }
}

/// A mistake that must fail on a named check.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrong {
    /// Its name, for `lint`.
    pub name: String,
    /// What the learner types.
    #[serde(rename = "do")]
    pub acts: Vec<Act>,
    /// The check that must fail.
    pub fails: String,
    /// A fact that says that the mistake has had its effect, when the commands go on.
    pub until: Option<Check>,
    /// What brings the step's start back.
    #[serde(default)]
    pub undo: Vec<Act>,
}

/// A question with numbered answers. Its text and answers stand in the prose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Joins it to the prose.
    pub id: String,
    /// The number of the right answer, from 1.
    pub answer: usize,
}

/// Something that must be true of the cluster.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// Its name within the step.
    pub name: String,
    /// Which fact is read.
    pub fact: FactName,
    /// The topic it is about.
    pub topic: Option<String>,
    /// The group it is about.
    pub group: Option<String>,
    /// The setting it is about.
    pub config: Option<String>,
    /// Fields of the records' JSON that name a thing.
    #[serde(default)]
    pub key: Vec<String>,
    /// The field of the records' JSON whose value is followed.
    pub field: Option<String>,
    /// Only records since the last one without a key.
    #[serde(default)]
    pub keyed: bool,
    /// The value must be this.
    pub want: Option<Wanted>,
    /// The number must not be smaller.
    pub at_least: Option<i64>,
    /// The number must not be larger.
    pub at_most: Option<i64>,
    /// How many seconds a demonstration waits for it; 120 unless stated.
    pub within: Option<u64>,
    /// Time alone may bring it about, so that lint lets it pass before anything is done; another check of the step must not.
    #[serde(default)]
    pub by_itself: bool,
    /// Who was in the group when the step began; not written in a lesson.
    #[serde(skip)]
    pub since: BTreeSet<String>,
}

/// A wanted value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(i64),
    /// A text, as Kafka writes it.
    Text(String),
}

/// What can be read from a cluster. The names are those of `lesson.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactName {
    /// Whether `topic` exists: yes or no.
    #[default]
    TopicExists,
    /// How many partitions `topic` has.
    Partitions,
    /// The value of `config` of `topic`.
    TopicConfig,
    /// How many records were ever written to `topic`: the sum of its end offsets.
    Written,
    /// How many records `topic` still holds: end offsets less start offsets.
    Kept,
    /// How many records are gone from the front of `topic`: the sum of its start offsets.
    Gone,
    /// How many partitions of `topic` hold records.
    PartitionsUsed,
    /// How many different things, named by the JSON fields `key`, the recent records of `topic` speak of.
    Things,
    /// How many members `group` has that own a partition.
    Members,
    /// How many members of `group` that own a partition of `topic` were not there when the step began.
    TakenOver,
    /// How many partitions of `topic` the member of `group` with the fewest has.
    SmallestShare,
    /// Up to where `group` has committed in `topic`: the sum of its offsets.
    Committed,
    /// The same for whichever group has read most of `topic`.
    ReadByAGroup,
    /// How many of the recent records of `topic` have no key.
    Unkeyed,
    /// How many of the things named by `key` stand in more than one partition, among the recent records.
    Scattered,
    /// How many changes of `field` one reader of all recent records sees.
    Changes,
    /// How many more changes the members of `group`, each with its own partitions, report than there really are.
    OverCount,
}

impl Lesson {
    /// The step of this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Whether its solution runs Python.
    pub fn wants_python(&self) -> bool {
        self.steps
            .iter()
            .flat_map(|step| &step.acts)
            .any(|act| act.python.is_some())
    }

    /// The text in a language. Loading a lesson made sure that each language is there.
    pub fn prose(&self, lang: Lang) -> &Prose {
        static NONE: Prose = Prose::EMPTY;
        self.prose.get(&lang).unwrap_or(&NONE)
    }
}
