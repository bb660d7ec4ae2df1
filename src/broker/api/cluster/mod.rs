//! The cluster: what clients learn of it, and what its nodes ask of their controller.

pub(super) mod allocate_producer_ids;
pub(super) mod alter_partition;
pub(super) mod api_versions;
pub(super) mod broker_heartbeat;
pub(super) mod broker_registration;
pub(super) mod describe_cluster;
pub(super) mod describe_quorum;
pub(super) mod describe_topic_partitions;
pub(super) mod fetch_metadata;
pub(super) mod fetch_snapshot;
pub(super) mod metadata;
