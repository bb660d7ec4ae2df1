//! A member of a consumer group with properties of one's choice, which tells of rebalances by partition and commits when
//! asked.

use super::Connection;
use super::errors::KafkaError;
use super::group_consumer::Received;
use super::oauth::refreshes_tokens;
use super::types::TopicPartition;
use crate::failure::Outcome;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError as Reported, KafkaResult};
use rdkafka::message::Message;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long the cluster may take to answer a question about offsets.
const ANSWER: Duration = Duration::from_secs(1);

/// How often to look whether a member has left its group.
const FAREWELL: Duration = Duration::from_millis(2);

/// What happened to a member.
#[derive(Debug)]
pub enum Happened {
    /// It was given these partitions, beside those it has.
    Assigned(Vec<TopicPartition>),
    /// These were taken from it.
    Revoked(Vec<TopicPartition>),
    /// A record of this topic.
    Record(String, Received),
    /// Something went wrong; unless it cannot pass, librdkafka tries again by itself.
    Trouble(KafkaError),
}

/// Turns librdkafka's rebalance callbacks into a queue.
struct Watch {
    queue: Mutex<VecDeque<Happened>>,
    /// Where a member that commits by itself starts in partitions that the group has not committed, and commits that it does:
    /// librdkafka by itself commits nothing but what is behind a record.
    start: Option<Offset>,
}

refreshes_tokens!(Watch);

impl Watch {
    /// For a member with these settings.
    fn of(config: &ClientConfig) -> Self {
        let start = match (config.get("enable.auto.commit"), config.get("auto.offset.reset")) {
            (Some("true"), Some("earliest")) => Some(Offset::Beginning),
            (Some("true"), Some("latest")) => Some(Offset::End),
            _ => None,
        };
        Watch {
            queue: Mutex::default(),
            start,
        }
    }

    fn note(&self, happened: Happened) {
        self.queue.lock().push_back(happened);
    }

    /// Gives partitions that the group has not committed the offset to start at, and answers them: that is to be committed.
    fn starts(
        &self,
        consumer: &BaseConsumer<Self>,
        given: &mut TopicPartitionList,
    ) -> KafkaResult<TopicPartitionList> {
        let mut starts = TopicPartitionList::new();
        let Some(start) = self.start else {
            return Ok(starts);
        };
        let committed = consumer.committed_offsets(given.clone(), ANSWER)?;
        for known in committed.elements() {
            if matches!(known.offset(), Offset::Offset(_)) {
                continue;
            }
            let (topic, partition) = (known.topic(), known.partition());
            let (low, end) = consumer.fetch_watermarks(topic, partition, ANSWER)?;
            let at = Offset::Offset(if start == Offset::End { end } else { low });
            given.set_partition_offset(topic, partition, at)?;
            starts.add_partition_offset(topic, partition, at)?;
        }
        Ok(starts)
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, given: &mut TopicPartitionList) {
        // What the cluster does not tell now, librdkafka asks again.
        let starts = self.starts(consumer, given).unwrap_or_default();
        let bit_by_bit = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let done = match bit_by_bit {
            true => consumer.incremental_assign(given),
            false => consumer.assign(given),
        };
        let done = done.and_then(|()| match starts.count() {
            0 => Ok(()),
            _ => consumer.commit(&starts, CommitMode::Async),
        });
        self.note_failure(done);
    }

    fn unassign(&self, consumer: &BaseConsumer<Self>, gone: &TopicPartitionList) {
        let bit_by_bit = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        self.note_failure(match bit_by_bit {
            true => consumer.incremental_unassign(gone),
            false => consumer.unassign(),
        });
    }

    fn note_failure(&self, done: KafkaResult<()>) {
        if let Err(error) = done {
            self.note(Happened::Trouble((&error).into()));
        }
    }
}

impl ConsumerContext for Watch {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let named = partitions
            .elements()
            .iter()
            .map(|element| TopicPartition::new(element.topic(), element.partition()))
            .collect();
        match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                self.note(Happened::Assigned(named));
                self.assign(consumer, partitions);
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                self.note(Happened::Revoked(named));
                self.unassign(consumer, partitions);
            }
            error => {
                self.note_failure(Err(Reported::Rebalance(error.into())));
                self.unassign(consumer, partitions);
            }
        }
    }
}

/// A member of a group. Dropping it leaves the group.
pub struct Member {
    consumer: BaseConsumer<Watch>,
}

impl Member {
    /// Joins the group that the properties, by librdkafka's names, say, to read `topic`.
    ///
    /// # Errors
    /// When no broker answers, or the properties do not fit each other.
    pub fn join(connection: &Connection, topic: &str, properties: &[(&str, String)]) -> Outcome<Self> {
        connection.reach()?;
        let mut config = connection.client_config();
        for (name, value) in properties {
            config.set(*name, value);
        }
        let refused = |error: rdkafka::error::KafkaError| {
            KafkaError::from(&error).into_failure("cannot make a consumer")
        };
        let consumer: BaseConsumer<Watch> =
            config.create_with_context(Watch::of(&config)).map_err(refused)?;
        consumer.subscribe(&[topic]).map_err(refused)?;
        Ok(Member { consumer })
    }

    /// The next thing that happened, waiting up to `timeout` for it.
    pub fn poll(&self, timeout: Duration) -> Option<Happened> {
        let earlier = self.consumer.context().queue.lock().pop_front();
        if earlier.is_some() {
            return earlier;
        }
        let next = self.consumer.poll(timeout).map(|arrived| match arrived {
            Ok(message) => Happened::Record(message.topic().to_owned(), Received::copy(&message)),
            Err(error) => Happened::Trouble((&error).into()),
        });
        // A rebalance served within that poll happened before what it returned.
        let mut queue = self.consumer.context().queue.lock();
        queue.extend(next);
        queue.pop_front()
    }

    /// Commits the offsets of the next records to read, and waits for the coordinator's answer.
    ///
    /// # Errors
    /// When the coordinator refuses.
    pub fn commit(&self, next: &[(TopicPartition, i64)]) -> Result<(), KafkaError> {
        let mut offsets = TopicPartitionList::with_capacity(next.len());
        let told = |error: rdkafka::error::KafkaError| KafkaError::from(&error);
        for (at, offset) in next {
            offsets
                .add_partition_offset(&at.topic, at.partition, Offset::Offset(*offset))
                .map_err(told)?;
        }
        self.consumer.commit(&offsets, CommitMode::Sync).map_err(told)
    }

    /// Leaves the group, waiting at most for `timeout`; answers what happened until then. Nothing is freed: only for a
    /// process that is about to end.
    pub fn leave(self, timeout: Duration) -> Vec<Happened> {
        // Dropped, rdkafka's consumer leaves as well, but looks only every 100 ms whether it is done.
        let begun = Instant::now();
        if self.consumer.close_queue().is_ok() {
            while !self.consumer.closed() && begun.elapsed() <= timeout {
                self.consumer.poll(FAREWELL);
            }
        }
        let watch: Arc<Watch> = Arc::clone(self.consumer.context());
        std::mem::forget(self.consumer);
        std::mem::take(&mut *watch.queue.lock()).into()
    }
}
