//! One replica of a partition kept here: its log and its part in replication.

use super::waiters::Waiters;
use crate::broker::error::Result;
use crate::broker::log::{Appended, LogConfig, PartitionLog};
use crate::broker::metadata::PartitionImage;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

/// A replica kept by this broker.
#[derive(Debug)]
pub struct Partition {
    /// Topic name.
    pub topic: String,
    /// Topic id.
    pub topic_id: Uuid,
    /// Partition index.
    pub index: i32,
    /// The log; shared with readers.
    pub log: Arc<PartitionLog>,
    node_id: i32,
    role: RwLock<Role>,
    waiters: Waiters,
}

/// Who leads, who follows, and how far the followers are.
#[derive(Debug)]
struct Role {
    image: PartitionImage,
    /// Where the log ended when this broker took the lead.
    epoch_start: i64,
    /// Log end offsets of the followers, as their fetches tell them; empty unless this broker leads.
    followers: BTreeMap<i32, i64>,
}

/// This broker's lead of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leadership {
    /// The leader epoch.
    pub epoch: i32,
    /// Where the log ended when the epoch began.
    pub epoch_start: i64,
}

impl Leadership {
    /// Checks the leader epoch that a client named (KIP-320); -1 names none.
    ///
    /// # Errors
    /// `FENCED_LEADER_EPOCH` when the client's is older, `UNKNOWN_LEADER_EPOCH` when it is newer than ours.
    pub fn check_epoch(&self, named: i32) -> Result<(), ResponseError> {
        match named {
            named if named < 0 || named == self.epoch => Ok(()),
            named if named < self.epoch => Err(ResponseError::FencedLeaderEpoch),
            _ => Err(ResponseError::UnknownLeaderEpoch),
        }
    }
}

impl Partition {
    /// A replica of `topic`-`index` kept by `node_id`, with its log open; it follows nobody until
    /// [`Partition::assign`].
    pub fn new(node_id: i32, topic: &str, topic_id: Uuid, index: i32, log: Arc<PartitionLog>) -> Self {
        let unassigned = PartitionImage {
            replicas: Vec::new(),
            isr: Vec::new(),
            leader: -1,
            leader_epoch: -1,
            partition_epoch: -1,
        };
        Partition {
            topic: topic.to_owned(),
            topic_id,
            index,
            log,
            node_id,
            role: RwLock::new(Role {
                image: unassigned,
                epoch_start: 0,
                followers: BTreeMap::new(),
            }),
            waiters: Waiters::default(),
        }
    }

    /// Appends as the leader; with `acks` = -1 checks `min.insync.replicas` first. The high watermark moves when the
    /// in-sync replicas have the records, which with one replica is at once.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when another broker leads, `NOT_ENOUGH_REPLICAS`, and what the log refuses.
    pub fn append(&self, records: Bytes, acks: i16) -> Result<Appended> {
        // Held over the append, so that the epoch stamped on the batch is still ours when it is written.
        let role = self.role.read();
        if role.image.leader != self.node_id {
            return Err(ResponseError::NotLeaderOrFollower.into());
        }
        if acks == -1 && !self.enough_in_sync(&role) {
            return Err(ResponseError::NotEnoughReplicas.into());
        }
        let bytes = i64::try_from(records.len()).unwrap_or(i64::MAX);
        let appended = self.log.append_as_leader(records, role.image.leader_epoch)?;
        if !appended.duplicate {
            let committed = self.advance_high_watermark(&role);
            drop(role);
            self.waiters.appended(bytes, committed);
        }
        Ok(appended)
    }

    /// Waits until the high watermark has passed `offset`, at most until `deadline`; false when time ran out.
    pub async fn await_replicated(&self, offset: i64, deadline: tokio::time::Instant) -> bool {
        if self.log.high_watermark() > offset {
            return true;
        }
        let mut changes = self.log.changes();
        let replicated = changes.wait_for(|_| self.log.high_watermark() > offset);
        matches!(tokio::time::timeout_at(deadline, replicated).await, Ok(Ok(_)))
    }

    /// Whether this broker leads the partition now, and in which epoch.
    pub fn leader_epoch(&self) -> Option<i32> {
        self.leadership().map(|leadership| leadership.epoch)
    }

    /// This broker's lead of the partition, if it has it.
    pub fn leadership(&self) -> Option<Leadership> {
        let role = self.role.read();
        (role.image.leader == self.node_id).then_some(Leadership {
            epoch: role.image.leader_epoch,
            epoch_start: role.epoch_start,
        })
    }

    /// Whether as many replicas are in sync as `min.insync.replicas` asks for.
    pub fn has_enough_in_sync(&self) -> bool {
        self.enough_in_sync(&self.role.read())
    }

    /// The topic's settings as the log acts on them.
    pub fn config(&self) -> Arc<LogConfig> {
        self.log.config()
    }

    /// Takes new settings, if they are new.
    pub fn set_config(&self, config: Arc<LogConfig>) {
        if self.log.config() != config {
            self.log.set_config(config);
        }
    }

    /// Takes or gives up the lead, and learns of replicas and ISR, as the controller decided.
    pub fn assign(&self, image: &PartitionImage) {
        let mut role = self.role.write();
        if role.image == *image {
            return;
        }
        if role.image.leader_epoch != image.leader_epoch {
            role.epoch_start = self.log.log_end_offset();
            role.followers.clear();
        }
        role.image = image.clone();
        if image.leader == self.node_id {
            for follower in image.replicas.iter().filter(|replica| **replica != self.node_id) {
                role.followers.entry(*follower).or_insert(-1);
            }
            role.followers
                .retain(|replica, _| image.replicas.contains(replica));
            self.advance_high_watermark(&role);
        } else {
            role.followers.clear();
        }
        drop(role);
        self.waiters.wake_all();
    }

    /// The partition is deleted or kept here no longer: whoever still holds it is refused.
    pub(super) fn retire(&self) {
        let mut role = self.role.write();
        role.image.leader = -1;
        role.followers.clear();
        drop(role);
        self.waiters.wake_all();
    }

    /// A follower fetched from `offset`, so it has everything before it; may move the high watermark.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when this broker does not lead or `replica` is not a replica.
    pub fn follower_fetched(&self, replica: i32, offset: i64) -> Result<(), ResponseError> {
        let mut role = self.role.write();
        match role.followers.get_mut(&replica) {
            Some(end) => *end = offset,
            None => return Err(ResponseError::NotLeaderOrFollower),
        }
        let moved = self.advance_high_watermark(&role);
        drop(role);
        if moved {
            self.waiters.committed();
        }
        Ok(())
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// No more replicas than there are can be asked for, as in Kafka.
    fn enough_in_sync(&self, role: &Role) -> bool {
        let wanted = usize::try_from(self.log.config().min_insync_replicas).unwrap_or(0);
        role.image.isr.len() >= wanted.min(role.image.replicas.len())
    }

    /// Moves the high watermark to where every in-sync replica is; returns whether it moved.
    fn advance_high_watermark(&self, role: &Role) -> bool {
        let end = self.log.log_end_offset();
        let in_sync = role.image.isr.iter().filter(|replica| **replica != self.node_id);
        let reached = in_sync
            .map(|replica| role.followers.get(replica).copied().unwrap_or(-1))
            .fold(end, i64::min);
        let moves = reached > self.log.high_watermark();
        if moves {
            self.log.set_high_watermark(reached);
        }
        moves
    }
}
