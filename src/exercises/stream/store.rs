//! A map for each partition: in memory what has changed lately, on disk the rest.
//!
//! What has changed reaches the disk after it is safe in the changelog, with the changelog's offset: a store on disk is never ahead
//! of the changelog, and one that is behind reads on from its offset. It is written there some time after it was committed, and stays
//! in memory until then.

use super::disk::{Change, Mark, Sheet, Shelf};
use crate::failure::{Failure, Outcome};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

/// A key, on disk and in the changelog.
pub trait StoreKey: Clone + Eq + Hash + Send + 'static {
    /// Its bytes on disk, which are in the order in which [`KeyValue::between`] goes.
    fn on_disk(&self) -> Vec<u8>;
    /// Reads those.
    fn from_disk(bytes: &[u8]) -> Option<Self>;
    /// Its bytes in the changelog, as a person may read them.
    fn in_log(&self) -> Vec<u8>;
    /// Reads those.
    fn from_log(bytes: &[u8]) -> Option<Self>;
}

/// A value, on disk and in the changelog alike.
pub trait StoreValue: Clone + Send + 'static {
    /// Its bytes.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads them.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A map, wherever it is kept.
pub trait KeyValue<K, V> {
    /// The value of a key.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    fn get(&mut self, key: &K) -> Outcome<Option<&V>>;

    /// Sets it.
    fn put(&mut self, key: K, value: V);

    /// Takes it away.
    fn delete(&mut self, key: &K);

    /// The first `most` entries whose keys stand behind `after` and before `bound` in the order of the disk.
    ///
    /// # Errors
    /// As [`KeyValue::get`].
    fn between(&mut self, after: Option<&K>, bound: &K, most: usize) -> Outcome<Vec<(K, V)>>;
}

/// What is in memory of a key.
#[derive(Debug, Clone)]
struct Held<V> {
    value: Option<V>,
    /// Whether it differs from what is committed.
    changed: bool,
    /// Whether it is yet to be handed to who writes to disk.
    due: bool,
    /// Whether something may be committed.
    kept: bool,
}

/// The map of one partition.
pub struct Store<K, V> {
    shelf: Shelf,
    held: HashMap<K, Held<V>>,
    /// How many of those differ from what is committed.
    changed: usize,
    /// How many of those are yet to be written to disk, and up to where in the changelog that is as of the last commit.
    due: usize,
    mark: Option<Mark>,
}

impl<K: StoreKey, V: StoreValue> Store<K, V> {
    /// The map on that shelf.
    pub fn on(shelf: Shelf) -> Self {
        Store {
            shelf,
            held: HashMap::new(),
            changed: 0,
            due: 0,
            mark: None,
        }
    }

    /// Up to where in the changelog the disk had it when it was opened.
    pub fn on_disk(&self) -> Option<&Mark> {
        self.shelf.mark()
    }

    /// Writes records of the changelog to disk, and up to where that is. Answers how many are none of this map.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restore(&mut self, records: Vec<Change>, mark: Mark) -> Outcome<u64> {
        let mut strange = 0;
        let mut changes = Vec::with_capacity(records.len());
        for (key, value) in records {
            let fits = value
                .as_deref()
                .is_none_or(|value| V::from_bytes(value).is_some());
            match K::from_log(&key) {
                Some(key) if fits => changes.push((key.on_disk(), value)),
                _ => strange += 1,
            }
        }
        self.shelf.apply(changes, mark)?;
        Ok(strange)
    }

    /// Forgets all, on disk too.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn wipe(&mut self) -> Outcome {
        self.held.clear();
        (self.changed, self.due, self.mark) = (0, 0, None);
        self.shelf.wipe()
    }

    /// What has changed since the last commit, as the changelog has it.
    pub fn changes(&self) -> impl Iterator<Item = Change> {
        let changed = self.held.iter().filter(|(_, held)| held.changed);
        changed.map(|(key, held)| (key.in_log(), held.value.as_ref().map(StoreValue::to_bytes)))
    }

    /// Whether nothing has changed since the last commit.
    pub fn is_unchanged(&self) -> bool {
        self.changed == 0
    }

    /// What has changed is committed, in the changelog up to `mark`.
    pub fn settle(&mut self, mark: Mark) {
        for held in self.held.values_mut().filter(|held| held.changed) {
            held.changed = false;
            held.kept = held.value.is_some();
        }
        self.changed = 0;
        self.mark = Some(mark);
    }

    /// How much is yet to be written to disk.
    pub fn due(&self) -> usize {
        self.due
    }

    /// What is to be written to disk, if there is anything. None while something has changed since the last commit: of that key
    /// what was committed is not known any more.
    pub fn hand_over(&mut self) -> Option<Sheet> {
        if self.changed > 0 || self.due == 0 {
            return None;
        }
        let mark = self.mark.clone()?;
        let mut due = Vec::with_capacity(self.due);
        for (key, held) in self.held.iter_mut().filter(|(_, held)| held.due) {
            held.due = false;
            due.push((key.clone(), held.value.clone()));
        }
        self.due = 0;
        let on_disk = |(key, value): (K, Option<V>)| (key.on_disk(), value.as_ref().map(V::to_bytes));
        let changes = move || due.into_iter().map(on_disk).collect();
        Some(self.shelf.sheet(changes, mark))
    }

    /// All that was handed over is on disk: it is not held in memory any more.
    pub fn tidy(&mut self) {
        self.held.retain(|_, held| held.changed || held.due);
        self.shelf.rest();
    }

    /// Every entry, of a map in which nothing has changed since it was opened.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn each(&mut self, take: &mut dyn FnMut(K, V)) -> Outcome {
        let mut torn = false;
        self.shelf.scan(None, None, &mut |key, value| {
            match (K::from_disk(key), V::from_bytes(value)) {
                (Some(key), Some(value)) => take(key, value),
                _ => torn = true,
            }
            !torn
        })?;
        self.readable(torn)
    }

    fn readable(&self, torn: bool) -> Outcome {
        match torn {
            true => Err(unreadable(&self.shelf)),
            false => Ok(()),
        }
    }

    fn note(&mut self, key: K, value: Option<V>) {
        let unknown = || Held {
            value: None,
            changed: false,
            due: false,
            kept: true,
        };
        let held = self.held.entry(key).or_insert_with(unknown);
        // What came and went between two commits leaves no trace.
        let changed = value.is_some() || held.kept;
        let due = held.due || changed;
        self.changed = self.changed + usize::from(changed) - usize::from(held.changed);
        self.due = self.due + usize::from(due) - usize::from(held.due);
        held.value = value;
        held.changed = changed;
        held.due = due;
    }
}

