//! A learner's progress, in a plain TOML file: by step id and the step's revision.
//!
//! Steps that this version does not know stay in the file, so going back and forth between versions loses nothing.

use super::model::{Lesson, Step};
use super::question::{Given, Kind, Question};
use super::review::Review;
use super::snapshot::Snapshot;
use crate::bom;
use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The whole file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The lesson that `velo lesson check` and its like are about.
    #[serde(default)]
    pub current: Option<String>,
    /// The language that was asked for when a lesson was last begun (`fr`), for the commands in other terminals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Whose progress this is, as it was said when a lesson was last begun for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student: Option<String>,
    /// By lesson id.
    #[serde(default, rename = "lesson")]
    pub lessons: BTreeMap<String, LessonProgress>,
    /// Questions of the quiz that were missed, and when each comes back: by `lesson/step/question`.
    #[serde(default, rename = "review", skip_serializing_if = "BTreeMap::is_empty")]
    pub reviews: BTreeMap<String, Review>,
    /// What a newer version may have written.
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

/// Progress in one lesson.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LessonProgress {
    /// The step where the learner is.
    #[serde(default)]
    pub at: Option<String>,
    /// What the names of topics and groups begin with.
    #[serde(default)]
    pub prefix: String,
    /// The cluster that the lesson was begun on.
    #[serde(default)]
    pub bootstrap: String,
    /// What was on the cluster before.
    #[serde(default)]
    pub before: Snapshot,
    /// The brokers that served when the lesson was begun.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub brokers: BTreeSet<i32>,
    /// By step id.
    #[serde(default, rename = "step")]
    pub steps: BTreeMap<String, StepProgress>,
    /// What a newer version may have written.
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

/// Progress in one step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StepProgress {
    /// How it stands.
    #[serde(default)]
    pub state: State,
    /// The revision of the step that was passed.
    #[serde(default)]
    pub revision: u32,
    /// When, in RFC 3339.
    #[serde(default)]
    pub when: String,
    /// How many hints were asked for; the solution counts as one more.
    #[serde(default)]
    pub hints: usize,
    /// Who was in the groups that shall be taken over, when the step began.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub began: BTreeSet<String>,
    /// The mistakes that the cluster showed already when the step began, by name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub there: BTreeSet<String>,
    /// The beliefs that the cluster showed while a check failed, by id; those that answers show follow from the answers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub beliefs: BTreeSet<String>,
    /// Answers given, by question id: the number chosen or typed.
    #[serde(default)]
    answers: BTreeMap<String, usize>,
    /// Orders given, by question id: the lines, each by its right place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    orders: BTreeMap<String, Vec<usize>>,
    /// What the cluster said when the step was passed, by question id, where a number was typed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    found: BTreeMap<String, i64>,
    /// What a newer version may have written.
    #[serde(flatten)]
    other: BTreeMap<String, toml::Value>,
}

impl StepProgress {
    /// The answer that was given to a question.
    pub fn given(&self, question: &Question) -> Option<Given> {
        match question.kind {
            Kind::Choose(_) | Kind::Type { .. } => self.answers.get(&question.id).copied().map(Given::Number),
            Kind::Order { .. } => self.orders.get(&question.id).cloned().map(Given::Order),
        }
    }

    /// What the cluster said of a question.
    pub fn found(&self, question: &Question) -> Option<i64> {
        self.found.get(&question.id).copied()
    }

    /// Whether a question was answered right; `None` when it was not answered.
    pub fn is_right(&self, question: &Question) -> Option<bool> {
        let answer = question.answer(self.found(question));
        self.given(question).map(|given| given == answer)
    }

    /// Notes an answer.
    pub fn answer(&mut self, question: &Question, given: Given) {
        match given {
            Given::Number(number) => {
                self.answers.insert(question.id.clone(), number);
            }
            Given::Order(lines) => {
                self.orders.insert(question.id.clone(), lines);
            }
        }
    }

    /// Notes what the cluster says of a question. What it said at first stays: the cluster goes on.
    pub fn find(&mut self, question: &Question, found: i64) {
        self.found.entry(question.id.clone()).or_insert(found);
    }
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not passed yet.
    #[default]
    Open,
    /// Its checks held.
    Passed,
    /// Left out; that is not passed.
    Skipped,
}

impl Progress {
    /// Where the file is, below the state folder.
    pub fn path(state: &Path) -> PathBuf {
        state.join("course").join("progress.toml")
    }

    /// Reads the file; a learner without one has no progress yet.
    ///
    /// # Errors
    /// When the file is there but cannot be read or understood. It is never overwritten then.
    pub fn load(path: &Path) -> Outcome<Self> {
        let text = match bom::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(Failure::request(format!("cannot read {}", path.display())).because(error));
            }
        };
        toml::from_str(&text).map_err(|error| {
            Failure::request(format!(
                "the progress file {} cannot be understood",
                path.display()
            ))
            .because(error.to_string().trim_end())
            .hint(format!(
                "mend it, or move it away: mv {0} {0}.old",
                path.display()
            ))
        })
    }

    /// Writes the file: beside the old one first, then in its place, so a crash leaves one of the two whole.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save(&self, path: &Path) -> Outcome {
        let failed = |error: &dyn std::fmt::Display| {
            Failure::request(format!("cannot write {}", path.display())).because(error)
        };
        let text = toml::to_string(self).map_err(|error| failed(&error))?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        std::fs::write(&beside, text)
            .and_then(|()| std::fs::rename(&beside, path))
            .map_err(|error| failed(&error))
    }

    /// A lesson's progress, begun when there is none.
    pub fn lesson(&mut self, id: &str) -> &mut LessonProgress {
        self.lessons.entry(id.to_owned()).or_default()
    }
}

