//! Trips put together as many write it first, with a mistake that a store in memory forgives: what a store has handed out is
//! changed, and the store is not told. Whether trips come out depends on what the store hands out.

use super::packet::Heard;
use super::state::Trip;
use crate::failure::Outcome;
use crate::kafka::Connection;
use crate::kafka::topic_reader::read_to_end;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// What a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Keeping {
    /// The objects themselves: what is handed out and changed is changed in the store
    Memory,
    /// Bytes, as every store that outlives its program: each time a copy is handed out
    Bytes,
}

/// Which chunks of a trip came.
type Came = Rc<RefCell<BTreeSet<u32>>>;

enum Store {
    Memory(HashMap<Trip, Came>),
    Bytes(HashMap<Trip, Vec<u8>>),
}

impl Store {
    fn new(keeping: Keeping) -> Self {
        match keeping {
            Keeping::Memory => Store::Memory(HashMap::new()),
            Keeping::Bytes => Store::Bytes(HashMap::new()),
        }
    }

    fn get(&self, trip: Trip) -> Option<Came> {
        match self {
            Store::Memory(objects) => objects.get(&trip).map(Rc::clone),
            Store::Bytes(bytes) => {
                let numbers = bytes.get(&trip)?.chunks_exact(4);
                let numbers = numbers.filter_map(|four| Some(u32::from_be_bytes(four.try_into().ok()?)));
                Some(Rc::new(RefCell::new(numbers.collect())))
            }
        }
    }

    fn put(&mut self, trip: Trip, came: &Came) {
        match self {
            Store::Memory(objects) => {
                objects.insert(trip, Rc::clone(came));
            }
            Store::Bytes(bytes) => {
                let numbers = came.borrow();
                let numbers = numbers.iter().flat_map(|number| number.to_be_bytes());
                bytes.insert(trip, numbers.collect());
            }
        }
    }

    fn delete(&mut self, trip: Trip) {
        match self {
            Store::Memory(objects) => drop(objects.remove(&trip)),
            Store::Bytes(bytes) => drop(bytes.remove(&trip)),
        }
    }
}

/// The sketch at work.
struct Sketch {
    store: Store,
}

impl Sketch {
    fn take(&mut self, value: Option<&[u8]>) -> Option<Trip> {
        let heard = Heard::read(value).ok()?;
        let part = heard.trip?;
        if part.chunk == 0 || part.chunk > part.chunks {
            return None;
        }
        let trip = Trip {
            device: heard.device,
            start: part.start,
            end: part.end,
        };
        let came = self.store.get(trip).unwrap_or_else(|| {
            let none = Came::default();
            self.store.put(trip, &none);
            none
        });
        came.borrow_mut().insert(part.chunk);
        if (came.borrow().len() as u64) < u64::from(part.chunks) {
            // The mistake: the store is not told.
            return None;
        }
        self.store.delete(trip);
        Some(trip)
    }
}

/// Reads a whole topic of packets, and answers how many there were, and the trips that came out.
///
/// # Errors
/// When the topic cannot be read.
pub fn run(connection: &Connection, topic: &str, keeping: Keeping) -> Outcome<(u64, Vec<Trip>)> {
    let mut sketch = Sketch {
        store: Store::new(keeping),
    };
    let (mut packets, mut trips) = (0, Vec::new());
    read_to_end(connection, topic, |record| {
        packets += 1;
        trips.extend(sketch.take(record.value.as_deref()));
    })?;
    Ok((packets, trips))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exercises::trips::packet::Chunk;

    #[test]
    fn the_mistake_works_in_memory_and_loses_with_bytes() {
        let packet = |chunk, chunks| {
            let trip = Some(Chunk {
                start: 1,
                end: 2,
                chunk,
                chunks,
            });
            Heard {
                ts: 2,
                device: 7,
                trip,
            }
            .write(None)
        };
        let come_out = |keeping, chunks: u32| {
            let mut sketch = Sketch {
                store: Store::new(keeping),
            };
            let taken = (1..=chunks)
                .rev()
                .map(|chunk| sketch.take(Some(&packet(chunk, chunks))));
            taken.flatten().count()
        };
        assert_eq!(come_out(Keeping::Memory, 3), 1);
        assert_eq!(come_out(Keeping::Bytes, 3), 0);
        // A trip of one chunk needs no memory.
        assert_eq!(come_out(Keeping::Bytes, 1), 1);
    }
}
