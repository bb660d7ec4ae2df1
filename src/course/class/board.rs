//! The teacher's board: where each student is, and who needs help.

use super::post::HEARTBEAT;
use super::standing::{Entry, Presence, Standing};
use crate::course::check::Finding;
use crate::course::dress::Dress;
use crate::course::facts::Have;
use crate::course::model::Lesson;
use crate::i18n::Words;
use crate::kafka::Connection;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Who is not heard of for longer than this, in seconds, is away: two records and a half are missing.
const SILENCE: i64 = HEARTBEAT.as_secs().cast_signed() * 5 / 2;

/// How many minutes at a step a hint at it counts for: who has asked for help and still is there needs more of it.
const HINT: i64 = 3;

/// The same for a belief that was met at it.
const BELIEF: i64 = 5;

/// The class, as the records that were read so far have it.
#[derive(Debug, Default)]
pub struct Board {
    entries: BTreeMap<(String, String), Heard>,
    /// Records that are none of a class's.
    strange: usize,
}

/// A record, and when it came.
#[derive(Debug)]
struct Heard {
    entry: Entry,
    /// By the cluster's clock, where its topic says so.
    at: Timestamp,
}

/// What a student does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Is at a step that is not passed yet.
    Working,
    /// The same, but nothing has been heard for a while.
    Silent,
    /// Has passed the step and not gone on yet.
    Done,
    /// Has left the lesson before its end.
    Left,
    /// Is behind the last step.
    Finished,
}

/// A line of the board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Who.
    pub student: String,
    /// In which lesson.
    pub lesson: String,
    /// At which step; none behind the last.
    pub step: Option<String>,
    /// The number of that step.
    pub number: usize,
    /// How many steps there are.
    pub of: usize,
    /// What the student does.
    pub state: State,
    /// For how many seconds the student has been at that step.
    #[serde(rename = "here_s")]
    pub seconds: i64,
    /// When the student was last heard of, in milliseconds since 1970-01-01 UTC.
    pub heard_ms: i64,
    /// The check that does not hold.
    pub check: Option<String>,
    /// The beliefs met at that step.
    pub beliefs: Vec<String>,
    /// How many hints were asked for at that step; the solution counts as one more.
    pub hints: usize,
    /// How many steps of the lesson are passed.
    pub passed: usize,
    /// How many of its questions were answered right.
    pub right: usize,
    /// How many were answered.
    pub answered: usize,
    /// How much help is needed, in minutes: those at the step, and more for hints and beliefs. 0 where none is.
    pub need: i64,
}

impl Board {
    /// Takes a record of the class's topic; a null value forgets the student's lesson.
    pub fn take(&mut self, key: Option<&[u8]>, value: Option<&[u8]>, timestamp: Option<i64>) {
        let key = key.and_then(|key| std::str::from_utf8(key).ok());
        let Some((student, lesson)) = key.and_then(|key| key.split_once('/')) else {
            self.strange += 1;
            return;
        };
        let place = (student.to_owned(), lesson.to_owned());
        let Some(value) = value else {
            self.entries.remove(&place);
            return;
        };
        let read: Result<Entry, serde_json::Error> = serde_json::from_slice(value);
        let Some(entry) = read.ok().filter(|entry| Some(entry.key().as_str()) == key) else {
            self.strange += 1;
            return;
        };
        let at = timestamp.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = at.or_else(|| entry.when.parse().ok()).unwrap_or_default();
        self.entries.insert(place, Heard { entry, at });
    }

    /// How many records could not be read.
    pub fn strange(&self) -> usize {
        self.strange
    }

    /// Whether somebody of this name is in a lesson just now, in another run than this one.
    pub fn has_another(&self, student: &str, run: &str, now: Timestamp) -> bool {
        let mut of_that_name = self
            .entries
            .values()
            .filter(|heard| heard.entry.student == student && heard.entry.run != run);
        of_that_name.any(|heard| matches!(heard.row(now).state, State::Working | State::Done))
    }

    /// Forgets everything: the topic is another one now.
    pub fn clear(&mut self) {
        *self = Board::default();
    }

    /// The names of the students.
    pub fn students(&self) -> BTreeSet<&str> {
        self.entries.keys().map(|(student, _)| student.as_str()).collect()
    }

    /// A line for each student, about the lesson in which he was heard of last; who needs help most comes first.
    pub fn rows(&self, now: Timestamp) -> Vec<Row> {
        let mut newest: BTreeMap<&str, &Heard> = BTreeMap::new();
        for heard in self.entries.values() {
            let known = newest.entry(&heard.entry.student).or_insert(heard);
            if heard.at > known.at {
                *known = heard;
            }
        }
        let mut rows: Vec<Row> = newest.values().map(|heard| heard.row(now)).collect();
        rows.sort_by_key(|row| (row.state, Reverse(row.need), row.student.clone()));
        rows
    }

