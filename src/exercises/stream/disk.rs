//! The disk under the stores: a file with a map for each partition, and in each how far in the changelog it is.
//!
//! It is a copy of the changelog and nothing more: what cannot be read is thrown away and read again from there. So it is synced
//! once a second. A process that is killed, or a machine that loses its power, leaves it as it was at that moment, each map with the
//! mark that fits it, and what came since is read from the changelog. For the same reason nobody waits for it: a thread of its own
//! writes, beside the work.

use super::writer::Writer;
use crate::failure::{Failure, Outcome};
use parking_lot::Mutex;
use redb::{Database, Durability, ReadOnlyTable, ReadableDatabase, TableDefinition, TableError};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::fs;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Under this key stands the mark; all others begin with another byte.
const MARK: &[u8] = &[0];
/// In front of each key.
const KEYS: u8 = 1;

/// Memory for pages, in bytes.
const CACHE: usize = 8 * 1024 * 1024;
/// How much may be lost by a kill, and read from the changelog again.
const SYNCED: Duration = Duration::from_secs(1);

type Definition<'a> = TableDefinition<'a, &'static [u8], &'static [u8]>;
type Snapshot = ReadOnlyTable<&'static [u8], &'static [u8]>;

/// Up to where in its changelog a map is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The topic's id.
    pub changelog: String,
    /// The offset of the first record that the map does not have.
    pub offset: i64,
    /// When that was written, in ms since 1970-01-01 UTC.
    pub written_ms: i64,
}

/// A key as it stands on disk, and its new value; none deletes it.
pub type Change = (Vec<u8>, Option<Vec<u8>>);

/// What is to be written to a map, with the mark that fits it then.
pub struct Sheet {
    name: String,
    /// Makes the changes, of which the last to a key counts: on the thread that writes.
    changes: Box<dyn FnOnce() -> Vec<Change> + Send>,
    mark: Mark,
}

/// The file, open.
pub(super) struct Open {
    database: Database,
    path: PathBuf,
    /// When it was synced last.
    synced: Mutex<Instant>,
}

/// The file, and who writes to it.
pub struct Disk {
    file: Arc<Open>,
    writer: Writer,
}

/// The map of one partition.
pub struct Shelf {
    file: Arc<Open>,
    name: String,
    mark: Option<Mark>,
    /// The map as it was at a moment; while there is one, no page of that moment is used again.
    snapshot: Option<Snapshot>,
}

impl Disk {
    /// Opens the file of a folder, and begins it anew if what is there cannot be used.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(folder: &Path) -> Outcome<Self> {
        let path = folder.join("store.redb");
        let open = || redb::Builder::new().set_cache_size(CACHE).create(&path);
        let database = open().or_else(|torn| {
            tracing::warn!("{} cannot be used and is made anew: {torn}", path.display());
            fs::remove_file(&path).map_err(|error| failed(&path, error))?;
            open().map_err(|error| failed(&path, error))
        })?;
        let synced = Mutex::new(Instant::now());
        let file = Arc::new(Open {
            database,
            path,
            synced,
        });
        let writer = Writer::on(Arc::clone(&file)).map_err(|error| failed(&file.path, error))?;
        Ok(Disk { file, writer })
    }

    /// The map of a partition.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn shelf(&self, partition: i32) -> Outcome<Shelf> {
        let mut shelf = Shelf {
            file: Arc::clone(&self.file),
            name: format!("partition-{partition}"),
            mark: None,
            snapshot: None,
        };
        let mark = shelf.stored(MARK)?;
        shelf.mark = mark.and_then(|mark| serde_json::from_slice(&mark).ok());
        shelf.rest();
        Ok(shelf)
    }

    /// Has these written together, beside the work. Until [`Disk::is_idle`] they may or may not be seen.
    ///
    /// # Errors
    /// When nobody writes any more, because of an error that was told before.
    pub fn write(&mut self, sheets: Vec<Sheet>) -> Outcome {
        self.writer.write(sheets)
    }

    /// Whether all is written.
    ///
    /// # Errors
    /// Why something is not.
    pub fn is_idle(&mut self) -> Outcome<bool> {
        self.writer.is_idle()
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// Why something is not.
    pub fn wait(&mut self) -> Outcome {
        self.writer.wait()
    }
}

impl Drop for Open {
    /// What was written is there when the program comes back.
    fn drop(&mut self) {
        let synced = self.database.begin_write().map(redb::WriteTransaction::commit);
        if !matches!(synced, Ok(Ok(()))) {
            tracing::warn!("{} is not synced; the changelog has it all", self.path.display());
        }
    }
}

