//! From a topic of JSON records into a MongoDB collection, or a file, with nothing lost and nothing twice.
//!
//! Records are taken in batches: one record when there is no more, up to a limit under load. For each batch, in this
//! order: the documents are written and acknowledged, the dead letters are written and acknowledged, the offsets are
//! committed. A process killed anywhere in between leaves a batch that is read again, and what was written of it is found
//! there: documents by their `_id`, dead letters by their headers.
//!
//! A rebalance is noticed between two batches; what was read for the next one is left to the partitions' new owners.

mod dead_letters;
mod document;
mod file;
mod mongo;
mod replies;
mod tally;

use crate::failure::Outcome;
use crate::kafka::group_consumer::{Assigned, Gathered, Limits, Received, Start};
use crate::kafka::{Admin, Connection, GroupConsumer, TopicPartition};
use crate::ui::{Interrupt, Ui};
use dead_letters::DeadLetters;
use document::Wanted;
use file::JsonFile;
use mongo::Mongo;
use mongodb::bson::rawdoc;
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;
use tally::Tally;

/// Most bytes of values in a batch, unless a single record has more.
const BYTES: usize = 8 * 1024 * 1024;
/// The first wait when the target is away; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait.
const LAST_WAIT: Duration = Duration::from_secs(5);

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
    /// Most records of a batch.
    pub batch: usize,
    /// How long to collect records that keep coming before they are written.
    pub max_wait: Duration,
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

/// Waits between attempts, longer each time, and tells the user.
#[derive(Debug)]
pub struct Patience {
    ui: Ui,
    interrupt: Interrupt,
    wait: Duration,
    waited: bool,
}

impl Patience {
    /// Says why, and waits before the next attempt.
    ///
    /// # Errors
    /// When Ctrl-C is pressed.
    pub fn wait(&mut self, why: &str) -> Outcome {
        self.interrupt.check()?;
        self.ui.say(format!(
            "{why}; nothing is committed, trying again in {} s",
            self.wait.as_secs_f64()
        ));
        self.waited = true;
        self.interrupt.sleep(self.wait)?;
        self.wait = (self.wait * 2).min(LAST_WAIT);
        Ok(())
    }

    /// It worked.
    pub fn over(&mut self) {
        if self.waited {
            self.ui.say("it answers again");
        }
        self.waited = false;
        self.wait = FIRST_WAIT;
    }
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
    patience: Patience,
    topic_id: String,
    committed: BTreeMap<i32, i64>,
    /// What could not be committed yet.
    uncommitted: BTreeMap<i32, i64>,
    /// Where the assigned partitions ended when they were assigned; none while nothing is assigned.
    ends: Option<BTreeMap<i32, i64>>,
    tally: Tally,
}

/// Ingests until Ctrl-C, or until the plan is done. A summary, on stderr (as JSON on stdout with `--output json`), says
/// what was counted; on a terminal Enter asks for one.
///
/// # Errors
/// When Ctrl-C was pressed, when the target refuses for good, and when the cluster cannot be read or written.
pub fn ingest(connection: &Connection, plan: &Plan, ui: Ui, interrupt: Interrupt) -> Outcome {
    let topic = Admin::connect(connection)?.describe_topic(&plan.topic)?;
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
    let mut ingest = Ingest {
        connection,
        plan,
        ui,
        interrupt,
        target,
        dead: DeadLetters::open(connection, &plan.topic, &plan.dead_letter, &plan.group)?,
        consumer: GroupConsumer::join(connection, &plan.group, &plan.topic, Start::Earliest)?,
        patience: Patience {
            ui,
            interrupt,
            wait: FIRST_WAIT,
            waited: false,
        },
        topic_id: topic.id,
        committed: BTreeMap::new(),
        uncommitted: BTreeMap::new(),
        ends: None,
        tally: Tally::start(ui),
    };
    let ended = ingest.run();
    ingest.summary().and(ended)
}