fn unreadable(shelf: &Shelf) -> Failure {
    shelf.failure("what is on disk is none of this program's")
}

impl<K: StoreKey, V: StoreValue> KeyValue<K, V> for Store<K, V> {
    fn get(&mut self, key: &K) -> Outcome<Option<&V>> {
        let held = match self.held.entry(key.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let value = match self.shelf.get(&key.on_disk())? {
                    None => None,
                    Some(bytes) => Some(V::from_bytes(&bytes).ok_or_else(|| unreadable(&self.shelf))?),
                };
                let (changed, due, kept) = (false, false, value.is_some());
                place.insert(Held {
                    value,
                    changed,
                    due,
                    kept,
                })
            }
        };
        Ok(held.value.as_ref())
    }

    fn put(&mut self, key: K, value: V) {
        self.note(key, Some(value));
    }

    fn delete(&mut self, key: &K) {
        self.note(key.clone(), None);
    }

    fn between(&mut self, after: Option<&K>, bound: &K, most: usize) -> Outcome<Vec<(K, V)>> {
        let mut found = BTreeMap::new();
        let mut torn = false;
        let held = &self.held;
        let (after, bound) = (after.map(K::on_disk), bound.on_disk());
        self.shelf
            .scan(after.as_deref(), Some(&bound), &mut |place, value| {
                match (K::from_disk(place), V::from_bytes(value)) {
                    // What is held is newer.
                    (Some(key), Some(_)) if held.contains_key(&key) => {}
                    (Some(key), Some(value)) => {
                        found.insert(place.to_vec(), (key, value));
                    }
                    _ => torn = true,
                }
                !torn && found.len() < most
            })?;
        self.readable(torn)?;
        let held = self.held.iter().filter_map(|(key, held)| {
            let place = key.on_disk();
            let within = after.as_ref().is_none_or(|after| place > *after) && place < bound;
            let value = held.value.as_ref().filter(|_| within)?;
            Some((place, (key.clone(), value.clone())))
        });
        found.extend(held);
        Ok(found.into_values().take(most).collect())
    }
}

#[cfg(test)]
pub(super) mod tests;

/// A map in memory alone, for tests of what works with one.
#[cfg(test)]
pub mod in_memory {
    use super::{KeyValue, StoreKey, StoreValue};
    use crate::failure::Outcome;
    use std::collections::BTreeMap;

    /// By the bytes that would be on disk.
    #[derive(Debug)]
    pub struct InMemory<K, V>(pub BTreeMap<Vec<u8>, (K, V)>);

    impl<K, V> Default for InMemory<K, V> {
        fn default() -> Self {
            InMemory(BTreeMap::new())
        }
    }

    impl<K: StoreKey, V: StoreValue> KeyValue<K, V> for InMemory<K, V> {
        fn get(&mut self, key: &K) -> Outcome<Option<&V>> {
            Ok(self.0.get(&key.on_disk()).map(|(_, value)| value))
        }

        fn put(&mut self, key: K, value: V) {
            let (on_disk, in_log) = (key.on_disk(), key.in_log());
            assert!(K::from_disk(&on_disk).as_ref() == Some(&key));
            assert!(K::from_log(&in_log).as_ref() == Some(&key));
            let value = V::from_bytes(&value.to_bytes()).expect("what is written can be read");
            self.0.insert(on_disk, (key, value));
        }

        fn delete(&mut self, key: &K) {
            self.0.remove(&key.on_disk());
        }

        fn between(&mut self, after: Option<&K>, bound: &K, most: usize) -> Outcome<Vec<(K, V)>> {
            use std::ops::Bound::{Excluded, Unbounded};
            let range = (
                after.map_or(Unbounded, |after| Excluded(after.on_disk())),
                Excluded(bound.on_disk()),
            );
            let between = self.0.range(range).take(most);
            Ok(between.map(|(_, entry)| entry.clone()).collect())
        }
    }
}