    /// All that is known of one student, the lesson of which was heard last first.
    pub fn of(&self, student: &str, now: Timestamp) -> Vec<(Row, &Standing)> {
        let mut all: Vec<&Heard> = self.entries.values().collect();
        all.retain(|heard| heard.entry.student == student);
        all.sort_by_key(|heard| Reverse(heard.at));
        let all = all.into_iter();
        all.map(|heard| (heard.row(now), &heard.entry.standing)).collect()
    }
}

impl Heard {
    fn row(&self, now: Timestamp) -> Row {
        let standing = &self.entry.standing;
        let silence = now.duration_since(self.at).max(SignedDuration::ZERO);
        let silent = silence.as_secs() > SILENCE;
        let state = match standing.presence {
            Presence::Finished => State::Finished,
            Presence::Left => State::Left,
            Presence::Here if silent => State::Silent,
            Presence::Here if standing.done => State::Done,
            Presence::Here => State::Working,
        };
        // The learner's own clock says how long he was there when this was written, whatever time it shows.
        let until_written = self.entry.until_written();
        let goes_on = matches!(state, State::Working | State::Done | State::Silent);
        let seconds = until_written + if goes_on { silence.as_secs() } else { 0 };
        let here = standing.at_step();
        let beliefs = here.map_or_else(Vec::new, beliefs);
        let hints = here.map_or(0, |step| number(step, "hints"));
        let need = match state {
            State::Working => seconds / 60 + HINT * count(hints) + BELIEF * count(beliefs.len()),
            State::Silent | State::Done | State::Left | State::Finished => 0,
        };
        let questions = || standing.steps.iter().flat_map(questions);
        Row {
            student: self.entry.student.clone(),
            lesson: standing.lesson.clone(),
            step: standing.step.clone(),
            number: standing.number,
            of: standing.of,
            state,
            seconds,
            heard_ms: self.at.as_millisecond(),
            check: standing.stuck.as_ref().map(|stuck| stuck.check.clone()),
            beliefs,
            hints,
            passed: standing.steps.iter().filter(|step| is_passed(step)).count(),
            right: questions().filter(|asked| asked["right"] == true).count(),
            answered: questions().filter(|asked| !asked["right"].is_null()).count(),
            need,
        }
    }
}

impl Entry {
    /// For how many seconds the learner had been at the step when this was written.
    fn until_written(&self) -> i64 {
        let moment = |text: &str| text.parse::<Timestamp>().ok();
        match (moment(&self.since), moment(&self.when)) {
            (Some(since), Some(when)) => when.duration_since(since).as_secs().max(0),
            _ => 0,
        }
    }
}

impl Standing {
    /// The step where the learner is, as the report has it.
    fn at_step(&self) -> Option<&Value> {
        let at = self.step.as_deref()?;
        self.steps.iter().find(|step| step["step"] == at)
    }

    /// What is missing at the step, in the words of whoever reads: as the learner was told it. `None` where nothing is, or the
    /// lesson is not known here.
    pub fn missing(&self, lesson: &Lesson, words: &Words) -> Option<String> {
        let stuck = self.stuck.as_ref()?;
        let step = lesson.step(self.step.as_deref()?)?;
        let check = step.checks.iter().find(|check| check.name == stuck.check)?;
        let dress = Dress::new(lesson, &self.prefix, Connection::DEFAULT_BOOTSTRAP);
        let have = stuck.have.clone();
        let finding = Finding {
            check: dress.check(check),
            have: have.map(|value| Have { value, counted: None }),
            passed: false,
        };
        Some(finding.line(words))
    }
}

/// Whether a step of the report is passed.
pub fn is_passed(step: &Value) -> bool {
    step["state"] == "passed"
}

/// The beliefs that a step of the report shows, each once.
pub fn beliefs(step: &Value) -> Vec<String> {
    let shown = questions(step).map(|asked| &asked["belief"]);
    let named = step["beliefs"].as_array().into_iter().flatten();
    let ids: BTreeSet<&str> = shown.chain(named).filter_map(Value::as_str).collect();
    ids.into_iter().map(str::to_owned).collect()
}

/// The questions of a step of the report.
pub fn questions(step: &Value) -> impl Iterator<Item = &Value> {
    step["questions"].as_array().into_iter().flatten()
}

