//! A broker's life in the cluster: it registers with the controller, follows the metadata log, sends heartbeats, and
//! takes its leave; all over TCP in Kafka's own protocol, also when the controller is in the same process.

use super::controller::{METADATA_TOPIC, METADATA_TOPIC_ID, SUPPORTED_FEATURES};
use super::error::{BrokerError, Result};
use super::metadata::{MetadataImage, replay_batches, replay_snapshot};
use super::node::Node;
use super::peer::Peer;
use super::world::time::sleep;
use bytes::BytesMut;
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::broker_registration_request::{Feature, Listener as RegisteredListener};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::SnapshotId;
use kafka_protocol::messages::fetch_snapshot_request::{
    PartitionSnapshot, SnapshotId as FetchedSnapshotId, TopicSnapshot,
};
use kafka_protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest,
    DescribeClusterRequest, FetchRequest, FetchSnapshotRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a fetch of the metadata log waits for news. An append answers it at once, so this only bounds how often an
/// idle broker asks.
const FETCH_WAIT: Duration = Duration::from_secs(5);
/// Bytes of metadata asked for at once.
const FETCH_BYTES: i32 = 1 << 20;
/// Wait before a failed request is tried again.
const RETRY: Duration = Duration::from_millis(50);
/// Wait before a heartbeat that failed is sent again.
const SPEAK_AGAIN: Duration = Duration::from_millis(250);
/// A controller that does not answer within this time is given up for now.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the controller which cluster it is of; waits until there is one.
pub(super) async fn cluster_id(controller: &mut Peer) -> String {
    loop {
        let request = DescribeClusterRequest::default().with_endpoint_type(2);
        match controller.ask(&request, 1, PATIENCE).await {
            Ok(answer) if answer.error_code == 0 => return answer.cluster_id.to_string(),
            Ok(_) => {
                tracing::warn!("who answers at {} is no controller", controller.address());
                controller.pass_on();
            }
            Err(error) => tracing::debug!(%error, "no controller yet"),
        }
        sleep(RETRY).await;
    }
}

/// Registers the broker; waits while the controller is not there or still takes an earlier process for alive.
///
/// # Errors
/// What trying again does not mend.
pub(super) async fn register(node: &Node, controller: &mut Peer) -> Result<()> {
    let request = registration(node);
    loop {
        match controller.ask(&request, 3, PATIENCE).await {
            Ok(answer) => match answer.error_code.err() {
                None => {
                    node.broker_epoch.store(answer.broker_epoch, Ordering::Release);
                    return Ok(());
                }
                Some(ResponseError::DuplicateBrokerRegistration) => {
                    tracing::warn!("the controller still hears of a broker {}", node.config.node_id);
                }
                Some(error) => return Err(error.into()),
            },
            Err(error) => tracing::debug!(%error, "cannot register yet"),
        }
        sleep(RETRY).await;
    }
}

fn registration(node: &Node) -> BrokerRegistrationRequest {
    // A process that registers once more has lost nothing since it did so before.
    let previous = match node.broker_epoch.load(Ordering::Acquire) {
        -1 => node.previous_broker_epoch,
        epoch => epoch,
    };
    let listeners = node.advertised.iter().map(|end_point| {
        RegisteredListener::default()
            .with_name(StrBytes::from_string(end_point.name.clone()))
            .with_host(StrBytes::from_string(end_point.host.clone()))
            .with_port(end_point.port)
            .with_security_protocol(end_point.security_protocol)
    });
    let features = SUPPORTED_FEATURES.iter().map(|(name, min, max)| {
        Feature::default()
            .with_name(StrBytes::from_static_str(name))
            .with_min_supported_version(*min)
            .with_max_supported_version(*max)
    });
    BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(node.config.node_id))
        .with_cluster_id(StrBytes::from_string(node.cluster_id.clone()))
        .with_incarnation_id(node.world.dice().uuid())
        .with_listeners(listeners.collect())
        .with_features(features.collect())
        .with_rack(
            node.config
                .value("broker.rack")
                .map(|rack| StrBytes::from_string(rack.to_owned())),
        )
        .with_log_dirs(vec![node.directory_id])
        .with_previous_broker_epoch(previous)
}

