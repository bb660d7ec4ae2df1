//! What stands in `__consumer_offsets`, and what comes back from it.

use super::bench::{Bench, GROUP, SESSION_MS};
use crate::broker::batch::BatchHeader;
use crate::broker::groups::{Commit, Committer};
use crate::broker::records::KeyAndValue;
use crate::broker::records::offsets::{
    ConsumerGroupMetadataKey, ConsumerGroupMetadataValue, GroupMetadataValue, OffsetCommitKey,
    OffsetCommitValue, OffsetsRecord,
};
use kafka_protocol::ResponseError;
use uuid::Uuid;

#[tokio::test]
async fn offsets_and_members_survive_a_crash() {
    let mut bench = Bench::new().await;
    let (member_id, generation) = bench.lead_alone("c").await;
    bench.commit_as(&member_id, generation, "t", 1, 42).await.unwrap();
    bench.crash_and_restart().await;
    let fetched = bench.fetched("t", 1).await;
    assert_eq!(
        (fetched.offset, fetched.leader_epoch, fetched.metadata.as_str()),
        (42, 3, "note")
    );
    assert_eq!(bench.heartbeat(&member_id, generation), Ok(()));
    let synced = bench.sync(&member_id, generation, &[]).await;
    assert_eq!(&synced.assignment[..], b"all");
}

#[tokio::test]
async fn a_member_that_did_not_survive_the_crash_is_removed_after_its_session() {
    let mut bench = Bench::new().await;
    bench.lead_alone("c").await;
    bench.crash_and_restart().await;
    assert_eq!(bench.state(), "Stable");
    bench
        .advance_until(u64::try_from(SESSION_MS).unwrap(), || bench.state() == "Empty")
        .await;
}

#[tokio::test]
async fn records_say_what_kafka_would_say() {
    let bench = Bench::new().await;
    let (member_id, generation) = bench.lead_alone("c").await;
    bench.commit_as(&member_id, generation, "t", 0, 5).await.unwrap();
    let records = bench.records();
    assert_eq!(records.len(), 3, "the new group, its assignment, the commit");
    let group = |at: usize| match &records[at] {
        OffsetsRecord::GroupMetadata(key, Some(value)) if key.group == GROUP => value.clone(),
        other => panic!("{other:?}"),
    };
    let first: GroupMetadataValue = group(0);
    assert_eq!(
        (
            first.generation,
            first.members.len(),
            first.protocol_type.as_str()
        ),
        (0, 0, "")
    );
    let second = group(1);
    assert_eq!(second.leader.as_deref(), Some(member_id.as_str()));
    let [member] = second.members.as_slice() else {
        panic!("{second:?}")
    };
    assert_eq!(
        (member.client_id.as_str(), member.client_host.as_str()),
        ("c", "/127.0.0.1")
    );
    assert_eq!(&member.assignment[..], b"all");
    assert_eq!(member.subscription, super::subscription(&["t"]));
    let OffsetsRecord::OffsetCommit(key, Some(value)) = &records[2] else {
        panic!("{:?}", records[2])
    };
    assert_eq!(*key, offset_key("t"));
    assert_eq!((value.offset, value.commit_timestamp), (5, bench.clock.now_ms()));
}

#[tokio::test]
async fn an_offset_with_a_time_of_expiry_of_its_own_is_read_back_as_it_was() {
    let mut bench = Bench::new().await;
    let from = Committer {
        group_id: GROUP,
        member_id: "",
        instance_id: None,
        generation: -1,
        retention_ms: 1_000,
        api_version: 4,
    };
    let commit = Commit {
        topic: "t".into(),
        topic_id: Uuid::from_u128(7),
        partition: 0,
        offset: 5,
        leader_epoch: 3,
        metadata: String::new(),
    };
    bench.groups.commit(from, vec![commit]).await.unwrap();
    let live = bench.machine();
    bench.crash_and_restart().await;
    assert_eq!(bench.machine(), live);
    bench.expire_all().await;
    assert_eq!(bench.state(), "Dead");
}

#[tokio::test]
async fn a_deleted_group_stays_deleted() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.groups.delete(GROUP).await.unwrap();
    assert_eq!(bench.state(), "Dead");
    assert_eq!(
        bench.groups.delete(GROUP).await,
        Err(ResponseError::GroupIdNotFound)
    );
    bench.crash_and_restart().await;
    assert_eq!(bench.committed("t", 0).await, -1);
    assert!(bench.groups.list(&[], &[]).unwrap().is_empty());
}

#[tokio::test]
async fn offsets_of_a_deleted_topic_are_gone_for_good() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit("elsewhere", 0, 6).await.unwrap();
    bench.delete_topic();
    assert_eq!(bench.committed("t", 0).await, -1);
    assert_eq!(bench.committed("elsewhere", 0).await, 6);
    bench.crash_and_restart().await;
    assert_eq!(bench.committed("t", 0).await, -1);
    assert_eq!(bench.committed("elsewhere", 0).await, 6);
}

