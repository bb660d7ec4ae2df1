//! JoinGroup, SyncGroup, Heartbeat and LeaveGroup, from request to answer.

use super::coordinator::{GroupCoordinator, MAX_NAME_BYTES};
use super::group::{JoinCall, LeaveCall, SyncCall};
use super::machine::GroupStep;
use super::member::{MemberInfo, Protocol, Reply};
use super::outbox::{join_error, sync_error};
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot;

/// Memory that a member is reckoned at, beside its texts and metadata.
const MEMBER_BYTES: usize = 512;

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// `client.id`, empty if absent.
    pub client_id: String,
    /// `/` and the address, as Java prints one.
    pub client_host: String,
    /// Version of the request.
    pub api_version: i16,
}

/// An empty `group.id` has no members, and one that no record can hold is none.
fn check_group_id(group_id: &str) -> Result<(), ResponseError> {
    if group_id.is_empty() || group_id.len() > MAX_NAME_BYTES {
        return Err(ResponseError::InvalidGroupId);
    }
    Ok(())
}

impl GroupCoordinator {
    /// JoinGroup; returns when the rebalance is over, or at once with an error.
    pub async fn join(&self, caller: &Caller, request: JoinGroupRequest) -> JoinGroupResponse {
        let member_id = request.member_id.to_string();
        match self.start_join(caller, request).await {
            // The sender is gone only when the node stops in the middle.
            Ok(answer) => answer
                .await
                .unwrap_or_else(|_| join_error(&member_id, ResponseError::CoordinatorNotAvailable)),
            Err(error) => join_error(&member_id, error),
        }
    }

    async fn start_join(
        &self,
        caller: &Caller,
        request: JoinGroupRequest,
    ) -> Result<oneshot::Receiver<JoinGroupResponse>, ResponseError> {
        check_group_id(&request.group_id)?;
        let session = i64::from(request.session_timeout_ms);
        if session < self.config.min_session_timeout_ms || session > self.config.max_session_timeout_ms {
            return Err(ResponseError::InvalidSessionTimeout);
        }
        let group_id = request.group_id.to_string();
        let create = request.member_id.is_empty();
        let (reply, answer) = Reply::channel();
        let call = self.join_call(caller, request)?;
        let found = self
            .change(&group_id, create, |group, now| group.join(call, reply, now))
            .await?;
        found.map(|()| answer).ok_or(ResponseError::UnknownMemberId)
    }

    fn join_call(&self, caller: &Caller, request: JoinGroupRequest) -> Result<JoinCall, ResponseError> {
        let instance_id = request.group_instance_id.map(|id| id.to_string());
        if instance_id.as_ref().is_some_and(|id| id.len() > MAX_NAME_BYTES) {
            return Err(ResponseError::InvalidRequest);
        }
        // Copies, since the parts of a request keep all of its bytes in memory.
        let protocols: Vec<Protocol> = request
            .protocols
            .iter()
            .map(|protocol| Protocol {
                name: protocol.name.to_string(),
                metadata: Bytes::copy_from_slice(&protocol.metadata),
            })
            .collect();
        let metadata: usize = protocols
            .iter()
            .map(|protocol| protocol.name.len() + protocol.metadata.len())
            .sum();
        let names = caller.client_id.len() + instance_id.as_ref().map_or(0, String::len);
        let charge = self.budget().charge(MEMBER_BYTES + 2 * names + metadata);
        Ok(JoinCall {
            charge: charge.ok_or(ResponseError::PolicyViolation)?,
            member_id: request.member_id.to_string(),
            new_id: self.dice().uuid(),
            protocol_type: request.protocol_type.to_string(),
            needs_member_id: caller.api_version >= 4,
            can_skip_assignment: caller.api_version >= 9,
            info: MemberInfo {
                instance_id,
                client_id: caller.client_id.clone(),
                client_host: caller.client_host.clone(),
                session_timeout_ms: request.session_timeout_ms,
                // Version 0 has no timeout of its own for rebalances.
                rebalance_timeout_ms: if caller.api_version == 0 {
                    request.session_timeout_ms
                } else {
                    request.rebalance_timeout_ms
                },
                protocols,
            },
        })
    }