impl Open {
    /// Writes all of it or nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(super) fn write(&self, sheets: Vec<Sheet>) -> Outcome {
        self.try_write(sheets).map_err(|error| failed(&self.path, error))
    }

    fn try_write(&self, sheets: Vec<Sheet>) -> Result<(), Box<redb::Error>> {
        let mut writing = self.database.begin_write().map_err(boxed)?;
        let mut synced = self.synced.lock();
        let due = synced.elapsed() >= SYNCED;
        let durability = if due {
            Durability::Immediate
        } else {
            Durability::None
        };
        writing.set_durability(durability).map_err(boxed)?;
        // Opened after a kill it need not be looked through as a whole.
        writing.set_quick_repair(due);
        for sheet in sheets {
            sheet.write(&writing)?;
        }
        writing.commit().map_err(boxed)?;
        if due {
            *synced = Instant::now();
        }
        Ok(())
    }
}

fn boxed(error: impl Into<redb::Error>) -> Box<redb::Error> {
    Box::new(error.into())
}

impl Sheet {
    fn write(self, writing: &redb::WriteTransaction) -> Result<(), Box<redb::Error>> {
        let mut table = writing.open_table(Definition::new(&self.name)).map_err(boxed)?;
        let mut changes = (self.changes)();
        // A page that several changes go to is looked for once. Of the same key the last one counts, as it came.
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (key, value) in changes {
            let key = stored(&key);
            match value {
                Some(value) => drop(table.insert(key.as_slice(), value.as_slice()).map_err(boxed)?),
                None => drop(table.remove(key.as_slice()).map_err(boxed)?),
            }
        }
        let mark = serde_json::to_vec(&self.mark).unwrap_or_default();
        table.insert(MARK, mark.as_slice()).map_err(boxed)?;
        Ok(())
    }
}

fn failed(path: &Path, error: impl Display) -> Failure {
    Failure::request(format!("cannot keep state in {}", path.display()))
        .because(error)
        .hint("--state FOLDER, one that can be written; nothing is lost: the changelog has it all")
}

impl Shelf {
    /// Up to where in the changelog it is; none when it is empty.
    pub fn mark(&self) -> Option<&Mark> {
        self.mark.as_ref()
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn get(&mut self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        self.stored(&stored(key))
    }

    fn stored(&mut self, key: &[u8]) -> Outcome<Option<Vec<u8>>> {
        let Some(snapshot) = self.snapshot()? else {
            return Ok(None);
        };
        match snapshot.get(key) {
            Ok(value) => Ok(value.map(|value| value.value().to_vec())),
            Err(error) => Err(self.failure(error)),
        }
    }

    /// The map as it is now; none before anything was written.
    fn snapshot(&mut self) -> Outcome<Option<&Snapshot>> {
        if self.snapshot.is_none() {
            let reading = self
                .file
                .database
                .begin_read()
                .map_err(|error| self.failure(error))?;
            match reading.open_table(self.table()) {
                Ok(table) => self.snapshot = Some(table),
                Err(TableError::TableDoesNotExist(_)) => return Ok(None),
                Err(error) => return Err(self.failure(error)),
            }
        }
        Ok(self.snapshot.as_ref())
    }

    fn table(&self) -> Definition<'_> {
        TableDefinition::new(&self.name)
    }

    /// Nothing is read for a while: pages that are not used any more may be written.
    pub fn rest(&mut self) {
        self.snapshot = None;
    }

    /// Makes all changes and sets the mark, or nothing of it, and waits for that.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub fn apply(&mut self, changes: Vec<Change>, mark: Mark) -> Outcome {
        self.rest();
        self.file.write(vec![self.sheet(move || changes, mark.clone())])?;
        self.mark = Some(mark);
        Ok(())
    }

    /// Changes to this map, for [`Disk::write`].
    pub fn sheet(&self, changes: impl FnOnce() -> Vec<Change> + Send + 'static, mark: Mark) -> Sheet {
        Sheet {
            name: self.name.clone(),
            changes: Box::new(changes),
            mark,
        }
    }

    /// Shows each entry behind `after` and before `bound` in order, until `take` answers false.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub fn scan(
        &mut self,
        after: Option<&[u8]>,
        bound: Option<&[u8]>,
        take: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Outcome {
        let after = after.map(stored);
        let bound = bound.map_or_else(|| vec![KEYS + 1], stored);
        let from = after
            .as_deref()
            .map_or(Bound::Included(&[KEYS][..]), Bound::Excluded);
        let path = self.file.path.clone();
        let Some(snapshot) = self.snapshot()? else {
            return Ok(());
        };
        let entries = snapshot.range::<&[u8]>((from, Bound::Excluded(bound.as_slice())));
        for entry in entries.map_err(|error| failed(&path, error))? {
            let (key, value) = entry.map_err(|error| failed(&path, error))?;
            if !take(key.value().get(1..).unwrap_or_default(), value.value()) {
                break;
            }
        }
        Ok(())
    }

    /// Forgets all.
    ///
    /// # Errors
    /// When the disk cannot be written.
    pub fn wipe(&mut self) -> Outcome {
        self.rest();
        self.mark = None;
        let wiped = self.file.database.begin_write().map_err(redb::Error::from);
        let wiped = wiped.and_then(|writing| {
            writing.delete_table(self.table())?;
            Ok(writing.commit()?)
        });
        wiped.map_err(|error| self.failure(error))
    }

    /// Why it is of no use.
    pub fn failure(&self, why: impl Display) -> Failure {
        failed(&self.file.path, why)
    }
}

