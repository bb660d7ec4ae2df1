//! Whatever happens to a transaction, its log read anew says what it was.

use super::bench::{Bench, ID};
use crate::broker::machine::Producer;
use crate::broker::transactions::Initialised;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Initialise(bool),
    Add(i32),
    End(bool),
    Complete,
    Wait(u64),
    Refuse,
    Serve,
    Crash,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        3 => any::<bool>().prop_map(Act::Initialise),
        5 => (0..3).prop_map(Act::Add),
        4 => any::<bool>().prop_map(Act::End),
        4 => Just(Act::Complete),
        1 => prop_oneof![Just(500_u64), Just(71_000), Just(8 * 24 * 3_600_000)].prop_map(Act::Wait),
        1 => Just(Act::Refuse),
        2 => Just(Act::Serve),
        1 => Just(Act::Crash),
    ];
    prop::collection::vec(act, 1..40)
}

async fn run(version: i16, acts: Vec<Act>) {
    let mut bench = Bench::new(version).await;
    let mut producer = Producer { id: -1, epoch: -1 };
    for act in acts {
        match act {
            Act::Initialise(goes_on) => {
                let expected = Some(producer).filter(|producer| goes_on && producer.id >= 0);
                if let Ok(Initialised::Ready(next)) = bench.initialise(expected).await {
                    producer = next;
                }
            }
            Act::Add(partition) => {
                let _ = bench.add(producer, partition, version).await;
            }
            Act::End(commits) => {
                if let Ok(next) = bench.end(producer, commits, version).await {
                    producer = next;
                }
            }
            Act::Complete => {
                bench.endings();
                if let Ok(Some(ending)) = bench.coordinator.ending(ID).await {
                    let _ = ending.complete().await;
                }
            }
            Act::Wait(ms) => bench.clock.advance(std::time::Duration::from_millis(ms)),
            Act::Refuse => bench.disk_refuses(),
            Act::Serve => bench.disk_serves().await,
            Act::Crash => {
                bench.disk_serves().await;
                bench.crash_and_restart().await;
            }
        }
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    bench.disk_serves().await;
    let live = bench.machine();
    bench.crash_and_restart().await;
    assert_eq!(bench.machine(), live);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn it_is_what_it_was(version in 0..=2_i16, acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(version, acts));
    }
}
