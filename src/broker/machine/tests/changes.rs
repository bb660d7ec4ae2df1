//! Plan, append, replay, wait.

use super::toy::{Bench, Change, Set, state};
use crate::broker::machine::{Producer, Refused, Wait};
use kafka_protocol::ResponseError;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

const PRODUCER: Producer = Producer { id: 9, epoch: 0 };

#[tokio::test]
async fn what_is_written_is_replayed_at_its_offset_and_then_settled() {
    let bench = Bench::new();
    bench.set("a", 1).await.unwrap();
    bench.set("b", 2).await.unwrap();
    let numbers = bench.numbers();
    assert_eq!(numbers.settled, [("a".to_owned(), 1), ("b".to_owned(), 2)].into());
    assert_eq!((numbers.last, bench.settled()), (Some(1), 2));
}

#[tokio::test]
async fn a_refused_append_leaves_everything_as_it_was() {
    let bench = Bench::new();
    bench.set("a", 1).await.unwrap();
    let before = bench.numbers();
    bench.log.refuses.store(true, Ordering::Relaxed);
    let (told, telling) = oneshot::channel::<bool>();
    let refused = bench
        .shard
        .ask(|_, _, _| {
            let step = Change::write(vec![Set("a".into(), Some(9)), Set("b".into(), Some(2))], ());
            Ok(step
                .settling(|_, soft| soft.settled += 1)
                .telling(|answer| told.send(answer.is_ok()).unwrap()))
        })
        .await;
    assert!(matches!(refused, Err(Refused::Log(_))), "{refused:?}");
    assert_eq!((bench.numbers(), bench.settled()), (before, 1));
    telling.await.expect_err("others wait on");
    bench.log.refuses.store(false, Ordering::Relaxed);
    bench.set("b", 2).await.unwrap();
    assert_eq!(bench.numbers().settled.len(), 2);
}

