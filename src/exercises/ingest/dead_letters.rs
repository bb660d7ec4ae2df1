//! What the target refuses for ever: written to a topic of its own, with the reason, each record once.
//!
//! Dead letters are acknowledged before the offsets are committed. A process killed in between leaves letters whose
//! records are read again; so whoever takes a partition first reads which of its letters are there.

use super::patience::Patience;
use crate::exercises::velib::topics;
use crate::failure::Outcome;
use crate::kafka::group_consumer::{Assigned, Received};
use crate::kafka::record_producer::Outgoing;
use crate::kafka::topic_reader::read_to_end;
use crate::kafka::{Admin, ConfigResource, Connection, GroupConsumer, NewTopic, RecordProducer};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// What the headers add to a record, at most.
const HEADERS: u64 = 64 * 1024;
/// How long the cluster may take to acknowledge letters before the user is told.
const ANSWER: Duration = Duration::from_secs(5);
/// A reason's most characters.
const REASON: usize = 1_000;

/// The dead letters of one group from one topic.
pub struct DeadLetters {
    producer: RecordProducer,
    to: String,
    from: String,
    group: String,
    /// Those there already, of records that are not committed.
    there: HashSet<(i32, i64)>,
}

impl DeadLetters {
    /// Makes the topic `to` unless it is there, able to take what `from` takes.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub fn open(connection: &Connection, admin: &Admin, from: &str, to: &str, group: &str) -> Outcome<Self> {
        let mut topic = NewTopic::named(to);
        let settings = admin.describe_configs(&ConfigResource::Topic(from.to_owned()))?;
        let limit = settings
            .iter()
            .find(|entry| entry.name == "max.message.bytes")
            .and_then(|entry| entry.value.as_deref()?.parse::<u64>().ok());
        if let Some(limit) = limit {
            let limit = (limit + HEADERS).min(i32::MAX.unsigned_abs().into());
            topic
                .configs
                .insert("max.message.bytes".to_owned(), limit.to_string());
        }
        topics::ensure(admin, &topic)?;
        Ok(DeadLetters {
            producer: RecordProducer::patient(connection)?,
            to: to.to_owned(),
            from: from.to_owned(),
            group: group.to_owned(),
            there: HashSet::new(),
        })
    }

    /// Reads which letters of uncommitted records are there.
    ///
    /// # Errors
    /// When the topic cannot be read.
    pub fn restore(
        &mut self,
        connection: &Connection,
        consumer: &GroupConsumer,
        assigned: &[Assigned],
    ) -> Outcome {
        let starts: BTreeMap<i32, i64> = assigned
            .iter()
            .map(|given| (given.partition, given.start))
            .collect();
        self.there.clear();
        if consumer.finds_empty(&self.to)? {
            return Ok(());
        }
        read_to_end(connection, &self.to, |letter| {
            // The record's own headers stand before those of the letter.
            let text = |name: &str| {
                let found = letter.headers.iter().rfind(|(key, _)| key == name);
                found.and_then(|(_, value)| std::str::from_utf8(value).ok())
            };
            if text("topic-id") != Some(consumer.topic_id()) || text("group") != Some(&self.group) {
                return;
            }
            let number = |name: &str| text(name)?.parse::<i64>().ok();
            let place = number("partition")
                .and_then(|partition| i32::try_from(partition).ok())
                .zip(number("offset"));
            if let Some((partition, offset)) = place
                && starts.get(&partition).is_some_and(|start| offset >= *start)
            {
                self.there.insert((partition, offset));
            }
        })
    }

    /// Hands a record over with the reason, unless its letter is there already.
    ///
    /// # Errors
    /// When it can never be written.
    pub fn send(&self, topic_id: &str, record: &Received, reason: &str) -> Outcome {
        if self.there.contains(&(record.partition, record.offset)) {
            return Ok(());
        }
        let reason: String = reason.chars().take(REASON).collect();
        let (partition, offset) = (record.partition.to_string(), record.offset.to_string());
        let own = record
            .headers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()));
        let ours = [
            ("reason", reason.as_bytes()),
            ("topic", self.from.as_bytes()),
            ("partition", partition.as_bytes()),
            ("offset", offset.as_bytes()),
            ("topic-id", topic_id.as_bytes()),
            ("group", self.group.as_bytes()),
        ];
        let headers: Vec<(&str, &[u8])> = own.chain(ours).collect();
        self.producer.send(Outgoing {
            topic: &self.to,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
        })
    }

    /// Waits until all are acknowledged, however long the cluster is away.
    ///
    /// # Errors
    /// When any is refused, and what `patience` says.
    pub fn flush(&self, patience: &mut Patience) -> Outcome {
        while !self.producer.flush_for(ANSWER)? {
            patience.wait("the cluster does not acknowledge the dead letters")?;
        }
        patience.over();
        Ok(())
    }
}
