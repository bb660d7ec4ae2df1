//! Keeping the in-sync replicas true: who lags leaves, who has caught up comes back; the controller decides (KIP-497).

use super::Partition;
use super::partition::IsrProposal;
use crate::broker::error::Result;
use crate::broker::node::Node;
use crate::broker::peer::Peer;
use kafka_protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use kafka_protocol::messages::{AlterPartitionRequest, BrokerId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the controller may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Version that names the brokers with their epochs (KIP-903).
const VERSION: i16 = 3;

/// Asks the controller for changes for ever: at once when a follower has caught up, and for those that lag twice in
/// `replica.lag.time.max.ms`.
pub async fn keep(node: Arc<Node>, mut controller: Peer) {
    let max_lag = node.config.millis("replica.lag.time.max.ms");
    loop {
        tokio::select! {
            biased;
            () = node.replicas.await_isr_change() => {}
            () = node.clock.sleep(max_lag / 2) => {}
        }
        let due = proposals(&node, max_lag);
        if due.is_empty() {
            continue;
        }
        if let Err(error) = ask(&node, &mut controller, &due).await {
            tracing::warn!(%error, "the controller did not change the in-sync replicas; trying again");
            due.iter().for_each(|(partition, _)| partition.isr_refused());
        }
    }
}

fn proposals(node: &Node, max_lag: Duration) -> Vec<(Arc<Partition>, IsrProposal)> {
    let image = node.metadata.load();
    let now_ms = node.clock.now_ms();
    let max_lag_ms = i64::try_from(max_lag.as_millis()).unwrap_or(i64::MAX);
    let may_join = |id| image.brokers.get(&id).is_some_and(|broker| broker.can_lead());
    let partitions = node.replicas.partitions().into_iter();
    partitions
        .filter_map(|partition| {
            let proposal = partition.propose_isr(now_ms, max_lag_ms, may_join)?;
            Some((partition, proposal))
        })
        .collect()
}

async fn ask(node: &Node, controller: &mut Peer, due: &[(Arc<Partition>, IsrProposal)]) -> Result<()> {
    let image = node.metadata.load_full();
    let epoch_of = |id: &i32| image.brokers.get(id).map_or(-1, |broker| broker.epoch);
    let mut topics: BTreeMap<uuid::Uuid, Vec<PartitionData>> = BTreeMap::new();
    for (partition, proposal) in due {
        let isr = proposal.isr.iter().map(|id| {
            BrokerState::default()
                .with_broker_id(BrokerId(*id))
                .with_broker_epoch(epoch_of(id))
        });
        let data = PartitionData::default()
            .with_partition_index(partition.index)
            .with_leader_epoch(proposal.leader_epoch)
            .with_partition_epoch(proposal.partition_epoch)
            .with_new_isr_with_epochs(isr.collect());
        topics.entry(partition.topic_id).or_default().push(data);
    }
    let topics = topics
        .into_iter()
        .map(|(id, partitions)| TopicData::default().with_topic_id(id).with_partitions(partitions));
    let request = AlterPartitionRequest::default()
        .with_broker_id(BrokerId(node.config.node_id))
        .with_broker_epoch(node.broker_epoch.load(Ordering::Acquire))
        .with_topics(topics.collect());
    let answer = controller.ask(&request, VERSION, PATIENCE).await?;
    if let Some(error) = kafka_protocol::ResponseError::try_from_code(answer.error_code) {
        return Err(error.into());
    }
    let answers = answer.topics.iter().flat_map(|topic| {
        topic
            .partitions
            .iter()
            .map(move |partition| (topic.topic_id, partition))
    });
    for (topic_id, answer) in answers.filter(|(_, answer)| answer.error_code != 0) {
        // Refused because it went out from an old state: the metadata on its way here says what is true.
        if let Some(partition) = node.replicas.partition_by_id(topic_id, answer.partition_index) {
            partition.isr_refused();
        }
    }
    Ok(())
}
