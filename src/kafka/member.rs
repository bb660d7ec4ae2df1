//! A member of a consumer group with properties of one's choice, which tells of rebalances by partition and commits when
//! asked.

use super::Connection;
use super::errors::KafkaError;
use super::group_consumer::Received;
use super::oauth::refreshes_tokens;
use super::types::TopicPartition;
use crate::failure::Outcome;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
#[derive(Default)]
struct Watch(Mutex<VecDeque<Happened>>);

refreshes_tokens!(Watch);

impl ConsumerContext for Watch {
    fn pre_rebalance(&self, _consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let of = |list: &TopicPartitionList| {
            list.elements()
                .iter()
                .map(|element| TopicPartition::new(element.topic(), element.partition()))
                .collect()
        };
        let happened = match rebalance {
            Rebalance::Assign(list) => Happened::Assigned(of(list)),
            Rebalance::Revoke(list) => Happened::Revoked(of(list)),
            Rebalance::Error(error) => Happened::Trouble(error.into()),
        };
        self.0.lock().push_back(happened);
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
        let consumer: BaseConsumer<Watch> = config.create_with_context(Watch::default()).map_err(refused)?;
        consumer.subscribe(&[topic]).map_err(refused)?;
        Ok(Member { consumer })
    }

    /// The next thing that happened, waiting up to `timeout` for it.
    pub fn poll(&self, timeout: Duration) -> Option<Happened> {
        let earlier = self.consumer.context().0.lock().pop_front();
        if earlier.is_some() {
            return earlier;
        }
        let next = self.consumer.poll(timeout).map(|arrived| match arrived {
            Ok(message) => Happened::Record(message.topic().to_owned(), Received::copy(&message)),
            Err(error) => Happened::Trouble((&error).into()),
        });
        // A rebalance served within that poll happened before what it returned.
        let mut queue = self.consumer.context().0.lock();
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
        std::mem::take(&mut *watch.0.lock()).into()
    }
}