#[tokio::test]
async fn a_refused_plan_writes_nothing() {
    let bench = Bench::new();
    let refused: Result<(), Refused> = bench
        .shard
        .ask(|_, _, _| Err(ResponseError::UnknownMemberId))
        .await;
    assert!(matches!(
        refused,
        Err(Refused::Plan(ResponseError::UnknownMemberId))
    ));
    assert_eq!(bench.log.appends.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn many_records_are_several_batches_and_one_append() {
    let bench = Bench::new();
    let name = |at: u32| format!("{at}-{}", "x".repeat(1_000));
    let records = (0..1_000).map(|at| Set(name(at), Some(1))).collect();
    bench
        .shard
        .ask(|_, _, _| Ok(Change::write(records, ())))
        .await
        .unwrap();
    assert_eq!(bench.log.appends.load(Ordering::Relaxed), 1);
    let numbers = bench.numbers();
    assert_eq!((numbers.settled.len(), numbers.last), (1_000, Some(999)));
    assert_eq!(state(&bench.again()), numbers);
}

#[tokio::test]
async fn an_answer_waits_for_the_replicas_and_so_do_others() {
    let bench = Bench::new();
    bench.log.commits_at_once.store(false, Ordering::Relaxed);
    let (told, mut telling) = oneshot::channel::<bool>();
    let shard = std::sync::Arc::clone(&bench.shard);
    let asked = tokio::spawn(async move {
        shard
            .ask(|_, _, _| {
                let step = Change::write(vec![Set("a".into(), Some(1))], 5);
                Ok(step.telling(|answer| told.send(answer.is_ok()).unwrap()))
            })
            .await
    });
    while bench.numbers().last.is_none() {
        tokio::task::yield_now().await;
    }
    assert!(telling.try_recv().is_err() && !asked.is_finished());
    // Who asks meanwhile is not held up.
    bench.shard.look(|_, _| ()).unwrap();
    bench.log.commit();
    assert_eq!(asked.await.unwrap().unwrap(), 5);
    assert!(telling.await.unwrap());
}

#[tokio::test]
async fn what_is_not_replicated_in_time_stays_written_and_is_answered_so() {
    let bench = Bench::new();
    bench.log.commits_at_once.store(false, Ordering::Relaxed);
    let late = bench.set("a", 1).await;
    assert!(matches!(late, Err(Refused::Late)), "{late:?}");
    assert_eq!(bench.numbers().settled.len(), 1);
    // An answer that rests on it waits as well; one that does not, does not.
    let at = bench.numbers().last.unwrap();
    let resting = |wait| {
        bench
            .shard
            .ask(move |_, _, _| Ok(Change::answer(()).waiting(wait)))
    };
    assert!(matches!(resting(Wait::CommittedTo(at)).await, Err(Refused::Late)));
    resting(Wait::Committed).await.unwrap();
    bench.log.commit();
    resting(Wait::CommittedTo(at)).await.unwrap();
}

#[tokio::test]
async fn an_offset_committed_in_a_later_epoch_is_no_answer() {
    let bench = Bench::new();
    bench.log.lost.store(true, Ordering::Relaxed);
    assert!(matches!(bench.set("a", 1).await, Err(Refused::NotLed)));
}

#[tokio::test]
async fn records_of_a_transaction_count_when_its_marker_commits_it() {
    let bench = Bench::new();
    for (name, commits, left) in [("a", true, 1), ("b", false, 1)] {
        let record = Set(name.into(), Some(1));
        let step = Change::write(vec![record], ()).in_transaction(PRODUCER);
        bench.shard.ask(|_, _, _| Ok(step)).await.unwrap();
        assert_eq!(bench.numbers().pending.len(), 1, "{name}");
        assert_eq!(state(&bench.again()), bench.numbers(), "{name}");
        bench.shard.mark(PRODUCER, commits, 3).await.unwrap();
        let numbers = bench.numbers();
        assert!(numbers.pending.is_empty());
        assert_eq!(numbers.settled.len(), left, "{name}");
        assert_eq!(state(&bench.again()), numbers, "{name}");
    }
}

#[tokio::test]
async fn a_log_led_no_longer_answers_who_waits_and_takes_nothing_more() {
    let bench = Bench::new();
    let (parked, waiting) = oneshot::channel();
    let step = Change::answer(()).settling(|_, soft| soft.parked.push(parked));
    bench.shard.ask(|_, _, _| Ok(step)).await.unwrap();
    bench.shard.give_up();
    assert_eq!(waiting.await.unwrap(), "moved");
    assert!(matches!(bench.set("a", 1).await, Err(Refused::NotLed)));
    assert_eq!(bench.log.appends.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_mistake_in_replay_leaves_nobody_served() {
    let bench = Bench::new();
    bench.set("a", 1).await.unwrap();
    let shard = std::sync::Arc::clone(&bench.shard);
    let broken = tokio::spawn(async move {
        let records = vec![Set("panic".into(), None)];
        shard.ask(|_, _, _| Ok(Change::write(records, ()))).await
    });
    assert!(broken.await.unwrap_err().is_panic());
    assert!(matches!(bench.set("b", 1).await, Err(Refused::NotLed)));
}

#[test]
fn a_coordinator_s_clients_are_told_where_to_go_and_when_to_try_again() {
    let of = |error: ResponseError| Refused::Log(error.into()).of_coordinator();
    assert_eq!(
        of(ResponseError::NotEnoughReplicas),
        ResponseError::CoordinatorNotAvailable
    );
    assert_eq!(
        of(ResponseError::KafkaStorageError),
        ResponseError::NotCoordinator
    );
    assert_eq!(
        of(ResponseError::NotLeaderOrFollower),
        ResponseError::NotCoordinator
    );
    assert_eq!(
        of(ResponseError::MessageTooLarge),
        ResponseError::UnknownServerError
    );
    assert_eq!(
        Refused::Late.of_coordinator(),
        ResponseError::CoordinatorNotAvailable
    );
    assert_eq!(
        Refused::Loading.of_coordinator(),
        ResponseError::CoordinatorLoadInProgress
    );
    assert_eq!(Refused::NotLed.of_coordinator(), ResponseError::NotCoordinator);
}
