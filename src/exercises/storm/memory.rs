//! What a bolt remembers of the stations: which are empty, and which records were causes of events. Pure: no Kafka, no Storm,
//! no clock.
//!
//! - A first sight says nothing.
//! - A record that comes again, however late, tells its event again and changes nothing of what is known since.
//! - Within a partition the order of the offsets counts. A station's records should lie in one (their key is the station); where
//!   they do not, a record of another partition than the newest one that is older by its `last_update` is old news.
//! - What is remembered is bounded: beyond the limit the oldest changes of all stations are forgotten, and with them whether
//!   records as old as that told anything. How each station is now is never forgotten.

use super::event::Told;
use super::station::Position;
use super::timeline::Timeline;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// How many changes are remembered, of all stations together. Each takes some 80 bytes.
pub const REMEMBERED: usize = 1_000_000;

/// How a station is, as the newest record says.
#[derive(Debug, Clone, Copy)]
struct Now {
    partition: i32,
    empty: bool,
    last_update: Option<i64>,
}

/// What is known of a station.
#[derive(Debug, Default)]
struct Station {
    /// By partition; mostly there is one.
    timelines: Vec<(i32, Timeline)>,
    now: Option<Now>,
}

/// What is known of all stations.
#[derive(Debug)]
pub struct Memory {
    stations: HashMap<Arc<str>, HashMap<i64, Station>>,
    /// The stations whose timelines have a further run to forget, in the order in which those came.
    closed: VecDeque<(Arc<str>, i64, i32)>,
    limit: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self::of(REMEMBERED)
    }
}

impl Memory {
    /// One that remembers so many changes.
    pub fn of(limit: usize) -> Self {
        Memory {
            stations: HashMap::new(),
            closed: VecDeque::new(),
            limit,
        }
    }

    /// Takes in what a record says, which may be a record that was taken in before; answers the events that it is the cause
    /// of.
    pub fn look(
        &mut self,
        contract: &str,
        number: i64,
        at: Position,
        empty: bool,
        last_update: Option<i64>,
    ) -> Vec<Told> {
        if !self.stations.contains_key(contract) {
            self.stations.insert(Arc::from(contract), HashMap::new());
        }
        let Some(stations) = self.stations.get_mut(contract) else {
            return Vec::new();
        };
        let (told, closed) = stations.entry(number).or_default().look(at, empty, last_update);
        if closed == 0 {
            return told;
        }
        if let Some((name, _)) = self.stations.get_key_value(contract) {
            let further = std::iter::repeat_n((Arc::clone(name), number, at.partition), closed);
            self.closed.extend(further);
        }
        self.forget_the_oldest();
        told
    }

    /// Forgets what a partition said: from now on others read it, or its topic is another one.
    pub fn forget(&mut self, partition: i32) {
        self.stations.retain(|_, contract| {
            contract.retain(|_, station| {
                station.timelines.retain(|(of, _)| *of != partition);
                station.now = station.now.filter(|now| now.partition != partition);
                !station.timelines.is_empty()
            });
            !contract.is_empty()
        });
        self.closed.retain(|(_, _, of)| *of != partition);
    }

    /// How many stations are known.
    pub fn stations(&self) -> usize {
        self.stations.values().map(HashMap::len).sum()
    }

    fn forget_the_oldest(&mut self) {
        while self.closed.len() > self.limit {
            let Some((contract, number, partition)) = self.closed.pop_front() else {
                return;
            };
            let station = self
                .stations
                .get_mut(&contract)
                .and_then(|contract| contract.get_mut(&number));
            if let Some(station) = station {
                station.timeline(partition).forget_oldest();
            }
        }
    }
}

impl Station {
    fn timeline(&mut self, partition: i32) -> &mut Timeline {
        let at = match self.timelines.iter().position(|(of, _)| *of == partition) {
            Some(at) => at,
            None => {
                self.timelines.push((partition, Timeline::default()));
                self.timelines.len() - 1
            }
        };
        &mut self.timelines[at].1
    }

    /// The events of a record, and how many more runs there are to forget.
    fn look(&mut self, at: Position, empty: bool, last_update: Option<i64>) -> (Vec<Told>, usize) {
        let now = self.now;
        let timeline = self.timeline(at.partition);
        let before = timeline.closed();
        if timeline.is_next(at.offset) {
            let old_news =
                now.is_some_and(|now| now.partition != at.partition && last_update < now.last_update);
            let news = !old_news && now.is_some_and(|now| now.empty != empty);
            timeline.append(at.offset, empty, last_update, news);
            if !old_news {
                self.now = Some(Now {
                    partition: at.partition,
                    empty,
                    last_update,
                });
            }
        } else {
            let alone = self.timelines.len() == 1;
            self.timeline(at.partition)
                .insert(at.offset, empty, last_update, alone);
        }
        let timeline = self.timeline(at.partition);
        let told = timeline.told_by(at.offset).collect();
        (told, timeline.closed().saturating_sub(before))
    }
}
