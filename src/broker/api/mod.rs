//! The table of APIs, `{key, min, max, handler}`, for dispatch and ApiVersions; one file per API.
//!
//! A handler is `pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: XRequest) -> XResponse` in the
//! file named after the API. Errors that the protocol has a code for are part of the response. A handler that
//! sometimes must not answer (Produce with `acks=0`) returns `Option<XResponse>`; one that encodes its answer itself
//! returns `Reply<XResponse>`.

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod admin;
pub mod allocate_producer_ids;
mod allowed;
pub mod alter_configs;
pub mod alter_partition;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
pub mod api_versions;
pub mod broker_heartbeat;
pub mod broker_registration;
pub mod create_acls;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_acls;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_topic_partitions;
pub mod describe_transactions;
mod dispatch;
pub mod elect_leaders;
pub mod end_txn;
pub mod fetch;
mod fetch_encoding;
pub mod fetch_metadata;
mod fetch_reading;
pub mod fetch_snapshot;
pub mod find_coordinator;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod join_group;
pub mod leaders;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
mod produce_verification;
mod reply;
pub mod sync_group;
mod table;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod write_txn_markers;

pub use dispatch::{Refusal, Sender, dispatch};
pub use reply::Reply;
pub use table::{APIS, Api, find};

use crate::broker::groups::Caller;
use kafka_protocol::ResponseError;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Which of a node's listeners a connection came in by; decides the APIs it may use, as in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// For clients and other brokers.
    Broker,
    /// For brokers and tools that talk to the controller.
    Controller,
}

/// What is known of a request beside its body.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Version of the request, within what the table advertises.
    pub api_version: i16,
    /// `client.id` of the request header, empty if absent.
    pub client_id: String,
    /// Who is connected.
    pub peer: SocketAddr,
    /// Unique among the connections of this process.
    pub connection_id: u64,
    /// The listener the connection came in by.
    pub listener: ListenerKind,
    /// Its name: addresses are told as they stand under it.
    pub listener_name: Arc<str>,
    /// Tells a handler that waits when nobody wants its answer any more.
    pub peer_gone: PeerGone,
}

impl RequestContext {
    /// Who asks, as a group keeps it of its members.
    pub fn caller(&self) -> Caller {
        Caller {
            client_id: self.client_id.clone(),
            client_host: format!("/{}", self.peer.ip()),
            api_version: self.api_version,
        }
    }

    /// What the client is told of an error: it knows `PRODUCER_FENCED` since version `first` of the request; before that, the
    /// epoch was said to be wrong.
    pub fn fencing(&self, first: i16, error: ResponseError) -> ResponseError {
        match error {
            ResponseError::ProducerFenced if self.api_version < first => ResponseError::InvalidProducerEpoch,
            error => error,
        }
    }

    /// The value of a field that answers have since version `first`, and for older ones what they must be left with: an
    /// answer that says what its version cannot is none, and ends the connection.
    pub fn since<T>(&self, first: i16, value: T, absent: T) -> T {
        if self.api_version >= first { value } else { absent }
    }
}

/// Whether the peer of a connection has hung up.
#[derive(Debug, Clone, Default)]
pub struct PeerGone(Arc<(AtomicBool, Notify)>);

impl PeerGone {
    /// It has: whoever waits is woken.
    pub fn tell(&self) {
        let (gone, notify) = &*self.0;
        gone.store(true, Ordering::Release);
        notify.notify_waiters();
    }

    /// Completes when it has.
    pub async fn told(&self) {
        let (gone, notify) = &*self.0;
        // Registered before the look, so that a word in between is heard.
        let notified = notify.notified();
        if !gone.load(Ordering::Acquire) {
            notified.await;
        }
    }
}
