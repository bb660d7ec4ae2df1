//! The one table of what this node can answer, and what each asks of whoever asks for it.

use super::RequestContext;
use super::doors::Doors;
use super::refusal::Refusal;
use super::run::{Checked, run};
use crate::broker::config::ListenerKind;
use crate::broker::security::{Ask, Operation, ResourceType};
use bytes::Bytes;
use kafka_protocol::messages::ApiKey;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use std::pin::Pin;

/// What became of a request: the pieces of a response frame, or none when nothing is to be sent.
pub type Outcome = Result<Option<Vec<Bytes>>, Refusal>;

/// Decodes a body, refuses it or runs the handler, and encodes the answer.
pub type Handler = fn(Doors, RequestContext, Checked, Bytes) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;

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
    /// Brokers pass it on to the controller, in an envelope.
    forwarded: bool,
    /// Who may do none of this is refused. Of which topics and groups it is, the handler knows.
    pub asks: &'static [Ask],
    /// Does it.
    pub(super) work: Work,
}

/// What is done with a request.
#[derive(Clone, Copy)]
pub(super) enum Work {
    /// It is answered.
    Itself(Handler),
    /// What is in it is answered.
    OfEnvelope,
    /// This table is told.
    OfTable,
}

impl Api {
    /// The API as it may stand in an envelope, and what answers it there.
    pub(super) fn in_envelope(&'static self) -> Option<(&'static Self, Handler)> {
        match self.work {
            Work::Itself(handler) if self.forwarded => Some((self, handler)),
            _ => None,
        }
    }

    /// The lowest version that is told of it. Of Produce it is 0, as Kafka tells it, though it is not answered below 3: an older
    /// librdkafka (kcat 1.7.1's) compresses nothing for a broker that does not tell of version 0.
    fn told_from(&self) -> i16 {
        match self.key {
            ApiKey::Produce => 0,
            _ => self.min,
        }
    }

    /// Whether it changes what is there (but for records and the progress of groups), which is not done for somebody who has
    /// hung up.
    pub(super) fn may_be_withdrawn(&self) -> bool {
        use Operation::{Alter, AlterConfigs, Create, Delete};
        let changes = |ask: &Ask| matches!(ask.operation, Create | Delete | Alter | AlterConfigs);
        matches!(self.work, Work::OfEnvelope) || self.asks.iter().any(changes)
    }
}

/// Where an API is served.
struct Served {
    listeners: &'static [ListenerKind],
    forwarded: bool,
}

const BROKER: Served = served(&[ListenerKind::Broker]);
const CONTROLLER: Served = served(&[ListenerKind::Controller]);
const BOTH: Served = served(&[ListenerKind::Broker, ListenerKind::Controller]);
/// By both, and brokers have it done by the controller.
const FORWARDED: Served = Served {
    forwarded: true,
    ..BOTH
};

const fn served(listeners: &'static [ListenerKind]) -> Served {
    Served {
        listeners,
        forwarded: false,
    }
}

macro_rules! apis {
    ($($key:ident $min:literal ..= $max:literal $served:ident
       [$($operation:ident $resource:ident),*] => $first:ident $(:: $file:ident)?;)*) => {
        &[$(Api {
            key: ApiKey::$key,
            min: $min,
            max: $max,
            listeners: $served.listeners,
            forwarded: $served.forwarded,
            asks: &[$(Ask { operation: Operation::$operation, on: ResourceType::$resource }),*],
            work: work!($first $(:: $file)?),
        },)*]
    };
}

macro_rules! work {
    (in_it) => {
        Work::OfEnvelope
    };
    (all) => {
        Work::OfTable
    };
    ($room:ident :: $file:ident) => {
        Work::Itself(|doors, ctx, checked, body| {
            Box::pin(run(doors, ctx, checked, body, super::$room::$file::handle))
        })
    };
}

