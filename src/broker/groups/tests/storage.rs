//! What stands in `__consumer_offsets`, and what comes back from it.

use super::bench::{Bench, GROUP, SESSION_MS};
use crate::broker::groups::records::{GroupValue, Key, OffsetValue};
use kafka_protocol::ResponseError;

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
    let first = GroupValue::decode(&mut records[0].value.clone().unwrap()).unwrap();
    assert_eq!(
        (
            first.generation,
            first.members.len(),
            first.protocol_type.as_str()
        ),
        (0, 0, "")
    );
    let second = GroupValue::decode(&mut records[1].value.clone().unwrap()).unwrap();
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
    let key = Key::decode(&mut records[2].key.clone().unwrap()).unwrap();
    let expected = Key::Offset {
        group: GROUP.into(),
        topic: "t".into(),
        partition: 0,
    };
    assert_eq!(key, expected);
    let value = OffsetValue::decode(&mut records[2].value.clone().unwrap()).unwrap();
    assert_eq!((value.offset, value.commit_timestamp), (5, bench.clock.now_ms()));
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
    while bench.groups.shard(GROUP).is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.committed("t", 0).await, 5);
    assert_eq!(bench.heartbeat(&member_id, generation), Ok(()));
}
