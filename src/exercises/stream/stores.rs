//! The stores of a member's partitions, and when they go to disk.

use super::disk::Disk;
use super::store::{Store, StoreKey, StoreValue};
use crate::failure::Outcome;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::{Duration, Instant};

/// What is committed goes to disk when it has waited for so long. Whoever is killed reads it from the changelog again.
const EACH: Duration = Duration::from_secs(1);
/// Or when it is so many entries: they are held in memory until then.
const MANY: usize = 20_000;
/// With so many entries the work waits for a disk that is slow.
const MOST: usize = 10 * MANY;

/// A store for each partition, in one file.
pub struct Stores<K: StoreKey, V: StoreValue> {
    /// Closed before the file is.
    stores: BTreeMap<i32, Store<K, V>>,
    disk: Disk,
    /// When there was last nothing to write, or it was handed over.
    since: Instant,
}

impl<K: StoreKey, V: StoreValue> Stores<K, V> {
    /// Opens the file in that folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(folder: &Path) -> Outcome<Self> {
        Ok(Stores {
            stores: BTreeMap::new(),
            disk: Disk::open(folder)?,
            since: Instant::now(),
        })
    }

    /// Adds the store of that partition, as it is on disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn add(&mut self, partition: i32) -> Outcome {
        let store = Store::on(self.disk.shelf(partition)?);
        self.stores.insert(partition, store);
        Ok(())
    }

    /// Between two transactions: has what is committed written to disk, if it is time, and drops from memory what is there.
    ///
    /// # Errors
    /// When something was not written.
    pub fn keep(&mut self) -> Outcome {
        let due: usize = self.stores.values().map(Store::due).sum();
        if due >= MOST {
            self.disk.wait()?;
        }
        if !self.disk.is_idle()? {
            return Ok(());
        }
        self.stores.values_mut().for_each(Store::tidy);
        if due == 0 {
            self.since = Instant::now();
        }
        if due >= MANY || self.since.elapsed() >= EACH {
            self.hand_over()?;
        }
        Ok(())
    }

    /// The stores are given up. What is committed is put on disk, and what is not is forgotten.
    ///
    /// # Errors
    /// When something was not written; they are given up all the same.
    pub fn give_up(&mut self) -> Outcome {
        let handed = self.hand_over();
        self.stores.clear();
        handed.and(self.disk.wait())
    }

    fn hand_over(&mut self) -> Outcome {
        self.since = Instant::now();
        let sheets: Vec<_> = self.stores.values_mut().filter_map(Store::hand_over).collect();
        match sheets.is_empty() {
            true => Ok(()),
            false => self.disk.write(sheets),
        }
    }
}

impl<K: StoreKey, V: StoreValue> Deref for Stores<K, V> {
    type Target = BTreeMap<i32, Store<K, V>>;

    fn deref(&self) -> &Self::Target {
        &self.stores
    }
}

impl<K: StoreKey, V: StoreValue> DerefMut for Stores<K, V> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.stores
    }
}

impl<K: StoreKey, V: StoreValue> Drop for Stores<K, V> {
    /// Who comes back need not read again what was committed last.
    fn drop(&mut self) {
        if let Err(failure) = self.give_up() {
            tracing::warn!("{}; the changelog has it all", failure.in_a_line());
        }
    }
}

#[cfg(test)]
mod tests;
