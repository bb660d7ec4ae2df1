//! What happens to a member's partitions, in the order in which it happens.

use super::{Assigned, Polled, Start};
use crate::kafka::errors;
use crate::kafka::oauth::refreshes_tokens;
use parking_lot::Mutex;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long the cluster may take to answer a question about offsets.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How long something that passes may hold up who takes partitions: a transaction that was left open (most are aborted after
/// ten seconds, and a cluster looks for those every ten), or a broker that died, until others lead what it led.
const PATIENCE: Duration = Duration::from_secs(60);

/// How soon to look again what the cluster knows of a topic.
const MOMENT: Duration = Duration::from_millis(50);

/// Turns librdkafka's rebalance callbacks into a queue that is emptied in order. What is given and what is revoked waits
/// for [`Rebalances::settle`], and the group with it.
pub(in crate::kafka) struct Rebalances {
    start: Start,
    topic: String,
    /// Which topic of that name it is.
    topic_id: String,
    queue: Mutex<VecDeque<Result<Polled, KafkaError>>>,
    pending: Mutex<Option<Pending>>,
    /// Something may be in the queue, or pending. Looked at for each record.
    stirred: AtomicBool,
    closing: AtomicBool,
}

/// What librdkafka waits to hear of.
enum Pending {
    Given(TopicPartitionList),
    Revoked(TopicPartitionList),
}

refreshes_tokens!(Rebalances);

impl Rebalances {
    pub(super) fn new(start: Start, topic: &str, topic_id: String) -> Self {
        Rebalances {
            start,
            topic: topic.to_owned(),
            topic_id,
            queue: Mutex::default(),
            pending: Mutex::default(),
            stirred: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }

    pub(super) fn topic_id(&self) -> &str {
        &self.topic_id
    }

    /// The first of what has happened since.
    pub(super) fn next(&self) -> Option<Result<Polled, KafkaError>> {
        if !self.stirred.load(Ordering::SeqCst) {
            return None;
        }
        self.queue.lock().pop_front()
    }

    /// Begins to read what was given, or leaves what was revoked to its next owners.
    pub(super) fn settle(&self, consumer: &BaseConsumer<Self>) {
        if !self.stirred.load(Ordering::SeqCst) {
            return;
        }
        let pending = self.pending.lock().take();
        if self.queue.lock().is_empty() {
            self.stirred.store(false, Ordering::SeqCst);
        }
        let Some(pending) = pending else {
            return;
        };
        let bit_by_bit = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        self.note(match pending {
            Pending::Given(partitions) if bit_by_bit => consumer.incremental_assign(&partitions),
            Pending::Given(partitions) => consumer.assign(&partitions),
            Pending::Revoked(partitions) if bit_by_bit => consumer.incremental_unassign(&partitions),
            Pending::Revoked(_) => consumer.unassign(),
        });
    }

    /// From now on nobody asks for what happens, and it is settled at once.
    pub(super) fn close(&self, consumer: &BaseConsumer<Self>) {
        self.closing.store(true, Ordering::SeqCst);
        self.settle(consumer);
    }

    fn note(&self, done: Result<(), KafkaError>) {
        if let Err(error) = done {
            self.queue.lock().push_back(Err(error));
            self.stirred.store(true, Ordering::SeqCst);
        }
    }

    /// The offset to commit for a partition of a list, with the topic's id: a group keeps what it has committed after a topic
    /// is deleted and made again, when a member of it commits in between.
    pub(super) fn note_offset(
        &self,
        offsets: &mut TopicPartitionList,
        partition: i32,
        offset: i64,
    ) -> Result<(), KafkaError> {
        let mut element = offsets.add_partition(&self.topic, partition);
        element.set_offset(Offset::Offset(offset))?;
        element.set_metadata(&self.topic_id);
        Ok(())
    }

    /// Decides where each given partition is read from.
    fn take(
        &self,
        consumer: &BaseConsumer<Self>,
        given: &TopicPartitionList,
    ) -> Result<Vec<Assigned>, KafkaError> {
        let committed = Self::committed(consumer, given)?;
        let mut assigned = Vec::new();
        for mut element in given.elements() {
            let partition = element.partition();
            let (low, end) = self.watermarks(consumer, partition)?;
            let committed = committed
                .find_partition(&self.topic, partition)
                .filter(|found| ["", self.topic_id.as_str()].contains(&found.metadata()))
                .and_then(|found| match found.offset() {
                    Offset::Offset(offset) => Some(offset),
                    _ => None,
                });
            let start = match (committed, self.start) {
                (Some(offset), _) if (low..=end).contains(&offset) => offset,
                (None, Start::Latest) => end,
                _ => low,
            };
            element.set_offset(Offset::Offset(start))?;
            assigned.push(Assigned {
                partition,
                committed,
                start,
                end,
            });
        }
        Ok(assigned)
    }

    /// What the group has committed. An owner before may have left offsets in an open transaction: they are waited for until
    /// it is over, which the cluster sees to by its time-out. So is a new coordinator, when the one before has died.
    fn committed(
        consumer: &BaseConsumer<Self>,
        given: &TopicPartitionList,
    ) -> Result<TopicPartitionList, KafkaError> {
        let begun = Instant::now();
        loop {
            match consumer.committed_offsets(given.clone(), ANSWER) {
                Err(error) if (is_open(&error) || is_away(&error)) && begun.elapsed() < PATIENCE => {
                    std::thread::sleep(MOMENT);
                }
                answer => return answer,
            }
        }
    }

    /// The first offset of a partition, and the one after its last. The group may know of a partition that was added a moment
    /// ago, or of a new leader, before this member does, or the leader has died and there is no other yet: then it looks again.
    fn watermarks(&self, consumer: &BaseConsumer<Self>, partition: i32) -> Result<(i64, i64), KafkaError> {
        let begun = Instant::now();
        loop {
            match consumer.fetch_watermarks(&self.topic, partition, ANSWER) {
                Err(error) if (is_old_knowledge(&error) || is_away(&error)) && begun.elapsed() < PATIENCE => {
                    // What it finds it keeps; an answer that does not come is asked for again.
                    let _ = consumer.fetch_metadata(Some(&self.topic), ANSWER);
                    std::thread::sleep(MOMENT);
                }
                answer => return answer,
            }
        }
    }
}

/// Whether committed offsets are not told for now.
fn is_open(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(Code::UnstableOffsetCommit | Code::OperationTimedOut | Code::RequestTimedOut)
    )
}

/// Whether who was asked has gone, or does not answer for now.
fn is_away(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    let gone = errors::KafkaError::from(error).is_unreachable();
    let code = error.rdkafka_error_code();
    gone || matches!(
        code,
        Some(Code::NotCoordinator | Code::CoordinatorNotAvailable | Code::CoordinatorLoadInProgress)
    )
}

/// Whether what a client knows of a topic's partitions may be older than the cluster.
fn is_old_knowledge(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        error.rdkafka_error_code(),
        Some(
            Code::UnknownPartition
                | Code::UnknownTopic
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopicId
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::FencedLeaderEpoch
                | Code::UnknownLeaderEpoch
        )
    )
}

impl ConsumerContext for Rebalances {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        what: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        let (event, pending) = match what {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => {
                let event = self.take(consumer, partitions).map(Polled::Assigned);
                (event, Pending::Given(partitions.clone()))
            }
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS => {
                (Ok(Polled::Revoked), Pending::Revoked(partitions.clone()))
            }
            error => (
                Err(KafkaError::Rebalance(error.into())),
                Pending::Revoked(partitions.clone()),
            ),
        };
        self.queue.lock().push_back(event);
        *self.pending.lock() = Some(pending);
        self.stirred.store(true, Ordering::SeqCst);
        if self.closing.load(Ordering::SeqCst) {
            self.settle(consumer);
        }
    }
}
