//! The table of APIs, `{key, min, max, handler}`, for dispatch and ApiVersions; one file per API.
//!
//! A handler is `pub async fn handle(node: Arc<Node>, ctx: RequestContext, request: XRequest) -> XResponse` in the
//! file named after the API, and beside it stands what is answered to a request that is refused as a whole ([`Refuse`]).
//! Errors that the protocol has a code for are part of the response. A handler that sometimes must not answer (Produce with
//! `acks=0`), or encodes its answer itself, returns `Reply<XResponse>`.

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod admin;
pub mod allocate_producer_ids;
pub mod alter_configs;
pub mod alter_partition;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
mod api_versions;
pub mod broker_heartbeat;
pub mod broker_registration;
mod context;
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
mod envelope;
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
mod refusal;
mod refuse;
mod reply;
mod run;
pub mod sync_group;
mod table;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod write_txn_markers;

pub use context::RequestContext;
pub use dispatch::{dispatch, may_be_withdrawn};
pub use refusal::Refusal;
pub use refuse::Refuse;
pub use reply::Reply;
pub use table::{APIS, Api, find};
