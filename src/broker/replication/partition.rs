//! One replica of a partition kept here: its log and its part in replication.

use super::waiters::Waiters;
use crate::broker::error::Result;
use crate::broker::log::{Appended, By, Leave, LogConfig, PartitionLog};
use crate::broker::metadata::PartitionImage;
use crate::broker::world::fault::{self, Fault};
use crate::broker::world::time::{Instant, timeout_at};
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
    /// The followers, as their fetches show them; empty unless this broker leads.
    followers: BTreeMap<i32, Follower>,
    /// The change of the ISR that the controller has been asked for. Whether it was made is open until the metadata says so, or
    /// the controller that it was not: a request whose answer was lost may have been carried out.
    asked: Option<Asked>,
}

/// A change of the ISR that has been asked for.
#[derive(Debug)]
struct Asked {
    proposal: IsrProposal,
    /// The controller has made it: the metadata that says so is on its way.
    granted: bool,
}

/// How far a follower is.
#[derive(Debug, Clone, Copy)]
struct Follower {
    /// Epoch of its broker's registration when it fetched (KIP-903), -1 where it does not say or has not fetched yet. Another
    /// process of the same broker may have lost what this one had.
    broker_epoch: i64,
    /// It has everything before this offset.
    end: i64,
    /// When it last had everything there was then (ms).
    caught_up_ms: i64,
    /// Its last fetch (ms), and where the leader's log ended at that time.
    fetched_ms: i64,
    leader_end: i64,
}

impl Follower {
    fn new(now_ms: i64) -> Self {
        Follower {
            broker_epoch: -1,
            end: -1,
            caught_up_ms: now_ms,
            fetched_ms: now_ms,
            leader_end: i64::MAX,
        }
    }

    /// Under a steady stream of appends a follower never has everything at the time of its fetch; it has caught up when
    /// it has what there was at the fetch before.
    fn fetched(&mut self, offset: i64, leader_end: i64, now_ms: i64) {
        if offset >= leader_end {
            self.caught_up_ms = now_ms;
        } else if offset >= self.leader_end {
            self.caught_up_ms = self.caught_up_ms.max(self.fetched_ms);
        }
        self.end = offset;
        self.fetched_ms = now_ms;
        self.leader_end = leader_end;
    }
}

