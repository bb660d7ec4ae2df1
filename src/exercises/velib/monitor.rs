//! `velo velib monitor`: tells every change of free stands, and goes on where it was after any crash.
//!
//! Records are looked at in batches. For each batch, in this order: the lines are printed, the notes (and reports and
//! empty stations, if asked for) are written and acknowledged, the offsets are committed. So:
//! - killed before the print: the next monitor reads the batch again and reports it: nothing is lost;
//! - killed after the notes: it reads the batch again and knows it already: nothing is told twice;
//! - killed in the millisecond between: the lines of that batch are told again. A terminal takes part in no
//!   transaction, so one of lost and repeated must be possible, and repeated is the lesser evil (at least once).
//!
//! A partition that changes hands brings its notes along, since the one who gives it has written them before it polls
//! again, and the one who takes it reads them before its first record. A batch read but not yet looked at when
//! partitions are taken away is dropped: its new owner reads it again.

use super::changelog::Changelog;
use super::memory::{Memory, News, Sighting};
use super::topics;
use crate::exercises::stream::worker::{Next, Settings};
use crate::exercises::stream::{Member, Turn, Work, Worker};
use crate::failure::Outcome;
use crate::kafka::group_consumer::{Assigned, Limits, Received, Start};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::{Admin, Connection, NewTopic, RecordProducer};
use crate::ui::Ui;
use crate::ui::units::count;
use std::collections::BTreeSet;
use std::time::Duration;

/// Most records of one batch.
const BATCH: usize = 1_000;
/// The longest time to collect one.
const MOMENT: Duration = Duration::from_secs(1);

/// What a monitor does.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stations' topic.
    pub topic: String,
    /// The group that shares the work.
    pub group: String,
    /// Where to begin in partitions the group has committed nothing for.
    pub start: Start,
    /// A topic for the changes, as JSON.
    pub report_to: Option<String>,
    /// A topic for the stations that run empty.
    pub empty_to: Option<String>,
    /// What to print.
    pub print: Print,
    /// End once everything that was there at the start has been read.
    pub exit_at_end: bool,
}

/// Which lines to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Print {
    /// Changes of free stands: `+1 ADDRESS (Contract)`
    Changes,
    /// Stations that run empty: `empty ADDRESS (Contract)`
    Empty,
}

/// What was seen and told, for the last words.
#[derive(Debug, Default)]
struct Tally {
    records: u64,
    unreadable: u64,
    changes: u64,
    changed: BTreeSet<String>,
    empty: u64,
}

/// A monitor at work.
struct Monitor<'a> {
    connection: &'a Connection,
    plan: &'a Plan,
    ui: Ui,
    producer: RecordProducer,
    changelog: Changelog,
    memory: Memory,
    tally: Tally,
}

/// Monitors until `go_on` fails, or the plan is done. The last words, on stderr, say what was counted.
///
/// # Errors
/// What `go_on` says, and when the cluster cannot be read or written.
pub fn monitor(connection: &Connection, plan: &Plan, ui: Ui, go_on: &dyn Fn() -> Outcome) -> Outcome {
    let changelog = Changelog::of(&plan.group);
    let joining = Worker::joining(ui, &plan.topic, &plan.group);
    let admin = Admin::connect(connection)?;
    // Before any topic is made: a misspelt one is not to be taken for one of those.
    admin.describe_topic(&plan.topic)?;
    changelog.create(&admin)?;
    for topic in plan.report_to.iter().chain(&plan.empty_to) {
        topics::ensure(&admin, &NewTopic::named(topic))?;
    }
    drop(admin);
    let settings = Settings {
        topic: plan.topic.clone(),
        group: plan.group.clone(),
        start: plan.start,
        instance: None,
        commit_every: Duration::ZERO,
        exit_at_end: plan.exit_at_end,
    };
    let mut worker = Worker::join(connection, &settings, ui, joining)?;
    let mut monitor = Monitor {
        connection,
        plan,
        ui,
        producer: RecordProducer::connect(connection)?,
        changelog,
        memory: Memory::default(),
        tally: Tally::default(),
    };
    let ended = worker.run(&mut monitor, go_on);
    monitor.last_words();
    ended
}

