//! A log is read back by the code that replays it live.

use super::toy::{Bench, Set, state};
use crate::broker::batch::BatchHeader;
use crate::broker::machine::{Producer, Refused, Step};
use crate::broker::metadata::MetadataImage;
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn image(offset: i64) -> Arc<MetadataImage> {
    Arc::new(MetadataImage {
        offset,
        ..MetadataImage::default()
    })
}

#[tokio::test]
async fn nobody_is_served_before_the_log_is_read() {
    let bench = Bench::unloaded();
    assert!(matches!(bench.set("a", 1).await, Err(Refused::Loading)));
    bench.log.write(BatchHeader::of_broker(1), &[(b"\0a", b"\x05")]);
    bench.shard.load();
    assert_eq!(bench.numbers().settled["a"], 5);
}

#[tokio::test]
async fn a_record_of_an_unknown_type_ends_the_loading_unless_the_machine_leaves_it_alone() {
    for (kind, served) in [(b"\x07", true), (b"\x08", false)] {
        let bench = Bench::unloaded();
        let header = BatchHeader::of_broker(1);
        bench.log.write(header, &[(kind, b"?"), (b"\0a", b"\x05")]);
        bench.shard.load();
        assert_eq!(bench.set("b", 1).await.is_ok(), served);
    }
}

#[tokio::test]
async fn a_shard_given_up_while_it_is_read_stays_given_up() {
    let bench = Bench::unloaded();
    bench.shard.give_up();
    bench.shard.load();
    assert!(matches!(bench.set("a", 1).await, Err(Refused::NotLed)));
}

#[tokio::test]
async fn metadata_is_acted_on_once_and_that_which_came_while_the_log_was_read_afterwards() {
    let bench = Bench::unloaded();
    bench.shard.follow(&image(4));
    bench.shard.load();
    assert_eq!(bench.numbers().settled["image"], 5, "from -1 to 4");
    let newer = image(7);
    bench.log.refuses.store(true, Ordering::Relaxed);
    bench.shard.follow(&newer);
    bench.log.refuses.store(false, Ordering::Relaxed);
    assert_eq!(bench.numbers().settled["image"], 5);
    // What was refused is owed still.
    bench.shard.follow(&image(9));
    assert_eq!(bench.numbers().settled["image"], 5, "from 4 to 9");
    let appends = bench.log.appends.load(Ordering::Relaxed);
    assert_eq!(appends, 2);
}

#[tokio::test]
async fn a_log_that_lost_what_was_replayed_is_read_anew() {
    let bench = Bench::new();
    bench.set("a", 1).await.unwrap();
    bench.set("b", 2).await.unwrap();
    bench.log.lose_last();
    assert!(matches!(bench.set("c", 3).await, Err(Refused::Loading)));
    while bench.shard.look(|_, _| ()).is_err() {
        tokio::task::yield_now().await;
    }
    bench.set("c", 3).await.unwrap();
    let numbers = bench.numbers();
    assert_eq!(numbers.settled, [("a".to_owned(), 1), ("c".to_owned(), 3)].into());
    assert_eq!(state(&bench.again()), numbers);
}

#[derive(Debug, Clone)]
enum Change {
    Write(Vec<(u8, Option<u8>)>, Option<i64>),
    Refuse(u8),
    Mark(i64, bool),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let records = prop::collection::vec((0..6_u8, prop::option::of(any::<u8>())), 0..4);
    let change = prop_oneof![
        4 => (records, prop::option::weighted(0.3, 0..3_i64)).prop_map(|(all, of)| Change::Write(all, of)),
        1 => (0..6_u8).prop_map(Change::Refuse),
        1 => (0..3_i64, any::<bool>()).prop_map(|(producer, commits)| Change::Mark(producer, commits)),
    ];
    prop::collection::vec(change, 0..30)
}

async fn make(bench: &Bench, change: Change) {
    let shard = &bench.shard;
    match change {
        Change::Write(records, producer) => {
            let set = |(name, number): (u8, Option<u8>)| Set(name.to_string(), number);
            let step = Step::write(records.into_iter().map(set).collect(), ());
            let step = match producer {
                Some(id) => step.in_transaction(Producer { id, epoch: 0 }),
                None => step,
            };
            shard.ask(|_, _, _| Ok(step)).await.unwrap();
        }
        Change::Refuse(number) => {
            bench.log.refuses.store(true, Ordering::Relaxed);
            bench.set(&number.to_string(), 77).await.unwrap_err();
            bench.log.refuses.store(false, Ordering::Relaxed);
        }
        Change::Mark(id, commits) => {
            let producer = Producer { id, epoch: 0 };
            shard.mark(producer, commits, 0).await.unwrap();
        }
    }
}

proptest! {
    #[test]
    fn a_log_read_back_is_what_it_was_live(changes in changes()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            for change in changes {
                make(&bench, change).await;
            }
            assert_eq!(state(&bench.again()), bench.numbers());
        });
    }
}
