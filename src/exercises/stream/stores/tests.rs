use super::*;
use crate::exercises::stream::KeyValue;
use crate::exercises::stream::disk::Change;
use crate::exercises::stream::store::tests::{Number, Value, mark};
use proptest::prelude::*;

type Map = BTreeMap<u8, u8>;

/// What may be done with the stores of two partitions.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Put(i32, u8, u8),
    Delete(i32, u8),
    /// What has changed is written to the changelog, and committed.
    Commit,
    /// It is time to write to disk.
    HandOver,
    Keep,
    /// They are given up with what is not committed, and opened again.
    Again,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..2, 0..12_u8, any::<u8>()).prop_map(|(at, key, value)| Deed::Put(at, key, value)),
        3 => (0..2, 0..12_u8).prop_map(|(at, key)| Deed::Delete(at, key)),
        3 => Just(Deed::Commit),
        2 => Just(Deed::HandOver),
        2 => Just(Deed::Keep),
        1 => Just(Deed::Again),
    ]
}

/// A changelog, and what it makes.
#[derive(Default)]
struct Log(Vec<Change>);

impl Log {
    fn up_to(&self, offset: i64) -> Map {
        let mut map = Map::new();
        for (key, value) in &self.0[..usize::try_from(offset).unwrap()] {
            let key = std::str::from_utf8(key).unwrap().parse().unwrap();
            match value {
                Some(value) => map.insert(key, value[0]),
                None => map.remove(&key),
            };
        }
        map
    }
}

fn held(store: &mut Store<Number, Value>) -> Map {
    let found = store.between(None, &Number(255), 255).unwrap();
    found.into_iter().map(|(key, value)| (key.0, value.0)).collect()
}

struct Bench {
    folder: tempfile::TempDir,
    stores: Stores<Number, Value>,
    logs: [Log; 2],
    now: [Map; 2],
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut stores = Stores::open(folder.path()).unwrap();
        (0..2).for_each(|partition| stores.add(partition).unwrap());
        Bench {
            folder,
            stores,
            logs: Default::default(),
            now: Default::default(),
        }
    }

    fn each(&mut self) -> impl Iterator<Item = (&mut Store<Number, Value>, &mut Log, &mut Map)> {
        let rest = self.logs.iter_mut().zip(&mut self.now);
        self.stores
            .values_mut()
            .zip(rest)
            .map(|(store, (log, now))| (store, log, now))
    }

    fn take(&mut self, deed: Deed) {
        match deed {
            Deed::Put(at, key, value) => {
                self.stores.get_mut(&at).unwrap().put(Number(key), Value(value));
                self.now[at as usize].insert(key, value);
            }
            Deed::Delete(at, key) => {
                self.stores.get_mut(&at).unwrap().delete(&Number(key));
                self.now[at as usize].remove(&key);
            }
            Deed::Commit => {
                for (store, log, now) in self.each() {
                    log.0.extend(store.changes());
                    store.settle(mark(log.0.len()));
                    let committed = log.up_to(log.0.len().try_into().unwrap());
                    assert_eq!(committed, *now, "the changelog makes what the store holds");
                }
            }
            Deed::HandOver => self.stores.hand_over().unwrap(),
            Deed::Keep => self.stores.keep().unwrap(),
            Deed::Again => {
                self.stores.give_up().unwrap();
                (0..2).for_each(|partition| self.stores.add(partition).unwrap());
                for (store, log, now) in self.each() {
                    let upto = store.on_disk().map_or(0, |mark| mark.offset);
                    assert_eq!(
                        held(store),
                        log.up_to(upto),
                        "what is on disk is what its mark says"
                    );
                    // What came behind it is read from the changelog.
                    let end = log.0.len();
                    let behind = log.0[usize::try_from(upto).unwrap()..].to_vec();
                    store.restore(behind, mark(end)).unwrap();
                    *now = log.up_to(end.try_into().unwrap());
                }
            }
        }
        for (store, _, now) in self.each() {
            assert_eq!(held(store), *now);
            for key in 0..12 {
                let value = store.get(&Number(key)).unwrap();
                assert_eq!(value, now.get(&key).copied().map(Value).as_ref());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn whenever_they_go_to_disk_stores_are_maps_and_the_disk_is_what_its_mark_says(
        deeds in proptest::collection::vec(deed(), 1..40),
    ) {
        let mut bench = Bench::new();
        for deed in deeds {
            bench.take(deed);
        }
        bench.take(Deed::Again);
        let path = bench.folder.path().to_owned();
        drop(bench.stores);
        prop_assert!(Stores::<Number, Value>::open(&path).is_ok());
    }
}
