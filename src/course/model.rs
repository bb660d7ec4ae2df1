//! What a lesson is made of: the structure in `lesson.toml`. It holds no prose; that stands in one file per language.

use super::beliefs::Belief;
use super::check::Check;
use super::prose::Prose;
use super::question::{Given, Question};
use crate::i18n::Lang;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
    /// The brokers it needs, by id; none when any cluster will do. On a cluster of other ids, those take their place in order.
    #[serde(default)]
    pub brokers: Vec<i32>,
    /// The languages it is written in.
    #[serde(default = "all_languages")]
    pub languages: Vec<Lang>,
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
    /// What its questions may show that a learner believes, as `beliefs.toml` says.
    #[serde(skip)]
    pub beliefs: Vec<Belief>,
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

fn all_languages() -> Vec<Lang> {
    Lang::ALL.into()
}

/// A topic that must exist when a step begins; made when it is missing, never changed when it is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setup {
    /// The topic.
    pub topic: String,
    /// How many partitions it gets.
    pub partitions: i32,
    /// How many copies; as many as the cluster makes by itself unless stated.
    pub replication_factor: Option<i32>,
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
    /// The command is refused, which is what the step shows.
    #[serde(default)]
    pub refused: bool,
    /// Does something to a broker; instead of `velo`, which then follows from it.
    pub broker: Option<BrokerAct>,
}

/// Something done to a broker, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokerAct {
    /// Stops it in order.
    Stop(i32),
    /// Ends its process at once.
    Kill(i32),
    /// Lets its process stand still.
    Pause(i32),
    /// Lets a paused one go on.
    Resume(i32),
    /// Starts a stopped one.
    Start(i32),
}

impl BrokerAct {
    /// The broker.
    pub fn id(self) -> i32 {
        let (Self::Stop(id) | Self::Kill(id) | Self::Pause(id) | Self::Resume(id) | Self::Start(id)) = self;
        id
    }

    /// Its name, as `lesson.toml` and the program's own words have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stop(_) => "stop",
            Self::Kill(_) => "kill",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Start(_) => "start",
        }
    }

    /// Whether the broker serves afterwards.
    pub fn serves(self) -> bool {
        matches!(self, Self::Resume(_) | Self::Start(_))
    }

    /// The command for a classroom cluster.
    pub fn command(self) -> String {
        let id = self.id();
        match self {
            Self::Stop(_) => format!("velo cluster stop --broker {id}"),
            Self::Kill(_) => format!("velo cluster stop --broker {id} --kill"),
            Self::Pause(_) => format!("velo cluster pause --broker {id}"),
            Self::Resume(_) => format!("velo cluster resume --broker {id}"),
            Self::Start(_) => format!("velo cluster start --broker {id}"),
        }
    }
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
    /// What somebody commonly believes who makes it, by its id.
    pub belief: Option<String>,
    /// How that shows on the cluster: all of it is so, and was not when the step began.
    #[serde(default)]
    pub seen: Vec<Check>,
    /// What brings the step's start back.
    #[serde(default)]
    pub undo: Vec<Act>,
    /// A fact that says that it is back, when that takes a while.
    pub undone: Option<Check>,
}

/// A wanted value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Wanted {
    /// Yes or no.
    Bool(bool),
    /// A number.
    Number(i64),
    /// A text, as Kafka writes it.
    Text(String),
}

impl Lesson {
    /// The step of this id.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Puts the commands of acts on brokers in their place. Called once, when it is loaded.
    pub fn complete(&mut self) {
        let acts = self.steps.iter_mut().flat_map(|step| {
            let wrong = step.wrong.iter_mut();
            let wrong = wrong.flat_map(|wrong| wrong.acts.iter_mut().chain(&mut wrong.undo));
            step.acts.iter_mut().chain(wrong)
        });
        for act in acts {
            if let Some(broker) = act.broker {
                act.velo = Some(broker.command());
            }
        }
    }

    /// What a learner believes who gives this answer, which is not the right one.
    pub fn belief(&self, step: &str, question: &str, given: &Given) -> Option<&Belief> {
        self.beliefs.iter().find(|belief| {
            let mut shows = belief.shows.iter();
            shows.any(|shows| shows.is_about(&self.id, step, question) && shows.is_shown_by(given))
        })
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
