//! InitProducerId: who has a transactional id, and who had it.

use super::bench::{Bench, ID};
use crate::broker::machine::Producer;
use crate::broker::transactions::{Initialise, Initialised, State, Transaction};
use kafka_protocol::ResponseError;

fn producer(id: i64, epoch: i16) -> Producer {
    Producer { id, epoch }
}

#[tokio::test]
async fn an_id_keeps_its_producer_id_over_a_restart_and_each_producer_gets_the_next_epoch() {
    let mut bench = Bench::new(2).await;
    assert_eq!(bench.ready().await, producer(100, 0));
    assert_eq!(bench.ready().await, producer(100, 1));
    bench.crash_and_restart().await;
    assert_eq!(bench.ready().await, producer(100, 2));
}

#[tokio::test]
async fn whoever_comes_next_fences_the_one_before_and_aborts_its_transaction() {
    for (version, epoch_of_abort) in [(0, 1), (1, 1), (2, 2)] {
        let mut bench = Bench::new(version).await;
        let zombie = bench.ready().await;
        bench.add(zombie, 0, version).await.unwrap();
        assert_eq!(bench.initialise(None).await, Ok(Initialised::Aborting));
        assert_eq!(bench.stands(), (State::PrepareAbort, 100, epoch_of_abort));
        // Until the markers are in, it asks again.
        let again = bench.initialise(None).await;
        assert_eq!(again, Err(ResponseError::ConcurrentTransactions));
        bench.complete().await;
        assert_eq!(bench.ready().await, producer(100, epoch_of_abort + 1));
        let zombie_ends = bench.end(zombie, true, version).await;
        assert_eq!(zombie_ends, Err(ResponseError::ProducerFenced));
        let zombie_adds = bench.add(zombie, 0, version).await;
        assert_eq!(zombie_adds, Err(ResponseError::ProducerFenced));
    }
}

#[tokio::test]
async fn a_producer_that_goes_on_names_what_it_has_and_may_ask_twice() {
    let bench = Bench::new(2).await;
    let had = bench.ready().await;
    let ready = |epoch| Ok(Initialised::Ready(producer(100, epoch)));
    assert_eq!(bench.initialise(Some(had)).await, ready(1));
    assert_eq!(bench.initialise(Some(had)).await, ready(1), "the answer was lost");
    let fenced = Err(ResponseError::ProducerFenced);
    assert_eq!(bench.initialise(Some(producer(99, 1))).await, fenced);
    // Somebody else has come in between.
    assert_eq!(bench.ready().await, producer(100, 2));
    assert_eq!(bench.initialise(Some(had)).await, fenced);
    assert_eq!(bench.initialise(Some(producer(100, 1))).await, fenced);
}

#[tokio::test]
async fn a_producer_that_did_not_hear_of_its_end_goes_on_without_another_epoch() {
    let mut bench = Bench::new(2).await;
    let had = bench.ready().await;
    bench.add(had, 0, 2).await.unwrap();
    bench.end(had, false, 2).await.unwrap();
    bench.complete().await;
    bench.crash_and_restart().await;
    let told = bench.initialise(Some(had)).await;
    assert_eq!(told, Ok(Initialised::Ready(producer(100, 1))));
}

#[tokio::test]
async fn when_its_epochs_are_used_up_an_id_gets_another_producer_id() {
    let bench = Bench::new(2).await;
    bench.ready().await;
    let last = i16::MAX - 1;
    let used_up = Transaction {
        epoch: last,
        ..bench.transaction()
    };
    bench.put(used_up.clone()).await;
    assert_eq!(bench.ready().await, producer(101, 0));
    // One that goes on, and did not hear of it.
    bench.put(used_up).await;
    let had = Some(producer(100, last));
    let ready = Ok(Initialised::Ready(producer(102, 0)));
    assert_eq!(bench.initialise(had).await, ready);
    assert_eq!(bench.initialise(had).await, ready, "the answer was lost");
}

#[tokio::test]
async fn what_can_be_no_id_and_no_timeout_is_refused() {
    let bench = Bench::new(2).await;
    let asked = |timeout_ms| Initialise {
        timeout_ms,
        expected: None,
    };
    for timeout_ms in [0, -1, 900_001] {
        let refused = bench.coordinator.initialise(ID, asked(timeout_ms), Some(1)).await;
        assert_eq!(refused.unwrap_err(), ResponseError::InvalidTransactionTimeout);
    }
    for id in ["", &"x".repeat(33_000)] {
        let refused = bench.coordinator.initialise(id, asked(1000), Some(1)).await;
        assert_eq!(refused.unwrap_err(), ResponseError::InvalidRequest);
    }
}

#[tokio::test]
async fn what_the_log_refuses_has_changed_nothing() {
    let mut bench = Bench::new(2).await;
    let had = bench.ready().await;
    bench.add(had, 0, 2).await.unwrap();
    let before = bench.machine();
    bench.disk_refuses();
    assert_eq!(bench.initialise(None).await, Err(ResponseError::NotCoordinator));
    assert_eq!(bench.end(had, true, 2).await, Err(ResponseError::NotCoordinator));
    assert_eq!(bench.add(had, 1, 2).await, Err(ResponseError::NotCoordinator));
    bench.disk_serves().await;
    assert_eq!(bench.machine(), before);
    assert!(bench.endings().is_empty());
    assert_eq!(bench.end(had, true, 2).await, Ok(producer(100, 1)));
}
