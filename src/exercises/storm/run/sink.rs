//! `events`: the bolt at the end. It prints the events, writes them to a topic, and acks them once they are there.

use super::tuple::{EventTuple, ToAcker, ToSink};
use super::{Faults, Shared};
use crate::exercises::storm::Report;
use crate::failure::Outcome;
use crate::kafka::RecordProducer;
use crate::kafka::record_producer::Outgoing;
use crate::ui::OutputFormat;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

/// What becomes of a tuple at the end, by chance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is told and acked.
    Good,
    /// It is failed, and not told.
    Failed,
    /// It is told, and its ack is lost: the tree is not complete in time.
    Unanswered,
}

/// The chance by which tuples fail on purpose.
struct Dice {
    faults: Faults,
    chance: ChaCha8Rng,
}

impl Dice {
    fn throw(&mut self) -> Fate {
        let Faults { fail, lose, .. } = self.faults;
        match self.chance.random_range(0.0..1.0) {
            thrown if thrown < fail => Fate::Failed,
            thrown if thrown < fail + lose => Fate::Unanswered,
            _ => Fate::Good,
        }
    }
}

/// Works until the bolts before it have ended.
///
/// # Errors
/// When an event cannot be printed or written.
pub(super) fn run(
    inbox: &Receiver<ToSink>,
    acker: &Sender<ToAcker>,
    producer: Option<&RecordProducer>,
    shared: &Shared<'_>,
) -> Outcome {
    let faults = shared.plan.faults;
    let mut dice = Dice {
        faults,
        chance: ChaCha8Rng::seed_from_u64(faults.seed),
    };
    while let Ok(message) = inbox.recv() {
        match message {
            ToSink::Tuples(tuples) => take(&tuples, &mut dice, acker, producer, shared)?,
            ToSink::Tick => shared.counts.tick(),
        }
    }
    Ok(())
}

fn take(
    tuples: &[EventTuple],
    dice: &mut Dice,
    acker: &Sender<ToAcker>,
    producer: Option<&RecordProducer>,
    shared: &Shared<'_>,
) -> Outcome {
    let begun = Instant::now();
    let (mut acks, mut failed) = (Vec::new(), Vec::new());
    for tuple in tuples {
        let fate = dice.throw();
        match fate {
            Fate::Failed => failed.push(tuple.root),
            Fate::Good => acks.push((tuple.root, tuple.edge)),
            Fate::Unanswered => {}
        }
        if fate != Fate::Failed {
            tell(&tuple.report, producer, shared)?;
        }
    }
    if let Some(producer) = producer {
        producer.flush()?;
    }
    shared
        .counts
        .events
        .settle(acks.len(), failed.len(), begun.elapsed());
    // The acker outlives this, but for a panic that ends the run by itself.
    let _ = acker.send(ToAcker::Acked(acks));
    if !failed.is_empty() {
        let _ = acker.send(ToAcker::Failed(failed));
    }
    Ok(())
}

fn tell(report: &Report, producer: Option<&RecordProducer>, shared: &Shared<'_>) -> Outcome {
    let plan = shared.plan;
    if plan.print {
        let Report {
            contract,
            number,
            told,
            ..
        } = report;
        match shared.ui.format {
            OutputFormat::Json | OutputFormat::Jsonl => shared.ui.json_line(&report.to_json())?,
            OutputFormat::Plain => {
                let at = told.last_update.map_or_else(String::new, |at| at.to_string());
                let words = told.event.words();
                shared.ui.line(format!("{contract}\t{number}\t{words}\t{at}"))?;
            }
            OutputFormat::Table => shared.ui.line(report.to_line())?,
        }
    }
    let (Some(producer), Some(topic)) = (producer, &plan.output_topic) else {
        return Ok(());
    };
    let (key, value) = (report.number.to_string(), report.to_json().to_string());
    let origin = format!(
        "{}/{}/{}",
        plan.topic, report.cause.partition, report.cause.offset
    );
    producer.send(Outgoing {
        topic,
        key: Some(key.as_bytes()),
        value: Some(value.as_bytes()),
        headers: &[("origin", origin.as_bytes())],
    })
}
