//! What happens by itself, on a clock moved by hand.

use super::toy::Bench;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn what_is_due_is_done_when_the_clock_shows_it() {
    let bench = Bench::new();
    bench.set("due-3000", 1).await.unwrap();
    bench.set("due-2000", 1).await.unwrap();
    bench
        .advance_until(1_000, || !bench.numbers().settled.contains_key("due-2000"))
        .await;
    assert!(bench.numbers().settled.contains_key("due-3000"));
    bench
        .advance_until(1_000, || bench.numbers().settled.is_empty())
        .await;
    assert_eq!(bench.settled(), 4);
}

#[tokio::test]
async fn what_was_due_before_the_log_was_read_is_done_then() {
    let bench = Bench::new();
    bench.set("due-2000", 1).await.unwrap();
    bench.shard.give_up();
    let again = bench.again();
    bench
        .advance_until(1_000, || super::toy::state(&again).settled.is_empty())
        .await;
}

#[tokio::test]
async fn what_is_due_and_refused_rests_and_is_tried_again() {
    let bench = Bench::new();
    bench.set("due-2000", 1).await.unwrap();
    let appends = || bench.log.appends.load(Ordering::Relaxed);
    bench.log.refuses.store(true, Ordering::Relaxed);
    bench.advance_until(1_000, || bench.shard.timer.rests()).await;
    assert!(bench.numbers().settled.contains_key("due-2000"));
    bench.log.refuses.store(false, Ordering::Relaxed);
    // It does not spin meanwhile, whatever else changes.
    bench.set("a", 1).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(appends(), 2);
    bench
        .advance_until(1_000, || bench.numbers().settled.len() == 1)
        .await;
    assert_eq!(appends(), 3);
}