fn stored(key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(key.len() + 1);
    stored.push(KEYS);
    stored.extend_from_slice(key);
    stored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: i64) -> Mark {
        Mark {
            changelog: "Ab".into(),
            offset,
            written_ms: 1,
        }
    }

    fn all(shelf: &mut Shelf, after: Option<&[u8]>, bound: Option<&[u8]>) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        shelf
            .scan(after, bound, &mut |key, _| {
                keys.push(key.to_vec());
                true
            })
            .unwrap();
        keys
    }

    #[test]
    fn changes_and_their_mark_are_there_together_when_it_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        {
            let disk = Disk::open(folder.path()).unwrap();
            let mut shelf = disk.shelf(3).unwrap();
            assert_eq!(shelf.mark(), None);
            let changes = ["a", "b", "c"].map(|key| (key.into(), Some(b"1".to_vec())));
            shelf.apply(changes.to_vec(), mark(7)).unwrap();
            shelf.apply(vec![(b"b".to_vec(), None)], mark(8)).unwrap();
        }
        let disk = Disk::open(folder.path()).unwrap();
        let mut shelf = disk.shelf(3).unwrap();
        assert_eq!(shelf.mark(), Some(&mark(8)));
        assert_eq!(shelf.get(b"a").unwrap().as_deref(), Some(&b"1"[..]));
        assert_eq!(shelf.get(b"b").unwrap(), None);
        assert_eq!(all(&mut shelf, None, None), [b"a", b"c"]);
        assert_eq!(all(&mut shelf, Some(b"a"), None), [b"c"]);
        assert_eq!(all(&mut shelf, None, Some(b"c")), [b"a"]);
        assert_eq!(disk.shelf(4).unwrap().mark(), None);
    }

    #[test]
    fn what_is_written_beside_the_work_is_there_once_it_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        {
            let mut disk = Disk::open(folder.path()).unwrap();
            assert!(disk.is_idle().unwrap());
            let mut shelves = [disk.shelf(0).unwrap(), disk.shelf(1).unwrap()];
            for round in 1..=3 {
                let sheets = shelves.iter().map(|shelf| {
                    let changes = move || vec![(b"a".to_vec(), Some(vec![round]))];
                    shelf.sheet(changes, mark(round.into()))
                });
                let sheets = sheets.collect();
                disk.write(sheets).unwrap();
            }
            disk.wait().unwrap();
            for shelf in &mut shelves {
                assert_eq!(shelf.get(b"a").unwrap(), Some(vec![3]));
            }
            // What nobody waits for is written all the same before the file is closed.
            let last = shelves[0].sheet(|| vec![(b"a".to_vec(), None)], mark(4));
            disk.write(vec![last]).unwrap();
        }
        let disk = Disk::open(folder.path()).unwrap();
        let mut shelf = disk.shelf(0).unwrap();
        assert_eq!(shelf.mark(), Some(&mark(4)));
        assert_eq!(shelf.get(b"a").unwrap(), None);
        assert_eq!(disk.shelf(1).unwrap().mark(), Some(&mark(3)));
    }

    #[test]
    fn a_map_that_is_wiped_has_neither_entries_nor_mark() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let mut shelf = disk.shelf(0).unwrap();
        shelf
            .apply(vec![(b"a".to_vec(), Some(Vec::new()))], mark(1))
            .unwrap();
        shelf.wipe().unwrap();
        assert_eq!(shelf.mark(), None);
        let mut shelf = disk.shelf(0).unwrap();
        assert_eq!(shelf.mark(), None);
        assert!(all(&mut shelf, None, None).is_empty());
    }

    #[test]
    fn what_is_no_store_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("store.redb"), b"nonsense".repeat(1_000)).unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        assert_eq!(disk.shelf(0).unwrap().mark(), None);
    }

    #[test]
    fn many_changes_to_the_same_keys_take_no_more_room_than_their_last() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let mut shelves = [disk.shelf(0).unwrap(), disk.shelf(1).unwrap()];
        for round in 0..300 {
            for shelf in &mut shelves {
                let changes = (0..200_u32).map(|key| (key.to_be_bytes().to_vec(), Some(vec![0; 50])));
                shelf.apply(changes.collect(), mark(round)).unwrap();
                assert!(shelf.get(&7_u32.to_be_bytes()).unwrap().is_some());
                shelf.rest();
            }
        }
        drop((shelves, disk));
        let length = fs::metadata(folder.path().join("store.redb")).unwrap().len();
        assert!(length < 8 * 1024 * 1024, "{length} bytes");
    }
}
