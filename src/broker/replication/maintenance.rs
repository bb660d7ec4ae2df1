//! The housekeeping of logs: retention, segment age, compaction; all by one task.

use super::ReplicaManager;
use crate::broker::error::Result;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often poisoned logs are looked for.
const RECOVERY_INTERVAL: Duration = Duration::from_secs(1);
/// The longest that a log rests, in intervals, between two attempts that failed.
const LONGEST_REST: u32 = 64;

impl ReplicaManager {
    /// Looks after the logs for ever: drops what is past retention, rolls what is old enough, compacts what is dirty.
    /// The node runs it as a task and drops it when it stops.
    pub async fn maintain(self: Arc<Self>) {
        let jobs = self.settings.world.jobs();
        loop {
            self.settings
                .world
                .clock()
                .sleep(self.settings.retention_check_interval)
                .await;
            let manager = Arc::clone(&self);
            // Deleting and compacting touch the disk, so they keep off the threads that serve requests.
            if let Err(error) = jobs.run(move || manager.maintain_once()).await {
                tracing::error!(%error, "the housekeeping of the logs failed");
            }
        }
    }

    /// Opens poisoned logs again for ever, once the disk serves: a full disk ends no lesson. The node runs it as a task
    /// and drops it when it stops.
    pub async fn recover_logs(self: Arc<Self>) {
        let jobs = self.settings.world.jobs();
        let mut rests = Rests::default();
        loop {
            self.settings.world.clock().sleep(RECOVERY_INTERVAL).await;
            let manager = Arc::clone(&self);
            // Recovery reads and writes the disk, so it keeps off the threads that serve requests.
            let round = jobs.run(move || {
                manager.recover_once(&mut rests);
                rests
            });
            rests = round.await.unwrap_or_else(|error| {
                tracing::error!(%error, "the recovery of the logs failed");
                Rests::default()
            });
        }
    }

    fn recover_once(&self, rests: &mut Rests) {
        let mut still = Rests::default();
        for partition in self.partitions() {
            if !partition.log.is_poisoned() {
                continue;
            }
            let at = (partition.topic_id, partition.index);
            if let Some(rest) = rests.attempt(at, || partition.recover()) {
                still.0.insert(at, rest);
            }
        }
        *rests = still;
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

/// How long each log that could not be recovered rests, and how much of that is left, in intervals.
#[derive(Default)]
struct Rests(BTreeMap<(Uuid, i32), (u32, u32)>);

impl Rests {
    /// Attempts to recover a log, unless it rests; how it rests from now on if it is still to be recovered. A disk that
    /// stays full is not read through again and again.
    fn attempt(&self, at: (Uuid, i32), recover: impl FnOnce() -> Result<()>) -> Option<(u32, u32)> {
        let (rest, left) = self.0.get(&at).copied().unwrap_or((0, 0));
        if left > 0 {
            return Some((rest, left - 1));
        }
        let error = recover().err()?;
        let rest = (rest * 2).clamp(1, LONGEST_REST);
        tracing::error!(partition = at.1, topic_id = %at.0, seconds = rest, %error, "cannot recover the log; trying again");
        Some((rest, rest))
    }
}
