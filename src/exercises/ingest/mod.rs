//! From a topic of JSON records into a MongoDB collection, or a file, with nothing lost and nothing twice.
//!
//! Records are taken in batches: one record when there is no more, up to a limit under load. For each batch, in this
//! order: the documents are written and acknowledged, the dead letters are written and acknowledged, the offsets are
//! committed. A process killed anywhere in between leaves a batch that is read again, and what was written of it is found
//! there: documents by their `_id`, dead letters by their headers.
//!
//! While a batch is being written the next one is read and encoded. Before partitions go to others the one on its way is
//! finished and committed; what was read for the next one is left to the new owners.

mod dead_letters;
mod document;
mod extended;
mod file;
mod mongo;
mod patience;
mod replies;
mod tally;

use crate::exercises::stream::worker::{Next, Settings};
use crate::exercises::stream::{Member, Turn, Work, Worker};
use crate::failure::{Kind, Outcome};
use crate::kafka::group_consumer::{Assigned, Limits, Received, Start};
use crate::kafka::{Admin, Connection};
use crate::ui::units::counted;
use crate::ui::{Interrupt, Ui};
use dead_letters::DeadLetters;
pub use document::Json;
use document::Wanted;
use file::JsonFile;
use mongo::{Mongo, Sending};
use mongodb::bson::rawdoc;
use patience::Patience;
use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;
use tally::Tally;

/// Most bytes of values in a batch, unless a single record has more.
const BYTES: usize = 2 * 1024 * 1024;
/// How long to look for records while a batch is being written, before that is waited for.
const MEANWHILE: Duration = Duration::from_millis(5);
/// Where a document's `_id` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// From the record's topic, partition and offset: each record a document, once.
    Record,
    /// From the record's key: the last record of a key is the document, a tombstone deletes it.
    Key,
    /// From that field of the value: the last record with it is the document.
    Field(String),
}

/// Where the documents go.
#[derive(Debug, Clone)]
pub enum Place {
    /// A collection.
    MongoDb {
        /// `mongodb://…`
        uri: String,
        /// Its database.
        database: String,
        /// Its name.
        collection: String,
    },
    /// A file, one document a line.
    File(PathBuf),
}

/// What an ingest does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic to read.
    pub topic: String,
    /// The group that shares the work.
    pub group: String,
    /// Where the documents go.
    pub to: Place,
    /// Where their `_id` comes from; a file takes [`Identity::Record`] only.
    pub identity: Identity,
    /// What the records' JSON is read as.
    pub json: Json,
    /// Most records of a batch.
    pub batch: usize,
    /// How long to collect records that keep coming before they are written.
    pub max_wait: Duration,
    /// How long written batches may wait for their commit; zero commits each at once.
    pub commit_every: Duration,
    /// The topic of the dead letters.
    pub dead_letter: String,
    /// End once everything that was there at the start is dealt with.
    pub exit_at_end: bool,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is written, or deleted, now.
    Written,
    /// It was there already.
    There,
    /// It will never be taken, for this reason.
    Refused(String),
}

enum Target {
    Mongo(Mongo),
    File(JsonFile),
}

/// A batch that is being written.
struct Flight {
    wanted: Vec<Wanted>,
    /// None when it is written already.
    sending: Option<Sending>,
    /// What to commit afterwards.
    next: Next,
}

/// An ingest at work.
struct Ingest<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    ui: Ui,
    target: Target,
    dead: DeadLetters,
    admin: Admin,
    patience: Patience,
    flight: Option<Flight>,
    /// How many were written before, and whether that was told since the partitions came.
    again: Again,
    tally: Tally,
}

/// What a process before this one had written, and not committed.
#[derive(Debug, Default)]
struct Again {
    /// How many had been there already when the partitions came.
    before: u64,
    told: bool,
}

