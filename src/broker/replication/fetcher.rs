//! Copies the logs that this broker follows: one task for each leader, by Kafka's own Fetch over TCP.
//!
//! A log that parted from the leader's is cut back to where they were one: the leader says so in its answer (KIP-595).

use super::Partition;
use crate::broker::error::{BrokerError, Result};
use crate::broker::log::{By, PartitionLog};
use crate::broker::node::Node;
use crate::broker::peer::Peer;
use crate::broker::world::time::sleep;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::{AbortHandle, JoinSet};
use uuid::Uuid;

/// Version of the fetches sent.
const VERSION: i16 = 17;
/// How much longer than its wait an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps a task for each leader that this broker follows, for ever.
pub async fn follow_leaders(node: Arc<Node>) {
    let mut assignments = node.replicas.assignments();
    let mut tasks = JoinSet::new();
    let mut running: BTreeMap<i32, AbortHandle> = BTreeMap::new();
    loop {
        assignments.mark_unchanged();
        let leaders = followed(&node);
        running.retain(|leader, task| {
            let needed = leaders.contains_key(leader);
            if !needed {
                task.abort();
            }
            needed
        });
        for leader in leaders.keys() {
            let start = || tasks.spawn(copy_from(Arc::clone(&node), *leader));
            running.entry(*leader).or_insert_with(start);
        }
        tokio::select! {
            biased;
            changed = assignments.changed() => if changed.is_err() {
                return;
            },
            Some(ended) = tasks.join_next() => {
                // One that is not needed any more was ended from here; one that panicked is started again.
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "copying from a leader failed; starting again");
                    running.retain(|_, task| task.id() != error.id());
                    sleep(node.config.millis("replica.fetch.backoff.ms")).await;
                }
            }
        }
    }
}

/// The partitions that are followed, by leader, with the epoch of each.
fn followed(node: &Node) -> BTreeMap<i32, Vec<(Arc<Partition>, i32)>> {
    let mut by_leader: BTreeMap<i32, Vec<_>> = BTreeMap::new();
    for partition in node.replicas.partitions() {
        if let Some((leader, epoch)) = partition.following() {
            by_leader.entry(leader).or_default().push((partition, epoch));
        }
    }
    by_leader
}

async fn copy_from(node: Arc<Node>, leader: i32) {
    let backoff = node.config.millis("replica.fetch.backoff.ms");
    let mut assignments = node.replicas.assignments();
    let mut peer = None;
    loop {
        assignments.mark_unchanged();
        let followed = followed(&node).remove(&leader).unwrap_or_default();
        let connected = peer.get_or_insert_with(|| node.brokers.peer(leader, "fetcher"));
        let outcome = match connected {
            Some(peer) if !followed.is_empty() => copy_once(&node, peer, &followed).await,
            _ => Err(ResponseError::LeaderNotAvailable.into()),
        };
        if let Err(error) = outcome {
            tracing::debug!(leader, %error, "cannot copy from the leader; trying again");
            // The leader may have moved to another address, and what is followed may have changed.
            peer = None;
            tokio::select! {
                biased;
                () = sleep(backoff) => {}
                _ = assignments.changed() => {}
            }
        }
    }
}

/// One fetch of all that is followed.
///
/// # Errors
/// When the leader cannot be reached, or refused a partition: then it is better to wait a little.
async fn copy_once(node: &Node, peer: &mut Peer, followed: &[(Arc<Partition>, i32)]) -> Result<()> {
    let wait = node.config.millis("replica.fetch.wait.max.ms");
    let request = request(node, wait, followed);
    let answer = peer.ask(&request, VERSION, wait + PATIENCE).await?;
    if let Some(error) = ResponseError::try_from_code(answer.error_code) {
        return Err(error.into());
    }
    let mut answers: BTreeMap<(Uuid, i32), PartitionData> = BTreeMap::new();
    for topic in answer.responses {
        let id = topic.topic_id;
        answers.extend(
            topic
                .partitions
                .into_iter()
                .map(|data| ((id, data.partition_index), data)),
        );
    }
    let mut outcome = Ok(());
    for (partition, epoch) in followed {
        if let Some(data) = answers.remove(&(partition.topic_id, partition.index)) {
            outcome = outcome.and(take(partition, *epoch, data).await);
        }
    }
    outcome
}

