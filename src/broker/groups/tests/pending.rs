//! Offsets that a producer commits in a transaction (KIP-98, KIP-447).

use super::bench::{Bench, GROUP};
use crate::broker::machine::Producer;
use kafka_protocol::ResponseError;

const PRODUCER: Producer = Producer { id: 9, epoch: 0 };
const OTHER: Producer = Producer { id: 10, epoch: 3 };

/// What is committed, and the same by a log that is read anew.
async fn committed(bench: &mut Bench, partition: i32) -> i64 {
    let live = bench.machine();
    let offset = bench.committed("t", partition).await;
    bench.crash_and_restart().await;
    assert_eq!(bench.machine(), live);
    assert_eq!(bench.committed("t", partition).await, offset);
    offset
}

#[tokio::test]
async fn they_count_when_the_transaction_is_committed() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.commit_in(OTHER, 1, 8).await;
    assert_eq!(committed(&mut bench, 0).await, 5);
    bench.end(PRODUCER, true).await;
    assert_eq!(committed(&mut bench, 0).await, 7);
    assert_eq!(committed(&mut bench, 1).await, -1);
    bench.end(OTHER, true).await;
    assert_eq!(committed(&mut bench, 1).await, 8);
}

#[tokio::test]
async fn they_never_count_when_it_is_aborted() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.end(PRODUCER, false).await;
    assert_eq!(committed(&mut bench, 0).await, 5);
    // The next transaction of the same producer has nothing of it.
    bench.end(PRODUCER, true).await;
    assert_eq!(committed(&mut bench, 0).await, 5);
}

#[tokio::test]
async fn of_a_plain_commit_and_one_in_a_transaction_the_later_counts_whenever_that_ends() {
    let mut bench = Bench::new().await;
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.commit("t", 0, 9).await.unwrap();
    bench.end(PRODUCER, true).await;
    assert_eq!(committed(&mut bench, 0).await, 9);
}

#[tokio::test]
async fn until_then_who_wants_stable_offsets_is_told_to_ask_again() {
    let bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit("t", 1, 6).await.unwrap();
    bench.commit_in(PRODUCER, 0, 7).await;
    let of = async |stable| {
        let wanted = [("t".to_owned(), vec![0, 1])];
        let told = bench.groups.fetch_offsets(GROUP, Some(&wanted), stable).await;
        let partitions = told.unwrap().remove(0).1.into_iter();
        partitions
            .map(|(_, told)| (told.offset, told.error))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(false).await, [(5, None), (6, None)]);
    let unstable = Some(ResponseError::UnstableOffsetCommit);
    assert_eq!(of(true).await, [(-1, unstable), (6, None)]);
    let all = bench.groups.fetch_offsets(GROUP, None, true).await.unwrap();
    assert_eq!(all[0].1[0].1.error, unstable);
    bench.end(PRODUCER, true).await;
    assert_eq!(of(true).await, [(7, None), (6, None)]);
}

#[tokio::test]
async fn neither_they_nor_what_they_replace_nor_their_group_expire() {
    let mut bench = Bench::new().await;
    bench.commit("t", 0, 5).await.unwrap();
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.expire_all().await;
    assert_eq!(committed(&mut bench, 0).await, 5);
    bench.end(PRODUCER, false).await;
    bench.expire_all().await;
    assert_eq!(bench.state(), "Dead");
    assert_eq!(committed(&mut bench, 0).await, -1);
}

#[tokio::test]
async fn they_end_with_their_group() {
    let mut bench = Bench::new().await;
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.groups.delete(GROUP).await.unwrap();
    bench.end(PRODUCER, true).await;
    assert_eq!(bench.state(), "Dead");
    assert_eq!(committed(&mut bench, 0).await, -1);
}

#[tokio::test]
async fn they_end_with_their_topic() {
    let mut bench = Bench::new().await;
    bench.commit_in(PRODUCER, 0, 7).await;
    bench.delete_topic();
    bench.end(PRODUCER, true).await;
    assert_eq!(committed(&mut bench, 0).await, -1);
}