/// Ingests until Ctrl-C, or until the plan is done. A summary, on stderr (as JSON on stdout with `--output json`), says
/// what was counted; on a terminal Enter asks for one.
///
/// # Errors
/// When Ctrl-C was pressed, when the target refuses for good, and when the cluster cannot be read or written.
pub fn ingest(connection: &Connection, plan: &Plan, ui: Ui, interrupt: Interrupt) -> Outcome {
    let joining = Worker::joining(ui, &plan.topic, &plan.group);
    let admin = Admin::connect(connection)?;
    admin.describe_topic(&plan.topic)?;
    let target = match &plan.to {
        Place::File(path) => Target::File(JsonFile::open(path)?),
        Place::MongoDb {
            uri,
            database,
            collection,
        } => Target::Mongo(Mongo::connect(
            uri,
            database,
            collection,
            plan.identity == Identity::Record,
        )?),
    };
    let dead = DeadLetters::open(connection, &admin, &plan.topic, &plan.dead_letter, &plan.group)?;
    let settings = Settings {
        topic: plan.topic.clone(),
        group: plan.group.clone(),
        start: Start::Earliest,
        instance: None,
        commit_every: plan.commit_every,
        exit_at_end: plan.exit_at_end,
    };
    let mut worker = Worker::join(connection, &settings, ui, joining)?;
    let mut ingest = Ingest {
        connection,
        plan,
        ui,
        target,
        dead,
        admin,
        patience: Patience::new(ui, interrupt),
        flight: None,
        again: Again::default(),
        tally: Tally::start(ui),
    };
    let ended = worker.run(&mut ingest, &|| interrupt.check());
    ingest.tally.tell(worker.lag(), ui).and(ended)
}

impl Work for Ingest<'_> {
    fn limits(&self) -> Limits {
        Limits {
            records: self.plan.batch,
            bytes: BYTES,
            time: self.plan.max_wait,
            wait: if self.flight.is_none() {
                Limits::GLANCE
            } else {
                MEANWHILE
            },
        }
    }

    fn restore(&mut self, member: Member<'_>, assigned: &[Assigned]) -> Outcome {
        self.dead.restore(self.connection, member.consumer, assigned)?;
        self.tally.begin();
        Ok(())
    }

    fn begin(&mut self, member: Member<'_>, assigned: &[Assigned]) -> Outcome<String> {
        self.again = Again {
            before: self.tally.there,
            told: false,
        };
        let place = match &self.target {
            Target::Mongo(mongo) => mongo.place(),
            Target::File(file) => file.place(),
        };
        let begun = assigned
            .iter()
            .any(|given| given.start > 0 && given.committed.is_some());
        let topic_id = member.consumer.topic_id();
        if matches!(&self.target, Target::File(file) if begun && !file.knows(topic_id)) {
            self.ui.say(format!(
                "what group `{}` has read before is not in {place}; --group ANOTHER reads it again",
                self.plan.group
            ));
        }
        let keys = match self.ui.interactive() {
            true => " (Enter tells how far, Ctrl-C ends)",
            false => "",
        };
        Ok(format!(" into {place}{keys}"))
    }

    /// Begins to write a batch once the one before is written, which is answered for.
    fn work(&mut self, member: Member<'_>, batch: Vec<Received>) -> Outcome<Turn> {
        let topic_id = member.consumer.topic_id();
        if !self.is_of_our_topic(topic_id)? {
            return Ok(Turn::Replaced);
        }
        let (wanted, next) = self.prepare(topic_id, batch)?;
        let commands = match &self.target {
            Target::Mongo(mongo) => Some(mongo.encode(&wanted)),
            Target::File(_) => None,
        };
        let landed = self.land(topic_id)?;
        let sending = match &mut self.target {
            Target::Mongo(mongo) => commands.map(|commands| mongo.begin(commands)),
            Target::File(file) => {
                file.write(topic_id, &wanted)?;
                None
            }
        };
        self.flight = Some(Flight {
            wanted,
            sending,
            next,
        });
        self.answer_for(landed)
    }

    fn finish(&mut self, member: Member<'_>) -> Outcome<Turn> {
        let landed = self.land(member.consumer.topic_id())?;
        self.answer_for(landed)
    }

    fn is_idle(&self) -> bool {
        self.flight.is_none()
    }

    fn tick(&mut self, member: Member<'_>) -> Outcome<Turn> {
        if self.tally.is_asked() {
            let lag = member.consumer.lag(member.progress);
            self.tally.tell(lag, self.ui)?;
        }
        Ok(Turn::nothing())
    }

    fn forget(&mut self) {}

    fn abandon(&mut self, member: Member<'_>) -> Outcome {
        self.land(member.consumer.topic_id())?;
        self.dead.flush(&mut self.patience)
    }
}

