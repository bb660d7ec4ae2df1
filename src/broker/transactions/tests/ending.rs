//! EndTxn and AddPartitionsToTxn: what may follow what.

use super::bench::{Bench, ID};
use crate::broker::machine::Producer;
use crate::broker::transactions::{State, Transaction};
use kafka_protocol::ResponseError;

const PRODUCER: Producer = Producer { id: 7, epoch: 5 };
const BEFORE: Producer = Producer { id: 7, epoch: 4 };

/// What an end comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    /// Decided now.
    Decided,
    /// Answered as if, and nothing changed.
    Told,
    Refused(ResponseError),
}

const FENCED: Outcome = Outcome::Refused(ResponseError::ProducerFenced);
const INVALID: Outcome = Outcome::Refused(ResponseError::InvalidTxnState);
const LATER: Outcome = Outcome::Refused(ResponseError::ConcurrentTransactions);

fn in_state(state: State, client_version: i16) -> Transaction {
    Transaction {
        state,
        epoch: PRODUCER.epoch,
        previous_producer_id: 7,
        client_version,
        started_ms: 1,
        ..Transaction::new(7, 60_000, 1)
    }
}

async fn outcome(version: i16, known: &Transaction, producer: Producer, commits: bool) -> Outcome {
    let mut bench = Bench::new(version).await;
    bench.put(known.clone()).await;
    let before = bench.machine();
    let ended = bench.end(producer, commits, version).await;
    match ended {
        Err(error) => {
            assert_eq!(bench.machine(), before);
            Outcome::Refused(error)
        }
        Ok(_) if bench.machine() == before => {
            assert!(bench.endings().is_empty());
            Outcome::Told
        }
        Ok(_) => {
            assert_eq!(bench.endings(), [ID]);
            Outcome::Decided
        }
    }
}

#[tokio::test]
async fn since_kip_890_the_epoch_tells_a_repeated_end_from_the_next_one() {
    use Outcome::{Decided, Told};
    // By state: an abort repeated and current, a commit repeated and current.
    let table = [
        (State::Empty, [FENCED, Decided, FENCED, INVALID]),
        (State::Ongoing, [FENCED, Decided, FENCED, Decided]),
        (State::PrepareCommit, [INVALID, FENCED, LATER, FENCED]),
        (State::PrepareAbort, [LATER, FENCED, INVALID, FENCED]),
        (State::CompleteAbort, [Told, Decided, INVALID, INVALID]),
        (State::CompleteCommit, [INVALID, Decided, Told, INVALID]),
    ];
    for (state, expected) in table {
        let known = in_state(state, 2);
        let seen = [
            outcome(2, &known, BEFORE, false).await,
            outcome(2, &known, PRODUCER, false).await,
            outcome(2, &known, BEFORE, true).await,
            outcome(2, &known, PRODUCER, true).await,
        ];
        assert_eq!(seen, expected, "{state}");
    }
}

#[tokio::test]
async fn before_it_the_state_alone_does() {
    use Outcome::{Decided, Told};
    // By state: an abort, a commit.
    let table = [
        (State::Empty, [INVALID, INVALID]),
        (State::Ongoing, [Decided, Decided]),
        (State::PrepareCommit, [INVALID, LATER]),
        (State::PrepareAbort, [LATER, INVALID]),
        (State::CompleteAbort, [Told, INVALID]),
        (State::CompleteCommit, [INVALID, Told]),
    ];
    for (state, expected) in table {
        for version in [0, 1] {
            let known = in_state(state, 0);
            let seen = [
                outcome(version, &known, PRODUCER, false).await,
                outcome(version, &known, PRODUCER, true).await,
            ];
            assert_eq!(seen, expected, "{state}");
            assert_eq!(outcome(version, &known, BEFORE, true).await, FENCED);
        }
    }
}

#[tokio::test]
async fn an_end_repeated_over_a_change_of_the_producer_id_is_known_again() {
    let mut bench = Bench::new(2).await;
    let last = Producer {
        id: 7,
        epoch: i16::MAX - 1,
    };
    let open = Transaction {
        epoch: last.epoch,
        ..in_state(State::Ongoing, 2)
    };
    bench.put(open).await;
    let next = Producer { id: 100, epoch: 0 };
    assert_eq!(bench.end(last, true, 2).await, Ok(next));
    assert_eq!(bench.stands(), (State::PrepareCommit, 7, i16::MAX));
    bench.complete().await;
    assert_eq!(bench.stands(), (State::CompleteCommit, 100, 0));
    assert_eq!(bench.end(last, true, 2).await, Ok(next), "the answer was lost");
    assert_eq!(bench.add(next, 0, 2).await, Ok(()));
}

#[tokio::test]
async fn partitions_are_taken_in_until_the_end_and_begin_the_next_transaction_after_it() {
    for version in [0, 2] {
        let mut bench = Bench::new(version).await;
        let producer = bench.ready().await;
        bench.add(producer, 0, version).await.unwrap();
        bench.add(producer, 1, version).await.unwrap();
        let asked: Vec<(String, i32)> = (0..3).map(|index| ("t".to_owned(), index)).collect();
        let found = bench.coordinator.verify(ID, producer, &asked).await;
        assert_eq!(found, Ok(vec![true, true, false]));
        let next = bench.end(producer, true, version).await.unwrap();
        let refused = bench.add(next, 2, version).await;
        assert_eq!(refused, Err(ResponseError::ConcurrentTransactions));
        let refused = bench.coordinator.verify(ID, next, &asked).await;
        assert_eq!(refused, Err(ResponseError::ConcurrentTransactions));
        bench.complete().await;
        bench.add(next, 2, version).await.unwrap();
        let found = bench.coordinator.verify(ID, next, &asked).await;
        assert_eq!(found, Ok(vec![false, false, true]));
        let stranger = Producer { id: 1, ..next };
        let refused = bench.add(stranger, 0, version).await;
        assert_eq!(refused, Err(ResponseError::InvalidProducerIdMapping));
    }
}

#[tokio::test]
async fn a_client_of_the_new_protocol_in_a_cluster_of_the_old_one_keeps_its_epoch() {
    let mut bench = Bench::new(0).await;
    let producer = bench.ready().await;
    bench.add(producer, 0, 2).await.unwrap();
    assert_eq!(bench.end(producer, true, 2).await, Ok(producer));
    bench.complete().await;
    assert_eq!(bench.stands(), (State::CompleteCommit, 100, 0));
}

#[tokio::test]
async fn what_was_decided_is_brought_to_its_end_after_a_crash() {
    let mut bench = Bench::new(2).await;
    let producer = bench.ready().await;
    bench.add(producer, 0, 2).await.unwrap();
    bench.end(producer, true, 2).await.unwrap();
    bench.crash_and_restart().await;
    let ending = bench.coordinator.ending(ID).await.unwrap().unwrap();
    assert!(ending.commits());
    assert_eq!(ending.decided().partitions.len(), 1);
    bench.complete().await;
    assert_eq!(bench.stands(), (State::CompleteCommit, 100, 1));
    // Once it is over there is nothing to end.
    assert!(bench.coordinator.ending(ID).await.unwrap().is_none());
    ending.complete().await.unwrap();
    assert_eq!(bench.stands(), (State::CompleteCommit, 100, 1));
}
