//! Keeping the in-sync replicas true: who lags leaves, who has caught up comes back; the controller decides (KIP-497).

use super::Partition;
use super::partition::IsrProposal;
use crate::broker::error::Result;
use crate::broker::node::Node;
use crate::broker::peer::Peer;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use kafka_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long the controller may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Version that names the brokers with their epochs (KIP-903).
const VERSION: i16 = 3;
/// The longest wait before what is in doubt is asked again.
const RETRY: Duration = Duration::from_secs(1);

/// A change that is due.
pub(super) type Due = (Arc<Partition>, IsrProposal);

/// Asks the controller for changes for ever: at once when a follower has caught up, for those that lag twice in
/// `replica.lag.time.max.ms`, and again for what it has not answered about.
pub async fn keep(node: Arc<Node>, mut controller: Peer) {
    let max_lag = node.config.millis("replica.lag.time.max.ms");
    let mut in_doubt = false;
    loop {
        let pause = if in_doubt {
            RETRY.min(max_lag / 2)
        } else {
            max_lag / 2
        };
        tokio::select! {
            biased;
            () = node.replicas.await_isr_change() => {}
            () = node.clock.sleep(pause) => {}
        }
        let due = proposals(&node, max_lag);
        in_doubt = match due.as_slice() {
            [] => false,
            due => match ask(&node, &mut controller, due).await {
                Ok(answer) => !settle(due, &answer),
                Err(error) => {
                    // It may have been done, whatever went wrong: what was asked for stands, and is asked for again.
                    tracing::warn!(%error, "the controller does not say whether it changed the in-sync replicas; asking again");
                    true
                }
            },
        };
    }
}

fn proposals(node: &Node, max_lag: Duration) -> Vec<Due> {
    let image = node.metadata.load();
    let now_ms = node.clock.now_ms();
    let max_lag_ms = i64::try_from(max_lag.as_millis()).unwrap_or(i64::MAX);
    let may_join = |id, epoch| {
        let broker = image.brokers.get(&id).filter(|broker| broker.can_lead());
        // What a follower has was told by a process that may have ended since (KIP-903).
        broker.is_some_and(|broker| epoch == -1 || epoch == broker.epoch)
    };
    let partitions = node.replicas.partitions().into_iter();
    partitions
        .filter_map(|partition| {
            let proposal = partition.propose_isr(now_ms, max_lag_ms, may_join)?;
            Some((partition, proposal))
        })
        .collect()
}

async fn ask(node: &Node, controller: &mut Peer, due: &[Due]) -> Result<AlterPartitionResponse> {
    let own_id = node.config.node_id;
    let own_epoch = node.broker_epoch.load(Ordering::Acquire);
    let mut topics: BTreeMap<uuid::Uuid, Vec<PartitionData>> = BTreeMap::new();
    for (partition, proposal) in due {
        let isr = proposal.isr.iter().map(|(id, epoch)| {
            BrokerState::default()
                .with_broker_id(BrokerId(*id))
                .with_broker_epoch(if *id == own_id { own_epoch } else { *epoch })
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
        .with_broker_id(BrokerId(own_id))
        .with_broker_epoch(own_epoch)
        .with_topics(topics.collect());
    let answer = controller.ask(&request, VERSION, PATIENCE).await?;
    match ResponseError::try_from_code(answer.error_code) {
        Some(error) => Err(error.into()),
        None => Ok(answer),
    }
}

/// Takes what the controller says of each change; false where it leaves one open. As in Kafka only who was refused as no
/// eligible replica was refused for good, by a controller that knows the partition as we do. All else, that the partition has
/// changed meanwhile for one, may be the answer to a request that was made before: the metadata on its way here says.
pub(super) fn settle(due: &[Due], answer: &AlterPartitionResponse) -> bool {
    let mut codes = BTreeMap::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            codes.insert((topic.topic_id, partition.partition_index), partition.error_code);
        }
    }
    let mut all = true;
    for (partition, proposal) in due {
        let code = codes.get(&(partition.topic_id, partition.index)).copied();
        match code.map(ResponseError::try_from_code) {
            Some(None) => partition.isr_granted(proposal),
            Some(Some(ResponseError::IneligibleReplica | ResponseError::OperationNotAttempted)) => {
                partition.isr_refused(proposal);
            }
            open => {
                tracing::debug!(topic = partition.topic, partition = partition.index, answer = ?open, "an open question");
                all = false;
            }
        }
    }
    all
}
