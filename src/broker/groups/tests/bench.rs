//! A coordinator on real logs in a folder of its own, without a server.

use crate::broker::batch::{self, BatchBuilder, BatchHeader, Records};
use crate::broker::config::NodeConfig;
use crate::broker::groups::machine::{GroupStep, Groups};
use crate::broker::groups::records;
use crate::broker::groups::{
    Caller, Commit, Committer, Fetched, GroupConfig, GroupCoordinator, OFFSETS_TOPIC,
};
use crate::broker::log::{By, ReadLimit};
use crate::broker::machine::Producer;
use crate::broker::metadata::{MetadataImage, TopicImage};
use crate::broker::records::offsets::{OffsetCommitValue, OffsetsRecord};
use crate::broker::replication::{Partition, ReplicaManager};
use crate::broker::tests::bench::{NODE, add_topic, advance_until, open_replicas};
use crate::broker::world::disk::refusing::{Refused, Refusing};
use crate::clock::Clock;
use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;
use std::sync::Arc;
use tempfile::TempDir;
use uuid::Uuid;

pub const SESSION_MS: i32 = 10_000;
pub const GROUP: &str = "g";

/// A broker's group side: logs, metadata, coordinator.
pub struct Bench {
    folder: TempDir,
    pub clock: Clock,
    pub config: GroupConfig,
    pub image: MetadataImage,
    replicas: Arc<ReplicaManager>,
    pub groups: Arc<GroupCoordinator>,
    _refusing: Option<Refusing>,
}

impl Bench {
    /// `__consumer_offsets` with two partitions and topic `t` with three, all led here; no rebalance delay.
    pub async fn new() -> Self {
        Bench::on(Clock::manual(1_000_000)).await
    }

    /// The same by that clock.
    pub async fn on(clock: Clock) -> Self {
        let folder = TempDir::new().unwrap();
        let quick = [("group.initial.rebalance.delay.ms".to_owned(), "0".to_owned())];
        let config = GroupConfig::new(&NodeConfig::from_properties(quick.into()).unwrap());
        let mut image = MetadataImage::default();
        add_topic(&mut image, OFFSETS_TOPIC, 2);
        add_topic(&mut image, "t", 3);
        let (replicas, groups) = open(&folder, &clock, &config, &image);
        let bench = Bench {
            folder,
            clock,
            config,
            image,
            replicas,
            groups,
            _refusing: None,
        };
        bench.loaded().await;
        bench
    }

    /// Drops everything in memory, as a crash does, and starts again on the same folder.
    pub async fn crash_and_restart(&mut self) {
        self.crash_and_open();
        self.loaded().await;
    }

    fn crash_and_open(&mut self) {
        let empty = TempDir::new().unwrap();
        let nothing = MetadataImage::default();
        // The old ones go first: no two may have the same files open.
        (self.replicas, self.groups) = open(&empty, &self.clock, &self.config, &nothing);
        (self.replicas, self.groups) = open(&self.folder, &self.clock, &self.config, &self.image);
    }

    /// The same, where the log cannot be read.
    pub async fn crash_and_fail_to_load(&mut self) {
        self.crash_and_open();
        self.loaded().await;
    }

    /// Waits until no log is being read any more.
    pub async fn loaded(&self) {
        while self.groups.look_at_all(|_, _| ()).is_err() {
            tokio::task::yield_now().await;
        }
    }

    /// What the group's log adds up to.
    pub fn machine(&self) -> Groups {
        self.groups.look(GROUP, |groups, _| groups.clone()).unwrap()
    }

    /// What lies beside it, in words.
    pub fn beside(&self) -> String {
        self.groups
            .look(GROUP, |_, beside| format!("{beside:?}"))
            .unwrap()
    }

    /// Takes the image as it now is.
    pub fn apply(&self) {
        self.replicas.apply(&self.image).unwrap();
        self.groups.apply(&Arc::new(self.image.clone()));
    }

    /// Another broker leads `__consumer_offsets` from now on, or this one does again.
    pub fn set_offsets_leader(&mut self, leader: i32) {
        let mut topic = TopicImage::clone(&self.image.topics[OFFSETS_TOPIC]);
        for partition in &mut topic.partitions {
            partition.leader = leader;
            partition.leader_epoch += 1;
            partition.replicas = vec![NODE, 2];
            partition.isr = vec![leader];
        }
        self.image
            .topics
            .insert(OFFSETS_TOPIC.to_owned(), Arc::new(topic));
        self.apply();
    }

