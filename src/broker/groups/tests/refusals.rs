//! A log that refuses leaves a group as it was: nothing is changed first and made good again afterwards.

use super::bench::{Bench, GROUP, SESSION_MS};
use super::service::leaving;
use kafka_protocol::ResponseError;

const REFUSED: ResponseError = ResponseError::NotCoordinator;

/// A group in words, with what lies beside it.
fn state(bench: &Bench) -> (String, String) {
    (format!("{:?}", bench.machine()), bench.beside())
}

/// Runs `request` while the disk refuses; nothing may change. Then the disk serves again.
macro_rules! refused {
    ($bench:ident, $request:expr) => {{
        let before = state(&$bench);
        $bench.disk_refuses();
        let answer = $request;
        assert_eq!(state(&$bench), before);
        $bench.disk_serves();
        answer
    }};
}

#[tokio::test]
async fn a_join_that_makes_the_group() {
    let mut bench = Bench::new().await;
    let joined = refused!(bench, bench.join("", "c").await);
    assert_eq!(joined.error_code, REFUSED.code());
    assert_eq!(bench.state(), "Dead");
    bench.lead_alone("c").await;
    assert_eq!(bench.state(), "Stable");
}

#[tokio::test]
async fn a_sync_with_the_assignment_while_a_follower_waits() {
    let mut bench = Bench::new().await;
    let (leader, _) = bench.lead_alone("c").await;
    let follower = bench.join("", "d").await.member_id.to_string();
    let following = tokio::spawn(bench.join(&follower, "d"));
    while bench.state() != "PreparingRebalance" {
        tokio::task::yield_now().await;
    }
    let generation = bench.join(&leader, "c").await.generation_id;
    assert_eq!(following.await.unwrap().generation_id, generation);
    let waits = tokio::spawn(bench.sync(&follower, generation, &[]));
    while !bench.beside().contains("sync_reply: Some") {
        tokio::task::yield_now().await;
    }
    let assignments = [(leader.as_str(), "left"), (follower.as_str(), "right")];
    let synced = refused!(bench, bench.sync(&leader, generation, &assignments).await);
    assert_eq!(synced.error_code, REFUSED.code());
    assert_eq!(bench.state(), "CompletingRebalance");
    assert!(!waits.is_finished());
    // The leader finds the coordinator again and comes back with the same assignment.
    assert_eq!(bench.join(&leader, "c").await.generation_id, generation);
    let synced = bench.sync(&leader, generation, &assignments).await;
    assert_eq!(&synced.assignment[..], b"left");
    assert_eq!(&waits.await.unwrap().assignment[..], b"right");
}

#[tokio::test]
async fn a_commit() {
    let mut bench = Bench::new().await;
    let (member, generation) = bench.lead_alone("c").await;
    bench.commit_as(&member, generation, "t", 0, 5).await.unwrap();
    bench.clock.advance(std::time::Duration::from_millis(10));
    let committed = refused!(bench, bench.commit_as(&member, generation, "t", 0, 6).await);
    assert_eq!(committed, Err(REFUSED));
    assert_eq!(bench.committed("t", 0).await, 5);
    bench.commit_as(&member, generation, "t", 0, 6).await.unwrap();
    assert_eq!(bench.committed("t", 0).await, 6);
}

#[tokio::test]
async fn the_last_member_s_goodbye() {
    let mut bench = Bench::new().await;
    let (member, generation) = bench.lead_alone("c").await;
    let left = refused!(bench, bench.groups.leave(GROUP, &[leaving(&member)]).await);
    assert_eq!(left, Err(REFUSED));
    assert_eq!(bench.heartbeat(&member, generation), Ok(()));
    let left = bench.groups.leave(GROUP, &[leaving(&member)]).await;
    assert_eq!(left.unwrap(), [Ok(())]);
    assert_eq!(bench.state(), "Empty");
}

#[tokio::test]
async fn a_deletion_of_the_group_or_of_its_offsets() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit("t", 1, 6).await.unwrap();
    let partitions = [("t".to_owned(), 0)];
    let deleted = refused!(bench, bench.groups.delete_offsets(GROUP, &partitions).await);
    assert_eq!(deleted, Err(REFUSED));
    assert_eq!(refused!(bench, bench.groups.delete(GROUP).await), Err(REFUSED));
    assert_eq!(bench.committed("t", 0).await, 5);
    bench.groups.delete(GROUP).await.unwrap();
    assert_eq!(bench.state(), "Dead");
}

#[tokio::test]
async fn a_static_member_s_return_under_a_new_id() {
    let mut bench = Bench::new().await;
    let joined = bench.join_as("", "c", Some("fixed")).await;
    let (old, generation) = (joined.member_id.to_string(), joined.generation_id);
    bench.sync(&old, generation, &[(&old, "all")]).await;
    let returned = refused!(bench, bench.join_as("", "c", Some("fixed")).await);
    assert_eq!(returned.error_code, REFUSED.code());
    assert_eq!(bench.heartbeat(&old, generation), Ok(()));
    let returned = bench.join_as("", "c", Some("fixed")).await;
    assert_eq!((returned.error_code, returned.generation_id), (0, generation));
}

#[tokio::test]
async fn a_session_that_ends_is_ended_when_the_log_takes_it() {
    let mut bench = Bench::new().await;
    bench.lead_alone("c").await;
    bench.disk_refuses();
    let session = u64::try_from(SESSION_MS).unwrap();
    let log = std::sync::Arc::clone(&bench.offsets_partition().log);
    bench.advance_until(session, || log.is_poisoned()).await;
    assert_eq!(bench.state(), "Stable");
    bench.disk_serves();
    bench.advance_until(1_000, || bench.state() == "Empty").await;
    let live = bench.machine();
    bench.crash_and_restart().await;
    assert_eq!(bench.machine(), live);
}
