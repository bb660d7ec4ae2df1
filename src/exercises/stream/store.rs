//! A map for each partition: in memory what has changed since the last commit, on disk the rest.
//!
//! What has changed reaches the disk after it is safe in the changelog, with the changelog's offset: a store on disk is never ahead
//! of the changelog, and one that is behind reads on from its offset.

use super::disk::{Mark, Shelf};
use crate::failure::{Failure, Outcome};
use std::collections::HashMap;
use std::hash::Hash;

/// A key, on disk and in the changelog.
pub trait StoreKey: Clone + Eq + Hash {
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
pub trait StoreValue: Clone {
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

    /// The first `most` entries whose keys stand on disk behind `after` and before `bound`, as of the last commit, without
    /// those deleted since.
    ///
    /// # Errors
    /// As [`KeyValue::get`].
    fn between(&mut self, after: Option<&K>, bound: &K, most: usize) -> Outcome<Vec<(K, V)>>;
}

/// What is in memory of a key.
#[derive(Debug, Clone)]
struct Held<V> {
    value: Option<V>,
    /// Whether it differs from what is on disk.
    changed: bool,
    /// Whether there may be something on disk.
    kept: bool,
}

/// The map of one partition.
pub struct Store<K, V> {
    shelf: Shelf,
    held: HashMap<K, Held<V>>,
}

impl<K: StoreKey, V: StoreValue> Store<K, V> {
    /// The map on that shelf.
    pub fn on(shelf: Shelf) -> Self {
        Store {
            shelf,
            held: HashMap::new(),
        }
    }

    /// Up to where in the changelog the disk has it.
    pub fn mark(&self) -> Option<&Mark> {
        self.shelf.mark()
    }

    /// Writes records of the changelog to disk, and up to where that is. Answers how many are none of this map.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn restore(&mut self, records: Vec<(Vec<u8>, Option<Vec<u8>>)>, mark: Mark) -> Outcome<u64> {
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
        self.shelf.wipe()
    }

    /// What has changed since the last commit, as the changelog has it.
    pub fn changes(&self) -> impl Iterator<Item = (Vec<u8>, Option<Vec<u8>>)> {
        let changed = self.held.iter().filter(|(_, held)| held.changed);
        changed.map(|(key, held)| (key.in_log(), held.value.as_ref().map(StoreValue::to_bytes)))
    }

    /// Whether nothing has changed since the last commit.
    pub fn is_unchanged(&self) -> bool {
        !self.held.values().any(|held| held.changed)
    }

    /// What has changed is in the changelog up to `mark`: writes it to disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn settle(&mut self, mark: Mark) -> Outcome {
        let changed = self.held.drain().filter(|(_, held)| held.changed);
        let changes =
            changed.map(|(key, held)| (key.on_disk(), held.value.as_ref().map(StoreValue::to_bytes)));
        self.shelf.apply(changes.collect(), mark)
    }

    /// Nothing has changed, and nothing is asked for a while.
    pub fn rest(&mut self) {
        self.held.clear();
        self.shelf.rest();
    }

    /// Every entry as of the last commit.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn each(&mut self, take: &mut dyn FnMut(K, V)) -> Outcome {
        let mut torn = None;
        self.shelf.scan(None, None, &mut |key, value| {
            match (K::from_disk(key), V::from_bytes(value)) {
                (Some(key), Some(value)) => take(key, value),
                _ => torn = Some(key.to_vec()),
            }
            torn.is_none()
        })?;
        torn.map_or(Ok(()), |_| Err(self.unreadable()))
    }

    fn may_be_kept(&self, key: &K) -> bool {
        self.held.get(key).is_none_or(|held| held.kept)
    }

    fn unreadable(&self) -> Failure {
        self.shelf.failure("what is on disk is none of this program's")
    }
}

impl<K: StoreKey, V: StoreValue> KeyValue<K, V> for Store<K, V> {
    fn get(&mut self, key: &K) -> Outcome<Option<&V>> {
        if !self.held.contains_key(key) {
            let value = match self.shelf.get(&key.on_disk())? {
                None => None,
                Some(bytes) => Some(V::from_bytes(&bytes).ok_or_else(|| self.unreadable())?),
            };
            let (changed, kept) = (false, value.is_some());
            self.held.insert(key.clone(), Held { value, changed, kept });
        }
        Ok(self.held.get(key).and_then(|held| held.value.as_ref()))
    }

    fn put(&mut self, key: K, value: V) {
        let kept = self.may_be_kept(&key);
        let (value, changed) = (Some(value), true);
        self.held.insert(key, Held { value, changed, kept });
    }

    fn delete(&mut self, key: &K) {
        // What came and went between two commits leaves no trace.
        let kept = self.may_be_kept(key);
        let (value, changed) = (None, kept);
        self.held.insert(key.clone(), Held { value, changed, kept });
    }

    fn between(&mut self, after: Option<&K>, bound: &K, most: usize) -> Outcome<Vec<(K, V)>> {
        let mut found = Vec::new();
        let mut torn = false;
        let held = &self.held;
        let (after, bound) = (after.map(K::on_disk), bound.on_disk());
        self.shelf
            .scan(after.as_deref(), Some(&bound), &mut |key, value| {
                let (Some(key), Some(value)) = (K::from_disk(key), V::from_bytes(value)) else {
                    torn = true;
                    return false;
                };
                match held.get(&key) {
                    None => found.push((key, value)),
                    Some(Held {
                        value: Some(value), ..
                    }) => found.push((key, value.clone())),
                    Some(Held { value: None, .. }) => {}
                }
                found.len() < most
            })?;
        match torn {
            true => Err(self.unreadable()),
            false => Ok(found),
        }
    }
}

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
