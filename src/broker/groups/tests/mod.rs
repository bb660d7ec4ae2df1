//! The state machine, driven by hand.

mod bench;
mod expiring;
mod membership;
mod offsets;
mod pending;
mod rebalancing;
mod refusals;
mod reloading;
mod service;
mod static_members;
mod storage;

use super::budget::Budget;
use super::group::{Group, GroupLimits, GroupState, JoinCall, LeaveCall, SyncCall};
use super::member::{MemberInfo, Protocol, Reply};
use super::outbox::Persist;
use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use tokio::sync::oneshot;

const SESSION_MS: i64 = 10_000;
const REBALANCE_MS: i64 = 60_000;

/// A group, a clock that stands still, and no log: answers go out at once.
struct Desk {
    group: Group,
    now: i64,
    budget: Budget,
    persisted: Vec<Persist>,
}

/// Someone who waits for an answer.
struct Waiting<T>(oneshot::Receiver<T>);

impl<T> Waiting<T> {
    fn answer(mut self) -> T {
        self.0.try_recv().expect("no answer yet")
    }

    fn is_parked(&mut self) -> bool {
        matches!(self.0.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }
}

/// The member that a test speaks for.
#[derive(Clone)]
struct Client {
    name: &'static str,
    instance_id: Option<&'static str>,
    member_id: String,
    protocols: Vec<(&'static str, Bytes)>,
}

impl Client {
    fn new(name: &'static str) -> Self {
        Client {
            name,
            instance_id: None,
            member_id: String::new(),
            protocols: vec![("range", subscription(&["t"]))],
        }
    }

    fn fixed(name: &'static str) -> Self {
        Client {
            instance_id: Some(name),
            ..Client::new(name)
        }
    }

    fn with_protocols(self, names: &[&'static str]) -> Self {
        Client {
            protocols: names.iter().map(|name| (*name, subscription(&["t"]))).collect(),
            ..self
        }
    }
}

/// A consumer's subscription, version 0.
fn subscription(topics: &[&str]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i16(0);
    out.put_i32(i32::try_from(topics.len()).unwrap());
    for topic in topics {
        out.put_i16(i16::try_from(topic.len()).unwrap());
        out.put_slice(topic.as_bytes());
    }
    out.put_i32(-1);
    out.freeze()
}

impl Desk {
    fn new() -> Self {
        Self::with_limits(0, usize::MAX)
    }

    fn with_limits(initial_rebalance_delay_ms: i64, max_size: usize) -> Self {
        let budget = Budget::new(usize::MAX);
        let limits = GroupLimits {
            initial_rebalance_delay_ms,
            max_size,
        };
        Desk {
            group: Group::new("g", limits),
            now: 1_000,
            budget,
            persisted: Vec::new(),
        }
    }

    fn flush(&mut self) {
        let outbox = self.group.take_outbox();
        self.persisted.extend(outbox.persist);
        outbox.deliver();
    }

    fn advance(&mut self, ms: i64) {
        self.now += ms;
        self.group.on_time(self.now);
        self.flush();
    }

    fn join(&mut self, client: &Client) -> Waiting<JoinGroupResponse> {
        self.join_version(client, 9)
    }

    fn join_version(&mut self, client: &Client, version: i16) -> Waiting<JoinGroupResponse> {
        let (reply, answer) = Reply::channel();
        let protocols = client.protocols.iter().map(|(name, metadata)| Protocol {
            name: (*name).to_owned(),
            metadata: metadata.clone(),
        });
        let call = JoinCall {
            member_id: client.member_id.clone(),
            new_id: uuid::Uuid::new_v4(),
            protocol_type: "consumer".into(),
            info: MemberInfo {
                instance_id: client.instance_id.map(Into::into),
                client_id: client.name.into(),
                client_host: "/127.0.0.1".into(),
                session_timeout_ms: i32::try_from(SESSION_MS).unwrap(),
                rebalance_timeout_ms: i32::try_from(REBALANCE_MS).unwrap(),
                protocols: protocols.collect(),
            },
            needs_member_id: version >= 4,
            can_skip_assignment: version >= 9,
            charge: self.budget.force(100),
        };
        self.group.join(call, reply, self.now);
        self.flush();
        Waiting(answer)
    }

    /// Asks for a member id, then joins with it.
    fn join_fresh(&mut self, client: &mut Client) -> Waiting<JoinGroupResponse> {
        if client.instance_id.is_none() {
            let answer = self.join(client).answer();
            assert_eq!(answer.error_code, ResponseError::MemberIdRequired.code());
            client.member_id = answer.member_id.to_string();
        }
        self.join(client)
    }

    fn sync(
        &mut self,
        client: &Client,
        generation: i32,
        assignments: &[(&Client, &'static str)],
    ) -> Waiting<SyncGroupResponse> {
        let (reply, answer) = Reply::channel();
        let call = SyncCall {
            charge: self.budget.force(10),
            member_id: client.member_id.clone(),
            instance_id: client.instance_id.map(Into::into),
            generation,
            protocol_type: Some("consumer".into()),
            protocol_name: None,
            assignments: assignments
                .iter()
                .map(|(client, text)| (client.member_id.clone(), Bytes::from_static(text.as_bytes())))
                .collect(),
        };
        self.group.sync(call, reply, self.now);
        self.flush();
        Waiting(answer)
    }

    fn heartbeat(&mut self, client: &Client, generation: i32) -> Result<(), ResponseError> {
        self.group
            .validate_heartbeat(&client.member_id, client.instance_id, generation)?;
        self.group.touch(&client.member_id, self.now);
        self.group.call_back()
    }

    fn leave(&mut self, client: &Client) -> Result<(), ResponseError> {
        let calls = [LeaveCall {
            member_id: client.member_id.clone(),
            instance_id: client.instance_id.map(Into::into),
        }];
        let result = self.group.leave(&calls, self.now).remove(0);
        self.flush();
        result
    }

    /// One member that has its assignment, in a stable group.
    fn stable_with_one(&mut self, client: &mut Client) -> i32 {
        let answer = self.join_fresh(client).answer();
        client.member_id = answer.member_id.to_string();
        let member = client.clone();
        let synced = self
            .sync(&member, answer.generation_id, &[(&member, "all")])
            .answer();
        assert_eq!(&synced.assignment[..], b"all");
        assert_eq!(self.group.state(), GroupState::Stable);
        answer.generation_id
    }

    /// Two members, the first of them the leader, in a stable group.
    fn stable_with_two(&mut self, first: &mut Client, second: &mut Client) -> i32 {
        self.stable_with_one(first);
        let second_join = self.join_fresh(second);
        let first_join = self.join(first).answer();
        let second_join = second_join.answer();
        second.member_id = second_join.member_id.to_string();
        let generation = first_join.generation_id;
        assert_eq!(second_join.generation_id, generation);
        let followed = self.sync(second, generation, &[]);
        let led = self
            .sync(first, generation, &[(first, "left"), (second, "right")])
            .answer();
        assert_eq!(&led.assignment[..], b"left");
        assert_eq!(&followed.answer().assignment[..], b"right");
        generation
    }
}

fn error_of(code: i16) -> Option<ResponseError> {
    ResponseError::try_from_code(code)
}
