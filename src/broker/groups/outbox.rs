//! What a change of a group still has to do: write a record, then answer the requests that waited for it.

use super::member::{JoinReply, Member, SyncReply};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};

/// Why the group's record is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persist {
    /// The group was made.
    Created,
    /// The leader's assignment came.
    Assignment,
    /// A static member came back under a new id.
    StaticMember,
    /// The last member left.
    Emptied,
}

/// Answers that wait until the group's record, if one is due, is written.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    /// Write the group's record first.
    pub persist: Option<Persist>,
    /// JoinGroups to answer.
    pub joins: Vec<(JoinReply, JoinGroupResponse)>,
    /// SyncGroups to answer.
    pub syncs: Vec<(SyncReply, SyncGroupResponse)>,
}

impl Outbox {
    /// Answers what a member has parked with `error`.
    pub fn dismiss(&mut self, member: &mut Member, member_id: &str, error: ResponseError) {
        if let Some(reply) = member.join_reply.take() {
            self.joins.push((reply, join_error(member_id, error)));
        }
        if let Some(reply) = member.sync_reply.take() {
            self.syncs.push((reply, sync_error(error)));
        }
    }

    /// Sends all answers.
    pub fn deliver(self) {
        for (reply, answer) in self.joins {
            reply.send(answer);
        }
        for (reply, answer) in self.syncs {
            reply.send(answer);
        }
    }

    /// Answers everything with `error` instead: the record did not reach the replicas.
    pub fn fail(self, error: ResponseError) {
        for (reply, _) in self.joins {
            reply.send(join_error("", error));
        }
        for (reply, _) in self.syncs {
            reply.send(sync_error(error));
        }
    }
}

/// A JoinGroup's answer that is an error.
pub fn join_error(member_id: &str, error: ResponseError) -> JoinGroupResponse {
    JoinGroupResponse::default()
        .with_error_code(error.code())
        .with_generation_id(-1)
        .with_protocol_name(None)
        .with_member_id(member_id.to_owned().into())
}

/// A SyncGroup's answer that is an error.
pub fn sync_error(error: ResponseError) -> SyncGroupResponse {
    SyncGroupResponse::default().with_error_code(error.code())
}
