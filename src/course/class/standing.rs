//! Where a learner stands, as it is written down for the class.

use crate::course::check::Finding;
use crate::course::model::{Lesson, Step, Wanted};
use crate::course::progress::{LessonProgress, State};
use crate::course::report;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Whether a learner is in the lesson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// The runner goes on.
    Here,
    /// The learner has left it before its end.
    Left,
    /// The learner is behind the last step.
    Finished,
}

/// How a lesson stands with a learner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The lesson's id.
    pub lesson: String,
    /// What the names of the learner's topics and groups begin with.
    pub prefix: String,
    /// Whether the learner is in it.
    pub presence: Presence,
    /// The id of the step where the learner is; none behind the last.
    pub step: Option<String>,
    /// The number of that step, from 1.
    pub number: usize,
    /// How many steps there are.
    pub of: usize,
    /// Whether that step is passed, and only waits to be left.
    pub done: bool,
    /// The first check of that step that does not hold.
    pub stuck: Option<Stuck>,
    /// Every step as `velo lesson report --json` has it: its state, the help used, the answers given and what they show.
    pub steps: Vec<Value>,
}

/// A check that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stuck {
    /// Its name.
    pub check: String,
    /// What the cluster has instead: yes or no, a number or a text; nothing when the thing is not there.
    pub have: Option<Wanted>,
}

/// A record of the class's topic: how a lesson stands with a student, since when, and when that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub student: String,
    /// Where the learner stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Since when the learner is at that step, in RFC 3339, by the learner's clock.
    pub since: String,
    /// When this was written, likewise.
    pub when: String,
    /// The run of the lesson that wrote it: two students of one name are two.
    pub run: String,
}

impl Entry {
    /// The key of its record.
    pub fn key(&self) -> String {
        format!("{}/{}", self.student, self.standing.lesson)
    }
}

impl Standing {
    /// How a lesson stands with a learner at this step, of whose checks this was found.
    pub fn of(lesson: &Lesson, mine: &LessonProgress, at: Option<&Step>, findings: &[Finding]) -> Self {
        let done = at.is_some_and(|step| mine.state(step) == State::Passed);
        let missing = findings.iter().find(|finding| !finding.passed);
        Standing {
            lesson: lesson.id.clone(),
            prefix: mine.prefix.clone(),
            presence: match at {
                Some(_) => Presence::Here,
                None => Presence::Finished,
            },
            step: at.map(|step| step.id.clone()),
            number: at.map_or(lesson.steps.len(), |at| {
                let before = lesson.steps.iter().take_while(|step| step.id != at.id);
                before.count() + 1
            }),
            of: lesson.steps.len(),
            done,
            stuck: missing.filter(|_| !done).map(|finding| Stuck {
                check: finding.check.name.clone(),
                have: finding.have.as_ref().map(|have| have.value.clone()),
            }),
            steps: report::steps(lesson, mine),
        }
    }

    /// Whether both say the same but for how far a check is from holding, which may change all the time.
    pub fn says_the_same_as(&self, other: &Standing) -> bool {
        let plain = |standing: &Standing| {
            let mut plain = standing.clone();
            if let Some(stuck) = &mut plain.stuck {
                stuck.have = None;
            }
            plain
        };
        plain(self) == plain(other)
    }
}
