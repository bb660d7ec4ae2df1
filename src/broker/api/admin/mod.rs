//! What changes topics, partitions and settings, and tells of them.

pub(super) mod alter_configs;
pub(super) mod alter_partition_reassignments;
pub(super) mod alter_replica_log_dirs;
pub(super) mod create_partitions;
pub(super) mod create_topics;
pub(super) mod delete_topics;
pub(super) mod describe_configs;
pub(super) mod describe_log_dirs;
pub(super) mod elect_leaders;
pub(super) mod incremental_alter_configs;
pub(super) mod list_config_resources;
pub(super) mod list_partition_reassignments;
pub(super) mod unregister_broker;
pub(super) mod update_features;