#[tokio::test]
async fn groups_that_moved_away_answer_so_and_come_back_whole() {
    let mut bench = Bench::new().await;
    let (member_id, generation) = bench.lead_alone("c").await;
    bench.commit_as(&member_id, generation, "t", 0, 5).await.unwrap();
    let parked = tokio::spawn(bench.join("", "d"));
    let second = parked.await.unwrap();
    let parked = tokio::spawn(bench.join(&second.member_id, "d"));
    while bench.state() != "PreparingRebalance" {
        tokio::task::yield_now().await;
    }
    bench.set_offsets_leader(2);
    let answer = parked.await.unwrap();
    assert_eq!(answer.error_code, ResponseError::NotCoordinator.code());
    assert_eq!(
        bench.heartbeat(&member_id, generation),
        Err(ResponseError::NotCoordinator)
    );
    assert_eq!(bench.commit("t", 0, 6).await, Err(ResponseError::NotCoordinator));
    bench.set_offsets_leader(1);
    bench.loaded().await;
    assert_eq!(bench.committed("t", 0).await, 5);
    assert_eq!(bench.heartbeat(&member_id, generation), Ok(()));
}

fn offset_key(topic: &str) -> OffsetCommitKey {
    OffsetCommitKey {
        group: GROUP.into(),
        topic: topic.into(),
        partition: 0,
    }
}

fn committed(topic: &str, offset: i64) -> KeyAndValue {
    let value = OffsetCommitValue {
        offset,
        ..OffsetCommitValue::default()
    };
    let record = OffsetsRecord::OffsetCommit(offset_key(topic), Some(value));
    record.encode(3).unwrap()
}

fn pair(record: &KeyAndValue) -> (&[u8], Option<&[u8]>) {
    (&record.key, record.value.as_deref())
}

#[tokio::test]
async fn a_record_of_an_unknown_type_is_left_alone_as_apache_kafka_leaves_it() {
    let mut bench = Bench::new().await;
    let known = committed("t", 7);
    let header = BatchHeader::of_broker(1);
    bench.write(header, &[(b"\0\x63whatever", Some(b"v")), pair(&known)]);
    bench.crash_and_restart().await;
    assert_eq!(bench.committed("t", 0).await, 7);
}

#[tokio::test]
async fn a_record_of_an_unknown_version_leaves_its_groups_unserved_and_the_log_as_it_is() {
    let mut bench = Bench::new().await;
    let known = committed("t", 7);
    let mut newer = known.value.clone().unwrap().to_vec();
    newer[..2].copy_from_slice(&9_i16.to_be_bytes());
    bench.write(BatchHeader::of_broker(1), &[(&known.key, Some(&newer))]);
    let end = bench.offsets_partition().log.log_end_offset();
    bench.crash_and_fail_to_load().await;
    assert_eq!(bench.commit("t", 0, 8).await, Err(ResponseError::NotCoordinator));
    bench.expire_all().await;
    assert_eq!(bench.offsets_partition().log.log_end_offset(), end);
}

#[tokio::test]
async fn offsets_of_an_aborted_transaction_do_not_count() {
    let mut bench = Bench::new().await;
    let (aborted, kept) = (committed("t", 7), committed("elsewhere", 8));
    let of = |producer_id, sequence| BatchHeader {
        producer_id,
        producer_epoch: 0,
        base_sequence: sequence,
        attributes: 1 << 4,
        ..BatchHeader::of_broker(1)
    };
    bench.write(of(1, 0), &[pair(&aborted)]);
    bench.write(of(2, 0), &[pair(&kept)]);
    for (producer, key) in [(1, b"\0\0\0\0"), (2, b"\0\0\0\x01")] {
        let mut header = of(producer, -1);
        header.set_control();
        bench.write(header, &[(key, Some(b"\0\0\0\0\0\x01"))]);
    }
    bench.crash_and_restart().await;
    assert_eq!(bench.committed("t", 0).await, -1);
    assert_eq!(bench.committed("elsewhere", 0).await, 8);
}

#[tokio::test]
async fn a_group_of_another_protocol_keeps_its_offsets_and_takes_no_classic_member() {
    let mut bench = Bench::new().await;
    let key = ConsumerGroupMetadataKey {
        group_id: GROUP.into(),
    };
    let record = |value| {
        OffsetsRecord::ConsumerGroupMetadata(key.clone(), value)
            .encode(0)
            .unwrap()
    };
    let value = ConsumerGroupMetadataValue::default();
    let (group, offset) = (record(Some(value)), committed("t", 7));
    bench.write(BatchHeader::of_broker(1), &[pair(&group), pair(&offset)]);
    bench.crash_and_restart().await;
    assert_eq!(bench.committed("t", 0).await, 7);
    let refused = Err(ResponseError::InconsistentGroupProtocol);
    assert_eq!(bench.commit("t", 0, 8).await, refused);
    assert_eq!(bench.groups.delete(GROUP).await, refused);
    let joined = bench.join("", "c").await;
    assert_eq!(joined.error_code, ResponseError::InconsistentGroupProtocol.code());
    let end = bench.offsets_partition().log.log_end_offset();
    bench.expire_all().await;
    assert_eq!(bench.offsets_partition().log.log_end_offset(), end);
    // Its end is told by a tombstone.
    let gone = record(None);
    bench.write(BatchHeader::of_broker(1), &[pair(&gone)]);
    bench.crash_and_restart().await;
    bench.commit("t", 0, 8).await.unwrap();
}