/// A change of the in-sync replicas that a leader asks the controller for (KIP-497).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsrProposal {
    /// The ISR as it should be, with the epochs in which its members' brokers are registered, -1 for any (KIP-903).
    pub isr: Vec<(i32, i64)>,
    /// The leader epoch it is asked in.
    pub leader_epoch: i32,
    /// The state of the partition it goes out from.
    pub partition_epoch: i32,
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
            leader: -1,
            leader_epoch: -1,
            partition_epoch: -1,
            ..PartitionImage::default()
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
                asked: None,
            }),
            waiters: Waiters::default(),
        }
    }

    /// Writes as the leader; with `acks` = -1 checks `min.insync.replicas` first, and lets a transaction begin only as `leave`
    /// says. The high watermark moves when the in-sync replicas have the records, which with one replica is at once.
    ///
    /// Waits for no more than the page cache: what is [`Appended::unsettled`] nobody sees before [`Partition::settled`].
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when another broker leads, `NOT_ENOUGH_REPLICAS`, and what the log refuses.
    pub fn write(&self, records: Bytes, acks: i16, leave: Leave) -> Result<Appended> {
        self.write_by(None, acks, records, |epoch| By::Client { epoch, leave })
    }

    /// Writes what a coordinator keeps here, as with `acks` = -1, if this broker still leads in `epoch`: in a later one
    /// somebody else may have written what the coordinator has not seen.
    ///
    /// # Errors
    /// As [`Partition::write`].
    pub fn write_as_coordinator(&self, records: Bytes, epoch: i32) -> Result<Appended> {
        self.write_by(Some(epoch), -1, records, |epoch| By::Coordinator { epoch })
    }

    /// The same for the marker that ends a transaction.
    ///
    /// # Errors
    /// As [`Partition::write`].
    pub fn write_marker(&self, records: Bytes, epoch: i32) -> Result<Appended> {
        let written = self.write_by(Some(epoch), -1, records, |epoch| By::Marker { epoch })?;
        if written.unsettled.is_none() {
            // It may free all that its transaction held back from those who read what is committed: more than its own bytes.
            self.waiters.committed();
        }
        Ok(written)
    }

    /// Writes to the log as the leader, in the epoch that is asked for if one is.
    fn write_by(
        &self,
        epoch: Option<i32>,
        acks: i16,
        records: Bytes,
        by: impl FnOnce(i32) -> By,
    ) -> Result<Appended> {
        let bytes = records.len();
        // Held over the write, so that the epoch stamped on the batch is still ours when it is written.
        let role = self.role.read();
        let current = role.image.leader_epoch;
        if role.image.leader != self.node_id || epoch.is_some_and(|epoch| epoch != current) {
            return Err(ResponseError::NotLeaderOrFollower.into());
        }
        if acks == -1 && !self.enough_in_sync(&role) {
            return Err(ResponseError::NotEnoughReplicas.into());
        }
        let written = self.log.write(records, by(current))?;
        if !written.duplicate && written.unsettled.is_none() {
            let committed = self.advance_high_watermark(&role);
            drop(role);
            self.waiters
                .appended(i64::try_from(bytes).unwrap_or(i64::MAX), committed);
        }
        Ok(written)
    }

    /// Waits until what was written is seen; off the threads that serve requests, where that takes the disk.
    ///
    /// # Errors
    /// As [`PartitionLog::settle`](crate::broker::log::PartitionLog::settle).
    pub async fn settled(self: &Arc<Self>, written: &Appended) -> Result<()> {
        if written.unsettled.is_none() {
            return Ok(());
        }
        let (partition, written) = (Arc::clone(self), written.clone());
        let settling = self.log.jobs().run(move || partition.settle(&written));
        settling.await.unwrap_or_else(|error| {
            tracing::error!(%error, "what was written could not be brought to the disk");
            Err(ResponseError::KafkaStorageError.into())
        })
    }

    /// The same without waiting.
    pub fn settle_later(self: &Arc<Self>, written: &Appended) {
        if written.unsettled.is_some() {
            let (partition, written) = (Arc::clone(self), written.clone());
            self.log.jobs().start(move || {
                // Whoever waits sees that it is gone, and the log has said why.
                let _ = partition.settle(&written);
            });
        }
    }

    /// The same in a thread that may wait for the disk.
    ///
    /// # Errors
    /// As [`PartitionLog::settle`](crate::broker::log::PartitionLog::settle).
    pub fn settle(&self, written: &Appended) -> Result<()> {
        if written.unsettled.is_none() {
            return Ok(());
        }
        self.log.settle(written)?;
        let role = self.role.read();
        if role.image.leader == self.node_id {
            self.advance_high_watermark(&role);
        }
        drop(role);
        // How many bytes of it there are, others may have told with theirs: everybody looks.
        self.waiters.wake_all();
        Ok(())
    }

    /// Waits until the high watermark has passed `offset`, at most until `deadline`; false when time ran out.
    pub async fn await_replicated(&self, offset: i64, deadline: Instant) -> bool {
        if self.log.high_watermark() > offset {
            return true;
        }
        let mut changes = self.log.changes();
        let replicated = changes.wait_for(|_| self.log.high_watermark() > offset);
        matches!(timeout_at(deadline, replicated).await, Ok(Ok(_)))
    }

    /// Waits until every in-sync replica has the record at `offset`, as with `acks` = -1.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when the lead was lost, `REQUEST_TIMED_OUT` at `deadline`, `NOT_ENOUGH_REPLICAS_AFTER_APPEND`.
    pub async fn await_acknowledged(&self, offset: i64, deadline: Instant) -> Result<(), ResponseError> {
        let replicated = self.await_replicated(offset, deadline).await;
        if self.leader_epoch().is_none() {
            return Err(ResponseError::NotLeaderOrFollower);
        }
        if !replicated {
            return Err(ResponseError::RequestTimedOut);
        }
        match self.has_enough_in_sync() {
            true => Ok(()),
            false => Err(ResponseError::NotEnoughReplicasAfterAppend),
        }
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

    /// OffsetForLeaderEpoch (KIP-320), as whoever leads knows it: the greatest epoch not above `epoch`, and where it ends;
    /// (-1, -1) if unknown. The epoch that is led in counts before its first record, too: with it all earlier ones have ended.
    pub fn end_offset_for_epoch(&self, led: Leadership, epoch: i32) -> (i32, i64) {
        let latest = self.log.latest_epoch();
        if epoch < 0 || epoch <= latest || epoch > led.epoch {
            return self.log.end_offset_for_epoch(epoch);
        }
        let known = if epoch == led.epoch || latest < 0 {
            epoch
        } else {
            latest
        };
        (known, self.log.log_end_offset())
    }

    /// Whether as many replicas are in sync as `min.insync.replicas` asks for.
    pub fn has_enough_in_sync(&self) -> bool {
        self.enough_in_sync(&self.role.read())
    }

    /// The topic's settings as the log acts on them.
    pub fn config(&self) -> Arc<LogConfig> {
        self.log.config()
    }

    /// Takes new settings, if they are new. With a lower `min.insync.replicas` more may be committed by that.
    pub fn set_config(&self, config: Arc<LogConfig>) {
        if self.log.config() == config {
            return;
        }
        self.log.set_config(config);
        let role = self.role.read();
        let moved = role.image.leader == self.node_id && self.advance_high_watermark(&role);
        drop(role);
        if moved {
            self.waiters.committed();
        }
    }

    /// Takes or gives up the lead, and learns of replicas and ISR, as the controller decided at `now_ms`.
    pub fn assign(&self, image: &PartitionImage, now_ms: i64) {
        let mut role = self.role.write();
        if role.image == *image {
            return;
        }
        if role.image.leader_epoch != image.leader_epoch {
            role.epoch_start = self.log.log_end_offset();
            role.followers.clear();
        }
        role.image = image.clone();
        role.asked = None;
        if image.leader == self.node_id {
            for follower in image.replicas.iter().filter(|replica| **replica != self.node_id) {
                // Who is new gets the full time to catch up.
                role.followers
                    .entry(*follower)
                    .or_insert_with(|| Follower::new(now_ms));
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

    /// A follower, whose broker is registered in `broker_epoch`, fetched from `offset` at `now_ms`, so it has everything
    /// before it; may move the high watermark. Returns whether it has caught up without being in the ISR: a change that the
    /// controller should hear of.
    ///
    /// # Errors
    /// `NOT_LEADER_OR_FOLLOWER` when this broker does not lead, `replica` is not a replica, or a later process of it has
    /// fetched (KIP-903).
    pub fn follower_fetched(
        &self,
        replica: i32,
        broker_epoch: i64,
        offset: i64,
        now_ms: i64,
    ) -> Result<bool, ResponseError> {
        let mut role = self.role.write();
        let end = self.log.log_end_offset();
        let follower = role.followers.get_mut(&replica);
        let follower = follower
            .filter(|known| broker_epoch < 0 || broker_epoch >= known.broker_epoch)
            .ok_or(ResponseError::NotLeaderOrFollower)?;
        follower.broker_epoch = broker_epoch;
        follower.fetched(offset, end, now_ms);
        let moved = self.advance_high_watermark(&role);
        let joins =
            !role.image.isr.contains(&replica) && role.asked.is_none() && self.is_caught_up(&role, offset);
        drop(role);
        if moved {
            self.waiters.committed();
        }
        Ok(joins)
    }

    /// The change of the ISR that is due, if one is: followers that have not caught up for `max_lag_ms` leave it, those
    /// that have reached the high watermark and `may_join`, in the epoch of their broker's registration, come back. It stands
    /// as asked for until the next [`Partition::assign`] or [`Partition::isr_refused`], and until then it is what is due
    /// again unless it was granted: an answer that was lost says nothing.
    pub fn propose_isr(
        &self,
        now_ms: i64,
        max_lag_ms: i64,
        may_join: impl Fn(i32, i64) -> bool,
    ) -> Option<IsrProposal> {
        let mut role = self.role.write();
        if role.image.leader != self.node_id {
            return None;
        }
        if let Some(asked) = &role.asked {
            return (!asked.granted).then(|| asked.proposal.clone());
        }
        let end = self.log.log_end_offset();
        let belongs = |replica: &i32| match role.followers.get(replica) {
            _ if *replica == self.node_id => true,
            None => false,
            Some(follower) if role.image.isr.contains(replica) => {
                follower.end >= end || now_ms.saturating_sub(follower.caught_up_ms) <= max_lag_ms
            }
            Some(follower) => {
                self.is_caught_up(&role, follower.end) && may_join(*replica, follower.broker_epoch)
            }
        };
        let isr: Vec<i32> = role.image.replicas.iter().copied().filter(belongs).collect();
        let same =
            isr.len() == role.image.isr.len() && isr.iter().all(|replica| role.image.isr.contains(replica));
        if same {
            return None;
        }
        let epoch_of = |replica: &i32| role.followers.get(replica).map_or(-1, |known| known.broker_epoch);
        let proposal = IsrProposal {
            isr: isr.iter().map(|replica| (*replica, epoch_of(replica))).collect(),
            leader_epoch: role.image.leader_epoch,
            partition_epoch: role.image.partition_epoch,
        };
        if fault::is(Fault::OwnInSyncReplicas) {
            role.image.isr.clone_from(&isr);
        }
        role.asked = Some(Asked {
            proposal: proposal.clone(),
            granted: false,
        });
        Some(proposal)
    }

    /// The controller says that it has not made this change: another may be asked for. Who was to join holds nobody back any
    /// more.
    pub fn isr_refused(&self, proposal: &IsrProposal) {
        let mut role = self.role.write();
        if role
            .asked
            .as_ref()
            .is_none_or(|asked| asked.proposal != *proposal)
        {
            return;
        }
        role.asked = None;
        let moved = self.advance_high_watermark(&role);
        drop(role);
        if moved {
            self.waiters.committed();
        }
    }

    /// The controller says that it has made this change; it counts once the metadata says so.
    pub fn isr_granted(&self, proposal: &IsrProposal) {
        let mut role = self.role.write();
        let asked = role.asked.as_mut().filter(|asked| asked.proposal == *proposal);
        if let Some(asked) = asked {
            asked.granted = true;
        }
    }

    /// Opens its log again after the disk refused something.
    ///
    /// # Errors
    /// When the disk still refuses.
    pub(super) fn recover(&self) -> Result<()> {
        self.log.recover()?;
        // The end may have moved back, if records were lost.
        self.waiters.wake_all();
        Ok(())
    }

    /// The leader that this replica copies from, and its epoch; `None` when this broker leads or nobody does.
    pub fn following(&self) -> Option<(i32, i32)> {
        let image = &self.role.read().image;
        (image.leader >= 0 && image.leader != self.node_id).then_some((image.leader, image.leader_epoch))
    }

    /// Runs `copy` on the log if this replica still follows the leader of that epoch; returns whether it does.
    ///
    /// # Errors
    /// What `copy` fails with.
    pub fn as_follower(
        &self,
        leader_epoch: i32,
        copy: impl FnOnce(&PartitionLog) -> Result<()>,
    ) -> Result<bool> {
        // Held over the change, so that this broker cannot become the leader in the middle of it.
        let role = self.role.read();
        if role.image.leader == self.node_id || role.image.leader_epoch != leader_epoch {
            return Ok(false);
        }
        copy(&self.log).map(|()| true)
    }

    /// Fetches of consumers that wait for its records.
    pub fn waiting_consumers(&self) -> usize {
        self.waiters.consumers()
    }

    pub(super) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// No more replicas than there are can be asked for, as in Kafka.
    fn enough_in_sync(&self, role: &Role) -> bool {
        let wanted = usize::try_from(self.log.config().min_insync_replicas).unwrap_or(0);
        role.image.isr.len() >= wanted.min(role.image.replicas.len())
    }

    /// In sync as far as an offset can tell: nothing that was acknowledged is missing.
    fn is_caught_up(&self, role: &Role, end: i64) -> bool {
        end >= self.log.high_watermark() && end >= role.epoch_start
    }

    /// Moves the high watermark to where every in-sync replica is; returns whether it moved. Replicas that are about to
    /// join count already, those about to leave still: the controller may have made the change before this broker hears of it,
    /// or never make it. While fewer are in sync than `min.insync.replicas` asks for it stands still, so that who has left them
    /// misses nothing that is committed (KIP-966).
    fn advance_high_watermark(&self, role: &Role) -> bool {
        if !self.enough_in_sync(role) {
            return false;
        }
        let end = self.log.log_end_offset();
        let asked = role.asked.iter().flat_map(|asked| &asked.proposal.isr);
        let in_sync = role.image.isr.iter().chain(asked.map(|(replica, _)| replica));
        let reached = in_sync
            .filter(|replica| **replica != self.node_id && !fault::is(Fault::EarlyHighWatermark))
            .map(|replica| role.followers.get(replica).map_or(-1, |follower| follower.end))
            .fold(end, i64::min);
        let moves = reached > self.log.high_watermark();
        if moves {
            self.log.set_high_watermark(reached);
        }
        moves
    }
}