impl Ingest<'_> {
    /// Whether the records read so far are of the topic that this member joined for, and not of another one that was made
    /// under its name since: what has that id now has had it all the time.
    fn is_of_our_topic(&mut self, topic_id: &str) -> Outcome<bool> {
        loop {
            match self.admin.describe_topic(&self.plan.topic) {
                Err(away) if away.kind() == Kind::Unreachable => self.patience.wait(&away.in_a_line())?,
                answer => return Ok(answer?.id == topic_id),
            }
        }
    }

    /// What the records ask for, and the offsets to commit when it is written.
    fn prepare(&mut self, topic_id: &str, batch: Vec<Received>) -> Outcome<(Vec<Wanted>, Next)> {
        let mut next = Next::new();
        let mut wanted = Vec::with_capacity(batch.len());
        for record in batch {
            next.insert(record.partition, record.offset + 1);
            self.tally.read += 1;
            if matches!(&self.target, Target::File(file) if file.holds(topic_id, &record)) {
                self.tally.there += 1;
                continue;
            }
            let Plan { identity, json, .. } = self.plan;
            match document::read(&record, identity, *json, topic_id) {
                Ok((id, document)) => wanted.push(Wanted { record, id, document }),
                Err(reason) => self.bury(topic_id, &record, &reason)?,
            }
        }
        if self.plan.identity != Identity::Record {
            self.tally.superseded += keep_last(&mut wanted);
        }
        Ok((wanted, next))
    }

    /// Waits until the batch that is on its way is written. Answers what to commit once its dead letters are flushed.
    fn land(&mut self, topic_id: &str) -> Outcome<Next> {
        let Some(flight) = self.flight.take() else {
            return Ok(Next::new());
        };
        let fates = match (&self.target, flight.sending) {
            (Target::Mongo(mongo), Some(sending)) => {
                let _waiting = self.ui.waiting_for(mongo.place());
                mongo.finish(sending, &flight.wanted, &mut self.patience)?
            }
            _ => vec![Fate::Written; flight.wanted.len()],
        };
        for (one, fate) in flight.wanted.iter().zip(fates) {
            match fate {
                Fate::Written if one.document.is_none() => self.tally.deleted += 1,
                Fate::Written => self.tally.written += 1,
                Fate::There => self.tally.there += 1,
                Fate::Refused(reason) => self.bury(topic_id, &one.record, &reason)?,
            }
        }
        Ok(flight.next)
    }

    fn bury(&mut self, topic_id: &str, record: &Received, reason: &str) -> Outcome {
        if self.tally.dead == 0 {
            self.ui.say(format!(
                "partition {} offset {}: {reason}; such records go to `{}`",
                record.partition, record.offset, self.plan.dead_letter
            ));
        }
        self.tally.dead += 1;
        self.dead.send(topic_id, record, reason)
    }

    /// The dead letters are written before the offsets are committed.
    fn answer_for(&mut self, landed: Next) -> Outcome<Turn> {
        if !landed.is_empty() {
            self.dead.flush(&mut self.patience)?;
            self.tell_again();
        }
        Ok(Turn::Written(landed))
    }

    /// Says once how many records a process before this one had written and not committed, as soon as the first new one
    /// comes.
    fn tell_again(&mut self) {
        let again = self.tally.there - self.again.before;
        if self.again.told || self.tally.written == 0 || self.plan.exit_at_end {
            return;
        }
        self.again.told = true;
        if again > 0 {
            self.ui.say(format!(
                "{} already there: written before, and not committed",
                counted(
                    again,
                    "record read again that was",
                    "records read again that were"
                )
            ));
        }
    }
}

/// Of those with the same `_id`, only the last stays. Answers how many went.
fn keep_last(wanted: &mut Vec<Wanted>) -> u64 {
    let before = wanted.len();
    let mut seen = HashSet::new();
    wanted.reverse();
    wanted.retain(|one| seen.insert(rawdoc! {"_id": one.id.clone()}.into_bytes()));
    wanted.reverse();
    (before - wanted.len()) as u64
}