impl Work for Monitor<'_> {
    fn limits(&self) -> Limits {
        Limits {
            records: BATCH,
            bytes: usize::MAX,
            time: MOMENT,
            wait: Limits::GLANCE,
        }
    }

    fn restore(&mut self, _member: Member<'_>, assigned: &[Assigned]) -> Outcome {
        let (memory, stale) = self
            .changelog
            .restore(self.connection, &self.producer, assigned)?;
        self.memory = memory;
        for partition in stale {
            self.ui.say(format!(
                "partition {partition} begins anew: what `{}` remembers of it no longer fits",
                self.changelog.topic()
            ));
        }
        Ok(())
    }

    fn begin(&mut self, _member: Member<'_>, _assigned: &[Assigned]) -> Outcome<String> {
        Ok(String::new())
    }

    fn work(&mut self, member: Member<'_>, batch: Vec<Received>) -> Outcome<Turn> {
        let mut news = Vec::new();
        let mut next = Next::new();
        for record in &batch {
            next.insert(record.partition, record.offset + 1);
            self.tally.records += 1;
            let Some(sighting) = self.read_station(record) else {
                continue;
            };
            let committed = member.progress.committed().get(&record.partition);
            let committed = committed.copied().unwrap_or(record.offset);
            if let Some(found) = self.memory.look(record, committed, &sighting) {
                news.push((record, sighting, found));
            }
        }
        for (record, sighting, found) in &news {
            self.tell(record, sighting, found)?;
        }
        for (record, sighting, found) in &news {
            self.write(record, sighting, found)?;
        }
        self.producer.flush()?;
        Ok(Turn::Written(next))
    }

    fn forget(&mut self) {
        self.memory = Memory::default();
    }
}

impl Monitor<'_> {
    fn read_station(&mut self, record: &Received) -> Option<Sighting> {
        let value = record.value.as_deref().unwrap_or_default();
        match serde_json::from_slice(value) {
            Ok(sighting) => Some(sighting),
            Err(error) => {
                self.tally.unreadable += 1;
                if self.tally.unreadable == 1 {
                    self.ui.say(format!(
                        "partition {} offset {} is no station ({error}); such records are passed over",
                        record.partition, record.offset
                    ));
                }
                None
            }
        }
    }

    fn tell(&mut self, record: &Received, sighting: &Sighting, found: &News) -> Outcome {
        if found.change != 0 {
            self.tally.changes += 1;
            self.tally.changed.insert(sighting.station());
        }
        self.tally.empty += u64::from(found.ran_empty);
        let line = match self.plan.print {
            Print::Changes if found.change != 0 => format!(
                "{:+} {} ({})",
                found.change,
                sighting.address(),
                sighting.contract_name
            ),
            Print::Empty if found.ran_empty => {
                format!("empty {} ({})", sighting.address(), sighting.contract_name)
            }
            _ => return Ok(()),
        };
        if self.ui.is_json() {
            return self.ui.json_line(&report(record, sighting, found));
        }
        self.ui.line(line)
    }

    fn write(&self, record: &Received, sighting: &Sighting, found: &News) -> Outcome {
        let key = sighting.number.to_string();
        let origin = format!("{}/{}/{}", self.plan.topic, record.partition, record.offset);
        let headers = [("origin", origin.as_bytes())];
        let send = |topic: &str, value: &[u8]| {
            self.producer.send(Outgoing {
                topic,
                key: Some(key.as_bytes()),
                value: Some(value),
                headers: &headers,
            })
        };
        if let Some(topic) = self.plan.report_to.as_deref().filter(|_| found.change != 0) {
            send(topic, report(record, sighting, found).to_string().as_bytes())?;
        }
        if let Some(topic) = self.plan.empty_to.as_deref().filter(|_| found.ran_empty) {
            send(topic, record.value.as_deref().unwrap_or_default())?;
        }
        self.changelog
            .write(&self.producer, record.partition, &sighting.station(), &found.note)
    }

    fn last_words(&self) {
        let tally = &self.tally;
        let unreadable = match tally.unreadable {
            0 => String::new(),
            strange => format!(", {strange} of them no station"),
        };
        self.ui.say(format!(
            "{} of {}, {} ran empty, in {}{unreadable}",
            count(tally.changes, "change"),
            count(tally.changed.len(), "station"),
            tally.empty,
            count(tally.records, "record")
        ));
    }
}

/// A change as `--report-to` and `--output json` tell it.
fn report(record: &Received, sighting: &Sighting, found: &News) -> serde_json::Value {
    serde_json::json!({
        "contract_name": sighting.contract_name,
        "number": sighting.number,
        "address": sighting.address(),
        "change": found.change,
        "available_bike_stands": sighting.available_bike_stands,
        "available_bikes": sighting.available_bikes,
        "last_update": sighting.last_update,
        "partition": record.partition,
        "offset": record.offset,
    })
}
