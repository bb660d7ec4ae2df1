//! Facts about what became of records: which a reader of committed records sees, and which are there twice or not at all.

use super::{Have, Renames, Said, Seen};
use crate::course::look::Look;
use crate::course::model::Wanted;
use crate::failure::Outcome;
use serde::Deserialize;
use std::collections::BTreeSet;

/// What is asked of deliveries. All but `hidden` look at committed records only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DeliveryFact {
    /// How many records a reader of committed records sees.
    Visible { topic: String },
    /// How many more records there are for a reader of uncommitted ones: of aborted transactions, and behind open ones.
    Hidden { topic: String },
    /// How many records say the same as another one, key and value.
    Repeated { topic: String },
    /// How many more records `from` has than the topic has different ones.
    Lost { topic: String, from: String },
    /// How many producers have a transaction open in the topic.
    OpenTransactions { topic: String },
}

impl DeliveryFact {
    pub(super) const NAMES: &[&str] = &["visible", "hidden", "repeated", "lost", "open-transactions"];

    pub(super) fn topic(&self) -> &str {
        let (Self::Visible { topic }
        | Self::Hidden { topic }
        | Self::Repeated { topic }
        | Self::Lost { topic, .. }
        | Self::OpenTransactions { topic }) = self;
        topic
    }

    pub(super) fn rename(&mut self, names: &dyn Renames) {
        if let Self::Lost { from, .. } = self {
            *from = names.name(from);
        }
        let (Self::Visible { topic }
        | Self::Hidden { topic }
        | Self::Repeated { topic }
        | Self::Lost { topic, .. }
        | Self::OpenTransactions { topic }) = self;
        *topic = names.name(topic);
    }

    pub(super) fn read(&self, look: &Look<'_>) -> Outcome<Option<Have>> {
        match self {
            Self::Visible { topic } => Ok(Have::count(look.records(topic)?.len())),
            Self::Hidden { topic } => {
                let visible = look.records(topic)?.len();
                let all = look.uncommitted(topic)?;
                Ok(Have::count(all.saturating_sub(visible)))
            }
            Self::Repeated { topic } => Ok(repeated(&look.records(topic)?)),
            Self::Lost { topic, from } => {
                if look.topic(from)?.is_none() {
                    return Ok(None);
                }
                Ok(lost(&look.records(topic)?, look.records(from)?.len()))
            }
            Self::OpenTransactions { topic } => Ok(Have::count(look.open_transactions(topic)?)),
        }
    }

    pub(super) fn said(&self) -> Said {
        let key = match self {
            Self::Visible { .. } => "visible",
            Self::Hidden { .. } => "hidden",
            Self::Repeated { .. } => "repeated",
            Self::Lost { .. } => "lost",
            Self::OpenTransactions { .. } => "open-transactions",
        };
        let said = Said::about_topic(key, self.topic());
        match self {
            Self::Lost { from, .. } => said.and("from", from),
            _ => said,
        }
    }
}

/// How many different things the records say.
fn different(records: &[Seen]) -> usize {
    let said: BTreeSet<_> = records
        .iter()
        .map(|record| (&record.key, &record.value))
        .collect();
    said.len()
}

fn repeated(records: &[Seen]) -> Option<Have> {
    let real = different(records);
    compared(records.len().saturating_sub(real), records.len(), real)
}

fn lost(records: &[Seen], wanted: usize) -> Option<Have> {
    let there = different(records);
    compared(wanted.saturating_sub(there), there, wanted)
}

/// A difference, with the two numbers that it is between.
fn compared(difference: usize, there: usize, real: usize) -> Option<Have> {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    Some(Have {
        value: Wanted::Number(number(difference)),
        counted: Some((number(there), number(real))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(said: &[(&str, &str)]) -> Vec<Seen> {
        let record = |(offset, (key, value)): (i64, &(&str, &str))| Seen {
            partition: 0,
            offset,
            timestamp: 0,
            key: Some(key.as_bytes().to_vec()),
            value: value.as_bytes().to_vec(),
        };
        (0..).zip(said).map(record).collect()
    }

    #[test]
    fn what_says_the_same_is_repeated_and_what_is_missing_is_lost() {
        let twice = records(&[("0-1", "a"), ("0-2", "a"), ("0-1", "a"), ("0-1", "b")]);
        let have = |difference, there, real| {
            Some(Have {
                value: Wanted::Number(difference),
                counted: Some((there, real)),
            })
        };
        assert_eq!(repeated(&twice), have(1, 4, 3));
        assert_eq!(repeated(&twice[..2]), have(0, 2, 2));
        assert_eq!(lost(&twice, 5), have(2, 3, 5));
        // Whoever has more than was wanted has lost nothing.
        assert_eq!(lost(&twice, 3), have(0, 3, 3));
        assert_eq!(lost(&[], 2), have(2, 0, 2));
    }
}
