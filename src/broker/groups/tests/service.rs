//! Requests to the coordinator, with its own timers.

use super::bench::{Bench, GROUP, SESSION_MS, caller, group_id};
use crate::broker::records::offsets::OffsetsRecord;
use crate::clock::Clock;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::JoinGroupRequest;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use std::time::Duration;
use tokio::time::sleep;

const WEEK_MS: u64 = 7 * 24 * 3_600_000;

#[tokio::test]
async fn a_silent_member_is_noticed_by_the_timer_alone() {
    let bench = Bench::new().await;
    let (member_id, generation) = bench.lead_alone("c").await;
    bench
        .advance_until(u64::try_from(SESSION_MS).unwrap(), || bench.state() == "Empty")
        .await;
    assert_eq!(
        bench.heartbeat(&member_id, generation),
        Err(ResponseError::UnknownMemberId)
    );
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_set_gives_a_silent_member_no_more_time_and_no_less() {
    let clock = Clock::simulated(1_000_000_000);
    let bench = Bench::on(clock.clone()).await;
    let session = Duration::from_millis(u64::try_from(SESSION_MS).unwrap());
    for by_ms in [-3_600_000, 3_600_000] {
        bench.lead_alone("c").await;
        clock.set(by_ms);
        // What others ask meanwhile changes nothing for it.
        bench.commit("t", 0, 5).await.unwrap_err();
        sleep(session - Duration::from_millis(500)).await;
        assert_ne!(bench.state(), "Empty", "{by_ms}");
        sleep(Duration::from_secs(1)).await;
        assert_eq!(bench.state(), "Empty", "{by_ms}");
    }
}

#[tokio::test]
async fn a_rebalance_whose_client_hung_up_goes_on_without_it() {
    let bench = Bench::new().await;
    let (member_id, _) = bench.lead_alone("c").await;
    let second = bench.join("", "d").await.member_id.to_string();
    let parked = tokio::spawn(bench.join(&second, "d"));
    while bench.state() != "PreparingRebalance" {
        tokio::task::yield_now().await;
    }
    parked.abort();
    let joined = bench.join(&member_id, "c").await;
    assert_eq!(joined.members.len(), 2);
    bench.sync(&member_id, joined.generation_id, &[]).await;
    // It never syncs nor sends heartbeats, so its session ends; the other has to join again.
    let step = u64::try_from(SESSION_MS - 1).unwrap();
    bench
        .advance_until(step, || bench.heartbeat(&member_id, joined.generation_id).is_ok())
        .await;
    bench
        .advance_until(1, || {
            bench.heartbeat(&member_id, joined.generation_id) == Err(ResponseError::RebalanceInProgress)
        })
        .await;
    assert_eq!(bench.join(&member_id, "c").await.members.len(), 1);
}

#[tokio::test]
async fn offsets_expire_and_take_the_group_with_them() {
    let bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.clock.advance(std::time::Duration::from_millis(WEEK_MS - 1));
    assert_eq!(bench.committed("t", 0).await, 5);
    bench.advance_until(600_000, || bench.state() == "Dead").await;
    assert_eq!(bench.committed("t", 0).await, -1);
    assert!(bench.records().iter().rev().take(2).all(|record| matches!(
        record,
        OffsetsRecord::OffsetCommit(_, None) | OffsetsRecord::GroupMetadata(_, None)
    )));
}

#[tokio::test]
async fn a_group_with_members_is_refused_deletion_and_so_are_the_offsets_it_reads() {
    let bench = Bench::new().await;
    let (member_id, generation) = bench.lead_alone("c").await;
    bench.commit_as(&member_id, generation, "t", 0, 5).await.unwrap();
    assert_eq!(
        bench.groups.delete(GROUP).await,
        Err(ResponseError::NonEmptyGroup)
    );
    let partitions = [("t".to_owned(), 0), ("other".to_owned(), 0)];
    let results = bench.groups.delete_offsets(GROUP, &partitions).await.unwrap();
    assert_eq!(results, [Err(ResponseError::GroupSubscribedToTopic), Ok(())]);
    assert_eq!(
        bench.groups.delete_offsets("nobody", &partitions).await,
        Err(ResponseError::GroupIdNotFound)
    );
    let gone = bench.groups.leave(GROUP, &[leaving(&member_id)]).await.unwrap();
    assert_eq!(gone, [Ok(())]);
    assert_eq!(
        bench
            .groups
            .delete_offsets(GROUP, &partitions[..1])
            .await
            .unwrap(),
        [Ok(())]
    );
    assert_eq!(bench.committed("t", 0).await, -1);
}

pub fn leaving(member_id: &str) -> MemberIdentity {
    MemberIdentity::default().with_member_id(member_id.to_owned().into())
}

#[tokio::test]
async fn all_offsets_are_fetched_when_none_is_named() {
    let bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit("t", 2, 7).await.unwrap();
    let all = bench.groups.fetch_offsets(GROUP, None, false).await.unwrap();
    let [(topic, partitions)] = all.as_slice() else {
        panic!("{all:?}")
    };
    let offsets: Vec<(i32, i64)> = partitions
        .iter()
        .map(|(index, fetched)| (*index, fetched.offset))
        .collect();
    assert_eq!((topic.as_str(), offsets), ("t", vec![(0, 5), (2, 7)]));
    assert!(
        bench
            .groups
            .fetch_offsets("nobody", None, false)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn requests_with_senseless_values_are_refused() {
    let bench = Bench::new().await;
    let join = |request: JoinGroupRequest| {
        let groups = std::sync::Arc::clone(&bench.groups);
        async move { ResponseError::try_from_code(groups.join(&caller("c"), request).await.error_code) }
    };
    let request = JoinGroupRequest::default()
        .with_group_id(group_id())
        .with_session_timeout_ms(SESSION_MS);
    let nameless = request.clone().with_group_id(Default::default());
    assert_eq!(join(nameless).await, Some(ResponseError::InvalidGroupId));
    let hasty = request.clone().with_session_timeout_ms(1);
    assert_eq!(join(hasty).await, Some(ResponseError::InvalidSessionTimeout));
    assert_eq!(
        join(request).await,
        Some(ResponseError::InconsistentGroupProtocol)
    );
    // Nothing is kept of a group that was refused its first member.
    assert!(bench.groups.list(&[], &[]).unwrap().is_empty());
    assert!(bench.records().is_empty());
    assert_eq!(
        bench.commit_as("m", 3, "t", 0, 1).await,
        Err(ResponseError::GroupIdNotFound)
    );
}

#[tokio::test]
async fn groups_are_listed_by_state_and_type() {
    let bench = Bench::new().await;
    bench.lead_alone("c").await;
    let words = |word: &str| vec![word.to_owned()];
    assert_eq!(bench.groups.list(&words("stable"), &[]).unwrap().len(), 1);
    assert_eq!(bench.groups.list(&words("Empty"), &[]).unwrap().len(), 0);
    assert_eq!(bench.groups.list(&[], &words("Classic")).unwrap().len(), 1);
    assert_eq!(bench.groups.list(&[], &words("consumer")).unwrap().len(), 0);
}
