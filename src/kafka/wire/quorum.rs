//! The controllers' quorum and its log: DescribeQuorum (KIP-642, KIP-836), AddRaftVoter and RemoveRaftVoter (KIP-853).

use super::{To, Wire, check, text};
use crate::kafka::errors::{Answer, ErrorCode, KafkaError};
use kafka_protocol::messages::add_raft_voter_request::Listener as VoterListener;
use kafka_protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use kafka_protocol::messages::describe_quorum_response::ReplicaState;
use kafka_protocol::messages::{
    AddRaftVoterRequest, DescribeQuorumRequest, RemoveRaftVoterRequest, TopicName,
};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// The one partition of the metadata log.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// How long the quorum may take to agree on a new voter, in ms; Java's default.
const AGREEMENT_MS: i32 = 60_000;

/// The controllers' quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// The active controller.
    pub leader_id: i32,
    /// How often a leader was elected.
    pub leader_epoch: i32,
    /// Up to where the voters agree.
    pub high_watermark: i64,
    /// Those who elect the leader.
    pub voters: Vec<QuorumReplica>,
    /// Those who only read.
    pub observers: Vec<QuorumReplica>,
    /// Where the voters listen, by id; only newer clusters tell.
    pub endpoints: BTreeMap<i32, Vec<QuorumEndpoint>>,
}

/// A replica of the metadata log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumReplica {
    /// `node.id`
    pub id: i32,
    /// Of the replica's log directory; nil when it is not known.
    pub directory: Uuid,
    /// The end of its log, -1 when it is not known.
    pub log_end_offset: i64,
    /// When the leader last heard of it, in ms since 1970.
    pub last_fetch: Option<i64>,
    /// When it last had all of the leader's log, in ms since 1970.
    pub last_caught_up: Option<i64>,
}

/// A listener of a controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumEndpoint {
    /// The listener's name.
    pub name: String,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for QuorumEndpoint {
    /// `NAME://HOST:PORT`, with an IPv6 address in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{}://[{}]:{}", self.name, self.host, self.port)
        } else {
            write!(f, "{}://{}:{}", self.name, self.host, self.port)
        }
    }
}

impl Wire {
    /// The quorum as its leader sees it.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub fn describe_quorum(&mut self) -> Answer<Quorum> {
        let topic = TopicData::default()
            .with_topic_name(TopicName(text(METADATA_TOPIC)))
            .with_partitions(vec![PartitionData::default()]);
        let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)?;
        let partition = answer
            .topics
            .into_iter()
            .flat_map(|topic| topic.partitions)
            .next()
            .ok_or_else(|| KafkaError::new(ErrorCode::BadMessage, "the answer has no partition"))?;
        check(partition.error_code, partition.error_message)?;
        let endpoints = answer.nodes.into_iter().map(|node| {
            let listeners = node.listeners.into_iter().map(|listener| QuorumEndpoint {
                name: listener.name.to_string(),
                host: listener.host.to_string(),
                port: listener.port,
            });
            (node.node_id.0, listeners.collect())
        });
        Ok(Quorum {
            leader_id: partition.leader_id.0,
            leader_epoch: partition.leader_epoch,
            high_watermark: partition.high_watermark,
            voters: partition.current_voters.into_iter().map(replica).collect(),
            observers: partition.observers.into_iter().map(replica).collect(),
            endpoints: endpoints.collect(),
        })
    }

    /// Makes a controller a voter.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub fn add_raft_voter(&mut self, id: i32, directory: Uuid, endpoints: &[QuorumEndpoint]) -> Answer {
        let listeners = endpoints.iter().map(|endpoint| {
            VoterListener::default()
                .with_name(text(&endpoint.name))
                .with_host(text(&endpoint.host))
                .with_port(endpoint.port)
        });
        // Without a cluster's id, which is empty by default and then the wrong one.
        let request = AddRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_timeout_ms(AGREEMENT_MS)
            .with_voter_id(id)
            .with_voter_directory_id(directory)
            .with_listeners(listeners.collect());
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)
    }

    /// Makes a voter an observer.
    ///
    /// # Errors
    /// When the cluster does not answer, or refuses.
    pub fn remove_raft_voter(&mut self, id: i32, directory: Uuid) -> Answer {
        let request = RemoveRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_voter_id(id)
            .with_voter_directory_id(directory);
        let answer = self.ask(To::Controller, &request)?;
        check(answer.error_code, answer.error_message)
    }
}

fn replica(told: ReplicaState) -> QuorumReplica {
    let moment = |told: i64| (told >= 0).then_some(told);
    QuorumReplica {
        id: told.replica_id.0,
        directory: told.replica_directory_id,
        log_end_offset: told.log_end_offset,
        last_fetch: moment(told.last_fetch_timestamp),
        last_caught_up: moment(told.last_caught_up_timestamp),
    }
}