/// Follows the metadata log for ever and applies what it says to the node. A record that this broker does not act on ends
/// the node: it would not know what the cluster has agreed on.
pub(super) async fn follow(node: Arc<Node>, mut controller: Peer) {
    loop {
        match follow_once(&node, &mut controller).await {
            Ok(()) => {}
            Err(BrokerError::Unsupported(unsupported)) => return node.fail(unsupported),
            Err(error) => {
                tracing::warn!(%error, "cannot follow the metadata log; trying again");
                sleep(RETRY).await;
            }
        }
    }
}

async fn follow_once(node: &Arc<Node>, controller: &mut Peer) -> Result<()> {
    let image = node.metadata.load_full();
    let partition = FetchPartition::default()
        .with_partition(0)
        .with_current_leader_epoch(-1)
        .with_fetch_offset(image.offset + 1)
        .with_last_fetched_epoch(-1)
        .with_partition_max_bytes(FETCH_BYTES);
    let topic = FetchTopic::default()
        .with_topic_id(METADATA_TOPIC_ID)
        .with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(i32::try_from(FETCH_WAIT.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(1)
        .with_max_bytes(FETCH_BYTES)
        .with_topics(vec![topic]);
    let answer = controller.ask(&request, 15, FETCH_WAIT + PATIENCE).await?;
    let data = answer
        .responses
        .into_iter()
        .next()
        .and_then(|mut topic| topic.partitions.pop());
    let Some(data) = data else {
        return Err(answer
            .error_code
            .err()
            .unwrap_or(ResponseError::UnknownServerError)
            .into());
    };
    if let Some(error) = data.error_code.err() {
        return Err(error.into());
    }
    if data.snapshot_id.end_offset >= 0 {
        let mut next = fetch_snapshot(node, controller, &data.snapshot_id).await?;
        next.controller_id = data.current_leader.leader_id.0;
        let whole = next.offset + 1 >= data.high_watermark;
        return apply(node, Arc::new(next), whole).await;
    }
    let records = data.records.unwrap_or_default();
    if records.is_empty() {
        return Ok(());
    }
    let mut next = MetadataImage::clone(&image);
    next.controller_id = data.current_leader.leader_id.0;
    replay_batches(records, &mut next)?;
    let whole = next.offset + 1 >= data.high_watermark;
    apply(node, Arc::new(next), whole).await
}

/// Fetches a snapshot of the metadata, piece by piece.
async fn fetch_snapshot(node: &Node, controller: &mut Peer, id: &SnapshotId) -> Result<MetadataImage> {
    let mut bytes = BytesMut::new();
    loop {
        let wanted = FetchedSnapshotId::default()
            .with_end_offset(id.end_offset)
            .with_epoch(id.epoch);
        let partition = PartitionSnapshot::default()
            .with_partition(0)
            .with_current_leader_epoch(-1)
            .with_snapshot_id(wanted)
            .with_position(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
        let topic = TopicSnapshot::default()
            .with_name(TopicName(StrBytes::from_static_str(METADATA_TOPIC)))
            .with_partitions(vec![partition]);
        let request = FetchSnapshotRequest::default()
            .with_replica_id(BrokerId(node.config.node_id))
            .with_max_bytes(FETCH_BYTES)
            .with_topics(vec![topic]);
        let answer = controller.ask(&request, 0, PATIENCE).await?;
        let mut topics = answer.topics.into_iter();
        let piece = topics.next().and_then(|mut topic| topic.partitions.pop());
        let piece = piece.ok_or(ResponseError::SnapshotNotFound)?;
        if let Some(error) = piece.error_code.err() {
            return Err(error.into());
        }
        if piece.unaligned_records.is_empty() {
            return Err(ResponseError::UnknownServerError.into());
        }
        bytes.extend_from_slice(&piece.unaligned_records);
        if i64::try_from(bytes.len()).unwrap_or(i64::MAX) >= piece.size {
            break;
        }
    }
    let mut image = MetadataImage {
        cluster_id: node.cluster_id.clone(),
        ..MetadataImage::default()
    };
    replay_snapshot(bytes.freeze(), id.end_offset, &mut image)?;
    Ok(image)
}

/// Hands a new image to all that follow it, once it is `whole`: one from the middle of the log may hold topics that were
/// deleted later, and their folders would be taken for those of today's. Opening logs touches the disk, so it keeps off
/// the threads that serve.
async fn apply(node: &Arc<Node>, image: Arc<MetadataImage>, whole: bool) -> Result<()> {
    if !whole {
        node.metadata.store(image);
        return Ok(());
    }
    image.check_supported()?;
    let jobs = node.world.jobs().clone();
    let node = Arc::clone(node);
    let applied = jobs.run(move || {
        let mut handed_on = node.handed_on.lock();
        // The replicas first: a client that reads of a partition in the metadata must find it served.
        if let Err(error) = node.replicas.apply(&image) {
            tracing::error!(%error, "some partitions cannot be served");
        }
        node.groups.apply(&image);
        node.transactions.apply(&image);
        *handed_on = Some(Arc::clone(&image));
        drop(handed_on);
        node.metadata.store_applied(image);
    });
    applied.await.map_err(|error| {
        // Half of it may have been applied: a panic is the end of the task, and of the node.
        BrokerError::Config(format!("new metadata could not be applied: {}", error.resume()))
    })
}

/// Tells the controller that this broker lives, for ever; registers anew when the controller has forgotten it. Where the
/// connection has closed, or brought no answer, it is told again soon, for who does not speak again is given up.
pub(super) async fn beat(node: Arc<Node>, mut controller: Peer) {
    let interval = node.config.millis("broker.heartbeat.interval.ms");
    let mut rest = interval;
    loop {
        tokio::select! {
            biased;
            () = controller.closed() => {}
            () = node.clock.sleep(rest) => {}
        }
        let heard = match heartbeat(&node, &mut controller, false).await {
            Err(BrokerError::Protocol(ResponseError::StaleBrokerEpoch)) => {
                register(&node, &mut controller).await
            }
            answered => answered.map(drop),
        };
        rest = match heard {
            Ok(()) => interval,
            Err(error) => {
                if rest == interval {
                    tracing::warn!(%error, "the controller does not answer a heartbeat");
                }
                interval.min(SPEAK_AGAIN)
            }
        };
    }
}

/// Waits until the controller lets this broker serve and its own metadata says so. The controller is told all the while that
/// this broker lives: it fences who does not speak, and who was fenced again before it had seen that it may serve would wait
/// for ever.
///
/// # Errors
/// When the controller refuses.
pub(super) async fn await_unfenced(node: &Node, controller: &mut Peer) -> Result<()> {
    let interval = node.config.millis("broker.heartbeat.interval.ms");
    let mut applied = node.metadata.applied();
    loop {
        let epoch = node.broker_epoch.load(Ordering::Acquire);
        node.metadata.reaches(epoch).await;
        let rest = match heartbeat(node, controller, false).await {
            Ok(_) => interval,
            Err(BrokerError::Protocol(ResponseError::StaleBrokerEpoch)) => {
                register(node, controller).await?;
                continue;
            }
            Err(BrokerError::Protocol(error)) => return Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, "the controller does not answer yet");
                interval.min(SPEAK_AGAIN)
            }
        };
        let serves = |_: &i64| {
            let image = node.metadata.load();
            let broker = image.brokers.get(&node.config.node_id);
            broker.is_some_and(|broker| broker.epoch == epoch && !broker.fenced)
        };
        tokio::select! {
            biased;
            // The sender lives in the node.
            _ = applied.wait_for(serves) => return Ok(()),
            () = controller.closed() => {}
            () = node.clock.sleep(rest) => {}
        }
    }
}

/// Hands all leadership over before the broker stops.
///
/// # Errors
/// When the controller cannot be reached; it will then fence this broker by itself.
pub(super) async fn leave(node: &Node, controller: &mut Peer) -> Result<()> {
    heartbeat(node, controller, true).await.map(|_| ())
}

async fn heartbeat(node: &Node, controller: &mut Peer, stopping: bool) -> Result<BrokerHeartbeatResponse> {
    let request = BrokerHeartbeatRequest::default()
        .with_broker_id(BrokerId(node.config.node_id))
        .with_broker_epoch(node.broker_epoch.load(Ordering::Acquire))
        .with_current_metadata_offset(node.metadata.load().offset)
        .with_want_fence(false)
        .with_want_shut_down(stopping);
    let answer = controller.ask(&request, 1, PATIENCE).await?;
    match answer.error_code.err() {
        None => Ok(answer),
        Some(error) => Err(error.into()),
    }
}
