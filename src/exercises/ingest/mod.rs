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

use crate::failure::{Kind, Outcome};
use crate::kafka::group_consumer::{Assigned, Gathered, Limits, Progress, Received, Start};
use crate::kafka::{Admin, Connection, GroupConsumer};
use crate::ui::units::counted;
use crate::ui::wait::Wait;
use crate::ui::{Interrupt, Ui};
use dead_letters::DeadLetters;
pub use document::Json;
use document::Wanted;
use file::JsonFile;
use mongo::{Mongo, Sending};
use mongodb::bson::rawdoc;
use patience::Patience;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};
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
    next: BTreeMap<i32, i64>,
}

/// An ingest at work.
struct Ingest<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    ui: Ui,
    interrupt: Interrupt,
    target: Target,
    dead: DeadLetters,
    consumer: GroupConsumer,
    admin: Admin,
    patience: Patience,
    flight: Option<Flight>,
    progress: Progress,
    /// What is written and waits for its commit.
    held: BTreeMap<i32, i64>,
    /// When the last commit was.
    committed: Instant,
    /// How many were written before, and whether that was told since the partitions came.
    again: Again,
    tally: Tally,
    /// Until the group has given this member its share.
    joining: Option<Wait>,
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
    let joining = ui.waiting_for(format!("a share of `{}` in group `{}`", plan.topic, plan.group));
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
    let mut ingest = Ingest {
        connection,
        plan,
        ui,
        interrupt,
        target,
        dead,
        consumer: GroupConsumer::join(connection, &plan.group, &plan.topic, Start::Earliest)?,
        admin,
        patience: Patience::new(ui, interrupt),
        flight: None,
        progress: Progress::default(),
        held: BTreeMap::new(),
        committed: Instant::now(),
        again: Again::default(),
        tally: Tally::start(ui),
        joining: Some(joining),
    };
    let ended = ingest.run();
    ingest.summary().and(ended)
}

