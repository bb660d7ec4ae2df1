//! What happens to packets on their way.

use super::{Fleet, Sent};
use crate::exercises::trips::packet::{Chunk, Heard};
use rand::RngExt;

/// How often each happens, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Misfortunes {
    /// A packet arrives later than others.
    pub late: f64,
    /// A packet arrives twice.
    pub twice: f64,
    /// A packet never arrives.
    pub missing: f64,
    /// A record is no packet: a null, nothing, torn, or without a required field.
    pub broken: f64,
    /// A trip has one more packet, whose chunk is 0 or behind the last.
    pub out_of_range: f64,
    /// A trip has one more packet, with another number of chunks.
    pub disagree: f64,
    /// A trip has one more packet, of a clock that is a day ahead.
    pub future: f64,
    /// A whole trip is sent again.
    pub again: f64,
}

/// A day, in ms: further ahead than any broker takes.
const DAY_MS: i64 = 86_400_000;

impl Sent {
    /// Whether it is the packet that it was meant to be.
    pub(super) fn is_whole(&self) -> bool {
        Heard::read(self.value.as_deref()).is_ok()
    }
}

impl Fleet {
    /// The record of a packet, unless it goes missing; `moment` is what it adds to a stream, if it arrives whole.
    pub(super) fn through_misfortune(
        &mut self,
        heard: Heard,
        payload: Vec<u8>,
        moment: Option<i64>,
    ) -> Option<Sent> {
        if self.rng.random_bool(self.misfortunes.missing) {
            return None;
        }
        let value = heard.write(Some(payload));
        let (value, moment) = match self.rng.random_bool(self.misfortunes.broken) {
            true => (self.broken(value), None),
            false => (Some(value), moment),
        };
        Some(Sent {
            device: heard.device,
            value,
            completes: None,
            moment,
        })
    }

    /// What is left of a value.
    fn broken(&mut self, whole: Vec<u8>) -> Option<Vec<u8>> {
        match self.rng.random_range(0..4) {
            0 => None,
            1 => Some(Vec::new()),
            // Within the header, whose length it belies.
            2 => Some(whole.into_iter().take(5).collect()),
            // A header without a device.
            _ => Some(vec![0x0a, 2, 0x08, 1]),
        }
    }

    /// More packets of a trip whose chunks arrive like that; after all of them, so that they are not the first of their trip.
    pub(super) fn add_misfortunes(
        &mut self,
        device: i64,
        parts: &[Chunk],
        arriving: &[(u64, Sent)],
        whole: bool,
    ) {
        let (Some(part), Some((last, _))) = (parts.first().copied(), arriving.last()) else {
            return;
        };
        let last = *last;
        for (slot, sent) in arriving {
            if self.rng.random_bool(self.misfortunes.twice) {
                let later = slot + self.rng.random_range(1..200);
                self.schedule(
                    later,
                    Sent {
                        completes: None,
                        ..sent.clone()
                    },
                );
            }
        }
        if whole && self.rng.random_bool(self.misfortunes.again) {
            let later = last + self.rng.random_range(200..5_000);
            for (_, sent) in arriving {
                self.schedule(
                    later,
                    Sent {
                        completes: None,
                        ..sent.clone()
                    },
                );
            }
        }
        let known = arriving.iter().any(|(_, sent)| sent.is_whole());
        if self.rng.random_bool(self.misfortunes.out_of_range) {
            let chunk = if self.rng.random_bool(0.5) {
                0
            } else {
                part.chunks + 1
            };
            self.add(last, device, Chunk { chunk, ..part }, part.end);
        }
        if known && self.rng.random_bool(self.misfortunes.disagree) {
            let chunks = part.chunks + 1;
            self.add(last, device, Chunk { chunks, ..part }, part.end);
        }
        if self.rng.random_bool(self.misfortunes.future) {
            let start = self.now_ms + DAY_MS;
            let end = start + part.end - part.start;
            let (chunk, chunks) = (1, 1);
            self.add(
                last,
                device,
                Chunk {
                    start,
                    end,
                    chunk,
                    chunks,
                },
                end,
            );
        }
    }

    fn add(&mut self, last: u64, device: i64, part: Chunk, ts: i64) {
        let trip = Some(part);
        let value = Heard { ts, device, trip }.write(None);
        let slot = last + self.rng.random_range(1..100);
        let sent = Sent {
            device,
            value: Some(value),
            completes: None,
            moment: None,
        };
        self.schedule(slot, sent);
    }
}
