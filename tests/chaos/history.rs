//! What clients were told and have seen, and whether it all fits together.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::OnceLock;
use std::time::Instant;

/// Says what happens, with the time since the first word.
pub fn say(what: impl Display) {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    let at = BEGUN.get_or_init(Instant::now).elapsed().as_millis();
    println!("{:>4}.{:03} {what}", at / 1000, at % 1000);
}

/// What a client was told of something that it wrote, as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is there.
    Acknowledged,
    /// It counts for nothing.
    Aborted,
    /// Nobody knows.
    Unknown,
}

/// Records that are there together or not at all.
#[derive(Debug, Clone)]
pub struct Written {
    /// Their values, of which there are no others.
    pub values: Vec<String>,
    /// What became of them.
    pub fate: Fate,
}

/// Where a record was seen: topic, partition, offset.
pub type Place = (String, i32, i64);

/// Everything that was told.
#[derive(Debug, Default)]
pub struct History {
    /// In the order in which each client wrote.
    pub written: Vec<Written>,
    /// What a reader of committed records saw while all went on.
    pub seen: Vec<(Place, String)>,
    /// What one sees who begins when all is over.
    pub found: Vec<(Place, String)>,
}

impl History {
    /// All that must not be.
    pub fn wrongs(&self) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut places: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
        for (place, value) in &self.found {
            places.entry(value).or_default().push(place);
        }
        for written in &self.written {
            wrongs.extend(wrong_of(written, &places));
        }
        let known: BTreeSet<&str> = self
            .written
            .iter()
            .flat_map(|written| &written.values)
            .map(String::as_str)
            .collect();
        let strange = places.keys().filter(|value| !known.contains(*value));
        wrongs.extend(strange.map(|value| format!("nobody wrote {value}")));
        wrongs.extend(self.wrongs_of_reader());
        wrongs.extend(self.wrongs_of_order(&places));
        wrongs
    }

    /// What was read once stays, and is read once.
    fn wrongs_of_reader(&self) -> Vec<String> {
        let found: BTreeMap<&Place, &str> = self
            .found
            .iter()
            .map(|(place, value)| (place, value.as_str()))
            .collect();
        let mut wrongs = Vec::new();
        let mut last: BTreeMap<(&str, i32), i64> = BTreeMap::new();
        for (place, value) in &self.seen {
            if found.get(place) != Some(&value.as_str()) {
                wrongs.push(format!(
                    "{value} was read at {place:?}, where now is {:?}",
                    found.get(place)
                ));
            }
            let (topic, partition, offset) = place;
            let before = last.insert((topic.as_str(), *partition), *offset);
            if before.is_some_and(|before| before >= *offset) {
                wrongs.push(format!("{value} was read at {place:?} after offset {before:?}"));
            }
        }
        wrongs
    }

    /// Of two acknowledged records of one client in one partition the earlier is before the later.
    fn wrongs_of_order(&self, places: &BTreeMap<&str, Vec<&Place>>) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut last: BTreeMap<(&str, &str, i32), (i64, &str)> = BTreeMap::new();
        let acknowledged = self
            .written
            .iter()
            .filter(|written| written.fate == Fate::Acknowledged);
        for value in acknowledged.flat_map(|written| &written.values) {
            let client = value.split_once('.').map_or("", |(client, _)| client);
            let Some([(topic, partition, offset)]) = places.get(value.as_str()).map(Vec::as_slice) else {
                continue;
            };
            let before = last.insert((client, topic.as_str(), *partition), (*offset, value.as_str()));
            if let Some((before, earlier)) = before.filter(|(before, _)| before > offset) {
                wrongs.push(format!("{value} at {offset} is before {earlier} at {before}"));
            }
        }
        wrongs
    }
}

fn wrong_of(written: &Written, places: &BTreeMap<&str, Vec<&Place>>) -> Option<String> {
    let Written { values, fate } = written;
    let counts: Vec<usize> = values
        .iter()
        .map(|value| places.get(value.as_str()).map_or(0, Vec::len))
        .collect();
    let all = |wanted: usize| counts.iter().all(|count| *count == wanted);
    let right = match fate {
        Fate::Acknowledged => all(1),
        Fate::Aborted => all(0),
        Fate::Unknown => all(0) || all(1),
    };
    (!right).then(|| format!("{fate:?}: {values:?} are there {counts:?} times"))
}

mod tests {
    use super::*;

    fn history(fate: Fate, found: &[(i64, &str)]) -> History {
        let place = |offset: i64| ("t".to_owned(), 0, offset);
        History {
            written: vec![Written {
                values: vec!["a.1".to_owned(), "a.2".to_owned()],
                fate,
            }],
            found: found
                .iter()
                .map(|(offset, value)| (place(*offset), (*value).to_owned()))
                .collect(),
            ..History::default()
        }
    }

    #[test]
    fn what_is_lost_torn_twice_out_of_order_or_nobodys_is_found() {
        use Fate::{Aborted, Acknowledged, Unknown};
        let both: &[_] = &[(0, "a.1"), (1, "a.2")];
        for (fate, found, right) in [
            (Acknowledged, both, true),
            (Acknowledged, &[(0, "a.1")], false),
            (Acknowledged, &[(0, "a.1"), (1, "a.2"), (2, "a.2")], false),
            (Acknowledged, &[(0, "a.2"), (1, "a.1")], false),
            (Acknowledged, &[(0, "a.1"), (1, "a.2"), (2, "b.1")], false),
            (Aborted, &[], true),
            (Aborted, both, false),
            (Unknown, both, true),
            (Unknown, &[], true),
            (Unknown, &[(0, "a.2")], false),
            (Unknown, &[(0, "a.1"), (1, "a.1"), (2, "a.2"), (3, "a.2")], false),
        ] {
            let wrongs = history(fate, found).wrongs();
            assert_eq!(wrongs.is_empty(), right, "{fate:?} {found:?}: {wrongs:?}");
        }
    }

    #[test]
    fn what_a_reader_saw_and_is_gone_or_came_again_is_found() {
        let place = |offset: i64| ("t".to_owned(), 0, offset);
        for (seen, right) in [
            (vec![(0, "a.1"), (1, "a.2")], true),
            (vec![(1, "a.2")], true),
            (vec![(0, "a.2")], false),
            (vec![(7, "a.3")], false),
            (vec![(1, "a.2"), (0, "a.1")], false),
            (vec![(0, "a.1"), (0, "a.1")], false),
        ] {
            let mut history = history(Fate::Acknowledged, &[(0, "a.1"), (1, "a.2")]);
            history.seen = seen
                .iter()
                .map(|(offset, value)| (place(*offset), (*value).to_owned()))
                .collect();
            let wrongs = history.wrongs();
            assert_eq!(wrongs.is_empty(), right, "{seen:?}: {wrongs:?}");
        }
    }
}