impl Ingest<'_> {
    fn run(&mut self) -> Outcome {
        loop {
            let batch = self.read()?;
            if batch.is_empty() {
                self.finish()?;
                if self.plan.exit_at_end {
                    self.commit_held()?;
                }
            } else if self.is_of_our_topic()? {
                self.launch(batch)?;
            } else {
                self.begin_anew()?;
            }
            if self.interrupt.pressed() {
                self.finish()?;
                self.commit_held()?;
            }
            if self.is_done() {
                return Ok(());
            }
            self.interrupt.check()?;
            if self.tally.is_asked() {
                self.summary()?;
            }
        }
    }

    /// Records that came together, none after a rebalance.
    fn read(&mut self) -> Outcome<Vec<Received>> {
        let limits = Limits {
            records: self.plan.batch,
            bytes: BYTES,
            time: self.plan.max_wait,
            wait: if self.flight.is_none() {
                Limits::GLANCE
            } else {
                MEANWHILE
            },
        };
        let interrupt = self.interrupt;
        match self.consumer.gather(limits, &|| interrupt.pressed())? {
            Gathered::Records(batch) => return Ok(batch),
            Gathered::Trouble(why) => self.ui.say(format!("the cluster: {why}; trying again")),
            Gathered::Revoked => {
                self.finish()?;
                self.commit_held()?;
                self.progress = Progress::default();
            }
            Gathered::Replaced => self.begin_anew()?,
            Gathered::Assigned(assigned) => self.take(&assigned)?,
        }
        Ok(Vec::new())
    }

    fn take(&mut self, assigned: &[Assigned]) -> Outcome {
        self.joining = None;
        self.dead.restore(self.connection, &self.consumer, assigned)?;
        self.tally.begin();
        self.progress = Progress::begin(&self.consumer, assigned)?;
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
        if matches!(&self.target, Target::File(file) if begun && !file.knows(self.consumer.topic_id())) {
            self.ui.say(format!(
                "what group `{}` has read before is not in {place}; --group ANOTHER reads it again",
                self.plan.group
            ));
        }
        self.ui.say(format!(
            "group `{}`: {} of `{}` into {place}{}",
            self.plan.group,
            self.progress.partitions(),
            self.plan.topic,
            if self.ui.interactive() {
                " (Enter tells how far, Ctrl-C ends)"
            } else {
                ""
            }
        ));
        Ok(())
    }

    /// Whether the records read so far are of the topic that this member joined for, and not of another one that was made
    /// under its name since: what has that id now has had it all the time.
    fn is_of_our_topic(&mut self) -> Outcome<bool> {
        loop {
            match self.admin.describe_topic(&self.plan.topic) {
                Err(away) if away.kind() == Kind::Unreachable => self.patience.wait(&away.in_a_line())?,
                answer => return Ok(answer?.id == self.consumer.topic_id()),
            }
        }
    }

    /// Joins for the topic that has taken the place of the one that was read. What is on its way of the old one is written;
    /// its offsets mean nothing any more.
    fn begin_anew(&mut self) -> Outcome {
        self.land()?;
        self.dead.flush(&mut self.patience)?;
        self.ui.say(format!(
            "topic `{}` was deleted and made again: reading the new one from its beginning",
            self.plan.topic
        ));
        self.progress = Progress::default();
        self.held.clear();
        self.consumer = self.consumer.successor()?;
        Ok(())
    }

    /// Begins to write a batch once the one before is written, and commits that one.
    fn launch(&mut self, batch: Vec<Received>) -> Outcome {
        let (wanted, next) = self.prepare(batch)?;
        let commands = match &self.target {
            Target::Mongo(mongo) => Some(mongo.encode(&wanted)),
            Target::File(_) => None,
        };
        let landed = self.land()?;
        let sending = match &mut self.target {
            Target::Mongo(mongo) => commands.map(|commands| mongo.begin(commands)),
            Target::File(file) => {
                file.write(self.consumer.topic_id(), &wanted)?;
                None
            }
        };
        self.flight = Some(Flight {
            wanted,
            sending,
            next,
        });
        self.commit(landed)
    }

    /// What the records ask for, and the offsets to commit when it is written.
    fn prepare(&mut self, batch: Vec<Received>) -> Outcome<(Vec<Wanted>, BTreeMap<i32, i64>)> {
        let mut next = BTreeMap::new();
        let mut wanted = Vec::with_capacity(batch.len());
        for record in batch {
            next.insert(record.partition, record.offset + 1);
            self.tally.read += 1;
            if matches!(&self.target, Target::File(file) if file.holds(self.consumer.topic_id(), &record)) {
                self.tally.there += 1;
                continue;
            }
            let Plan { identity, json, .. } = self.plan;
            match document::read(&record, identity, *json, self.consumer.topic_id()) {
                Ok((id, document)) => wanted.push(Wanted { record, id, document }),
                Err(reason) => self.bury(&record, &reason)?,
            }
        }
        if self.plan.identity != Identity::Record {
            self.tally.superseded += keep_last(&mut wanted);
        }
        Ok((wanted, next))
    }

    /// Waits until the batch that is on its way is written. Answers what to commit once its dead letters are flushed.
    fn land(&mut self) -> Outcome<BTreeMap<i32, i64>> {
        let Some(flight) = self.flight.take() else {
            return Ok(BTreeMap::new());
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
                Fate::Refused(reason) => self.bury(&one.record, &reason)?,
            }
        }
        Ok(flight.next)
    }

    /// Finishes what is on its way.
    fn finish(&mut self) -> Outcome {
        let landed = self.land()?;
        self.commit(landed)
    }

    fn bury(&mut self, record: &Received, reason: &str) -> Outcome {
        if self.tally.dead == 0 {
            self.ui.say(format!(
                "partition {} offset {}: {reason}; such records go to `{}`",
                record.partition, record.offset, self.plan.dead_letter
            ));
        }
        self.tally.dead += 1;
        self.dead.send(self.consumer.topic_id(), record, reason)
    }

    /// The dead letters, then the offsets.
    fn commit(&mut self, next: BTreeMap<i32, i64>) -> Outcome {
        if !next.is_empty() {
            self.dead.flush(&mut self.patience)?;
            self.tell_again();
        }
        self.held.extend(next);
        if self.committed.elapsed() < self.plan.commit_every {
            return Ok(());
        }
        self.commit_held()
    }

    fn commit_held(&mut self) -> Outcome {
        self.committed = Instant::now();
        self.progress
            .commit(&self.consumer, std::mem::take(&mut self.held))
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

    fn is_done(&self) -> bool {
        self.plan.exit_at_end
            && self.flight.is_none()
            && self.held.is_empty()
            && self.progress.is_complete(&self.consumer)
    }

    fn summary(&self) -> Outcome {
        self.tally.tell(self.consumer.lag(&self.progress), self.ui)
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
