//! Markers in the partitions that this broker leads.

use super::marking::{Marked, Marking};
use crate::broker::batch::{BatchHeader, marker};
use crate::broker::config::NodeConfig;
use crate::broker::groups::{GroupCoordinator, OFFSETS_TOPIC};
use crate::broker::log::Appended;
use crate::broker::machine::Refused;
use crate::broker::replication::{Partition, Partitions};
use crate::broker::transactions::{TRANSACTIONS_TOPIC, TopicPartition, TransactionCoordinator};
use crate::broker::world::time::after;
use crate::clock::Clock;
use kafka_protocol::ResponseError;
use std::sync::Arc;

/// Writes markers into partitions that this broker leads. Cloning shares what it writes to.
#[derive(Clone)]
pub struct MarkerWriter {
    config: Arc<NodeConfig>,
    clock: Clock,
    partitions: Partitions,
    groups: Arc<GroupCoordinator>,
    transactions: Arc<TransactionCoordinator>,
}

impl MarkerWriter {
    /// Writes to `partitions`, and to the logs of the coordinators themselves through them.
    pub fn new(
        config: Arc<NodeConfig>,
        clock: Clock,
        partitions: Partitions,
        groups: Arc<GroupCoordinator>,
        transactions: Arc<TransactionCoordinator>,
    ) -> Self {
        MarkerWriter {
            config,
            clock,
            partitions,
            groups,
            transactions,
        }
    }

    /// Writes the marker into each partition and waits for the replicas; one result for each. What a coordinator of this broker
    /// keeps in a partition ends with it.
    pub async fn write(&self, marking: Marking, partitions: &[TopicPartition]) -> Vec<Marked> {
        let deadline = after(self.config.millis("request.timeout.ms"));
        let mut appended = Vec::with_capacity(partitions.len());
        for (topic, index) in partitions {
            appended.push(match topic.as_str() {
                OFFSETS_TOPIC | TRANSACTIONS_TOPIC => Ok(None),
                _ => self.append(marking, topic, *index).map(Some),
            });
        }
        let mut marked = Vec::with_capacity(partitions.len());
        for ((topic, index), appended) in partitions.iter().zip(appended) {
            marked.push(match appended {
                Ok(Some((partition, written))) => match partition.settled(&written).await {
                    Ok(()) => partition.await_acknowledged(written.last_offset, deadline).await,
                    Err(error) => Err(error.response_error()),
                },
                Ok(None) => self.in_coordinators_log(marking, topic, *index).await,
                Err(error) => Err(error),
            });
        }
        marked
    }

    fn append(
        &self,
        marking: Marking,
        topic: &str,
        index: i32,
    ) -> Result<(Arc<Partition>, Appended), ResponseError> {
        let (partition, leadership) = self.partitions.led_by_name(topic, index)?;
        let header = BatchHeader {
            producer_id: marking.producer.id,
            producer_epoch: marking.producer.epoch,
            ..BatchHeader::of_broker(self.clock.now_ms())
        };
        let batch = marker(header, marking.commits, marking.coordinator_epoch);
        let written = batch.and_then(|batch| partition.write_marker(batch.bytes, leadership.epoch));
        let written = written.map_err(|error| error.response_error())?;
        Ok((partition, written))
    }

    /// Offsets that were committed in the transaction count, or never will.
    async fn in_coordinators_log(&self, marking: Marking, topic: &str, index: i32) -> Marked {
        let Marking {
            producer,
            commits,
            coordinator_epoch,
        } = marking;
        let marked = match topic {
            OFFSETS_TOPIC => {
                self.groups
                    .mark(index, producer, commits, coordinator_epoch)
                    .await
            }
            _ => {
                let transactions = &self.transactions;
                transactions
                    .mark(index, producer, commits, coordinator_epoch)
                    .await
            }
        };
        marked.map_err(|refused| match refused {
            Refused::Loading | Refused::NotLed => ResponseError::NotLeaderOrFollower,
            Refused::Late => ResponseError::RequestTimedOut,
            Refused::Plan(error) => error,
            Refused::Log(error) => error.response_error(),
        })
    }
}