/// A number of a step of the report.
pub fn number(step: &Value, name: &str) -> usize {
    let number = step[name].as_u64().unwrap_or_default();
    usize::try_from(number).unwrap_or_default()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX / 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::class::standing::Stuck;
    use serde_json::json;

    /// A student at a step for so many minutes, with so many hints and these beliefs.
    fn entry(student: &str, minutes: i64, hints: usize, beliefs: &[&str]) -> Entry {
        let questions: Vec<Value> = beliefs
            .iter()
            .map(|belief| json!({ "question": "q", "given": 1, "right": false, "belief": belief }))
            .collect();
        let written = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(1);
        Entry {
            student: student.to_owned(),
            standing: Standing {
                lesson: "hello-kafka".to_owned(),
                prefix: format!("{student}-"),
                presence: Presence::Here,
                step: Some("create".to_owned()),
                number: 2,
                of: 7,
                done: false,
                stuck: Some(Stuck {
                    check: "exists".to_owned(),
                    have: None,
                }),
                steps: vec![
                    json!({ "step": "look", "state": "passed", "hints": 0, "questions": [] }),
                    json!({ "step": "create", "state": "open", "hints": hints, "questions": questions }),
                ],
            },
            since: (written - SignedDuration::from_mins(minutes)).to_string(),
            when: written.to_string(),
            run: "1".to_owned(),
        }
    }

    /// The broker's clock is ten hours ahead of the students'.
    const WRITTEN: i64 = 36_000_000;

    fn put(board: &mut Board, entry: &Entry) {
        let value = serde_json::to_vec(entry).unwrap();
        board.take(Some(entry.key().as_bytes()), Some(&value), Some(WRITTEN));
    }

    fn now() -> Timestamp {
        Timestamp::from_millisecond(WRITTEN + 60_000).unwrap()
    }

    fn names(board: &Board, now: Timestamp) -> Vec<String> {
        board.rows(now).into_iter().map(|row| row.student).collect()
    }

    #[test]
    fn who_needs_help_comes_first() {
        let mut board = Board::default();
        put(&mut board, &entry("long-here", 11, 0, &[]));
        put(&mut board, &entry("just-here", 1, 0, &[]));
        put(&mut board, &entry("asks", 3, 3, &[]));
        put(&mut board, &entry("believes", 1, 1, &["reading-removes"]));
        let mut done = entry("waits", 30, 3, &[]);
        done.standing.done = true;
        let mut left = entry("left", 30, 3, &[]);
        left.standing.presence = Presence::Left;
        put(&mut board, &left);
        put(&mut board, &done);
        assert_eq!(
            names(&board, now()),
            ["asks", "long-here", "believes", "just-here", "waits", "left"]
        );
        let needs: Vec<i64> = board.rows(now()).iter().map(|row| row.need).collect();
        assert_eq!(needs, [13, 12, 10, 2, 0, 0]);
    }

    #[test]
    fn a_line_says_where_and_since_when_whatever_the_student_s_clock_shows() {
        let mut board = Board::default();
        put(&mut board, &entry("ana", 5, 2, &["reading-removes"]));
        let row = board.rows(now()).remove(0);
        assert_eq!((row.number, row.of, row.passed), (2, 7, 1));
        assert_eq!(row.seconds, 6 * 60);
        assert_eq!(row.check.as_deref(), Some("exists"));
        assert_eq!(row.beliefs, ["reading-removes"]);
        assert_eq!((row.right, row.answered), (0, 1));
        assert_eq!(row.state, State::Working);
    }

    #[test]
    fn what_the_cluster_shows_that_a_student_believes_stands_beside_what_answers_show() {
        let mut ana = entry("ana", 5, 0, &["reading-removes"]);
        ana.standing.steps[1]["beliefs"] = json!(["kafka-pushes", "reading-removes"]);
        let mut board = Board::default();
        put(&mut board, &ana);
        let row = board.rows(now()).remove(0);
        assert_eq!(row.beliefs, ["kafka-pushes", "reading-removes"]);
    }

    #[test]
    fn who_is_not_heard_of_is_away_and_who_is_deleted_is_forgotten() {
        let mut board = Board::default();
        put(&mut board, &entry("ana", 5, 0, &[]));
        let late = Timestamp::from_millisecond(WRITTEN + 200_000).unwrap();
        assert_eq!(board.rows(late)[0].state, State::Silent);
        board.take(Some(b"ana/hello-kafka"), None, Some(WRITTEN));
        assert!(board.rows(late).is_empty());
    }

    #[test]
    fn who_is_here_in_another_run_is_a_namesake() {
        let mut board = Board::default();
        put(&mut board, &entry("ana", 5, 0, &[]));
        assert!(board.has_another("ana", "2", now()));
        assert!(!board.has_another("ana", "1", now()), "that is the same one");
        assert!(!board.has_another("eva", "2", now()));
        let late = Timestamp::from_millisecond(WRITTEN + 200_000).unwrap();
        assert!(!board.has_another("ana", "2", late), "not heard of for long");
    }

    #[test]
    fn what_others_write_there_is_counted_and_not_believed() {
        let mut board = Board::default();
        put(&mut board, &entry("ana", 5, 0, &[]));
        let value = serde_json::to_vec(&entry("ana", 5, 0, &[])).unwrap();
        board.take(None, Some(&value), None);
        board.take(Some(b"eva/hello-kafka"), Some(&value), None);
        board.take(Some(b"eva/hello-kafka"), Some(b"{}"), None);
        board.take(Some(&[0xff, b'/']), Some(&value), None);
        assert_eq!(board.strange(), 4);
        assert_eq!(names(&board, now()), ["ana"]);
    }
}