    /// Deletes topic `t`.
    pub fn delete_topic(&mut self) {
        let topic = self.image.topics.remove("t").unwrap();
        self.image.topic_names.remove(&topic.id);
        self.apply();
    }

    /// Everything in the logs of `__consumer_offsets`, oldest first.
    pub fn records(&self) -> Vec<OffsetsRecord> {
        let log = Arc::clone(&self.offsets_partition().log);
        let mut records = Vec::new();
        let mut offset = log.log_start_offset();
        while offset < log.log_end_offset() {
            let read = log.read(offset, 1 << 20, true, ReadLimit::LogEnd).unwrap();
            for batch in batch::intact(read.records).unwrap() {
                offset = batch.header.next_offset();
                let written = batch::records_of(&batch).unwrap();
                records.extend(Records::new(&written).map(|record| {
                    let record = record.unwrap();
                    OffsetsRecord::decode(record.key.unwrap(), record.value).unwrap()
                }));
            }
        }
        records
    }

    /// The partition of `__consumer_offsets` that the group is kept in.
    pub fn offsets_partition(&self) -> Arc<Partition> {
        let index = self.groups.partition_for(GROUP).unwrap();
        self.replicas.partition(OFFSETS_TOPIC, index).unwrap()
    }

    /// Writes a batch there past the coordinator, as another broker would have.
    pub fn write(&self, header: BatchHeader, records: &[(&[u8], Option<&[u8]>)]) {
        let mut batch = BatchBuilder::default();
        for (key, value) in records {
            batch.push(Some(key), *value);
        }
        let bytes = batch.build(header).unwrap().bytes;
        let log = &self.offsets_partition().log;
        let by = match header.is_control() {
            true => By::Marker { epoch: 0 },
            false => By::Coordinator { epoch: 0 },
        };
        log.append(bytes, by).unwrap();
    }