fn request(node: &Node, wait: Duration, followed: &[(Arc<Partition>, i32)]) -> FetchRequest {
    let int = |name| i32::try_from(node.config.int(name)).unwrap_or(i32::MAX);
    let max_bytes = int("replica.fetch.max.bytes");
    let mut topics: BTreeMap<Uuid, Vec<FetchPartition>> = BTreeMap::new();
    for (partition, epoch) in followed {
        let log = &partition.log;
        let fetch = FetchPartition::default()
            .with_partition(partition.index)
            .with_current_leader_epoch(*epoch)
            .with_fetch_offset(log.log_end_offset())
            .with_last_fetched_epoch(log.latest_epoch())
            .with_log_start_offset(log.log_start_offset())
            .with_partition_max_bytes(max_bytes);
        topics.entry(partition.topic_id).or_default().push(fetch);
    }
    let topics = topics.into_iter().map(|(id, partitions)| {
        FetchTopic::default()
            .with_topic_id(id)
            .with_partitions(partitions)
    });
    let replica = ReplicaState::default()
        .with_replica_id(BrokerId(node.config.node_id))
        .with_replica_epoch(node.broker_epoch.load(Ordering::Acquire));
    FetchRequest::default()
        .with_replica_state(replica)
        .with_max_wait_ms(i32::try_from(wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(int("replica.fetch.min.bytes"))
        .with_max_bytes(int("replica.fetch.response.max.bytes"))
        .with_session_epoch(-1)
        .with_topics(topics.collect())
}

/// Brings a log on by one answer. The disk is waited for off the threads that serve requests, and without the lock that says
/// who leads.
async fn take(partition: &Arc<Partition>, epoch: i32, data: PartitionData) -> Result<()> {
    let taken = match ResponseError::try_from_code(data.error_code) {
        None if data.diverging_epoch.epoch < 0 => copy(partition, epoch, data).await,
        None | Some(ResponseError::OffsetOutOfRange) => {
            let follower = Arc::clone(partition);
            in_job(partition, move || cut_back(&follower, epoch, &data)).await
        }
        Some(error) => partition.as_follower(epoch, |_| Err(error.into())).map(|_| ()),
    };
    if let Err(error @ BrokerError::Io { .. }) = &taken {
        tracing::error!(topic = partition.topic, partition = partition.index, %error, "cannot copy");
    }
    taken
}

/// Takes the records of an answer, and what the leader says of its own log.
async fn copy(partition: &Arc<Partition>, epoch: i32, mut data: PartitionData) -> Result<()> {
    let records = data.records.take().unwrap_or_default();
    let follows = partition.as_follower(epoch, |log| {
        if !records.is_empty() {
            log.write(records, By::Follower)?;
        }
        keep_up(log, &data)
    })?;
    if !follows || !partition.log.owes() {
        return Ok(());
    }
    let follower = Arc::clone(partition);
    in_job(partition, move || follower.log.pay()).await?;
    partition
        .as_follower(epoch, |log| keep_up(log, &data))
        .map(|_| ())
}

/// What the leader says of its own log, as far as this one has come.
fn keep_up(log: &PartitionLog, data: &PartitionData) -> Result<()> {
    log.set_high_watermark(data.high_watermark);
    log.raise_log_start(data.log_start_offset)
}

/// Does what waits for the disk.
async fn in_job(partition: &Partition, work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let done = partition.log.jobs().run(work).await;
    done.unwrap_or_else(|error| {
        tracing::error!(topic = partition.topic, partition = partition.index, %error, "cannot follow");
        Err(ResponseError::KafkaStorageError.into())
    })
}

/// Cuts a log back to where it is its leader's: to where they parted, or, where what it ends with lies outside of the leader's
/// (before its start, or, after an unclean election, after its end), to there.
fn cut_back(partition: &Partition, epoch: i32, leader: &PartitionData) -> Result<()> {
    if leader.diverging_epoch.epoch < 0 && leader.high_watermark < 0 {
        // Who says no bounds does not know, either: nothing is thrown away by that.
        return Err(ResponseError::OffsetOutOfRange.into());
    }
    // Waited for before the lead is looked at, which others look at too.
    let mut truncating = partition.log.truncating();
    let follows = partition.as_follower(epoch, |log| match leader.diverging_epoch.epoch {
        0.. => {
            let before = (log.log_end_offset(), log.latest_epoch());
            truncating.to(common_end(log, leader))?;
            match before == (log.log_end_offset(), log.latest_epoch()) {
                // Asked again at once, the leader would say the same.
                true => Err(ResponseError::OffsetOutOfRange.into()),
                false => Ok(()),
            }
        }
        _ if log.log_end_offset() < leader.log_start_offset => {
            truncating.fully_and_start_at(leader.log_start_offset)
        }
        _ => truncating.to(leader.high_watermark),
    })?;
    drop(truncating);
    match follows {
        true => partition.log.pay(),
        false => Ok(()),
    }
}

/// Up to where both logs are one.
fn common_end(log: &PartitionLog, leader: &PartitionData) -> i64 {
    let diverging = &leader.diverging_epoch;
    let (_, own_end) = log.end_offset_for_epoch(diverging.epoch);
    let common = if own_end < 0 {
        diverging.end_offset
    } else {
        own_end.min(diverging.end_offset)
    };
    tracing::info!(
        offset = common,
        "the log parted from its leader's; cutting it back"
    );
    common
}

#[cfg(test)]
mod tests;
