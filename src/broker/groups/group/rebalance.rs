//! The join phase of a rebalance: when it starts, whom it waits for, and how a generation comes of it.

use super::{Group, GroupState, JoinTimer};
use crate::broker::groups::outbox::{Persist, sync_error};
use bytes::Bytes;
use kafka_protocol::ResponseError;

impl Group {
    /// Starts a rebalance if none runs, else sees whether the running one is complete.
    pub(super) fn rebalance_or_complete_join(&mut self, now: i64) {
        match self.state {
            GroupState::PreparingRebalance => self.maybe_complete_join(now),
            _ => self.prepare_rebalance(now),
        }
    }

    /// Calls all members to join again. The first members of an empty group wait a little for others instead.
    pub(super) fn prepare_rebalance(&mut self, now: i64) {
        if self.state == GroupState::CompletingRebalance {
            self.reset_assignments(ResponseError::RebalanceInProgress);
        }
        self.pending_syncs.clear();
        self.sync_deadline = None;
        let first = self.state == GroupState::Empty;
        self.transition(GroupState::PreparingRebalance, now);
        if first {
            let delay = self.limits.initial_rebalance_delay_ms;
            let remaining = (self.members.rebalance_timeout_ms() - delay).max(0);
            self.join_timer = Some(JoinTimer {
                deadline: now.saturating_add(delay),
                initial: Some((delay, remaining)),
            });
            if delay == 0 {
                self.end_initial_delay(delay, remaining, now);
            }
        } else if self.members.all_joined() {
            self.complete_join(now);
        } else {
            self.schedule_join(now);
        }
    }

    fn schedule_join(&mut self, now: i64) {
        self.join_timer = Some(JoinTimer {
            deadline: now.saturating_add(self.members.rebalance_timeout_ms()),
            initial: None,
        });
    }

    /// Completes the join phase if nobody is missing; the first rebalance waits for its timer in any case.
    pub(super) fn maybe_complete_join(&mut self, now: i64) {
        if self.state == GroupState::PreparingRebalance
            && self.previous != GroupState::Empty
            && self.members.all_joined()
        {
            self.complete_join(now);
        }
    }

    /// The join timer has rung.
    fn end_join_wait(&mut self, timer: JoinTimer, now: i64) {
        match timer.initial {
            Some((delay, remaining)) => self.end_initial_delay(delay, remaining, now),
            None => self.complete_join(now),
        }
    }

    /// The first rebalance waits on while new members keep coming, up to the rebalance timeout.
    fn end_initial_delay(&mut self, delay: i64, remaining: i64, now: i64) {
        if self.new_member_added && remaining != 0 {
            self.new_member_added = false;
            let next = self.limits.initial_rebalance_delay_ms.min(remaining);
            self.join_timer = Some(JoinTimer {
                deadline: now.saturating_add(next),
                initial: Some((next, (remaining - delay).max(0))),
            });
        } else {
            self.complete_join(now);
        }
    }

    /// Ends the join phase: dynamic members that did not join are out, the rest are the next generation.
    fn complete_join(&mut self, now: i64) {
        self.join_timer = None;
        self.new_member_added = false;
        if self.state != GroupState::PreparingRebalance {
            return;
        }
        for id in self.members.missing() {
            self.remove_member(&id);
        }
        if self.members.is_empty() {
            self.become_empty(now);
        } else if self.members.elect_leader() {
            self.start_generation(now);
        } else {
            // Only static members are left and none came: they stay until their sessions end.
            self.schedule_join(now);
        }
    }

    fn become_empty(&mut self, now: i64) {
        self.generation = self.generation.wrapping_add(1).max(0);
        self.protocol_name = None;
        self.members.set_leader(None);
        self.compute_subscribed();
        self.pending_syncs.clear();
        self.assignments_charge = None;
        self.transition(GroupState::Empty, now);
        self.outbox.persist = Some(Persist::Emptied);
    }

    fn start_generation(&mut self, now: i64) {
        self.generation = self.generation.wrapping_add(1).max(0);
        self.protocol_name = self.members.select_protocol();
        self.compute_subscribed();
        self.transition(GroupState::CompletingRebalance, now);
        let ids = self.members.ids();
        for id in &ids {
            let answer = self.join_answer(id);
            if let Some(member) = self.members.get_mut(id) {
                member.is_new = false;
                member.touch(now);
                if let Some(reply) = member.join_reply.take() {
                    self.outbox.joins.push((reply, answer));
                }
            }
        }
        self.pending_syncs = ids.into_iter().collect();
        self.sync_deadline = Some(now.saturating_add(self.members.rebalance_timeout_ms()));
    }

    /// Takes all assignments back and answers parked SyncGroups with `error`.
    fn reset_assignments(&mut self, error: ResponseError) {
        self.assignments_charge = None;
        for member in self.members.all_mut() {
            member.assignment = Bytes::new();
            if let Some(reply) = member.sync_reply.take() {
                self.outbox.syncs.push((reply, sync_error(error)));
            }
        }
    }

    /// The earliest moment at which something happens by itself, in ms.
    pub fn next_deadline(&self) -> Option<i64> {
        self.members
            .deadlines()
            .chain(self.join_timer.map(|timer| timer.deadline))
            .chain(self.sync_deadline)
            .min()
    }

    /// Moves all that happens by itself by so many ms.
    pub fn move_on(&mut self, by_ms: i64) {
        let timer = self.join_timer.as_mut().map(|timer| &mut timer.deadline);
        let all = self
            .members
            .deadlines_mut()
            .chain(timer)
            .chain(&mut self.sync_deadline);
        for deadline in all {
            *deadline = deadline.saturating_add(by_ms);
        }
    }

    /// Does what is due at `now`: sessions end, rebalances stop waiting.
    pub fn on_time(&mut self, now: i64) {
        self.expire_pending_joins(now);
        self.expire_sessions(now);
        if let Some(timer) = self.join_timer.filter(|timer| timer.deadline <= now) {
            self.join_timer = None;
            self.end_join_wait(timer, now);
        }
        if self.sync_deadline.is_some_and(|deadline| deadline <= now) {
            self.sync_deadline = None;
            self.expire_pending_syncs(now);
        }
    }

    fn expire_pending_joins(&mut self, now: i64) {
        if self.members.expire_expected(now) {
            self.maybe_complete_join(now);
        }
    }

    fn expire_sessions(&mut self, now: i64) {
        for id in self.members.overdue(now) {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.session_deadline = None;
            if member.is_excused() {
                continue;
            }
            tracing::info!(
                group = self.id,
                member = id,
                "member failed: its session timed out"
            );
            self.remove_member(&id);
            self.rebalance_or_complete_join(now);
        }
    }

    fn expire_pending_syncs(&mut self, now: i64) {
        let late = std::mem::take(&mut self.pending_syncs);
        if late.is_empty() || !matches!(self.state, GroupState::CompletingRebalance | GroupState::Stable) {
            return;
        }
        tracing::info!(group = self.id, members = ?late, "members removed: they never sent SyncGroup");
        for id in &late {
            self.remove_member(id);
        }
        self.prepare_rebalance(now);
    }
}
