//! Real processes under faults: brokers and a controller are killed, stand still, are cut off and have full disks, while
//! clients write, in transactions and without, make topics and read. When all is over, what each of them was told must be true.
//!
//! `scripts/dev/chaos SECONDS [SEED]` goes on for as long as it is told. The seed decides what happens, not what comes of it:
//! that is up to the machine. `docs/simulation.md` tells of the simulation, where the same seed is the same run.

mod clients;
mod faults;
mod history;
mod links;
mod nodes;

use clients::{NUMBERS, PAIRS, PARTITIONS, Topics};
use faults::Fault;
use history::{Fate, History, Place, Written, say};
use nodes::Nodes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use velodrome::kafka::topic_reader::read_to_end;
use velodrome::kafka::{Admin, Connection, ErrorCode, NewTopic};

/// How long what was mended may take to be whole again, beside other work.
const PATIENCE: Duration = Duration::from_secs(180);
/// Writers of transactions.
const WRITERS: std::ops::Range<i32> = 0..2;

#[test]
fn what_clients_were_told_is_true_whatever_happened_to_the_nodes() {
    // One of each, whatever time that takes.
    let each = [
        Fault::Killed(2),
        Fault::Held(3),
        Fault::Full(1),
        Fault::NoController,
        Fault::Paused(3),
        Fault::Closed(2),
    ];
    run(1, each.into_iter(), Duration::from_secs(3600));
}

#[test]
#[ignore = "runs for as long as VELO_CHAOS_SECONDS says: scripts/dev/chaos"]
fn for_a_time() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|value| value.parse::<u64>().ok())
    };
    let seconds = number("VELO_CHAOS_SECONDS").unwrap_or(60);
    let seed = number("VELO_CHAOS_SEED").unwrap_or(1);
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let faults = std::iter::repeat_with(move || Fault::any(&mut chance));
    run(seed, faults, Duration::from_secs(seconds));
}

fn run(seed: u64, faults: impl Iterator<Item = Fault>, time: Duration) {
    let mut nodes = Nodes::start();
    let connection = nodes.connection();
    make_topics(&connection);
    let over = AtomicBool::new(false);
    let mut history = History::default();
    let (topics, happened) = std::thread::scope(|scope| {
        let numbers = scope.spawn(|| clients::write_numbers(&connection, &over));
        let (connection, over) = (&connection, &over);
        let pairs: Vec<_> = WRITERS
            .map(|writer| scope.spawn(move || clients::write_pairs(connection, writer, over)))
            .collect();
        let topics = scope.spawn(|| clients::administer(connection, over));
        let reader_over = AtomicBool::new(false);
        let reader = std::thread::scope(|inner| {
            let reader = inner.spawn(|| clients::read(connection, &reader_over));
            let mut chance = ChaCha8Rng::seed_from_u64(seed);
            let happened = faults::happen(&mut nodes, faults, &mut chance, Instant::now() + time);
            start_spoilt_anew(&mut nodes, &happened);
            let whole = await_whole(connection);
            say("whole again");
            over.store(true, Ordering::Release);
            reader_over.store(true, Ordering::Release);
            (reader.join().unwrap(), happened, whole)
        });
        let (seen, happened, whole) = reader;
        history.seen = seen;
        history.written = numbers.join().unwrap();
        for writer in pairs {
            history.written.extend(writer.join().unwrap());
        }
        assert!(whole, "not whole again after {happened:?}\n{}", nodes.said());
        (topics.join().unwrap(), happened)
    });
    history.found = everything(&connection);
    report(seed, &happened, &history, &topics);
    let mut wrongs = history.wrongs();
    wrongs.extend(topics.wrongs(&Admin::connect(&connection).unwrap()));
    assert!(
        wrongs.is_empty(),
        "seed {seed}, {happened:?}: {wrongs:#?}\n{}",
        nodes.said()
    );
    assert_at_work(&history.written, &topics);
}

/// A partition that a broker could not open because its disk was full is opened when the broker starts.
fn start_spoilt_anew(nodes: &mut Nodes, happened: &[Fault]) {
    for fault in happened {
        if let Fault::Full(broker) = fault {
            nodes.kill(*broker);
            nodes.revive();
        }
    }
}

/// Waits until the brokers serve, and makes the topics.
fn make_topics(connection: &Connection) {
    let topic = |name: &str| NewTopic {
        partitions: Some(PARTITIONS),
        replication_factor: Some(3),
        ..NewTopic::named(name)
    };
    let topics = [topic(NUMBERS), topic(PAIRS)];
    let deadline = Instant::now() + PATIENCE;
    loop {
        let made = Admin::connect(connection).and_then(|admin| admin.create_topics(&topics, false));
        // All three must have come for three replicas; an answer that was lost is not the topic.
        let made = made.is_ok_and(|answers| {
            let mut failed = answers.into_iter().filter_map(|(_, answer)| answer.err());
            failed.all(|error| error.code() == ErrorCode::TopicAlreadyExists)
        });
        if made {
            return;
        }
        assert!(Instant::now() < deadline, "the topics cannot be made");
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

/// Waits until every partition has a leader and all of its replicas in sync; whether that came true.
fn await_whole(connection: &Connection) -> bool {
    let is_whole = || {
        let topics = Admin::connect(connection).and_then(|admin| admin.metadata());
        topics.is_ok_and(|metadata| {
            let mut partitions = metadata.topics.iter().flat_map(|topic| &topic.partitions);
            metadata.brokers.len() == 3
                && partitions.all(|partition| {
                    partition.leader.is_some() && partition.isr.len() == partition.replicas.len()
                })
        })
    };
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if is_whole() {
            return true;
        }
        std::thread::park_timeout(Duration::from_millis(100));
    }
    false
}

/// What one reads who begins now.
fn everything(connection: &Connection) -> Vec<(Place, String)> {
    let mut found = Vec::new();
    for topic in [NUMBERS, PAIRS] {
        read_to_end(connection, topic, |record| {
            let value = String::from_utf8(record.value.unwrap()).unwrap();
            found.push(((topic.to_owned(), record.partition, record.offset), value));
        })
        .unwrap();
    }
    found
}

fn report(seed: u64, happened: &[Fault], history: &History, topics: &Topics) {
    let count = |fate: Fate| {
        history
            .written
            .iter()
            .filter(|written| written.fate == fate)
            .count()
    };
    println!(
        "seed {seed}: {} faults; {} writes acknowledged, {} aborted, {} unknown; {} records read meanwhile, {} at the end; \
         {} topics",
        happened.len(),
        count(Fate::Acknowledged),
        count(Fate::Aborted),
        count(Fate::Unknown),
        history.seen.len(),
        history.found.len(),
        topics.count(),
    );
}

/// Nobody stood idle all the time.
fn assert_at_work(written: &[Written], topics: &Topics) {
    for client in ["i.", "t0.", "t1."] {
        let mut acknowledged = written
            .iter()
            .filter(|written| written.fate == Fate::Acknowledged);
        assert!(
            acknowledged.any(|written| written.values[0].starts_with(client)),
            "nothing of {client} was acknowledged"
        );
    }
    assert!(topics.count() > 0, "no topic was made");
}
