use super::*;
use crate::exercises::stream::disk::Disk;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(pub u8);

impl StoreKey for Number {
    fn on_disk(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn from_disk(bytes: &[u8]) -> Option<Self> {
        bytes.first().copied().map(Number)
    }

    fn in_log(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }

    fn from_log(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok().map(Number)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value(pub u8);

impl StoreValue for Value {
    fn to_bytes(&self) -> Vec<u8> {
        vec![self.0]
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.first().copied().map(Value)
    }
}

pub fn mark(offset: usize) -> Mark {
    Mark {
        changelog: "Ab".into(),
        offset: i64::try_from(offset).unwrap(),
        written_ms: 1,
    }
}

fn all(store: &mut Store<Number, Value>) -> Vec<(u8, u8)> {
    let found = store.between(None, &Number(255), 255).unwrap();
    found.into_iter().map(|(key, value)| (key.0, value.0)).collect()
}

#[test]
fn what_is_committed_is_there_before_it_is_on_disk_and_its_deletion_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = Disk::open(folder.path()).unwrap();
    let mut store = Store::on(disk.shelf(0).unwrap());
    store.put(Number(3), Value(1));
    store.put(Number(5), Value(1));
    // Of this nobody hears.
    assert_eq!(store.get(&Number(4)).unwrap(), None);
    store.put(Number(4), Value(1));
    store.delete(&Number(4));
    assert_eq!(store.changes().count(), 2);
    store.settle(mark(2));
    store.tidy();
    assert!(store.is_unchanged());
    assert_eq!(all(&mut store), [(3, 1), (5, 1)]);
    store.delete(&Number(3));
    assert_eq!(store.changes().collect::<Vec<_>>(), [(b"3".to_vec(), None)]);
    assert_eq!(all(&mut store), [(5, 1)]);
    // What was committed of 3 is not known any more.
    assert!(store.hand_over().is_none());
    store.settle(mark(3));
    let sheet = store.hand_over().unwrap();
    assert_eq!(store.due(), 0);
    disk.write(vec![sheet]).unwrap();
    disk.wait().unwrap();
    store.tidy();
    assert_eq!(all(&mut store), [(5, 1)]);
    assert_eq!(store.get(&Number(3)).unwrap(), None);
    let mut again = Store::<Number, Value>::on(disk.shelf(0).unwrap());
    assert_eq!(again.on_disk(), Some(&mark(3)));
    assert_eq!(all(&mut again), [(5, 1)]);
}

#[test]
fn a_portion_is_of_the_first_entries_wherever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut disk = Disk::open(folder.path()).unwrap();
    let mut store = Store::on(disk.shelf(0).unwrap());
    for key in [2, 4, 6, 8] {
        store.put(Number(key), Value(0));
    }
    store.settle(mark(4));
    disk.write(store.hand_over().into_iter().collect()).unwrap();
    disk.wait().unwrap();
    store.tidy();
    for key in [1, 4, 5, 9] {
        store.put(Number(key), Value(1));
    }
    store.delete(&Number(6));
    let mut portion = |after: Option<u8>, most| {
        let after = after.map(Number);
        let found = store.between(after.as_ref(), &Number(9), most).unwrap();
        found
            .iter()
            .map(|(key, value)| (key.0, value.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(portion(None, 3), [(1, 1), (2, 0), (4, 1)]);
    assert_eq!(portion(Some(4), 3), [(5, 1), (8, 0)]);
    assert_eq!(portion(None, 9).len(), 5);
}