    /// Starts a JoinGroup of version 9.
    pub fn join(
        &self,
        member_id: &str,
        client: &'static str,
    ) -> impl Future<Output = JoinGroupResponse> + Send + 'static {
        self.join_as(member_id, client, None)
    }

    /// The same, as a static member.
    pub fn join_as(
        &self,
        member_id: &str,
        client: &'static str,
        instance_id: Option<&'static str>,
    ) -> impl Future<Output = JoinGroupResponse> + Send + 'static {
        let request = JoinGroupRequest::default()
            .with_group_id(group_id())
            .with_session_timeout_ms(SESSION_MS)
            .with_rebalance_timeout_ms(60_000)
            .with_member_id(member_id.to_owned().into())
            .with_group_instance_id(instance_id.map(Into::into))
            .with_protocol_type("consumer".into())
            .with_protocols(vec![
                JoinGroupRequestProtocol::default()
                    .with_name("range".into())
                    .with_metadata(super::subscription(&["t"])),
            ]);
        let groups = Arc::clone(&self.groups);
        async move { groups.join(&caller(client), request).await }
    }

    /// Joins and becomes the leader of a stable group of one; returns member id and generation.
    pub async fn lead_alone(&self, client: &'static str) -> (String, i32) {
        let member_id = self.join("", client).await.member_id.to_string();
        let joined = self.join(&member_id, client).await;
        assert_eq!(joined.error_code, 0);
        let synced = self
            .sync(&member_id, joined.generation_id, &[(&member_id, "all")])
            .await;
        assert_eq!(synced.error_code, 0);
        (member_id, joined.generation_id)
    }

    pub fn sync(
        &self,
        member_id: &str,
        generation: i32,
        assignments: &[(&str, &'static str)],
    ) -> impl Future<Output = SyncGroupResponse> + Send + use<> {
        let assignments = assignments.iter().map(|(member_id, assignment)| {
            SyncGroupRequestAssignment::default()
                .with_member_id((*member_id).to_owned().into())
                .with_assignment(Bytes::from_static(assignment.as_bytes()))
        });
        let request = SyncGroupRequest::default()
            .with_group_id(group_id())
            .with_member_id(member_id.to_owned().into())
            .with_generation_id(generation)
            .with_protocol_type(Some("consumer".into()))
            .with_protocol_name(Some("range".into()))
            .with_assignments(assignments.collect());
        let groups = Arc::clone(&self.groups);
        async move { groups.sync(&caller("c"), request).await }
    }

    pub fn heartbeat(&self, member_id: &str, generation: i32) -> Result<(), ResponseError> {
        let request = HeartbeatRequest::default()
            .with_group_id(group_id())
            .with_member_id(member_id.to_owned().into())
            .with_generation_id(generation);
        self.groups.heartbeat(&request)
    }

    /// Commits for a consumer without membership.
    pub async fn commit(&self, topic: &str, partition: i32, offset: i64) -> Result<(), ResponseError> {
        self.commit_as("", -1, topic, partition, offset).await
    }

    pub async fn commit_as(
        &self,
        member_id: &str,
        generation: i32,
        topic: &str,
        partition: i32,
        offset: i64,
    ) -> Result<(), ResponseError> {
        let from = Committer {
            group_id: GROUP,
            member_id,
            instance_id: None,
            generation,
            retention_ms: -1,
            api_version: 9,
        };
        let commit = Commit {
            topic: topic.to_owned(),
            topic_id: Uuid::from_u128(7),
            partition,
            offset,
            leader_epoch: 3,
            metadata: "note".into(),
        };
        self.groups.commit(from, vec![commit]).await
    }

    /// The committed offset, -1 for none.
    pub async fn committed(&self, topic: &str, partition: i32) -> i64 {
        self.fetched(topic, partition).await.offset
    }

    pub async fn fetched(&self, topic: &str, partition: i32) -> Fetched {
        let wanted = [(topic.to_owned(), vec![partition])];
        let mut topics = self
            .groups
            .fetch_offsets(GROUP, Some(&wanted), false)
            .await
            .unwrap();
        topics.remove(0).1.remove(0).1
    }

    /// State of the group, as DescribeGroups shows it.
    pub fn state(&self) -> String {
        self.groups.describe(GROUP, 6).group_state.to_string()
    }

    /// Moves the clock by a month, and waits until all groups have been looked at for what expires.
    pub async fn expire_all(&self) {
        let month_ms = 30 * 24 * 3_600_000;
        let then = self.clock.now_ms() + i64::try_from(month_ms).unwrap();
        let looked_at = || {
            let due = self.groups.look_at_all(|_, beside| beside.is_check_due(then));
            due.unwrap().iter().all(|due| !due)
        };
        self.advance_until(month_ms, looked_at).await;
    }

    /// The disk refuses what is written to the group's log, until [`Bench::disk_serves`].
    pub fn disk_refuses(&mut self) {
        let dir = self.offsets_partition().log.dir();
        self._refusing = Some(Refusing::new(&dir, Refused::Write));
    }

    /// The disk serves again, and the log has been recovered.
    pub fn disk_serves(&mut self) {
        self._refusing = None;
        self.offsets_partition().log.recover().unwrap();
    }

    /// Asks the group's shard.
    pub async fn ask<A>(&self, step: GroupStep<A>) -> A {
        self.groups.ask(GROUP, |_, _, _| Ok(step)).await.unwrap()
    }

    /// Commits offset `offset` of `t`-`partition` in a transaction.
    pub async fn commit_in(&self, producer: Producer, partition: i32, offset: i64) {
        let value = OffsetCommitValue {
            offset,
            commit_timestamp: self.clock.now_ms(),
            ..OffsetCommitValue::default()
        };
        let record = records::offset(GROUP, "t".into(), partition, value);
        self.ask(GroupStep::write(vec![record], ()).in_transaction(producer))
            .await;
    }

    /// Ends a transaction.
    pub async fn end(&self, producer: Producer, commits: bool) {
        let shard = self.groups.shard(GROUP).unwrap();
        shard.mark(producer, commits, 0).await.unwrap();
    }

    /// Moves the clock and waits until `fact` holds.
    pub async fn advance_until(&self, ms: u64, fact: impl Fn() -> bool) {
        advance_until(&self.clock, ms, fact).await;
    }
}

pub fn group_id() -> GroupId {
    GroupId(StrBytes::from_static_str(GROUP))
}

pub fn caller(client: &str) -> Caller {
    Caller {
        client_id: client.to_owned(),
        client_host: "/127.0.0.1".into(),
        api_version: 9,
    }
}

fn open(
    folder: &TempDir,
    clock: &Clock,
    config: &GroupConfig,
    image: &MetadataImage,
) -> (Arc<ReplicaManager>, Arc<GroupCoordinator>) {
    let replicas = open_replicas(folder.path(), clock, image);
    let groups = GroupCoordinator::new(config.clone(), NODE, clock.clone().into(), Arc::clone(&replicas));
    let groups = Arc::new(groups);
    groups.apply(&Arc::new(image.clone()));
    (replicas, groups)
}