/// Every API, in the order of their keys.
pub static APIS: &[Api] = apis! {
    Produce 3..=13 BROKER [Write Topic] => data::produce;
    Fetch 4..=18 BROKER [Read Topic, ClusterAction Cluster] => data::fetch;
    Fetch 4..=18 CONTROLLER [ClusterAction Cluster] => cluster::fetch_metadata;
    ListOffsets 1..=10 BROKER [Describe Topic] => data::list_offsets;
    Metadata 0..=13 BROKER [] => cluster::metadata;
    OffsetCommit 2..=9 BROKER [Read Group] => groups::offset_commit;
    OffsetFetch 1..=9 BROKER [Describe Group] => groups::offset_fetch;
    FindCoordinator 0..=6 BROKER [Describe Group, Describe TransactionalId] => groups::find_coordinator;
    JoinGroup 0..=9 BROKER [Read Group] => groups::join_group;
    Heartbeat 0..=4 BROKER [Read Group] => groups::heartbeat;
    LeaveGroup 0..=5 BROKER [Read Group] => groups::leave_group;
    SyncGroup 0..=5 BROKER [Read Group] => groups::sync_group;
    DescribeGroups 0..=6 BROKER [Describe Group] => groups::describe_groups;
    ListGroups 0..=5 BROKER [] => groups::list_groups;
    ApiVersions 0..=4 BOTH [] => all;
    CreateTopics 2..=7 FORWARDED [Create Topic, Create Cluster] => admin::create_topics;
    DeleteTopics 1..=6 FORWARDED [Delete Topic] => admin::delete_topics;
    DeleteRecords 0..=2 BROKER [Delete Topic] => data::delete_records;
    InitProducerId 0..=5 BROKER [IdempotentWrite Cluster, Write Topic, Write TransactionalId] => transactions::init_producer_id;
    OffsetForLeaderEpoch 2..=4 BROKER [Describe Topic, ClusterAction Cluster] => data::offset_for_leader_epoch;
    AddPartitionsToTxn 0..=5 BROKER [Write TransactionalId, ClusterAction Cluster] => transactions::add_partitions_to_txn;
    AddOffsetsToTxn 0..=4 BROKER [Write TransactionalId] => transactions::add_offsets_to_txn;
    EndTxn 0..=5 BROKER [Write TransactionalId] => transactions::end_txn;
    WriteTxnMarkers 1..=1 BROKER [ClusterAction Cluster, Alter Cluster] => transactions::write_txn_markers;
    TxnOffsetCommit 0..=5 BROKER [Write TransactionalId] => transactions::txn_offset_commit;
    DescribeAcls 1..=3 BOTH [Describe Cluster] => security::describe_acls;
    CreateAcls 1..=3 FORWARDED [Alter Cluster] => security::create_acls;
    DeleteAcls 1..=3 FORWARDED [Alter Cluster] => security::delete_acls;
    DescribeConfigs 1..=4 BROKER [DescribeConfigs Topic, DescribeConfigs Cluster, DescribeConfigs Group] => admin::describe_configs;
    AlterConfigs 0..=2 FORWARDED [AlterConfigs Topic, AlterConfigs Cluster, AlterConfigs Group] => admin::alter_configs;
    AlterReplicaLogDirs 1..=2 BROKER [Alter Cluster] => admin::alter_replica_log_dirs;
    DescribeLogDirs 1..=4 BROKER [Describe Cluster] => admin::describe_log_dirs;
    CreatePartitions 0..=3 FORWARDED [Alter Topic] => admin::create_partitions;
    DeleteGroups 0..=2 BROKER [Delete Group] => groups::delete_groups;
    ElectLeaders 0..=2 FORWARDED [Alter Cluster] => admin::elect_leaders;
    IncrementalAlterConfigs 0..=1 FORWARDED [AlterConfigs Topic, AlterConfigs Cluster, AlterConfigs Group] => admin::incremental_alter_configs;
    AlterPartitionReassignments 0..=1 FORWARDED [Alter Cluster] => admin::alter_partition_reassignments;
    ListPartitionReassignments 0..=0 FORWARDED [Describe Cluster] => admin::list_partition_reassignments;
    OffsetDelete 0..=0 BROKER [Delete Group] => groups::offset_delete;
    DescribeQuorum 0..=2 FORWARDED [Describe Cluster] => cluster::describe_quorum;
    AlterPartition 2..=3 CONTROLLER [ClusterAction Cluster] => cluster::alter_partition;
    UpdateFeatures 0..=2 FORWARDED [Alter Cluster] => admin::update_features;
    Envelope 0..=0 CONTROLLER [ClusterAction Cluster] => in_it;
    FetchSnapshot 0..=1 CONTROLLER [ClusterAction Cluster] => cluster::fetch_snapshot;
    DescribeCluster 0..=2 BOTH [] => cluster::describe_cluster;
    DescribeProducers 0..=0 BROKER [Read Topic] => data::describe_producers;
    BrokerRegistration 0..=4 CONTROLLER [ClusterAction Cluster] => cluster::broker_registration;
    BrokerHeartbeat 0..=1 CONTROLLER [ClusterAction Cluster] => cluster::broker_heartbeat;
    UnregisterBroker 0..=0 FORWARDED [Alter Cluster] => admin::unregister_broker;
    DescribeTransactions 0..=0 BROKER [Describe TransactionalId] => transactions::describe_transactions;
    ListTransactions 0..=2 BROKER [] => transactions::list_transactions;
    AllocateProducerIds 0..=0 CONTROLLER [ClusterAction Cluster] => cluster::allocate_producer_ids;
    ListConfigResources 0..=1 BROKER [DescribeConfigs Cluster] => admin::list_config_resources;
    DescribeTopicPartitions 0..=0 BROKER [Describe Topic] => cluster::describe_topic_partitions;
};

/// The API of that key on that listener.
pub fn find(key: i16, listener: ListenerKind) -> Option<&'static Api> {
    APIS.iter()
        .find(|api| api.key as i16 == key && api.listeners.contains(&listener))
}

/// What is told of the APIs on a listener.
pub(super) fn advertised(listener: ListenerKind) -> Vec<ApiVersion> {
    APIS.iter()
        .filter(|api| api.listeners.contains(&listener))
        .map(|api| {
            ApiVersion::default()
                .with_api_key(api.key as i16)
                .with_min_version(api.told_from())
                .with_max_version(api.max)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_ask_for_all_that_can_be_done_with_a_resource_and_for_no_more() {
        use ResourceType::{Cluster, Group, Topic, TransactionalId};
        for on in [Topic, Group, Cluster, TransactionalId] {
            let asked = APIS.iter().flat_map(|api| api.asks).filter(|ask| ask.on == on);
            let mut asked: Vec<i32> = asked.map(|ask| ask.operation as i32).collect();
            asked.sort_unstable();
            asked.dedup();
            let mut known: Vec<i32> = on.operations().iter().map(|known| *known as i32).collect();
            known.sort_unstable();
            assert_eq!(asked, known, "{on:?}");
        }
    }
}
