//! `velo people produce`: a batch of people every few seconds, or so many a second.

use super::People;
use super::sink::Sink;
use crate::clock::Clock;
use crate::failure::Outcome;
use crate::ui::units::counted;
use crate::ui::{Interrupt, Ui};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// At a rate: how often people are sent to a topic. Each second a line is printed, or a file written.
const TICK: Duration = Duration::from_millis(100);
const TICKS_A_LINE: u64 = 10;

/// How fast people come.
#[derive(Debug, Clone)]
pub enum Pace {
    /// Batches of a size by chance, with a pause between.
    Batches {
        /// From the start of one batch to the start of the next.
        every: Duration,
        /// Smallest and largest batch.
        size: RangeInclusive<u64>,
        /// What chance begins with.
        seed: u64,
    },
    /// Evenly, so many a second.
    Rate(u64),
}

/// What went out.
struct Tally {
    people: u64,
    writes: u64,
    /// How many no line has told yet.
    unsaid: u64,
    left: Option<u64>,
}

impl Tally {
    fn done(&self) -> bool {
        self.left == Some(0)
    }

    fn at_most(&self, wanted: u64) -> u64 {
        self.left.map_or(wanted, |left| left.min(wanted))
    }
}

/// Sends people until `count` are out (none: for ever) or Ctrl-C. A batch is acknowledged before its line is printed; the
/// last words, on stderr, sum up.
///
/// # Errors
/// When the sink refuses, or the user interrupts.
pub fn produce(
    people: &mut People,
    sink: &Sink,
    pace: &Pace,
    count: Option<u64>,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let mut tally = Tally {
        people: 0,
        writes: 0,
        unsaid: 0,
        left: count,
    };
    let ended = match pace {
        Pace::Batches { every, size, seed } => {
            // A row of its own: the people stay the same, whatever the batches.
            let mut chance = ChaCha8Rng::seed_from_u64(*seed);
            chance.set_stream(1);
            let mut size = || chance.random_range(size.clone());
            batches(people, sink, *every, &mut size, &mut tally, ui, interrupt)
        }
        Pace::Rate(rate) => evenly(people, sink, *rate, &mut tally, ui, interrupt),
    };
    ui.say(format!(
        "{} in {}",
        counted(tally.people, "person", "people"),
        counted(tally.writes, "batch", "batches")
    ));
    ended
}

fn batches(
    people: &mut People,
    sink: &Sink,
    every: Duration,
    size: &mut dyn FnMut() -> u64,
    tally: &mut Tally,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let mut next = Instant::now();
    while !tally.done() {
        interrupt.sleep_until(next)?;
        next = Instant::now().max(next) + every;
        let wanted = tally.at_most(size());
        let place = write(people, sink, wanted, tally, ui)?;
        say(tally, &place, ui)?;
    }
    Ok(())
}

fn evenly(
    people: &mut People,
    sink: &Sink,
    rate: u64,
    tally: &mut Tally,
    ui: Ui,
    interrupt: Interrupt,
) -> Outcome {
    let started = Instant::now();
    let mut place = String::new();
    for tick in 1_u64.. {
        if tally.done() {
            break;
        }
        interrupt.sleep_until(started + TICK.saturating_mul(u32::try_from(tick).unwrap_or(u32::MAX)))?;
        let second = tick % TICKS_A_LINE == 0;
        let due = rate.saturating_mul(tick) / TICKS_A_LINE;
        let wanted = tally.at_most(due.saturating_sub(tally.people));
        let whole = second || sink.takes_bits() || tally.left == Some(wanted);
        if wanted > 0 && whole {
            place = write(people, sink, wanted, tally, ui)?;
        }
        if tally.unsaid > 0 && (second || tally.done()) {
            say(tally, &place, ui)?;
        }
    }
    Ok(())
}

fn write(people: &mut People, sink: &Sink, wanted: u64, tally: &mut Tally, ui: Ui) -> Outcome<String> {
    let batch: Vec<_> = people
        .take(usize::try_from(wanted).unwrap_or(usize::MAX))
        .collect();
    let place = {
        let _waiting = ui.waiting_for("the people to be taken");
        sink.write(&batch)?
    };
    tally.people += wanted;
    tally.unsaid += wanted;
    tally.writes += 1;
    if let Some(left) = &mut tally.left {
        *left -= wanted;
    }
    Ok(place)
}

/// The line of what has gone out since the last.
fn say(tally: &mut Tally, place: &str, ui: Ui) -> Outcome {
    let seconds = Clock::system().now_ms() / 1_000;
    let people = std::mem::take(&mut tally.unsaid);
    if ui.is_json() {
        return ui.json_line(&serde_json::json!({ "time": seconds, "people": people, "to": place }));
    }
    let people = counted(people, "person", "people");
    ui.line(format!("{seconds} Produced {people} to {place}"))
}
