//! A vehicle and where it drives.

use crate::exercises::trips::packet::Chunk;
use rand::{Rng, RngExt};
use std::ops::Range;

/// The Capitole of Toulouse.
const CENTRE: (f64, f64) = (43.6045, 1.4442);
/// How far a vehicle gets between two packets, in degrees.
const STEP: f64 = 0.004;
/// How long a trip takes, in ms.
const DRIVE_MS: Range<i64> = 60_000..1_500_000;
/// How long it stands in between, in ms: longer than gap and grace.
const REST_MS: Range<i64> = 600_000..3_600_000;
/// Between two packets of a stream, in ms: less than gap and grace.
const BEAT_MS: Range<i64> = 1_000..20_000;

/// A vehicle with its device.
#[derive(Debug, Clone)]
pub struct Vehicle {
    device: i64,
    stream: bool,
    clock_ms: i64,
    free_slot: u64,
    position: (f64, f64),
}

impl Vehicle {
    /// One whose first trip begins at `clock_ms` (ms since 1970-01-01 UTC).
    pub fn new(device: i64, stream: bool, clock_ms: i64) -> Self {
        Vehicle {
            device,
            stream,
            clock_ms,
            free_slot: 0,
            position: CENTRE,
        }
    }

    /// Its device's number.
    pub fn device(&self) -> i64 {
        self.device
    }

    /// Whether its device sends a stream, not whole trips.
    pub fn is_stream(&self) -> bool {
        self.stream
    }

    /// Its clock.
    pub fn clock_ms(&self) -> i64 {
        self.clock_ms
    }

    /// From when on its next packets may arrive.
    pub fn free_slot(&self) -> u64 {
        self.free_slot
    }

    /// Sets that.
    pub fn set_free_slot(&mut self, slot: u64) {
        self.free_slot = slot;
    }

    /// The chunks of its next trip.
    pub fn parts(&mut self, rng: &mut impl Rng) -> Vec<Chunk> {
        let start = self.clock_ms;
        let end = start + rng.random_range(DRIVE_MS);
        self.clock_ms = end + rng.random_range(REST_MS);
        let chunks = rng.random_range(1..=12);
        let part = |chunk| Chunk {
            start,
            end,
            chunk,
            chunks,
        };
        (1..=chunks).map(part).collect()
    }

    /// The moments at which it sends on its next trip.
    pub fn moments(&mut self, rng: &mut impl Rng) -> Vec<i64> {
        let count = rng.random_range(2..40);
        let mut moments = Vec::with_capacity(count);
        for _ in 0..count {
            moments.push(self.clock_ms);
            self.clock_ms += rng.random_range(BEAT_MS);
        }
        self.clock_ms += rng.random_range(REST_MS);
        moments
    }

    /// Where it is a little later, as its device tells it.
    pub fn position(&mut self, rng: &mut impl Rng) -> Vec<u8> {
        let mut step = |now: f64, centre: f64| now + rng.random_range(-STEP..STEP) + (centre - now) / 50.0;
        self.position = (step(self.position.0, CENTRE.0), step(self.position.1, CENTRE.1));
        let (lat, lng) = self.position;
        format!("{lat:.5},{lng:.5}").into_bytes()
    }
}
