//! Writes down for the class how a lesson goes, in a thread beside it: the lesson never waits for it.
//!
//! Only the newest standing counts, so there is no queue: what changes while a record is on its way goes with the next one.

use super::standing::{Entry, Presence, Standing};
use super::{Notice, Register, TOPIC, roll};
use crate::course::progress;
use crate::failure::{Failure, Outcome};
use crate::kafka::errors::ErrorCode;
use crate::kafka::record_producer::{Outgoing, RecordProducer};
use crate::kafka::types::NewTopic;
use crate::kafka::{Admin, Connection};
use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a standing is written that does not change: whoever is not heard of for longer is away.
pub const HEARTBEAT: Duration = Duration::from_secs(60);

/// After how long to try again when something went wrong.
const AGAIN: Duration = Duration::from_secs(5);

/// How long the end of a lesson waits for the last record.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the topic is made. The broker's clock counts, since those of thirty machines differ; segments are closed soon, so that what
/// is outdated is cleaned away during the class.
const SETTINGS: [(&str, &str); 4] = [
    ("cleanup.policy", "compact"),
    ("message.timestamp.type", "LogAppendTime"),
    ("min.cleanable.dirty.ratio", "0.1"),
    ("segment.ms", "600000"),
];

/// Writes down how the lesson of one student goes.
pub struct Post {
    student: String,
    run: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    newest: Option<Entry>,
    /// The newest is not written yet.
    pending: bool,
    /// One is on its way.
    writing: bool,
    closing: bool,
    /// Nobody writes any more.
    ended: bool,
    /// Something has gone wrong with writing.
    refused: bool,
    /// Another of that name was found.
    namesake: bool,
    /// What the learner is not told yet.
    notices: Vec<Notice>,
}

impl Post {
    /// Begins to write for this student, to the class of this cluster.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn open(connection: &Connection, student: &str) -> Outcome<Self> {
        let shared = Arc::new(Shared::default());
        let (connection, theirs) = (connection.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("class".to_owned());
        // It ends with the post, or with the process.
        thread
            .spawn(move || write_all(&connection, &theirs))
            .map_err(|error| Failure::request("cannot write for the class").because(error))?;
        Ok(Post {
            student: student.to_owned(),
            run: uuid::Uuid::new_v4().simple().to_string(),
            shared,
        })
    }

    /// Notes that the learner leaves, and waits a moment until that is written; whether it is.
    pub fn leave(&self) -> bool {
        let mut state = self.shared.state.lock();
        if let Some(newest) = &mut state.newest {
            if newest.standing.presence == Presence::Here {
                newest.standing.presence = Presence::Left;
            }
            state.pending = true;
        }
        state.closing = true;
        self.shared.changed.notify_all();
        let deadline = Instant::now() + PATIENCE;
        while !state.ended && !self.shared.changed.wait_until(&mut state, deadline).timed_out() {}
        !state.pending && !state.writing
    }
}

impl Register for Post {
    fn note(&self, standing: Standing) {
        let mut state = self.shared.state.lock();
        let last = state.newest.as_ref();
        let same = last.is_some_and(|last| last.standing.says_the_same_as(&standing));
        let still = last.filter(|last| last.standing.step == standing.step);
        let since = still.map_or_else(progress::now, |last| last.since.clone());
        state.newest = Some(Entry {
            student: self.student.clone(),
            standing,
            since,
            when: String::new(),
            run: self.run.clone(),
        });
        if !same {
            state.pending = true;
            self.shared.changed.notify_all();
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.shared.state.lock().notices.pop()
    }
}

impl Shared {
    /// The next entry to write: one that is new, or the newest again after a while. `None` at the end.
    fn next(&self) -> Option<Entry> {
        let mut state = self.state.lock();
        loop {
            let mut due = state.pending;
            if !due {
                if state.closing {
                    return None;
                }
                due = self.changed.wait_for(&mut state, HEARTBEAT).timed_out();
            }
            if !due {
                continue;
            }
            if let Some(newest) = state.newest.clone() {
                state.pending = false;
                state.writing = true;
                return Some(Entry {
                    when: progress::now(),
                    ..newest
                });
            }
        }
    }

    fn name_the_namesake(&self) {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.namesake, true) {
            state.notices.push(Notice::Namesake);
        }
    }

    /// Notes how a writing came out. After one that failed waits a moment; `false` when nobody waits for another try.
    fn written(&self, outcome: Outcome) -> bool {
        let mut state = self.state.lock();
        state.writing = false;
        let Err(failure) = outcome else {
            self.changed.notify_all();
            return true;
        };
        tracing::debug!(%failure, "the class is not told");
        state.pending = true;
        if !std::mem::replace(&mut state.refused, true) {
            state.notices.push(Notice::Refused(failure));
        }
        self.changed.notify_all();
        let deadline = Instant::now() + AGAIN;
        while !state.closing && !self.changed.wait_until(&mut state, deadline).timed_out() {}
        !state.closing
    }
}

/// Writes entries until the post ends.
fn write_all(connection: &Connection, shared: &Shared) {
    let mut producer = None;
    while let Some(entry) = shared.next() {
        let outcome = write(connection, &mut producer, &entry, shared);
        if outcome.is_err() {
            // Whatever it still holds, the next try has the newest.
            producer = None;
        }
        if !shared.written(outcome) {
            break;
        }
    }
    shared.state.lock().ended = true;
    shared.changed.notify_all();
}

fn write(
    connection: &Connection,
    producer: &mut Option<RecordProducer>,
    entry: &Entry,
    shared: &Shared,
) -> Outcome {
    let producer = match producer {
        Some(producer) => producer,
        None => {
            make_topic(connection)?;
            let class = roll::read(connection)?;
            if class.has_another(&entry.student, &entry.run, Timestamp::now()) {
                shared.name_the_namesake();
            }
            producer.insert(RecordProducer::connect(connection)?)
        }
    };
    let value = serde_json::to_vec(entry)
        .map_err(|error| Failure::request("cannot write down how the lesson goes").because(error))?;
    producer.send(Outgoing {
        topic: TOPIC,
        key: Some(entry.key().as_bytes()),
        value: Some(&value),
        headers: &[],
    })?;
    producer.flush()
}

/// Makes the class's topic unless somebody has.
fn make_topic(connection: &Connection) -> Outcome {
    let admin = Admin::connect(connection)?;
    if admin.find_topic(TOPIC)?.is_some() {
        return Ok(());
    }
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let topic = NewTopic {
        partitions: Some(1),
        configs: SETTINGS.into_iter().map(owned).collect(),
        ..NewTopic::named(TOPIC)
    };
    for (name, answer) in admin.create_topics(&[topic], false)? {
        match answer {
            // Thirty begin at once.
            Err(error) if error.code() != ErrorCode::TopicAlreadyExists => {
                return Err(error.into_failure(format!("cannot create topic `{name}`")));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
