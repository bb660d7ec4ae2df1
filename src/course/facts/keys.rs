//! Facts about the keys and values of a topic's records.

use super::{Have, Renames, Said, Seen};
use crate::course::look::Look;
use crate::failure::Outcome;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What is asked of keys and values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(
    tag = "fact",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum KeyFact {
    /// How many different keys there are.
    Keys { topic: String },
    /// How many keys stand in more than one partition.
    KeysScattered { topic: String },
    /// How many records have a key.
    RecordsOfKey { topic: String, record_key: String },
    /// How many partitions hold records of a key.
    PartitionsOfKey { topic: String, record_key: String },
    /// Which partition holds the records of a key; none when several do.
    PartitionOfKey { topic: String, record_key: String },
    /// How many records have a value.
    RecordsOfValue { topic: String, value: String },
    /// The JSON field of the newest record of a key.
    FieldOfKey {
        topic: String,
        record_key: String,
        field: String,
    },
}

impl KeyFact {
    pub(super) const NAMES: &[&str] = &[
        "keys",
        "keys-scattered",
        "records-of-key",
        "partitions-of-key",
        "partition-of-key",
        "records-of-value",
        "field-of-key",
    ];

    pub(super) fn topic(&self) -> &str {
        let (Self::Keys { topic }
        | Self::KeysScattered { topic }
        | Self::RecordsOfKey { topic, .. }
        | Self::PartitionsOfKey { topic, .. }
        | Self::PartitionOfKey { topic, .. }
        | Self::RecordsOfValue { topic, .. }
        | Self::FieldOfKey { topic, .. }) = self;
        topic
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        let (Self::Keys { topic }
        | Self::KeysScattered { topic }
        | Self::RecordsOfKey { topic, .. }
        | Self::PartitionsOfKey { topic, .. }
        | Self::PartitionOfKey { topic, .. }
        | Self::RecordsOfValue { topic, .. }
        | Self::FieldOfKey { topic, .. }) = self;
        *topic = names.name(topic);
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        Ok(self.of(&look.records(self.topic())?))
    }

    fn of(&self, records: &[Seen]) -> Option<Have> {
        match self {
            Self::Keys { .. } => Have::count(places(records).len()),
            Self::KeysScattered { .. } => {
                let places = places(records);
                let scattered = places.values().filter(|partitions| partitions.len() > 1);
                (!places.is_empty()).then(|| Have::count(scattered.count()))?
            }
            Self::RecordsOfKey { record_key, .. } => Have::count(of_key(records, record_key).count()),
            Self::PartitionsOfKey { record_key, .. } => Have::count(partitions_of(records, record_key).len()),
            Self::PartitionOfKey { record_key, .. } => {
                let partitions = partitions_of(records, record_key);
                let only = partitions.first().filter(|_| partitions.len() == 1)?;
                Have::number(i64::from(*only))
            }
            Self::RecordsOfValue { value, .. } => {
                let same = records.iter().filter(|record| record.value == value.as_bytes());
                Have::count(same.count())
            }
            Self::FieldOfKey {
                record_key, field, ..
            } => {
                let newest =
                    of_key(records, record_key).max_by_key(|record| (record.timestamp, record.offset))?;
                let json: serde_json::Value = serde_json::from_slice(&newest.value).ok()?;
                Have::number(json.get(field)?.as_i64()?)
            }
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::Keys { .. } => "keys",
            Self::KeysScattered { .. } => "keys-scattered",
            Self::RecordsOfKey { .. } => "records-of-key",
            Self::PartitionsOfKey { .. } => "partitions-of-key",
            Self::PartitionOfKey { .. } => "partition-of-key",
            Self::RecordsOfValue { .. } => "records-of-value",
            Self::FieldOfKey { .. } => "field-of-key",
        };
        let said = Said::about_topic(key, self.topic());
        match self {
            Self::RecordsOfKey { record_key, .. }
            | Self::PartitionsOfKey { record_key, .. }
            | Self::PartitionOfKey { record_key, .. } => said.and("key", record_key),
            Self::RecordsOfValue { value, .. } => said.and("value", value),
            Self::FieldOfKey {
                record_key, field, ..
            } => said.and("key", record_key).and("field", field),
            Self::Keys { .. } | Self::KeysScattered { .. } => said,
        }
    }
}

fn partitions_of(records: &[Seen], key: &str) -> BTreeSet<i32> {
    of_key(records, key).map(|record| record.partition).collect()
}

/// The partitions of each key.
fn places(records: &[Seen]) -> BTreeMap<&[u8], BTreeSet<i32>> {
    let mut places: BTreeMap<&[u8], BTreeSet<i32>> = BTreeMap::new();
    for record in records {
        if let Some(key) = &record.key {
            places.entry(key).or_default().insert(record.partition);
        }
    }
    places
}

fn of_key<'r>(records: &'r [Seen], key: &str) -> impl Iterator<Item = &'r Seen> {
    let key = key.as_bytes().to_vec();
    records
        .iter()
        .filter(move |record| record.key.as_deref() == Some(&key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::model::Wanted;

    #[test]
    fn keys_are_told_apart_and_the_newest_record_of_one_is_found() {
        let record = |partition, offset, key: Option<&str>, value: &str| Seen {
            partition,
            offset,
            timestamp: offset,
            key: key.map(|key| key.as_bytes().to_vec()),
            value: value.as_bytes().to_vec(),
        };
        let records = [
            record(0, 0, Some("a"), "{\"lost\":3}"),
            record(1, 1, Some("a"), "{\"lost\":0}"),
            record(1, 2, Some("b"), "x:y"),
            record(0, 3, None, "x"),
        ];
        let topic = || "t".to_owned();
        let of = |fact: KeyFact| fact.of(&records).map(|have| have.value);
        let number = |number| Some(Wanted::Number(number));
        assert_eq!(of(KeyFact::Keys { topic: topic() }), number(2));
        assert_eq!(of(KeyFact::KeysScattered { topic: topic() }), number(1));
        let value = "x:y".to_owned();
        assert_eq!(
            of(KeyFact::RecordsOfValue {
                topic: topic(),
                value
            }),
            number(1)
        );
        let key = || "a".to_owned();
        assert_eq!(
            of(KeyFact::PartitionsOfKey {
                topic: topic(),
                record_key: key()
            }),
            number(2)
        );
        let of_b = KeyFact::PartitionOfKey {
            topic: topic(),
            record_key: "b".to_owned(),
        };
        assert_eq!(of(of_b), number(1));
        let of_both = KeyFact::PartitionOfKey {
            topic: topic(),
            record_key: key(),
        };
        assert_eq!(of(of_both), None, "it stands in two");
        let field = "lost".to_owned();
        assert_eq!(
            of(KeyFact::FieldOfKey {
                topic: topic(),
                record_key: key(),
                field
            }),
            number(0)
        );
        // Where no record has a key, none is scattered, and none is together.
        assert_eq!(KeyFact::KeysScattered { topic: topic() }.of(&records[3..]), None);
    }
}
