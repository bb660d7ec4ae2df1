//! What is remembered of trips (`STORE-TRIPS`): which chunks came, and how many there are; never what was in them.

use super::indexes::Indexes;
use crate::exercises::stream::{StoreKey, StoreValue};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A trip, as its device names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Trip {
    /// Which device.
    pub device: i64,
    /// When it began, in ms since 1970-01-01 UTC by the device's clock.
    pub start: i64,
    /// When it ended.
    pub end: i64,
}

/// A block of a trip's chunks; block 0 also has what is known of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    /// The trip.
    pub trip: Trip,
    /// Which 65,536 of its chunks.
    pub block: u32,
}

/// What is remembered at a place.
#[derive(Debug, Clone)]
pub enum State {
    /// Of a trip that is not whole yet: how many chunks it has, how many came, and which of block 0.
    Waiting {
        /// As the first said.
        chunks: u32,
        /// All blocks together.
        count: u32,
        /// Of block 0.
        came: Indexes,
    },
    /// Of a trip that was emitted: that, and how many chunks it was said to have.
    Emitted {
        /// As the first said.
        chunks: u32,
    },
    /// Of a further block: which came.
    Block(Indexes),
}

/// The text of a state.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    chunks: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    count: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default, borrow)]
    came: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    emitted: bool,
}

impl Place {
    /// The place of what is known of a whole trip.
    pub fn of(trip: Trip) -> Self {
        Place { trip, block: 0 }
    }

    /// Before all places of trips that began at `start` or later, and behind all others.
    pub fn beginning(start: i64) -> Self {
        let (device, end) = (i64::MIN, i64::MIN);
        Place::of(Trip { device, start, end })
    }
}

/// A number as bytes that are in its order.
fn ordered(number: i64) -> [u8; 8] {
    (number as u64 ^ (1 << 63)).to_be_bytes()
}

fn from_ordered(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)) as i64
}

impl StoreKey for Place {
    /// By the start of the trip first: what is to expire stands in front.
    fn on_disk(&self) -> Vec<u8> {
        let Trip { device, start, end } = self.trip;
        let mut bytes = Vec::with_capacity(28);
        for number in [start, device, end] {
            bytes.extend_from_slice(&ordered(number));
        }
        bytes.extend_from_slice(&self.block.to_be_bytes());
        bytes
    }

    fn from_disk(bytes: &[u8]) -> Option<Self> {
        let (start, rest) = bytes.split_first_chunk()?;
        let (device, rest) = rest.split_first_chunk()?;
        let (end, block) = rest.split_first_chunk()?;
        Some(Place {
            trip: Trip {
                device: from_ordered(*device),
                start: from_ordered(*start),
                end: from_ordered(*end),
            },
            block: u32::from_be_bytes(block.try_into().ok()?),
        })
    }

    /// `DEVICE/START/END`, and `/BLOCK` for a further block.
    fn in_log(&self) -> Vec<u8> {
        let Trip { device, start, end } = self.trip;
        match self.block {
            0 => format!("{device}/{start}/{end}").into_bytes(),
            block => format!("{device}/{start}/{end}/{block}").into_bytes(),
        }
    }

    fn from_log(bytes: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(bytes).ok()?.split('/');
        let mut number = || parts.next()?.parse().ok();
        let (device, start, end) = (number()?, number()?, number()?);
        let block = parts.next().map_or(Some(0), |block| block.parse().ok())?;
        let trip = Trip { device, start, end };
        parts.next().is_none().then_some(Place { trip, block })
    }
}

impl StoreValue for State {
    /// JSON: `{"chunks":5,"count":3,"came":"1-2,5"}`, `{"chunks":5,"emitted":true}`, `{"came":"1"}`.
    fn to_bytes(&self) -> Vec<u8> {
        let (chunks, count, came, emitted) = match self {
            State::Waiting { chunks, count, came } => {
                (Some(*chunks), Some(*count), Some(came.to_text()), false)
            }
            State::Emitted { chunks } => (Some(*chunks), None, None, true),
            State::Block(came) => (None, None, Some(came.to_text()), false),
        };
        let written = Written {
            chunks,
            count,
            came: came.map(Cow::Owned),
            emitted,
        };
        // Numbers and text cannot fail to be JSON.
        serde_json::to_vec(&written).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let Written {
            chunks,
            count,
            came,
            emitted,
        } = serde_json::from_slice(bytes).ok()?;
        let came = came.map(|came| Indexes::from_text(&came));
        Some(match (chunks, count, came, emitted) {
            (Some(chunks), Some(count), Some(came), false) => State::Waiting {
                chunks,
                count,
                came: came?,
            },
            (Some(chunks), None, None, true) => State::Emitted { chunks },
            (None, None, Some(came), false) => State::Block(came?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_reads_as_a_person_would_write_it() {
        let place = Place::of(Trip {
            device: 7,
            start: -1,
            end: 2,
        });
        assert_eq!(place.in_log(), b"7/-1/2");
        let mut came = Indexes::default();
        came.insert(0);
        came.insert(1);
        let text = |state: State| String::from_utf8(state.to_bytes()).unwrap();
        let waiting = State::Waiting {
            chunks: u32::MAX,
            count: 2,
            came,
        };
        assert_eq!(text(waiting), r#"{"chunks":4294967295,"count":2,"came":"1-2"}"#);
        assert_eq!(
            text(State::Emitted { chunks: 3 }),
            r#"{"chunks":3,"emitted":true}"#
        );
        assert_eq!(text(State::Block(Indexes::default())), r#"{"came":""}"#);
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for wrong in [
            "",
            "{}",
            r#"{"chunks":3}"#,
            r#"{"chunks":3,"count":1,"came":"x"}"#,
            r#"{"chunks":3,"count":1,"came":"1","emitted":true}"#,
            r#"{"chunks":-3,"emitted":true}"#,
        ] {
            assert!(State::from_bytes(wrong.as_bytes()).is_none(), "{wrong}");
        }
        for wrong in ["", "1/2", "1/2/3/4/5", "1/2/x", "1/2/3/"] {
            assert!(Place::from_log(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_place_is_the_same_on_disk_and_in_the_log(device: i64, start: i64, end: i64, block: u32) {
            let place = Place { trip: Trip { device, start, end }, block };
            prop_assert_eq!(Place::from_disk(&place.on_disk()), Some(place));
            prop_assert_eq!(Place::from_log(&place.in_log()), Some(place));
        }

        #[test]
        fn on_disk_what_began_earlier_stands_in_front(one: (i64, i64, i64), other: (i64, i64, i64)) {
            let place = |(device, start, end)| Place::of(Trip { device, start, end });
            let (early, late) = (place(one), place(other));
            prop_assume!(early.trip.start < late.trip.start);
            prop_assert!(early.on_disk() < late.on_disk());
            prop_assert!(early.on_disk() < Place::beginning(late.trip.start).on_disk());
            prop_assert!(Place::beginning(late.trip.start).on_disk() <= late.on_disk());
        }
    }
}
