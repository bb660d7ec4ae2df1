//! Records of topics, read once each: a look at a topic to which nothing was written costs two questions about offsets.

use super::facts::Seen;
use crate::failure::Outcome;
use crate::kafka::admin::Admin;
use crate::kafka::consumer::Isolation;
use crate::kafka::group_consumer::Received;
use crate::kafka::topic_reader;
use crate::kafka::types::{OffsetSpec, TopicPartition};
use std::collections::{BTreeMap, VecDeque};

/// What was read so far.
#[derive(Debug)]
pub(super) struct Kept {
    isolation: Isolation,
    /// By name.
    topics: BTreeMap<String, Topic>,
}

/// The last records of a topic.
#[derive(Debug, Default)]
struct Topic {
    /// Of this topic and of no later one of the same name.
    id: String,
    partitions: BTreeMap<i32, Tail>,
}

/// The last records of a partition.
#[derive(Debug, Default)]
struct Tail {
    records: VecDeque<Seen>,
    /// Behind the last record that was read.
    next: i64,
    /// Where the partition ended when it was read. Records before it that were not there to read are in an open transaction,
    /// whose end is a record of its own, behind them. To a reader of uncommitted records all before it were there.
    read_to: i64,
}

impl Tail {
    /// Forgets what is no longer among the last records, which begin at `start`, and everything if the partition ends before
    /// what was read: another leader has another log then. From where to read on, when there is something to read.
    fn go_on(&mut self, start: i64, end: i64) -> Option<(i64, i64)> {
        if end < self.read_to {
            *self = Tail::default();
        }
        while self.records.front().is_some_and(|record| record.offset < start) {
            self.records.pop_front();
        }
        let from = self.next.max(start);
        (self.read_to < end && from < end).then_some((from, end))
    }
}

impl Kept {
    /// Nothing yet, of what a reader of this isolation sees.
    pub(super) fn seen_as(isolation: Isolation) -> Self {
        Kept {
            isolation,
            topics: BTreeMap::new(),
        }
    }

    /// The last records of each partition of a topic, at most `per_partition` of each; none of a topic that is not there.
    ///
    /// # Errors
    /// When the cluster does not answer.
    pub(super) fn last(
        &mut self,
        admin: &Admin,
        topic: &str,
        per_partition: i64,
    ) -> Outcome<impl Iterator<Item = &Seen>> {
        self.read_on(admin, topic, per_partition)?;
        let tails = self.topics.get(topic).map(|kept| kept.partitions.values());
        Ok(tails.into_iter().flatten().flat_map(|tail| &tail.records))
    }

    /// Reads what was written to a topic since it was last read.
    fn read_on(&mut self, admin: &Admin, topic: &str, per_partition: i64) -> Outcome {
        let Some(found) = admin.find_topic(topic)? else {
            self.topics.remove(topic);
            return Ok(());
        };
        let kept = self.topics.entry(topic.to_owned()).or_default();
        if kept.id != found.id {
            *kept = Topic {
                id: found.id,
                ..Topic::default()
            };
        }
        let partitions = found.partitions.iter().map(|one| one.partition);
        let partitions: Vec<_> = partitions.map(|one| TopicPartition::new(topic, one)).collect();
        let starts = admin.list_offsets(&partitions, OffsetSpec::Earliest)?;
        let ends = admin.list_offsets(&partitions, OffsetSpec::Latest)?;
        let mut spans = BTreeMap::new();
        for at in partitions {
            // Where nobody leads just now, what was read stands.
            let (Some(Ok(start)), Some(Ok(end))) = (starts.get(&at), ends.get(&at)) else {
                continue;
            };
            let (first, end) = (start.offset.unwrap_or(0), end.offset.unwrap_or(0));
            let tail = kept.partitions.entry(at.partition).or_default();
            if let Some(span) = tail.go_on(first.max(end.saturating_sub(per_partition)), end) {
                spans.insert(at.partition, span);
            }
        }
        // Of what is not committed only the number counts.
        let with_values = self.isolation == Isolation::ReadCommitted;
        let take = |record: Received| {
            let tail = kept.partitions.entry(record.partition).or_default();
            tail.next = record.offset + 1;
            tail.records.push_back(Seen {
                partition: record.partition,
                offset: record.offset,
                timestamp: record.timestamp.unwrap_or_default(),
                key: record.key.filter(|_| with_values),
                value: record.value.filter(|_| with_values).unwrap_or_default(),
            });
        };
        topic_reader::read_between_as(admin.connection(), topic, self.isolation, &spans, take)?;
        for (partition, (_, end)) in spans {
            kept.partitions.entry(partition).or_default().read_to = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64) -> Seen {
        Seen {
            partition: 0,
            offset,
            timestamp: 0,
            key: None,
            value: Vec::new(),
        }
    }

    fn tail(offsets: std::ops::Range<i64>) -> Tail {
        Tail {
            next: offsets.end,
            read_to: offsets.end,
            records: offsets.map(record).collect(),
        }
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let mut tail = tail(0..10);
        assert_eq!(tail.go_on(0, 10), None);
        assert_eq!(tail.go_on(0, 12), Some((10, 12)));
        assert_eq!(tail.records.len(), 10);
    }

    #[test]
    fn what_is_gone_from_the_front_is_forgotten() {
        let mut tail = tail(0..10);
        assert_eq!(tail.go_on(8, 10), None);
        assert_eq!(tail.records.front().map(|record| record.offset), Some(8));
        assert_eq!(tail.go_on(20, 25), Some((20, 25)), "all of it");
        assert!(tail.records.is_empty());
    }

    #[test]
    fn an_open_transaction_is_read_once_it_has_ended() {
        // Records 10 and 11 were written by it; its end is record 12.
        let mut tail = tail(0..10);
        tail.read_to = 12;
        assert_eq!(tail.go_on(0, 12), None);
        assert_eq!(tail.go_on(0, 13), Some((10, 13)));
    }

    #[test]
    fn a_log_that_was_cut_back_is_read_from_its_start() {
        let mut tail = tail(0..10);
        assert_eq!(tail.go_on(0, 7), Some((0, 7)));
        assert!(tail.records.is_empty());
    }
}
