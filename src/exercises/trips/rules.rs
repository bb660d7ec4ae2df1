//! How a trip is put together of its chunks, whatever order they come in. Pure but for the store.

use super::indexes::{BLOCK, Indexes};
use super::packet::{Chunk, Heard};
use super::state::{Place, State, Trip};
use crate::exercises::stream::KeyValue;
use crate::failure::Outcome;

/// A device whose clock is further ahead of now, in ms, is not believed: a broker takes no such timestamps either
/// (`message.timestamp.after.max.ms`).
pub const AHEAD_MS: i64 = 3_600_000;

/// Most states that are looked at for expiry before what is gone is written.
const SWEEP: usize = 10_000;

/// What a record came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is no packet, and why.
    Undecodable(String),
    /// It is of no trip that is sent whole.
    NoTrip,
    /// Its device's clock is ahead by so many ms.
    FromTheFuture(i64),
    /// Its chunk is 0, or behind the last.
    OutOfRange(Chunk),
    /// It says another number of chunks than the first of its trip, which said so many.
    Disagrees(Chunk, u32),
    /// It came before, or its trip was emitted.
    Repeated,
    /// It is noted.
    Noted,
    /// It was the last that was missing.
    Whole(Trip),
}

/// How long what is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Of a trip that is not whole, in ms since its start.
    pub ttl_ms: i64,
    /// Of a trip that was emitted, in ms since its start; none drops it at once.
    pub remember_ms: Option<i64>,
}

/// What has been dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dropped {
    /// The trip.
    pub trip: Trip,
    /// How many of how many chunks had come; none of a trip that was emitted.
    pub waiting: Option<(u32, u32)>,
}

/// Takes a record's value in.
///
/// # Errors
/// When the store cannot be read.
pub fn take(
    value: Option<&[u8]>,
    now_ms: i64,
    memory: Memory,
    store: &mut impl KeyValue<Place, State>,
) -> Outcome<Verdict> {
    let heard = match Heard::read(value) {
        Ok(heard) => heard,
        Err(why) => return Ok(Verdict::Undecodable(why)),
    };
    let Some(part) = heard.trip else {
        return Ok(Verdict::NoTrip);
    };
    if let Some(ahead) = ahead(heard.ts, now_ms) {
        return Ok(Verdict::FromTheFuture(ahead));
    }
    if part.chunk == 0 || part.chunk > part.chunks {
        return Ok(Verdict::OutOfRange(part));
    }
    let trip = Trip {
        device: heard.device,
        start: part.start,
        end: part.end,
    };
    note(trip, part, memory, store)
}

/// By how many ms a clock is too far ahead of now.
pub fn ahead(ts: i64, now_ms: i64) -> Option<i64> {
    let ahead = ts.saturating_sub(now_ms);
    (ahead > AHEAD_MS).then_some(ahead)
}

fn note(
    trip: Trip,
    part: Chunk,
    memory: Memory,
    store: &mut impl KeyValue<Place, State>,
) -> Outcome<Verdict> {
    let place = Place::of(trip);
    let known = match store.get(&place)? {
        Some(State::Emitted { .. }) if part.chunks == 1 => return Ok(Verdict::Repeated),
        // A trip of one chunk is whole, whatever was said of it before.
        _ if part.chunks == 1 => None,
        Some(State::Emitted { chunks } | State::Waiting { chunks, .. }) if *chunks != part.chunks => {
            return Ok(Verdict::Disagrees(part, *chunks));
        }
        Some(State::Emitted { .. }) => return Ok(Verdict::Repeated),
        Some(State::Waiting { count, came, .. }) => Some((*count, came.clone())),
        Some(State::Block(_)) | None => None,
    };
    if part.chunks == 1 {
        emit(trip, part.chunks, memory, store)?;
        return Ok(Verdict::Whole(trip));
    }
    let (mut count, mut came) = known.unwrap_or_default();
    if !insert(trip, part.chunk - 1, &mut came, store)? {
        return Ok(Verdict::Repeated);
    }
    count += 1;
    if count == part.chunks {
        emit(trip, part.chunks, memory, store)?;
        return Ok(Verdict::Whole(trip));
    }
    let chunks = part.chunks;
    store.put(place, State::Waiting { chunks, count, came });
    Ok(Verdict::Noted)
}

/// Notes a chunk, counted from 0, in its block; false when it was noted before.
fn insert(
    trip: Trip,
    index: u32,
    first: &mut Indexes,
    store: &mut impl KeyValue<Place, State>,
) -> Outcome<bool> {
    let block = index / BLOCK;
    // The rest of a division by 65,536.
    let within = (index % BLOCK) as u16;
    if block == 0 {
        return Ok(first.insert(within));
    }
    let place = Place { trip, block };
    let mut came = match store.get(&place)? {
        Some(State::Block(came)) => came.clone(),
        _ => Indexes::default(),
    };
    let fresh = came.insert(within);
    if fresh {
        store.put(place, State::Block(came));
    }
    Ok(fresh)
}

/// What is known of a trip becomes a mark, or nothing.
fn emit(trip: Trip, chunks: u32, memory: Memory, store: &mut impl KeyValue<Place, State>) -> Outcome {
    let first = match store.get(&Place::of(trip))? {
        Some(State::Waiting { chunks, .. }) => *chunks,
        _ => chunks,
    };
    drop_blocks(trip, first, store)?;
    match memory.remember_ms {
        Some(_) => store.put(Place::of(trip), State::Emitted { chunks: first }),
        None => store.delete(&Place::of(trip)),
    }
    Ok(())
}

/// Deletes the further blocks of a trip of so many chunks.
fn drop_blocks(trip: Trip, chunks: u32, store: &mut impl KeyValue<Place, State>) -> Outcome {
    for block in 1..=chunks.saturating_sub(1) / BLOCK {
        let place = Place { trip, block };
        if store.get(&place)?.is_some() {
            store.delete(&place);
        }
    }
    Ok(())
}

/// Drops what is remembered for too long among the next thousands of states behind `after`. Answers what went, and behind which
/// place to go on, if there may be more.
///
/// # Errors
/// When the store cannot be read.
pub fn expire(
    now_ms: i64,
    memory: Memory,
    after: Option<Place>,
    store: &mut impl KeyValue<Place, State>,
) -> Outcome<(Vec<Dropped>, Option<Place>)> {
    let age = |ms: i64| now_ms.saturating_sub(ms);
    let (waiting, emitted) = (age(memory.ttl_ms), age(memory.remember_ms.unwrap_or(0)));
    let bound = Place::beginning(waiting.max(emitted));
    let old = store.between(after.as_ref(), &bound, SWEEP)?;
    let more = (old.len() == SWEEP).then(|| old.last().map(|(place, _)| *place));
    let mut dropped = Vec::new();
    for (place, state) in old {
        let trip = place.trip;
        let waiting = match state {
            State::Waiting { chunks, count, .. } if trip.start < waiting => Some((count, chunks)),
            State::Emitted { .. } if trip.start < emitted => None,
            _ => continue,
        };
        if let Some((_, chunks)) = waiting {
            drop_blocks(trip, chunks, store)?;
        }
        store.delete(&place);
        dropped.push(Dropped { trip, waiting });
    }
    Ok((dropped, more.flatten()))
}

#[cfg(test)]
mod tests;
