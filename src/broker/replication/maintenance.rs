//! The housekeeping of logs: retention, segment age, compaction; all by one task.

use super::ReplicaManager;
use std::sync::Arc;

impl ReplicaManager {
    /// Looks after the logs for ever: drops what is past retention, rolls what is old enough, compacts what is dirty.
    /// The node runs it as a task and drops it when it stops.
    pub async fn maintain(self: Arc<Self>) {
        loop {
            self.settings
                .clock
                .sleep(self.settings.retention_check_interval)
                .await;
            let manager = Arc::clone(&self);
            // Deleting and compacting touch the disk, so they keep off the threads that serve requests.
            if let Err(error) = tokio::task::spawn_blocking(move || manager.maintain_once()).await {
                tracing::error!(%error, "the housekeeping of the logs failed");
            }
        }
    }

    /// One round of it.
    pub fn maintain_once(&self) {
        for partition in self.partitions() {
            let done = partition
                .log
                .apply_retention()
                .and_then(|_| partition.log.compact());
            if let Err(error) = done {
                tracing::error!(topic = partition.topic, partition = partition.index, %error, "housekeeping failed");
            }
        }
    }
}
