//! Vehicles that drive around Toulouse, and what their devices send of it: whole trips cut into chunks or a stream of packets,
//! with every misfortune that packets meet. Seeded: the same seed, the same trips and the same misfortunes.

mod misfortune;
mod ride;

pub use misfortune::Misfortunes;

use super::packet::Heard;
use super::state::Trip;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use ride::Vehicle;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The vehicles' clocks begin so long ago, in ms, and end before now: their trips are younger than the time to live.
const PAST_MS: i64 = 6 * 86_400_000;

/// A record to send.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Whose device: the record's key.
    pub device: i64,
    /// The record's value; none is a null.
    pub value: Option<Vec<u8>>,
    /// The trip that it makes whole.
    pub completes: Option<Trip>,
    /// The moment that it adds to a stream, in ms since 1970-01-01 UTC.
    pub moment: Option<i64>,
}

/// What is under way, by when it arrives.
type Arrival = Reverse<(u64, u64, Sent)>;

/// An endless row of records.
pub struct Fleet {
    rng: ChaCha8Rng,
    misfortunes: Misfortunes,
    now_ms: i64,
    vehicles: Vec<Vehicle>,
    /// How many vehicles there have been.
    bought: i64,
    streams: f64,
    pending: BinaryHeap<Arrival>,
    /// How many records were sent: time, to those that are under way.
    slot: u64,
    /// Tells those apart that arrive at the same time.
    sequence: u64,
}

impl Fleet {
    /// So many vehicles, of which that part (0 to 1) sends streams, at `now_ms` (ms since 1970-01-01 UTC).
    pub fn new(seed: u64, vehicles: usize, streams: f64, misfortunes: Misfortunes, now_ms: i64) -> Self {
        let mut fleet = Fleet {
            rng: ChaCha8Rng::seed_from_u64(seed),
            misfortunes,
            now_ms,
            vehicles: Vec::new(),
            bought: 0,
            streams,
            pending: BinaryHeap::new(),
            slot: 0,
            sequence: 0,
        };
        for _ in 0..vehicles.max(1) {
            let vehicle = fleet.buy();
            fleet.vehicles.push(vehicle);
        }
        fleet
    }

    /// A vehicle of the next number.
    fn buy(&mut self) -> Vehicle {
        self.bought += 1;
        let stream = self.rng.random_bool(self.streams.clamp(0.0, 1.0));
        let begin = self.now_ms - PAST_MS + self.rng.random_range(0..3_600_000);
        Vehicle::new(self.bought, stream, begin)
    }

    /// Has a record arrive when so many more have been sent.
    fn schedule(&mut self, slot: u64, sent: Sent) {
        self.sequence += 1;
        self.pending.push(Reverse((slot, self.sequence, sent)));
    }

    /// One of the vehicles drives.
    fn drive(&mut self) {
        let which = self.rng.random_range(0..self.vehicles.len());
        // One whose clock has come near to now has driven enough.
        let tired = self.vehicles[which].clock_ms() > self.now_ms - 7_200_000;
        if tired {
            self.vehicles[which] = self.buy();
        }
        match self.vehicles[which].is_stream() {
            true => self.drive_in_a_stream(which),
            false => self.drive_in_chunks(which),
        }
    }

    fn drive_in_a_stream(&mut self, which: usize) {
        let moments = self.vehicles[which].moments(&mut self.rng);
        let device = self.vehicles[which].device();
        // The packets of one stream arrive one after the other, but for neighbours that change places.
        let begin = self.slot.max(self.vehicles[which].free_slot());
        let count = moments.len() as u64;
        let mut slots: Vec<u64> = (0..count).map(|at| begin + 2 * at).collect();
        for neighbours in slots.chunks_exact_mut(2) {
            if self.rng.random_bool(self.misfortunes.late) {
                neighbours.reverse();
            }
        }
        self.vehicles[which].set_free_slot(begin + 2 * count);
        for (at_ms, slot) in moments.into_iter().zip(slots) {
            let heard = Heard {
                ts: at_ms,
                device,
                trip: None,
            };
            let payload = self.vehicles[which].position(&mut self.rng);
            if let Some(sent) = self.through_misfortune(heard, payload, Some(at_ms)) {
                self.schedule(slot, sent);
            }
        }
    }

    fn drive_in_chunks(&mut self, which: usize) {
        let parts = self.vehicles[which].parts(&mut self.rng);
        let device = self.vehicles[which].device();
        let mut arriving: Vec<(u64, Sent)> = Vec::new();
        let mut whole = true;
        for part in &parts {
            let heard = Heard {
                ts: part.end,
                device,
                trip: Some(*part),
            };
            let payload = self.vehicles[which].position(&mut self.rng);
            let sent = self.through_misfortune(heard, payload, None);
            whole &= sent.as_ref().is_some_and(Sent::is_whole);
            let late = match self.rng.random_bool(self.misfortunes.late) {
                true => self.rng.random_range(500..5_000),
                false => self.rng.random_range(0..20),
            };
            arriving.extend(sent.map(|sent| (self.slot + late, sent)));
        }
        arriving.sort();
        if let (true, Some((_, last)), Some(part)) = (whole, arriving.last_mut(), parts.first()) {
            last.completes = Some(Trip {
                device,
                start: part.start,
                end: part.end,
            });
        }
        self.add_misfortunes(device, &parts, &arriving, whole);
        for (slot, sent) in arriving {
            self.schedule(slot, sent);
        }
    }
}

impl Iterator for Fleet {
    type Item = Sent;

    fn next(&mut self) -> Option<Sent> {
        while self
            .pending
            .peek()
            .is_none_or(|Reverse((slot, _, _))| *slot > self.slot)
        {
            self.drive();
            // A drive that sends nothing at once makes room for the next all the same.
            if self
                .pending
                .peek()
                .is_some_and(|Reverse((slot, _, _))| *slot > self.slot)
            {
                self.slot += 1;
            }
        }
        let Reverse((_, _, sent)) = self.pending.pop()?;
        self.slot += 1;
        Some(sent)
    }
}

#[cfg(test)]
mod tests;
