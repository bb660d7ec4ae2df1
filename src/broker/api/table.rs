//! The one table of what this node can answer.

use super::dispatch::run;
use super::{ListenerKind, Refusal, RequestContext};
use crate::broker::node::Node;
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use std::pin::Pin;
use std::sync::Arc;

/// What became of a request: the pieces of a response frame, or none when nothing is to be sent.
pub type Outcome = Result<Option<Vec<Bytes>>, Refusal>;

/// Decodes a body, runs the handler, encodes its answer.
pub type Handler = fn(Arc<Node>, RequestContext, i32, Bytes) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One API: dispatched and advertised from here alone.
pub struct Api {
    /// The API.
    pub key: ApiKey,
    /// Lowest version answered.
    pub min: i16,
    /// Highest version answered.
    pub max: i16,
    /// The listeners it is served on.
    pub listeners: &'static [ListenerKind],
    /// Does it.
    pub handler: Handler,
}

const BROKER: &[ListenerKind] = &[ListenerKind::Broker];
const CONTROLLER: &[ListenerKind] = &[ListenerKind::Controller];
const BOTH: &[ListenerKind] = &[ListenerKind::Broker, ListenerKind::Controller];

macro_rules! apis {
    ($($key:ident $min:literal ..= $max:literal $listeners:ident => $module:ident;)*) => {
        &[$(Api {
            key: ApiKey::$key,
            min: $min,
            max: $max,
            listeners: $listeners,
            handler: |node, ctx, correlation_id, body| {
                Box::pin(run(node, ctx, correlation_id, body, super::$module::handle))
            },
        },)*]
    };
}

/// Every API, in the order of their keys.
pub static APIS: &[Api] = apis! {
    Produce 3..=13 BROKER => produce;
    Fetch 4..=17 BROKER => fetch;
    Fetch 4..=18 CONTROLLER => fetch_metadata;
    ListOffsets 1..=10 BROKER => list_offsets;
    Metadata 0..=13 BROKER => metadata;
    OffsetCommit 2..=9 BROKER => offset_commit;
    OffsetFetch 1..=9 BROKER => offset_fetch;
    FindCoordinator 0..=6 BROKER => find_coordinator;
    JoinGroup 0..=9 BROKER => join_group;
    Heartbeat 0..=4 BROKER => heartbeat;
    LeaveGroup 0..=5 BROKER => leave_group;
    SyncGroup 0..=5 BROKER => sync_group;
    DescribeGroups 0..=6 BROKER => describe_groups;
    ListGroups 0..=5 BROKER => list_groups;
    ApiVersions 0..=4 BOTH => api_versions;
    CreateTopics 2..=7 BOTH => create_topics;
    DeleteTopics 1..=6 BOTH => delete_topics;
    DeleteRecords 0..=2 BROKER => delete_records;
    InitProducerId 0..=5 BROKER => init_producer_id;
    OffsetForLeaderEpoch 2..=4 BROKER => offset_for_leader_epoch;
    AddPartitionsToTxn 0..=5 BROKER => add_partitions_to_txn;
    AddOffsetsToTxn 0..=4 BROKER => add_offsets_to_txn;
    EndTxn 0..=5 BROKER => end_txn;
    WriteTxnMarkers 1..=1 BROKER => write_txn_markers;
    TxnOffsetCommit 0..=5 BROKER => txn_offset_commit;
    DescribeAcls 1..=3 BOTH => describe_acls;
    CreateAcls 1..=3 BOTH => create_acls;
    DeleteAcls 1..=3 BOTH => delete_acls;
    DescribeConfigs 1..=4 BROKER => describe_configs;
    AlterConfigs 0..=2 BOTH => alter_configs;
    AlterReplicaLogDirs 1..=2 BROKER => alter_replica_log_dirs;
    DescribeLogDirs 1..=4 BROKER => describe_log_dirs;
    CreatePartitions 0..=3 BOTH => create_partitions;
    DeleteGroups 0..=2 BROKER => delete_groups;
    ElectLeaders 0..=2 BOTH => elect_leaders;
    IncrementalAlterConfigs 0..=1 BOTH => incremental_alter_configs;
    AlterPartitionReassignments 0..=1 BOTH => alter_partition_reassignments;
    ListPartitionReassignments 0..=0 BOTH => list_partition_reassignments;
    OffsetDelete 0..=0 BROKER => offset_delete;
    DescribeQuorum 0..=2 BOTH => describe_quorum;
    AlterPartition 2..=3 CONTROLLER => alter_partition;
    FetchSnapshot 0..=1 CONTROLLER => fetch_snapshot;
    DescribeCluster 0..=2 BOTH => describe_cluster;
    DescribeProducers 0..=0 BROKER => describe_producers;
    BrokerRegistration 0..=4 CONTROLLER => broker_registration;
    BrokerHeartbeat 0..=1 CONTROLLER => broker_heartbeat;
    UnregisterBroker 0..=0 BOTH => unregister_broker;
    DescribeTransactions 0..=0 BROKER => describe_transactions;
    ListTransactions 0..=2 BROKER => list_transactions;
    AllocateProducerIds 0..=0 CONTROLLER => allocate_producer_ids;
    ListConfigResources 0..=1 BROKER => list_config_resources;
    DescribeTopicPartitions 0..=0 BROKER => describe_topic_partitions;
};

/// The API of that key on that listener.
pub fn find(key: i16, listener: ListenerKind) -> Option<&'static Api> {
    APIS.iter()
        .find(|api| api.key as i16 == key && api.listeners.contains(&listener))
}
