//! What happens by itself: open transactions are aborted, idle ids forgotten.

use super::bench::{Bench, ID, TIMEOUT_MS};
use crate::broker::transactions::State;
use kafka_protocol::ResponseError;

const DAY_MS: u64 = 24 * 3_600_000;

#[tokio::test]
async fn a_transaction_that_is_open_for_too_long_is_aborted_and_its_producer_fenced() {
    let mut bench = Bench::new(2).await;
    let producer = bench.ready().await;
    bench.add(producer, 0, 2).await.unwrap();
    bench.clock.advance(std::time::Duration::from_millis(30_000));
    bench.add(producer, 1, 2).await.unwrap();
    let timeout_ms = u64::try_from(TIMEOUT_MS).unwrap();
    // It counts from the first partition on, and is looked at every ten seconds.
    bench
        .advance_until(timeout_ms - 30_000 + 10_001, |bench| {
            bench.transaction().state == State::PrepareAbort
        })
        .await;
    bench.complete().await;
    assert_eq!(bench.stands(), (State::CompleteAbort, 100, 2));
    let late = bench.end(producer, true, 2).await;
    assert_eq!(late, Err(ResponseError::ProducerFenced));
}

#[tokio::test]
async fn an_idle_id_is_forgotten_after_a_week() {
    let bench = Bench::new(2).await;
    bench.ready().await;
    bench
        .advance_until(8 * DAY_MS, |bench| bench.coordinator.describe(ID).is_err())
        .await;
    let gone = bench.coordinator.describe(ID);
    assert_eq!(gone, Err(ResponseError::TransactionalIdNotFound));
    // The next producer begins anew.
    assert_eq!(bench.ready().await.id, 101);
}

#[tokio::test]
async fn an_open_transaction_keeps_its_id() {
    let mut bench = Bench::new(2).await;
    let producer = bench.ready().await;
    bench.add(producer, 0, 2).await.unwrap();
    bench
        .advance_until(8 * DAY_MS, |bench| {
            bench.transaction().state == State::PrepareAbort
        })
        .await;
    bench.crash_and_restart().await;
    assert_eq!(bench.transaction().state, State::PrepareAbort);
    bench.complete().await;
}