impl LessonProgress {
    /// The number of the step where the learner is: the one noted, else the first that is open, else the first that was
    /// left out. Behind the last step when all are passed.
    pub fn position(&self, lesson: &Lesson) -> usize {
        let first = |is: &dyn Fn(&Step) -> bool| lesson.steps.iter().position(is);
        self.at
            .as_deref()
            .and_then(|at| first(&|step| step.id == at))
            .or_else(|| first(&|step| self.state(step) == State::Open))
            .or_else(|| first(&|step| self.state(step) == State::Skipped))
            .unwrap_or(lesson.steps.len())
    }

    /// How a step stands.
    pub fn state(&self, step: &Step) -> State {
        self.steps
            .get(&step.id)
            .map_or(State::Open, |progress| progress.state)
    }

    /// Whether a step was passed when it asked for something else than today.
    pub fn passed_an_older(&self, step: &Step) -> bool {
        self.steps
            .get(&step.id)
            .is_some_and(|progress| progress.state == State::Passed && progress.revision < step.revision)
    }

    /// A step's progress, begun when there is none.
    pub fn step(&mut self, step: &Step) -> &mut StepProgress {
        self.steps.entry(step.id.clone()).or_default()
    }

    /// Notes that a step is passed or skipped, at this time. A step once passed stays so.
    pub fn set(&mut self, step: &Step, state: State, when: &str) {
        let progress = self.step(step);
        if state == State::Skipped && progress.state == State::Passed {
            return;
        }
        progress.state = state;
        progress.revision = step.revision;
        when.clone_into(&mut progress.when);
    }

    /// The beliefs that the cluster showed at any of its steps, by id.
    pub fn beliefs(&self) -> impl Iterator<Item = &str> {
        self.steps
            .values()
            .flat_map(|step| &step.beliefs)
            .map(String::as_str)
    }

    /// How many of the lesson's steps are passed.
    pub fn passed(&self, lesson: &Lesson) -> usize {
        lesson
            .steps
            .iter()
            .filter(|step| self.state(step) == State::Passed)
            .count()
    }

    /// Whether none is open.
    pub fn finished(&self, lesson: &Lesson) -> bool {
        lesson.steps.iter().all(|step| self.state(step) != State::Open)
    }
}

/// The time now, as it is written in the file.
pub fn now() -> String {
    jiff::Timestamp::now().round(jiff::Unit::Second).map_or_else(
        |_| jiff::Timestamp::now().to_string(),
        |timestamp| timestamp.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_wrote_survives() {
        let text = "current = \"velib\"\nnew-thing = 1\n\n[lesson.velib]\nat = \"gone\"\nmood = \"good\"\n\n\
                    [lesson.velib.step.gone]\nstate = \"passed\"\nrevision = 7\nstars = 3\n";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress.toml");
        std::fs::write(&path, text).unwrap();
        let before = Progress::load(&path).unwrap();
        before.save(&path).unwrap();
        let after = Progress::load(&path).unwrap();
        assert_eq!(before, after);
        let written = std::fs::read_to_string(&path).unwrap();
        for kept in ["new-thing = 1", "mood = \"good\"", "stars = 3", "revision = 7"] {
            assert!(written.contains(kept), "{kept} is lost:\n{written}");
        }
    }

    #[test]
    fn answers_of_each_kind_are_kept_with_what_the_cluster_said_first() {
        let question = |text: &str| Question::try_from(text.parse::<toml::Table>().unwrap()).unwrap();
        let typed = question("id = \"typed\"\nnumber = 3");
        let order = question("id = \"order\"\norder = [\"a\", \"b\"]\nstray = \"c\"");
        let mut step = StepProgress::default();
        assert_eq!(step.is_right(&typed), None);
        step.answer(&typed, Given::Number(3));
        step.answer(&order, Given::Order(vec![1, 3]));
        assert_eq!(step.is_right(&typed), Some(true));
        step.find(&typed, 4);
        step.find(&typed, 3);
        let kept: StepProgress = toml::from_str(&toml::to_string(&step).unwrap()).unwrap();
        assert_eq!(kept, step);
        assert_eq!(kept.is_right(&typed), Some(false));
        assert_eq!(kept.is_right(&order), Some(false));
        assert_eq!(kept.given(&order), Some(Given::Order(vec![1, 3])));
    }

    #[test]
    fn a_file_that_cannot_be_understood_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress.toml");
        std::fs::write(&path, "current = [").unwrap();
        let failure = Progress::load(&path).unwrap_err();
        assert!(failure.what().contains("progress.toml"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "current = [");
    }
}