impl Ingest<'_> {
    fn run(&mut self) -> Outcome {
        loop {
            let batch = self.read()?;
            self.settle(&batch)?;
            if self.done() {
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
        };
        let interrupt = self.interrupt;
        match self.consumer.gather(limits, &|| interrupt.pressed())? {
            Gathered::Records(batch) => return Ok(batch),
            Gathered::Trouble(why) => self.ui.say(format!("the cluster: {why}; trying again")),
            Gathered::Revoked => self.forget(),
            Gathered::Assigned(assigned) => self.take(&assigned)?,
        }
        Ok(Vec::new())
    }

    fn forget(&mut self) {
        self.committed.clear();
        self.uncommitted.clear();
        self.ends = None;
    }

    fn take(&mut self, assigned: &[Assigned]) -> Outcome {
        self.forget();
        self.dead.restore(self.connection, &self.topic_id, assigned)?;
        let of = |value: fn(&Assigned) -> i64| {
            assigned
                .iter()
                .map(|given| (given.partition, value(given)))
                .collect::<BTreeMap<_, _>>()
        };
        self.committed = of(|given| given.start);
        self.ends = Some(of(|given| given.end));
        let partitions: Vec<String> = self.committed.keys().map(i32::to_string).collect();
        let partitions = if partitions.is_empty() {
            "none".to_owned()
        } else {
            partitions.join(", ")
        };
        let place = match &self.target {
            Target::Mongo(mongo) => mongo.place(),
            Target::File(file) => file.place(),
        };
        self.ui.say(format!(
            "group `{}`: partitions {partitions} of `{}` into {place}{}",
            self.plan.group,
            self.plan.topic,
            if self.ui.interactive() {
                " (Enter tells how far, Ctrl-C ends)"
            } else {
                ""
            }
        ));
        Ok(())
    }

    /// Writes a batch, then its dead letters, then commits.
    fn settle(&mut self, batch: &[Received]) -> Outcome {
        if batch.is_empty() {
            return self.commit(BTreeMap::new());
        }
        let mut next = BTreeMap::new();
        let mut wanted = Vec::with_capacity(batch.len());
        for record in batch {
            next.insert(record.partition, record.offset + 1);
            self.tally.read += 1;
            if matches!(&self.target, Target::File(file) if file.holds(&self.topic_id, record)) {
                self.tally.there += 1;
                continue;
            }
            match document::read(record, &self.plan.identity, &self.topic_id) {
                Ok(one) => wanted.push(one),
                Err(reason) => self.bury(record, &reason)?,
            }
        }
        if self.plan.identity != Identity::Record {
            self.tally.superseded += keep_last(&mut wanted);
        }
        self.write(&wanted)?;
        self.dead.flush()?;
        self.commit(next)
    }

    fn write(&mut self, wanted: &[Wanted<'_>]) -> Outcome {
        let fates = match &mut self.target {
            Target::Mongo(mongo) => mongo.write(wanted, &mut self.patience)?,
            Target::File(file) => {
                file.write(&self.topic_id, wanted)?;
                vec![Fate::Written; wanted.len()]
            }
        };
        for (one, fate) in wanted.iter().zip(fates) {
            match fate {
                Fate::Written if one.document.is_none() => self.tally.deleted += 1,
                Fate::Written => self.tally.written += 1,
                Fate::There => self.tally.there += 1,
                Fate::Refused(reason) => self.bury(one.record, &reason)?,
            }
        }
        Ok(())
    }

    fn bury(&mut self, record: &Received, reason: &str) -> Outcome {
        if self.tally.dead == 0 {
            self.ui.say(format!(
                "partition {} offset {}: {reason}; such records go to `{}`",
                record.partition, record.offset, self.plan.dead_letter
            ));
        }
        self.tally.dead += 1;
        self.dead.send(&self.topic_id, record, reason)
    }

    fn commit(&mut self, next: BTreeMap<i32, i64>) -> Outcome {
        self.uncommitted.extend(next);
        if self.consumer.commit(&self.uncommitted)? {
            self.committed.append(&mut self.uncommitted);
        }
        Ok(())
    }

    fn done(&self) -> bool {
        let read = |(partition, end): (&i32, &i64)| {
            let to_the_end = self.consumer.has_ended(*partition) && !self.uncommitted.contains_key(partition);
            // Behind the last record there may be markers of transactions, which nobody commits.
            to_the_end || self.committed.get(partition).is_some_and(|next| next >= end)
        };
        self.plan.exit_at_end && self.ends.as_ref().is_some_and(|ends| ends.iter().all(read))
    }

    /// How many records of this member's partitions are not committed; none when the cluster does not say.
    fn lag(&self) -> Option<i64> {
        let partitions: Vec<TopicPartition> = self
            .committed
            .keys()
            .map(|partition| TopicPartition::new(&self.plan.topic, *partition))
            .collect();
        let ranges = Admin::connect(self.connection).and_then(|admin| admin.offset_range(&partitions));
        let behind = ranges.ok()?.into_iter().map(|(at, range)| {
            let next = self.committed.get(&at.partition).copied().unwrap_or(range.latest);
            (range.latest - next).max(0)
        });
        Some(behind.sum())
    }

    fn summary(&self) -> Outcome {
        self.tally.tell(self.lag(), self.ui)
    }
}

/// Of those with the same `_id`, only the last stays. Answers how many went.
fn keep_last(wanted: &mut Vec<Wanted<'_>>) -> u64 {
    let before = wanted.len();
    let mut seen = HashSet::new();
    wanted.reverse();
    wanted.retain(|one| seen.insert(rawdoc! {"_id": one.id.clone()}.into_bytes()));
    wanted.reverse();
    (before - wanted.len()) as u64
}
