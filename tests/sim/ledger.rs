//! What clients were told: it must stay true whatever happens to nodes, disks and links.

use super::history::History;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A topic's partition.
pub type Place = (String, i32);

/// What was told. Cloning shares it.
#[derive(Clone)]
pub struct Ledger {
    told: Arc<Mutex<Told>>,
    history: History,
}

#[derive(Default)]
struct Told {
    /// Records that were acknowledged by all or could be read, by offset.
    records: BTreeMap<Place, BTreeMap<i64, String>>,
    /// How many of them were acknowledged.
    acknowledged: usize,
    /// Offsets of groups: the last that was acknowledged.
    offsets: BTreeMap<(String, i32), i64>,
    /// Topics whose making (true) or deletion (false) was acknowledged last.
    topics: BTreeMap<String, bool>,
}

impl Ledger {
    pub fn new(history: &History) -> Self {
        Ledger {
            told: Arc::default(),
            history: history.clone(),
        }
    }

    /// A producer was told that a record stands there.
    pub fn acknowledged(&self, place: &Place, offset: i64, value: &str) {
        self.told.lock().acknowledged += 1;
        self.record(place, offset, value, "acknowledged");
    }

    /// A reader was given a record.
    pub fn read(&self, place: &Place, offset: i64, value: &str) {
        self.record(place, offset, value, "read");
    }

    fn record(&self, place: &Place, offset: i64, value: &str, how: &str) {
        let mut told = self.told.lock();
        let of_place = told.records.entry(place.clone()).or_default();
        let known = of_place.entry(offset).or_insert_with(|| value.to_owned());
        if known != value {
            let (topic, partition) = place;
            self.history.broken(format_args!(
                "{value} was {how} at offset {offset} of {topic}-{partition}, where {known} was told to stand"
            ));
        }
    }

    /// What was told to stand in a partition from `from` up to `to`.
    pub fn records(&self, place: &Place, from: i64, to: i64) -> Vec<(i64, String)> {
        let told = self.told.lock();
        let of_place = told.records.get(place).into_iter();
        let between = of_place.flat_map(|records| records.range(from..to));
        between.map(|(offset, value)| (*offset, value.clone())).collect()
    }

    /// How many records were acknowledged.
    pub fn acknowledged_records(&self) -> usize {
        self.told.lock().acknowledged
    }

    /// A group was told that its offset is kept.
    pub fn committed(&self, group: &str, partition: i32, offset: i64) {
        let mut told = self.told.lock();
        told.offsets.insert((group.to_owned(), partition), offset);
    }

    /// All offsets that groups were told to be kept, by group and partition.
    pub fn offsets(&self) -> BTreeMap<(String, i32), i64> {
        self.told.lock().offsets.clone()
    }

    /// Somebody was told that a topic is there, or is gone; `None` while that is open.
    pub fn topic(&self, name: &str, there: Option<bool>) {
        let mut told = self.told.lock();
        match there {
            Some(there) => told.topics.insert(name.to_owned(), there),
            None => told.topics.remove(name),
        };
    }

    /// Topics that were told to be there, or to be gone.
    pub fn topics(&self) -> BTreeMap<String, bool> {
        self.told.lock().topics.clone()
    }
}
