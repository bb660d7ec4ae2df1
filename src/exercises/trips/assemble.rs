//! `velo trips assemble`: trips out of their chunks.

use super::rules::{self, Dropped, Memory, Verdict};
use super::state::{Place, State};
use super::tally::{Namer, Tally};
use crate::exercises::stream::processing::Emitted;
use crate::exercises::stream::{Desk, Processor};
use crate::failure::{Failure, Outcome};
use crate::kafka::group_consumer::Received;
use crate::ui::{Ui, when};
use std::collections::BTreeMap;

/// Puts trips together.
pub struct Assembler {
    ui: Ui,
    memory: Memory,
    every_ms: i64,
    /// With what is not committed yet.
    running: Tally,
    committed: Tally,
    namer: Namer,
    /// Where the sweep of a partition goes on.
    sweeps: BTreeMap<i32, Place>,
}

impl Assembler {
    /// One that drops what is too old each `every_ms`.
    pub fn new(memory: Memory, every_ms: i64, ui: Ui) -> Self {
        Assembler {
            ui,
            memory,
            every_ms,
            running: Tally::default(),
            committed: Tally::default(),
            namer: Namer::default(),
            sweeps: BTreeMap::new(),
        }
    }

    /// What was counted of what is committed.
    pub fn tally(&self) -> Tally {
        self.committed
    }

    /// Counts what a record came to, and names what cannot be used.
    fn count(&mut self, record: &Received, verdict: &Verdict) {
        let (kind, why) = match verdict {
            Verdict::NoTrip | Verdict::Noted => return,
            Verdict::Whole(_) => {
                self.running.emitted += 1;
                return;
            }
            Verdict::Repeated => {
                self.running.repeated += 1;
                return;
            }
            Verdict::Undecodable(why) => {
                self.running.undecodable += 1;
                ("undecodable", format!("no packet ({why})"))
            }
            Verdict::FromTheFuture(ahead) => {
                self.running.from_the_future += 1;
                let ahead = crate::ui::units::duration(*ahead);
                ("future", format!("of a device whose clock is {ahead} ahead"))
            }
            Verdict::OutOfRange(part) => {
                self.running.chunk_out_of_range += 1;
                ("range", format!("chunk {} of {}", part.chunk, part.chunks))
            }
            Verdict::Disagrees(part, first) => {
                self.running.chunks_disagree += 1;
                let said = format!(
                    "chunk {} of {}, of a trip that has {first}",
                    part.chunk, part.chunks
                );
                ("disagrees", said)
            }
        };
        self.namer.name(kind, self.ui, || {
            format!("partition {} offset {} is {why}", record.partition, record.offset)
        });
    }

    fn tell(&mut self, dropped: Dropped) {
        let Dropped { trip, waiting } = dropped;
        let (device, start) = (trip.device, moment(trip.start));
        match waiting {
            Some((count, chunks)) => {
                self.running.expired += 1;
                self.ui.say(format!(
                    "device {device}: the trip that started at {start} is given up, {count} of {chunks} chunks came"
                ));
            }
            None if self.ui.verbose > 0 => self.ui.say(format!(
                "device {device}: the trip that started at {start} was emitted, and is forgotten"
            )),
            None => {}
        }
    }
}

/// A moment in ms since 1970-01-01 UTC, as people read it, and as it was sent.
fn moment(ms: i64) -> String {
    format!("{} ({ms})", when::local(ms))
}

impl Processor for Assembler {
    type Key = Place;
    type Value = State;

    fn process(&mut self, record: &Received, desk: Desk<'_, Place, State>) -> Outcome {
        let verdict = rules::take(record.value.as_deref(), desk.now_ms, self.memory, desk.store)?;
        self.count(record, &verdict);
        if let Verdict::Whole(trip) = verdict {
            let value = serde_json::to_vec(&trip)
                .map_err(|error| Failure::request("cannot write a trip as JSON").because(error))?;
            desk.out.push(Emitted {
                key: trip.device.to_string().into_bytes(),
                value,
            });
        }
        Ok(())
    }

    fn every_ms(&self) -> i64 {
        self.every_ms
    }

    fn punctuate(&mut self, partition: i32, _caught_up: bool, desk: Desk<'_, Place, State>) -> Outcome<bool> {
        let after = self.sweeps.remove(&partition);
        let (dropped, next) = rules::expire(desk.now_ms, self.memory, after, desk.store)?;
        for gone in dropped {
            self.tell(gone);
        }
        self.sweeps.extend(next.map(|next| (partition, next)));
        Ok(next.is_some())
    }

    fn committed(&mut self) {
        self.committed = self.running;
    }

    fn forget(&mut self) {
        self.running = self.committed;
        self.sweeps.clear();
    }
}
