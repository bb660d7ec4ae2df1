//! `velo velib produce`: every second all stations, one record each.

use super::Simulation;
use super::http_source::HttpSource;
use super::told::{Answer, Told};
use crate::clock::Clock;
use crate::failure::Outcome;
use crate::kafka::record_producer::Outgoing;
use crate::kafka::{Connection, RecordProducer};
use crate::ui::units::count;
use crate::ui::{Interrupt, Ui};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// Where stations come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The simulated city, which moves on by `step` between two rounds.
    Simulated {
        /// The city.
        city: Box<Simulation>,
        /// Its own time between two rounds.
        step: Duration,
    },
    /// An API.
    Http(HttpSource),
}

impl Source {
    fn fetch(&mut self, first: bool, ui: Ui, interrupt: Interrupt) -> Outcome<Answer> {
        match self {
            Source::Simulated { city, step } => {
                if !first {
                    city.advance(*step);
                }
                Ok(Answer {
                    stations: city.stations().iter().map(Told::of).collect::<Outcome<_>>()?,
                    skipped: Vec::new(),
                })
            }
            Source::Http(api) => api.fetch(ui, interrupt),
        }
    }
}

/// What the records' keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Key {
    /// No key: chance decides the partition, batch by batch
    None,
    /// The station's number as text: each station stays in one partition
    Station,
}

/// What to produce, and how fast.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The topic to write to.
    pub topic: String,
    /// Time between two rounds.
    pub every: Duration,
    /// What the keys are.
    pub key: Key,
    /// How many rounds; none is for ever.
    pub rounds: Option<u64>,
}

/// What was produced.
#[derive(Debug, Default)]
struct Tally {
    rounds: u64,
    records: u64,
    changes: u64,
    last: HashMap<String, i64>,
    skipped: u64,
    named: HashSet<String>,
}

/// So many of what is no station are named; then it is only counted.
const NAMED: usize = 20;

impl Tally {
    fn count(&mut self, answer: &Answer) {
        self.rounds += 1;
        self.records += answer.stations.len() as u64;
        self.skipped += answer.skipped.len() as u64;
        for station in &answer.stations {
            if let Some(stands) = station.stands() {
                let before = self.last.insert(station.id(), stands);
                self.changes += u64::from(before.is_some_and(|before| before != stands));
            }
        }
    }

    /// Names what was skipped, each once.
    fn name(&mut self, skipped: &[String], ui: Ui) {
        for one in skipped {
            if self.named.len() < NAMED && self.named.insert(one.clone()) {
                ui.say(format!("{one}; skipped"));
            }
        }
    }
}

/// Produces round after round, until the plan is done or Ctrl-C. Each round is acknowledged by the cluster before its
/// line is printed. The last words, on stderr, tell how many changes of free stands the records hold: the number
/// that the monitors should find.
///
/// # Errors
/// When the source fails, a record is not written, or the user interrupts.
pub fn produce(
    connection: &Connection,
    plan: &Plan,
    source: Source,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let producer = RecordProducer::connect(connection)?;
    let mut tally = Tally::default();
    let ended = run(&producer, plan, source, &mut tally, ui, interrupt);
    let flushed = producer.flush();
    if tally.rounds > 0 {
        let skipped = match tally.skipped {
            0 => String::new(),
            count => format!(", {count} skipped"),
        };
        ui.say(format!(
            "{}, {}, {} of free stands{skipped}",
            count(tally.rounds, "round"),
            count(tally.records, "record"),
            count(tally.changes, "change")
        ));
    }
    ended.and(flushed)
}

fn run(
    producer: &RecordProducer,
    plan: &Plan,
    mut source: Source,
    tally: &mut Tally,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let clock = Clock::system();
    let mut next = Instant::now();
    while plan.rounds.is_none_or(|rounds| tally.rounds < rounds) {
        interrupt.sleep_until(next)?;
        // A source slower than the pace delays the next round and is not made up for.
        next = Instant::now().max(next) + plan.every;
        let waiting = ui.waiting_for("the stations");
        let answer = source.fetch(tally.rounds == 0, ui, interrupt)?;
        drop(waiting);
        tally.name(&answer.skipped, ui);
        let waiting = ui.waiting_for("the cluster to take the records");
        for station in &answer.stations {
            send(producer, plan, station)?;
        }
        producer.flush()?;
        drop(waiting);
        tally.count(&answer);
        let seconds = clock.now_ms() / 1_000;
        let (records, skipped) = (answer.stations.len(), answer.skipped.len());
        if ui.is_json() {
            ui.json_line(&serde_json::json!({ "time": seconds, "records": records, "skipped": skipped }))?;
        } else {
            ui.line(format!("{seconds} Produced {}", count(records, "station record")))?;
        }
    }
    Ok(())
}

fn send(producer: &RecordProducer, plan: &Plan, station: &Told) -> Outcome {
    let number = station.number().to_string();
    producer.send(Outgoing {
        topic: &plan.topic,
        key: (plan.key == Key::Station).then_some(number.as_bytes()),
        value: Some(station.json().as_bytes()),
        headers: &[],
    })
}
