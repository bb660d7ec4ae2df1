//! The housekeeping of logs: retention, segment age, compaction, all by one task; and by another what the disk refused.

use super::ReplicaManager;
use crate::broker::error::Result;
use crate::broker::node::Node;
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

    /// Opens poisoned logs again; how each rests that is still to be recovered.
    pub(super) fn recover_poisoned(&self, rests: &Rests) -> Rests {
        let mut still = Rests::default();
        for partition in self.partitions() {
            if !partition.log.is_poisoned() {
                continue;
            }
            let at = (partition.topic_id, partition.index);
            if let Some(rest) = rests.attempt(at, || partition.recover()) {
                still.note(at, rest);
            }
        }
        still
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

/// Opens poisoned logs again for ever, and those that could not be opened, once the disk serves: a full disk ends no lesson. The
/// node runs it as a task and drops it when it stops.
pub async fn recover_logs(node: Arc<Node>) {
    let jobs = node.world.jobs();
    let mut rests = Rests::default();
    loop {
        node.world.clock().sleep(RECOVERY_INTERVAL).await;
        let node = Arc::clone(&node);
        // Recovery reads and writes the disk, so it keeps off the threads that serve requests.
        let round = jobs.run(move || recover_once(&node, &rests));
        rests = round.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the recovery of the logs failed");
            Rests::default()
        });
    }
}

/// One round; how each log rests that is still to be recovered.
fn recover_once(node: &Node, rests: &Rests) -> Rests {
    let mut still = node.replicas.recover_poisoned(rests);
    if node.replicas.lacks_logs() {
        // Nobody hands on newer metadata meanwhile: whoever follows them must not see older ones afterwards.
        let handed_on = node.handed_on.lock();
        if let Some(image) = handed_on.as_ref()
            && node.replicas.open_offline(image, rests, &mut still)
        {
            node.groups.apply(image);
            node.transactions.apply(image);
        }
    }
    still
}

/// How long each log that could not be recovered rests, and how much of that is left, in intervals.
#[derive(Default)]
pub(super) struct Rests(BTreeMap<(Uuid, i32), Rest>);

/// How long, and how much of it is left.
type Rest = (u32, u32);

impl Rests {
    /// Attempts to recover a log, unless it rests; how it rests from now on if it is still to be recovered. A disk that
    /// stays full is not read through again and again.
    pub fn attempt(&self, at: (Uuid, i32), recover: impl FnOnce() -> Result<()>) -> Option<Rest> {
        let (rest, left) = self.0.get(&at).copied().unwrap_or((0, 0));
        if left > 0 {
            return Some((rest, left - 1));
        }
        let error = recover().err()?;
        let rest = (rest * 2).clamp(1, LONGEST_REST);
        tracing::error!(partition = at.1, topic_id = %at.0, seconds = rest, %error, "cannot recover the log; trying again");
        Some((rest, rest))
    }

    /// Notes how a log rests.
    pub fn note(&mut self, at: (Uuid, i32), rest: Rest) {
        self.0.insert(at, rest);
    }
}