    /// SyncGroup; returns when the leader's assignment is written, or at once with an error.
    pub async fn sync(&self, caller: &Caller, request: SyncGroupRequest) -> SyncGroupResponse {
        match self.start_sync(caller, request).await {
            Ok(answer) => answer
                .await
                .unwrap_or_else(|_| sync_error(ResponseError::CoordinatorNotAvailable)),
            Err(error) => sync_error(error),
        }
    }

    async fn start_sync(
        &self,
        caller: &Caller,
        request: SyncGroupRequest,
    ) -> Result<oneshot::Receiver<SyncGroupResponse>, ResponseError> {
        check_group_id(&request.group_id)?;
        if caller.api_version >= 5 && (request.protocol_type.is_none() || request.protocol_name.is_none()) {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        let group_id = request.group_id.to_string();
        let (reply, answer) = Reply::channel();
        let call = self.sync_call(request)?;
        let found = self
            .change(&group_id, false, |group, now| group.sync(call, reply, now))
            .await;
        match found {
            // The client has to join again anyhow, now that the members' state is being read back.
            Err(ResponseError::CoordinatorLoadInProgress) => Err(ResponseError::RebalanceInProgress),
            found => found?.map(|()| answer).ok_or(ResponseError::UnknownMemberId),
        }
    }

    fn sync_call(&self, request: SyncGroupRequest) -> Result<SyncCall, ResponseError> {
        let bytes = request
            .assignments
            .iter()
            .map(|one| one.member_id.len() + one.assignment.len())
            .sum();
        let charge = self
            .budget()
            .charge(bytes)
            .ok_or(ResponseError::PolicyViolation)?;
        let assignments = request.assignments.iter();
        Ok(SyncCall {
            charge,
            member_id: request.member_id.to_string(),
            instance_id: request.group_instance_id.map(|id| id.to_string()),
            generation: request.generation_id,
            protocol_type: request.protocol_type.map(|name| name.to_string()),
            protocol_name: request.protocol_name.map(|name| name.to_string()),
            assignments: assignments
                .map(|one| (one.member_id.to_string(), Bytes::copy_from_slice(&one.assignment)))
                .collect(),
        })
    }

    /// Heartbeat.
    ///
    /// # Errors
    /// `REBALANCE_IN_PROGRESS` calls the member to join again; the others say why it is none.
    pub fn heartbeat(&self, request: &HeartbeatRequest) -> Result<(), ResponseError> {
        check_group_id(&request.group_id)?;
        let (group_id, member_id) = (request.group_id.as_str(), request.member_id.as_str());
        let told = self.ask_at_once(group_id, |groups, beside, now| {
            groups.check_protocol(group_id)?;
            // A group with members is one in which something goes on.
            let group = beside.get(group_id).ok_or(ResponseError::UnknownMemberId)?;
            let instance_id = request.group_instance_id.as_deref();
            group.validate_heartbeat(member_id, instance_id, request.generation_id)?;
            let (group_id, member_id) = (group_id.to_owned(), member_id.to_owned());
            let step = GroupStep::answer(group.call_back());
            Ok(step.settling(move |_, beside| beside.touch(&group_id, &member_id, now)))
        });
        match told {
            // Whether it still is a member is not known yet; it will be at its next heartbeat.
            Err(ResponseError::CoordinatorLoadInProgress) => Ok(()),
            told => told?,
        }
    }

    /// LeaveGroup: one result for each member, in order.
    ///
    /// # Errors
    /// What concerns all of them.
    pub async fn leave(
        &self,
        group_id: &str,
        members: &[MemberIdentity],
    ) -> Result<Vec<Result<(), ResponseError>>, ResponseError> {
        check_group_id(group_id)?;
        let calls: Vec<LeaveCall> = members
            .iter()
            .map(|member| LeaveCall {
                member_id: member.member_id.to_string(),
                instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
            })
            .collect();
        let left = self
            .change(group_id, false, |group, now| group.leave(&calls, now))
            .await?;
        Ok(left.unwrap_or_else(|| vec![Err(ResponseError::UnknownMemberId); members.len()]))
    }
}
