//! A group in its shard: its lock, its timer, and the writing of its record.

use super::group::{Group, GroupState};
use super::outbox::{Outbox, Persist};
use super::records;
use super::shard::{Shard, coordinator_error};
use crate::broker::records::offsets::{GroupMetadataValue, MemberMetadata};
use kafka_protocol::ResponseError;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use tokio::sync::Notify;

/// A group and what drives it. The lock is never held across an await.
#[derive(Debug)]
pub struct Slot {
    /// Where the group belongs.
    pub shard: Arc<Shard>,
    group: Mutex<Group>,
    timer: Mutex<Timer>,
    timer_changed: Notify,
}

/// The task that wakes the group when something is due.
#[derive(Debug, Default)]
struct Timer {
    running: bool,
    /// In ms.
    due: Option<i64>,
}

/// A timer's task: one that panics counts as ended, so that the group's next change starts another.
struct Running<'a>(&'a Mutex<Timer>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.lock() = Timer::default();
        }
    }
}

impl Slot {
    /// A group without a timer yet.
    pub fn new(shard: Arc<Shard>, group: Group) -> Self {
        Slot {
            shard,
            group: Mutex::new(group),
            timer: Mutex::default(),
            timer_changed: Notify::new(),
        }
    }

    /// The group, for reading or for changes that need no answer and no timer.
    pub fn lock(&self) -> MutexGuard<'_, Group> {
        self.group.lock()
    }

    /// Changes the group, then writes its record if that is due, sends the answers, and sets the timer.
    pub fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut Group, i64) -> T) -> T {
        let now = self.shard.shared.clock.now_ms();
        let mut group = self.group.lock();
        let result = change(&mut group, now);
        self.settle(&mut group, now);
        self.set_timer(group.next_deadline());
        result
    }

    fn settle(self: &Arc<Self>, group: &mut Group, now: i64) {
        // A record that cannot be written may call for another rebalance, and so for another round.
        loop {
            let outbox = group.take_outbox();
            let Some(persist) = outbox.persist else {
                return outbox.deliver();
            };
            let record = records::group(&group.id, value_of(group));
            let appended = self.shard.append(&[record]);
            group.is_recorded |= appended.is_ok();
            match appended {
                Ok(offset) if self.shard.is_replicated(offset) => return outbox.deliver(),
                Ok(offset) => return self.deliver_when_replicated(outbox, persist, group.generation, offset),
                Err(error) => {
                    tracing::warn!(group = group.id, "cannot write the group's record: {error}");
                    let error = coordinator_error(error.response_error());
                    outbox.fail(error);
                    self.on_unwritten(group, persist, group.generation, error, now);
                }
            }
        }
    }

    fn deliver_when_replicated(
        self: &Arc<Self>,
        outbox: Outbox,
        persist: Persist,
        generation: i32,
        offset: i64,
    ) {
        let slot = Arc::clone(self);
        self.shard.shared.spawn(async move {
            match slot.shard.replicated(offset).await {
                Ok(()) => outbox.deliver(),
                Err(error) => {
                    let error = coordinator_error(error);
                    outbox.fail(error);
                    slot.change(|group, now| slot.on_unwritten(group, persist, generation, error, now));
                }
            }
        });
    }

    /// Ends the group here; everything that waits is answered with `error`.
    pub fn kill(self: &Arc<Self>, error: ResponseError) {
        self.change(|group, now| {
            group.kill(error, now);
            self.shard.forget(group);
        });
    }

    /// A group that was made for a request and then refused it is not worth keeping.
    pub fn discard_if_needless(&self, group: &mut Group, now: i64) {
        if !group.is_recorded && group.is_forgotten() {
            group.kill(ResponseError::CoordinatorNotAvailable, now);
            self.shard.forget(group);
        }
    }

    /// Called with the group locked, so that changes of the timer come in the order of the group's.
    fn set_timer(self: &Arc<Self>, due: Option<i64>) {
        let mut timer = self.timer.lock();
        let earlier = match (timer.due, due) {
            (Some(current), Some(new)) => new < current,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if timer.running {
            // A deadline that only moved away is noticed when the old one has come.
            if earlier {
                timer.due = due;
                self.timer_changed.notify_one();
            }
        } else if due.is_some() {
            *timer = Timer { running: true, due };
            let slot = Arc::clone(self);
            self.shard.shared.spawn(slot.run_timer());
        }
    }

    async fn run_timer(self: Arc<Self>) {
        let _running = Running(&self.timer);
        while let Some(due) = self.due() {
            tokio::select! {
                () = self.shard.shared.clock.sleep_until(due) => {}
                () = self.timer_changed.notified() => continue,
            }
            let now = self.shard.shared.clock.now_ms();
            let mut group = self.group.lock();
            group.on_time(now);
            self.settle(&mut group, now);
            self.timer.lock().due = group.next_deadline();
        }
    }

    /// What the timer waits for; with nothing to wait for it counts as ended.
    fn due(&self) -> Option<i64> {
        let _group = self.group.lock();
        let mut timer = self.timer.lock();
        timer.running = timer.due.is_some();
        timer.due
    }

    fn on_unwritten(
        &self,
        group: &mut Group,
        persist: Persist,
        generation: i32,
        error: ResponseError,
        now: i64,
    ) {
        match persist {
            Persist::Assignment => group.assignment_failed(generation, error, now),
            Persist::Created => {
                group.kill(error, now);
                self.shard.forget(group);
            }
            // In memory the member has its new id; it will be written with the next record. An empty generation that
            // is not written is empty again after a reload, once the old members' sessions have ended.
            Persist::StaticMember | Persist::Emptied => {}
        }
    }
}

/// The group as its record says it.
fn value_of(group: &Group) -> GroupMetadataValue {
    let protocol = group.protocol_name.as_deref().unwrap_or_default();
    let members = group.members.iter().map(|(id, member)| MemberMetadata {
        member_id: id.clone(),
        group_instance_id: member.info.instance_id.clone(),
        client_id: member.info.client_id.clone(),
        client_host: member.info.client_host.clone(),
        rebalance_timeout: member.info.rebalance_timeout_ms,
        session_timeout: member.info.session_timeout_ms,
        subscription: member.metadata(protocol),
        assignment: member.assignment.clone(),
    });
    let is_written = matches!(group.state, GroupState::Stable | GroupState::CompletingRebalance);
    GroupMetadataValue {
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        generation: group.generation,
        protocol: group.protocol_name.clone(),
        leader: group.leader.clone(),
        current_state_timestamp: group.state_timestamp.unwrap_or(-1),
        members: if is_written { members.collect() } else { Vec::new() },
    }
}
